"""The dialogs in which people act: what will happen, why it is done; and then doing it, by the API's own functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from pydantic import ValidationError
from starlette.responses import Response

from simward.control.api.asking import in_thread
from simward.control.api.commands import Command, carry_out
from simward.control.api.incidents import Asked
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.work import NewOrder, Wanted, carried_out
from simward.control.chapters import story_of
from simward.control.console.acts import ACTS, COMMANDS, OF_SUBSCRIPTIONS, Act, judging_preview, may, preview
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.errors import JournalError
from simward.registry import incident_pages as kept
from simward.registry import listing
from simward.registry.cursors import read_cursor
from simward.response.judging import OUTCOMES

CHOICES_MOST = 20
"""Subscriptions of an incident that a dialog lets choose from."""
HOURS_MOST = 24 * 14
SHOWN_WITHIN_S, LOOK_EVERY_S = 2.0, 0.03
"""The page that comes after a command shows what it did, where the registry has it by then."""


@dataclass(frozen=True)
class Said:
    """What a dialog was sent with."""

    because: str = ""
    to: str = ""
    outcome: str = ""
    chosen: Sequence[str] = ()
    """ICCIDs."""
    rebind: bool = False
    imei: str = ""
    place: bool = False
    hours: int = 24


@dataclass(frozen=True)
class Subject:
    """What it is done about: an incident, or a subscription."""

    back: str
    """The page of it."""
    name: str
    incident: Mapping[str, Any] | None
    members: Sequence[Any]
    more: bool = False
    """There are more members than these."""
    live: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sessions by ICCID, where they were looked up."""


async def said(
    because: Annotated[str, Form(max_length=500)] = "", to: Annotated[str, Form(max_length=100)] = "",
    outcome: Annotated[str, Form()] = "", chosen: Annotated[list[str] | None, Form()] = None,
    rebind: Annotated[bool, Form()] = False, imei: Annotated[str, Form(max_length=20)] = "",
    place: Annotated[bool, Form()] = False, hours: Annotated[int, Form(ge=1, le=HOURS_MOST)] = 24,
) -> Said:  # fmt: skip
    """The fields of all dialogs."""
    return Said(because, to, outcome, tuple(chosen or ()), rebind, imei, place, hours)


SAID = Depends(said)


