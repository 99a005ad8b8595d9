"""`/v1/commands` and `/v1/revisions`: what a caller asks of the gate, checked here, decided there."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from simward.control.api.answers import CommandAnswer, answered
from simward.control.api.answers_outward import Took
from simward.control.api.permissions import OWNER, needs, refused, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem, gate_unreachable, no_registry
from simward.control.api.repeats import HEADER, command_id
from simward.control.api.words import Words
from simward.control.gate_link import GateLink, GateUnreachable
from simward.errors import RegistryError
from simward.gate_socket import ABOUT_A_SUBSCRIPTION, GENERATION_END
from simward.identity import Iccid, Imei
from simward.logs import called

log = logging.getLogger(__name__)

APPLY_WITHIN_S = 600.0
REFUSED = {
    "stale": (409, "The binding has changed since"),
    "limited": (409, "Held by a limit"),
    "not-found": (404, "No such subscription"),
    "unfit": (409, "There is nothing to bind it to"),
}
Name = Annotated[str, StringConstraints(pattern=re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"))]


class Command(BaseModel):
    """One command. It is journalled with who asked and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    do: Literal["lock", "quarantine", "release", "disconnect", "pause", "resume", "bind", "unbind"]
    because: Words = Field(min_length=1, description="Why; kept for the audit.")
    iccid: str | None = Field(default=None, description="Which subscription; not for pause and resume.")
    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    id: Words = Field(default="", description="Your name for this command: sent twice, it acts once.")
    generation: int = Field(default=-1, ge=-1, lt=GENERATION_END, description="Only if the binding still has it.")
    rebind: bool = Field(default=False, description="With release: also forget the bound device.")
    area: bool = Field(default=False, description="With bind and unbind: the area of its use case, not the device.")
    imei: str | None = Field(default=None, description="With bind: to which device; not given: the one seen last.")

    @field_validator("because", "actor", "id")
    @classmethod
    def _is_text(cls, text: str) -> str:
        text.encode()  # JSON can write halves of characters
        return text

    @field_validator("because")
    @classmethod
    def _says_why(cls, because: str) -> str:
        if not because.strip():
            raise ValueError("say why, it is kept for the audit")
        return because

    @model_validator(mode="after")
    def _fits(self) -> Command:
        if self.do in ABOUT_A_SUBSCRIPTION:
            if self.iccid is None:
                raise ValueError(f"{self.do} is about a subscription: give its iccid")
            self.iccid = Iccid.parse(self.iccid).text
        elif self.iccid is not None:
            raise ValueError(f"{self.do} is about everything: it takes no iccid")
        if self.rebind and self.do != "release":
            raise ValueError("rebind goes with release alone")
        if self.area and self.do not in ("bind", "unbind"):
            raise ValueError("area goes with bind and unbind alone")
        if self.imei is not None and (self.do != "bind" or self.area):
            raise ValueError("imei goes with the bind of a device alone")
        self.imei = None if self.imei is None else Imei.parse(self.imei).text
        return self

    def payload(self, actor: str) -> dict[str, Any]:
        """As the gate is asked."""
        asked: dict[str, Any] = {"do": self.do, "because": self.because, "actor": actor, "id": self.id}
        if self.iccid is not None:
            asked |= {"iccid": self.iccid, "generation": self.generation}
        switches = {name: True for name in ("rebind", "area") if getattr(self, name)}
        return asked | switches | ({"imei": self.imei} if self.imei else {})


class Revision(BaseModel):
    """A revision of policy and inventory that `simward apply` has written into `data/revisions`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    revision: Name = Field(description="The name of its folder there.")


def of_no_tenant(iccid: str) -> str | None:
    """What is known of the tenant of a subscription where nobody can be asked."""
    return None


def command_routes(
    gate: GateLink, data_dir: Path, tenant_of: Callable[[str], str | None] = of_no_tenant
) -> APIRouter:
    """Both routes."""
    routes = APIRouter(prefix="/v1", tags=["commands"])

    @routes.post(
        "/commands", openapi_extra=needs(
            "lock", "quarantine", "release", "disconnect", "pause", "resume", "bind", "unbind",
        ),
        **answered(CommandAnswer),
    )  # fmt: skip
    async def command(command: Command, request: Request) -> dict[str, Any]:
        """Lock, quarantine, release, disconnect, bind or unbind a subscription; pause or resume all responses."""
        principal: Principal = request.state.principal
        key = request.headers.get(HEADER)
        if key and not command.id:
            command.id = command_id(principal, key)
        return await carry_out(command, principal, gate, tenant_of)

    @routes.post("/revisions", openapi_extra=needs(OWNER), **answered(Took))
    async def revision(revision: Revision) -> dict[str, Any]:
        """Have the gate take a revision; answered when its last piece is durable."""
        folder = (data_dir / "revisions" / revision.revision).absolute()
        if not folder.is_dir():
            raise Problem(404, "not-found", "No such revision", f"{revision.revision} is not in data/revisions.")
        answer = await _ask(gate, {"do": "apply", "revision": str(folder)}, APPLY_WITHIN_S)
        log.info(
            "revision %s: %s", revision.revision, answer.get("error") or f"in force from {answer.get('last')} on",
            extra=called("revision-taken", revision=revision.revision),
        )
        return _told(answer, 409, "gate-refused")

    return routes


async def carry_out(
    command: Command, principal: Principal, gate: GateLink, tenant_of: Callable[[str], str | None]
) -> dict[str, Any]:
    """Have the gate do it, for somebody who may; what it answered. Raises Problem."""
    if not principal.allows(command.do, command.iccid):
        raise Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not {command.do} this.")
    actor = speaker(principal, command.actor)
    await _of_its_tenant(command, principal, tenant_of)
    answer = await _ask(gate, command.payload(actor))
    result = answer.get("result") or ("applied" if answer.get("ok") else "refused")
    log.info(
        "%s asked by %r: %s (%s)", command.do, actor, result, _sequence(answer),
        extra=called("command-asked", command=command.do, actor=actor, result=result),
    )
    return _told(answer, 503, "gate-refused")


async def _of_its_tenant(command: Command, principal: Principal, tenant_of: Callable[[str], str | None]) -> None:
    """Who is bound to a tenant acts on its subscriptions alone; those of others are not there for it."""
    if principal.tenant is None:
        return
    if command.iccid is None:
        raise refused(principal, f"{command.do}, which is about all tenants")
    try:
        owner = await asyncio.to_thread(tenant_of, command.iccid)
    except RegistryError as error:
        raise no_registry(error) from None
    if owner != principal.tenant:
        raise Problem(404, "not-found", REFUSED["not-found"][1], "There is no subscription with this ICCID.")


async def _ask(gate: GateLink, payload: dict[str, Any], within_s: float | None = None) -> dict[str, Any]:
    try:
        return await (gate.ask(payload) if within_s is None else gate.ask(payload, within_s))
    except GateUnreachable as error:
        raise gate_unreachable(error) from None


def _told(answer: dict[str, Any], status: int, name: str) -> dict[str, Any]:
    """The facts of an answer; where the gate said no, a Problem with them: `status` unless the result has its own."""
    facts = {key: value for key, value in answer.items() if key not in ("ok", "error")}
    if answer.get("ok"):
        return facts
    result = str(facts.get("result", ""))
    if result in REFUSED:
        status, title = REFUSED[result]
        name = result
    else:
        title = "The gate said no"
    raise Problem(status, name, title, str(answer.get("error", "no, without a reason")), **facts)


def _sequence(answer: dict[str, Any]) -> str:
    return f"0/{answer['sequence']}" if "sequence" in answer else "no sequence"
