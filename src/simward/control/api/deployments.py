"""`/v1/deployments`: device management says which device was installed with which subscription, for what, and where.

Checked against what is in force, kept, and told to the gate; whether the right device came is seen at its first attach.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simward.control.api import paging, preconditions
from simward.control.api.asking import Asking
from simward.control.api.events import News
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem, no_registry
from simward.control.api.records import subscription_tag
from simward.control.api.words import Words
from simward.engine.tables import HANDED_BACK, PolicyTables
from simward.errors import IdentityError, RegistryError
from simward.identity import Iccid, Imei, Imsi
from simward.logs import called
from simward.policy.inventory import PARSERS, lookup
from simward.registry import deployments as kept
from simward.registry.database import Registry
from simward.response.deploying import MISTAKES, Fit, Mistake, Policy, Wanted, check
from simward.response.deployments import Deployments, document, known_of

log = logging.getLogger(__name__)

IN_FORCE_WITHIN_S, LOOK_EVERY_S = 2.0, 0.1
"""How long an answer waits for the gate; where that is away, `accepted` is the answer.
It is looked for when something was followed, and now and then."""
State = Literal[
    "accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling", "failed", "cancelled", "superseded",
    "taken-back",
]  # fmt: skip


class Site(BaseModel):
    """Where it was installed."""

    model_config = ConfigDict(extra="forbid")

    label: Words | None = Field(default=None, min_length=1)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)

    @model_validator(mode="after")
    def _whole(self) -> Site:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self


class NewDeployment(BaseModel):
    """Device A was installed with subscription C for use case B at site S."""

    model_config = ConfigDict(extra="forbid")

    iccid: str | None = Field(default=None, max_length=32, description="Which subscription: its card,")
    imsi: str | None = Field(default=None, max_length=32, description="or one of its IMSIs.")
    imei: str = Field(max_length=32, description="Which device: 14, 15 (the last a check digit) or 16 digits.")
    use_case: str = Field(min_length=1, max_length=128)
    site: Site = Field(default_factory=Site)
    because: Words = Field(default="", description="A reference of yours, or why; kept for the audit.")

    @model_validator(mode="after")
    def _says_which(self) -> NewDeployment:
        if (self.iccid is None) == (self.imsi is None):
            raise ValueError("iccid or imsi: one of them")
        if self.iccid is not None:
            self.iccid = Iccid.parse(self.iccid).text
        if self.imsi is not None:
            self.imsi = Imsi.parse(self.imsi).text
        return self

    def wanted(self) -> Wanted:
        """As it is checked. Raises Problem where the IMEI is none."""
        try:
            imei = Imei.parse(self.imei)
            digits = re.sub(r"\D", "", self.imei)
            # TS 23.003 6.2.1: the 15th digit is a check digit on paper, and 0 where it is sent.
            if len(digits) == 15 and digits[14] not in (str(imei.check_digit), "0"):
                raise IdentityError("its last digit is not the check digit of the others: is it mistyped?")
        except IdentityError as error:
            wrong = [{"pointer": "#/imei", "in": "body", "detail": str(error)}]
            raise Problem(422, "malformed-imei", "Not an IMEI", f"imei: {error}", errors=wrong) from None
        return Wanted(
            iccid=self.iccid, imsi=self.imsi, imei=imei.text, use_case=self.use_case, label=self.site.label,
            latitude=self.site.latitude, longitude=self.site.longitude,
        )  # fmt: skip


class Address(BaseModel):
    """Where its data come from."""

    apn: str | None = Field(description="Over which its data come.")
    address: str | None
    prefix: str | None
    delegated: str | None
    how: str = Field(description="In words: given and kept, or how it will come.")


class SiteTold(BaseModel):
    """Where it was installed."""

    label: str | None
    latitude: float | None
    longitude: float | None


class Deployment(BaseModel):
    """A deployment, as it stands."""

    number: int
    state: State
    said: str | None = Field(description="What is the matter with it, in words.")
    tenant: str
    iccid: str
    imsi: str = Field(description="The first of its card.")
    imei: str = Field(description="The device that belongs there (14 digits).")
    use_case: str
    segment: str | None
    site: SiteTold
    address: Address
    generation: int | None = Field(description="Of the binding as the mirror has it.")
    seen: dict[str, Any] | None = Field(description="What the last sign of life reported: device, network, verdict.")
    seen_at: str | None
    created_at: str
    created_by: str
    because: str | None
    changed_at: str
    ended_by: str | None
    correlator: str = Field(description="The x-correlator of the request; every event about it carries the same.")
    in_force_seq: int | None = Field(description="The sequence of the journal by which the gate has it.")


class DeploymentPage(BaseModel):
    """A page, the newest first."""

    deployments: list[Deployment]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class InForce:
    """The policy in force, as the control plane has followed it; read anew only where another one came."""

    def __init__(self, newest: Callable[[], tuple[int, bytes] | None]) -> None:
        self._newest = newest
        self._sequence, self._policy = -1, Policy(PolicyTables.default())

    def policy(self) -> Policy:
        """It. Raises Problem where it is not known now."""
        try:
            newest = self._newest()
        except RegistryError as error:
            raise no_registry(error) from None
        if newest is not None and newest[0] != self._sequence:
            self._policy = Policy(PolicyTables.from_bytes(newest[1]))
            self._sequence = newest[0]
        return self._policy


def deployment_routes(
    registry: Registry, deployments: Deployments, in_force: InForce, inventory: Path, now: Callable[[], int],
    decided: Callable[[], None], news: News,
) -> APIRouter:  # fmt: skip
    """The routes. `decided` is called when there is something to tell the gate and others; `news` wakes when something
    was followed."""
    routes, asking = APIRouter(prefix="/v1/deployments", tags=["deployments"]), Asking(registry)
    desk = Desk(asking, deployments, in_force, inventory, now, news)
    told = {"model": Deployment}

    @routes.post(
        "", status_code=201, response_model=None, openapi_extra=needs("deploy"),
        responses={201: told, 200: {**told, "description": "The same was deployed before."}},
    )  # fmt: skip
    async def deploy(
        asked: NewDeployment, request: Request, response: Response, if_match: preconditions.IfMatch = None
    ) -> dict[str, Any]:
        """Bind a device to a subscription for a use case, and expect it: the gate, then the application is told.
        `If-Match` is the ETag of the subscription; the same that was asked before is answered as it stands."""
        number, made = await desk.deploy(asked, request.state.principal, request.state.correlator, if_match)
        decided()
        response.status_code = 201 if made else 200
        response.headers["Location"] = f"/v1/deployments/{number}"
        return await desk.settled(number, (kept.ACCEPTED,))

    @routes.get(
        "", response_model=None, responses={200: {"model": DeploymentPage}},
        openapi_extra=needs("deploy", "read-subscriptions"),
    )  # fmt: skip
    async def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None, iccid: paging.Digits = None,
        imei: paging.Digits = None, use_case: paging.Name = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first."""
        (before,) = paging.key_of("deployments", after, int) or (None,)
        rows, known = await asking.read(lambda c: _page(c, tenant=request.state.principal.tenant, before=before,
            limit=limit + 1, states=state or (), iccid=iccid, imei=imei and imei[:14], use_case=use_case))  # fmt: skip
        policy = in_force.policy()
        more = paging.cursor_of("deployments", rows[limit - 1].number) if len(rows) > limit else None
        some = [document(row, one, policy) for row, one in zip(rows[:limit], known[:limit], strict=True)]
        return paging.page("deployments", some, more)

    @routes.get(
        "/{number}", response_model=None, responses={200: told}, openapi_extra=needs("deploy", "read-subscriptions")
    )
    async def one(number: Number, request: Request) -> dict[str, Any]:
        """How it stands."""
        return await desk.told(number, request.state.principal.tenant)

    @routes.delete("/{number}", status_code=202, response_model=None, responses={202: told},
                   openapi_extra=needs("deploy"))  # fmt: skip
    async def undeploy(
        number: Number, request: Request, because: Annotated[Words, Query(description="Why; kept for the audit.")] = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Take it back: the subscription is as `inventory.csv` says, or said before."""
        await desk.undeploy(number, request.state.principal, because)
        decided()
        return await desk.settled(number, (kept.CANCELLING,))

    return routes


Number = Annotated[int, InPath(ge=1, lt=paging.NUMBER_END)]


class Desk:
    """What the routes do."""

    def __init__(
        self, asking: Asking, deployments: Deployments, in_force: InForce, inventory: Path, now: Callable[[], int],
        news: News,
    ) -> None:  # fmt: skip
        self._news = news
        self._asking, self._deployments, self._in_force = asking, deployments, in_force
        self._inventory, self._now = inventory, now

    async def deploy(
        self, asked: NewDeployment, principal: Principal, correlator: str, if_match: str | None = None
    ) -> tuple[int, bool]:
        """Check and keep; (its number, was it made now?)."""
        wanted, policy = asked.wanted(), self._in_force.policy()

        def act(connection: sa.Connection) -> tuple[int, bool]:
            fit = _same_is_there(connection, wanted, principal) or check(connection, wanted, policy, principal.tenant)
            if isinstance(fit, int):
                return fit, False
            tags = [subscription_tag(one) for one in fit.lines]  # a card may carry several subscriptions
            preconditions.must_match(if_match, next((one for one in tags if one in (if_match or "")), tags[0]))
            return self._deployments.make(
                connection, wanted, fit, actor=principal.name, because=asked.because, correlator=correlator,
                at=self._now(),
            )  # fmt: skip

        try:
            number, made = await self._asking.write(act)
        except Mistake as mistake:
            raise _problem(mistake) from None
        log.info(
            "deployment %d by %r: %s", number, principal.name, "kept" if made else "there already",
            extra=called("deployment-asked", deployment=number, actor=principal.name),
        )
        return number, made

    async def undeploy(self, number: int, principal: Principal, because: str) -> None:
        """Have it taken back."""
        row = await self._find(number, principal.tenant)
        policy = self._in_force.policy()
        lines = await asyncio.to_thread(lambda: [_by_files(self._inventory, one, row, policy) for one in row.before])

        def act(connection: sa.Connection) -> None:
            again = kept.find(connection, number)
            assert again is not None
            if again.state == kept.CANCELLED:
                return  # asked again
            known = known_of(connection, again)
            left_over = again.state == kept.FAILED and known is not None and known.owner == "api"
            if not again.live and not left_over:
                raise Problem(409, "deployment-is-over", "The deployment is over", f"It is {again.state} already.")
            at = self._now()
            self._deployments.cancel(connection, again, lines, actor=principal.name, because=because, at=at)

        await self._asking.write(act)

    async def told(self, number: int, tenant: str | None) -> dict[str, Any]:
        """As JSON."""
        row = await self._find(number, tenant)
        known = await self._asking.read(lambda c: known_of(c, row))
        return document(row, known, self._in_force.policy())

    async def settled(self, number: int, passing: tuple[str, ...]) -> dict[str, Any]:
        """As soon as it has left these states; as it is where that takes too long."""
        end = time.monotonic() + IN_FORCE_WITHIN_S
        while (told := await self.told(number, None))["state"] in passing and time.monotonic() < end:
            await self._news.wait(LOOK_EVERY_S)
        return told

    async def _find(self, number: int, tenant: str | None) -> Any:
        row = await self._asking.read(lambda c: kept.find(c, number, tenant))
        if row is None:
            raise Problem(404, "no-such-deployment", "No such deployment", f"There is no deployment {number}.")
        return row


def _page(connection: sa.Connection, **asked: Any) -> tuple[list[Any], list[Any]]:
    rows = list(kept.listed(connection, **asked))
    known = kept.subscriptions_of(connection, [row.imsi for row in rows])
    return rows, [known.get(row.imsi) for row in rows]


def _same_is_there(connection: sa.Connection, wanted: Wanted, principal: Principal) -> Fit | int | None:
    """The number of the live deployment that says the very same: what was checked then is not held against it now."""
    row = kept.live_of(connection, imei=wanted.imei)
    if row is None or row.state == kept.CANCELLING or principal.tenant not in (None, row.tenant):
        return None
    mine = wanted.iccid == row.iccid or any(line["imsi"] == wanted.imsi for line in row.lines)
    asked = (wanted.use_case, wanted.label, wanted.latitude, wanted.longitude)
    same = mine and asked == (row.use_case, row.label, row.latitude, row.longitude)
    return int(row.number) if same else None


def _problem(mistake: Mistake) -> Problem:
    status, title = MISTAKES[mistake.name]
    wrong = [{"pointer": f"#/{mistake.where}", "in": "body", "detail": str(mistake)}]
    detail = f"{mistake.where}: {mistake}" if mistake.where else str(mistake)
    return Problem(status, mistake.name, title, detail, errors=wrong, **mistake.facts)


def _by_files(inventory: Path, before: dict[str, Any], row: Any, policy: Policy) -> dict[str, Any]:
    """The line that takes a deployment's place: as the file has it now; where that does not fit, as it was before."""
    line = dict(before)
    try:
        found = lookup(inventory, imsi=Imsi.parse(before["imsi"]).number)
        if found is not None and policy.tenant_of(found["use_case"].strip()) == row.tenant:
            texts = {name: (found.get(name) or "").strip() or None for name in ("msisdn", "imei", "state")}
            for name in ("msisdn", "imei"):
                if (text := texts[name]) is not None:
                    PARSERS[name](text)
            state = texts["state"] or "active"
            if state in ("active", "inventory", "suspended", "retired"):
                line |= {**texts, "use_case": found["use_case"].strip(), "state": state}
    except (OSError, KeyError, IdentityError) as error:
        log.warning(
            "deployment %d: as before, since %s cannot be read (%s)", row.number, inventory, error,
            extra=called("deployment-inventory-unreadable", deployment=row.number),
        )
    moved = policy.segment_of(line["use_case"] or "") != row.segment
    return {**line, "owner": HANDED_BACK, "moved": moved}