class Acting:
    """Asks and does."""

    def __init__(self, pages: Pages, sources: Sources) -> None:
        self._pages, self._sources = pages, sources

    async def of_incident(self, request: Request, number: int, act: str) -> Subject:
        """The incident with its subscriptions. Raises Problem where there is none for who asks."""
        whole = await self._sources.cases.whole(number, request.state.principal.tenant)
        rows = await self._sources.asking.read(lambda c: kept.members(c, number, CHOICES_MOST + 1))
        members = [one for one in rows[:CHOICES_MOST] if one.iccid is not None]
        return Subject(
            f"/incidents/{number}", f"incident {number}", whole, members, len(rows) > CHOICES_MOST,
            await self._live(act, members),
        )  # fmt: skip

    async def of_subscription(self, request: Request, imsi: str, act: str) -> Subject:
        """The same of one subscription."""
        tenant = request.state.principal.tenant
        row = await self._sources.asking.read(lambda c: listing.subscription(c, tenant=tenant, imsi=imsi))
        if row is None or row.iccid is None:
            raise Problem(404, "not-found", "No such subscription", f"There is no subscription {imsi} with an ICCID.")
        return Subject(
            f"/subscriptions/{imsi}", f"SIM {row.iccid}", None, [row], False, await self._live(act, [row])
        )  # fmt: skip

    async def _live(self, act: str, members: Sequence[Any]) -> dict[str, Sequence[str]]:
        """Of one alone: it takes a look into the journal."""
        if act not in ("lock", "quarantine", "disconnect") or len(members) != 1:
            return {}
        try:
            story = await in_thread(lambda: story_of(self._sources.data_dir, members[0].imsi))
        except (Problem, JournalError):
            return {}
        return {members[0].iccid: story["now"]["live_sessions"]} if story else {}

    def ask(
        self, request: Request, act: Act, about: Subject, given: Said, error: str = "", status: int = 200
    ) -> Response:  # fmt: skip
        """The dialog."""
        locked = sum(one.locked_at is not None for one in about.members)
        of_each = [
            {"row": one, "lines": preview(act.name, one, about.live.get(one.iccid), about.incident)}
            for one in about.members
        ]  # fmt: skip
        lines: list[str] = []
        if act.name not in OF_SUBSCRIPTIONS:
            assert about.incident is not None
            of_each, lines = [], judging_preview(act.name, about.incident, locked)
        return self._pages.answer(
            request, "ask_act.html", status=status, act=act, about=about, said=given, error=error, back=about.back,
            because=given.because, title=f"{act.label}: {about.name}", verb=act.label, danger=act.danger,
            each=of_each, lines=lines, outcomes=OUTCOMES, seen=_seen(about),
            needs_reason=act.name not in ("acknowledge", "assign"),
        )  # fmt: skip

    async def do(self, request: Request, act: Act, about: Subject, given: Said) -> Response:
        """Do it, and on to the page that shows it; where it cannot be, the dialog says why."""
        principal: Principal = request.state.principal
        if not may(principal, act):
            raise Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not {act.name}.")
        try:
            if act.name in OF_SUBSCRIPTIONS:
                await self._of_subscriptions(principal, act.name, about, given)
            else:
                await self._judge(principal, act.name, about, given)
        except ValidationError as error:
            wrong = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors()[:3])
            return self.ask(request, act, about, given, wrong, 422)
        except Problem as problem:
            if problem.status_code not in (404, 409, 422, 503):
                raise
            return self.ask(request, act, about, given, str(problem.detail), problem.status_code)
        return self._pages.gone_to(request, about.back)

    async def _judge(self, principal: Principal, act: str, about: Subject, given: Said) -> None:
        assert about.incident is not None
        more = {"to": given.to} if act == "assign" else {"outcome": given.outcome} if act == "resolve" else {}
        await self._sources.cases.act(
            principal, about.incident["number"], act, Asked(because=given.because), **more
        )  # fmt: skip

    async def _of_subscriptions(self, principal: Principal, act: str, about: Subject, given: Said) -> None:
        known = {one.iccid for one in about.members}
        chosen = [one for one in dict.fromkeys(given.chosen) if one in known]
        if not chosen:
            raise Problem(422, "invalid-request", "Which?", "Choose at least one subscription.")
        if act == "plan":
            await self._plan(principal, chosen, given)
            return
        refused = []
        for iccid in chosen:
            try:
                await self._command(principal, act, iccid, about, given)
            except Problem as problem:
                if len(chosen) == 1:
                    raise
                refused.append(f"{iccid}: {problem.detail}")
        if refused:
            done = f"Done for {len(chosen) - len(refused)} of {len(chosen)}. Not for "
            raise Problem(409, "gate-refused", "Not all of it was done", done + "; ".join(refused))

    async def _command(self, principal: Principal, act: str, iccid: str, about: Subject, given: Said) -> None:
        assert act in COMMANDS
        asked = {"do": act, "because": given.because, "iccid": iccid, "rebind": given.rebind and act == "release"}
        answer = await carry_out(
            Command.model_validate(asked), principal, self._sources.gate, self._sources.tenant_of
        )  # fmt: skip
        if about.incident is not None:
            await self._sources.cases.did(
                principal, about.incident["number"], act, iccid, str(answer.get("result", "applied")), given.because
            )  # fmt: skip
        await self._shown(answer.get("sequence"))

    async def _plan(self, principal: Principal, chosen: Sequence[str], given: Said) -> None:
        if not may(principal, ACTS["plan"]):
            raise Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not: plan.")
        imei = given.imei.strip() or None
        if imei is not None and len(chosen) > 1:
            raise Problem(422, "invalid-request", "One device", "One device goes with one subscription; choose one.")
        begins = datetime.fromtimestamp(self._sources.now() // 1_000_000, UTC)
        order = NewOrder.model_validate({
            "because": given.because, "from": begins, "until": begins + timedelta(hours=given.hours),
            "items": [Wanted.model_validate({"iccid": one, "imei": imei, "place": given.place}) for one in chosen],
        })  # fmt: skip
        await carried_out(lambda: self._sources.orders.create(order, principal))
        self._sources.decided()

    async def _shown(self, sequence: Any) -> None:
        """Wait a little until what the gate has just done is in the registry."""
        if not isinstance(sequence, int):
            return
        try:
            async with asyncio.timeout(SHOWN_WITHIN_S):
                while (await self._sources.asking.read(read_cursor)).gate < sequence:
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            return


def _seen(about: Subject) -> str:
    """The device that came instead, where one did: it may have been meant."""
    for finding in reversed((about.incident or {}).get("evidence", ())):
        now = str(finding.get("now") or "")
        digits = now.partition("-")[0]
        if finding["detector"].startswith("device") and digits.isdigit() and len(digits) == 14:
            return digits
    return ""


def acting_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add a dialog and what it does for every act, about incidents and about subscriptions."""
    acting = Acting(pages, sources)
    for act in ACTS.values():
        _add_of_incidents(routes, acting, act)
        if act.name in OF_SUBSCRIPTIONS:
            _add_of_subscriptions(routes, acting, act)


def _add_of_incidents(routes: APIRouter, acting: Acting, act: Act) -> None:
    async def incident(number: int, request: Request) -> Subject:
        return await acting.of_incident(request, number, act.name)

    _add(routes, acting, act, "/incidents/{number}", incident)


def _add_of_subscriptions(routes: APIRouter, acting: Acting, act: Act) -> None:
    async def subscription(imsi: str, request: Request) -> Subject:
        return await acting.of_subscription(request, imsi, act.name)

    _add(routes, acting, act, "/subscriptions/{imsi}", subscription)


def _add(routes: APIRouter, acting: Acting, act: Act, path: str, find: Callable[..., Any]) -> None:
    declared: dict[str, Any] = {"openapi_extra": needs(act.permission)}

    found = Depends(find)

    async def ask(request: Request, about: Subject = found) -> Response:
        """What it will do, and why."""
        return acting.ask(request, act, about, Said())

    async def do(
        request: Request, about: Subject = found, given: Said = SAID, csrf: Annotated[str, Form()] = ""
    ) -> Response:  # fmt: skip
        """Do it."""
        return await acting.do(request, act, about, given)

    routes.add_api_route(f"{path}/{act.name}", ask, methods=["GET"], **declared)
    routes.add_api_route(f"{path}/{act.name}", do, methods=["POST"], **declared)
