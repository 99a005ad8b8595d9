"""`/v1/subscriptions`, `/v1/findings` and `/v1/effects`: what the registry mirrors of the journals, to be read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from simward.control.api import paging, preconditions
from simward.control.api.asking import Asking, in_thread
from simward.control.api.benign import Verdicted
from simward.control.api.benign import told as told_verdict
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem, invalid
from simward.engine.phrases import when
from simward.errors import IdentityError
from simward.identity import Iccid, Imsi
from simward.registry import benign, listing
from simward.registry.database import Registry
from simward.registry.walking import Page
from simward.response.judging import WIDENED

STORIES_AT_ONCE = 2
"""A story reads the journals: that many are told at a time, others wait."""
Story = Callable[[str], dict[str, Any] | None]
Id = Annotated[str, Path(max_length=64)]


class Row(BaseModel):
    """A row of a list: of what it has, `fields` may have asked for some."""

    model_config = ConfigDict(json_schema_extra=paging.optional, populate_by_name=True)


class Subscription(Row):
    """A subscription: what the inventory says of it, and what was decided and seen since."""

    imsi: str
    iccid: str | None
    msisdn: str | None
    tenant: str
    use_case: str | None
    segment: str | None
    state: Literal["active", "inventory", "suspended", "retired"] | None = Field(
        description="As the inventory has it; null: it is not in it."
    )
    declared_imei: str | None = Field(description="The device that the inventory names (14 digits).")
    imei: str | None = Field(description="The device that it is bound to (14 digits).")
    device: str | None = Field(description="The same with its software, as it was bound.")
    generation: int = Field(description="Of the binding: it goes up with each.")
    apn: str | None
    address: str | None
    prefix: str | None
    delegated: str | None
    locked_at: str | None = Field(description="Since when it is refused or, where it is confined, in quarantine.")
    locked_because: str | None
    confined: bool = Field(description="It is in quarantine by a command, not locked.")
    as_of_seq: int = Field(description="The sequence of the journal up to which this holds.")


class Told(BaseModel):
    """The story of a subscription, in short: quiet runs are one chapter."""

    model_config = ConfigDict(extra="allow")

    chapters: list[dict[str, Any]]
    now: dict[str, Any]
    could: list[str]


class SubscriptionAndStory(Subscription):
    """One subscription, with its story (null: the journals know nothing of it)."""

    story: Told | None


class Subscriptions(BaseModel):
    """A page, by IMSI."""

    subscriptions: list[Subscription]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


Evidence = str | int | float | dict[str, Any] | None


class Range(BaseModel):
    """From and to where an amount usually lies: nineteen days of twenty."""

    low: int
    high: int


class Channel(BaseModel):
    """A channel of behaviour that weighs in a finding. Amounts are octets, seconds (session-time), thousandths of the
    octets (up-share) or how many."""

    channel: Literal["up", "down", "sessions", "session-time", "hours", "failed", "up-share"]
    side: Literal["more", "less"]
    value: int = Field(description="Of the day.")
    usual: Range = Field(description="Of this device, or of this cohort.")
    peers: Range | None = Field(description="Of its like; null beside a cohort.")
    since: str = Field(description="The day on which the evidence began to gather.")
    bits: float = Field(description="The evidence: each bit halves the odds of chance.")


class Finding(Row):
    """A finding."""

    id: str
    at: str
    detector: str
    class_: str = Field(alias="class")
    severity: paging.Severity | Literal[""]
    tenant: str
    imsi: str | None
    iccid: str | None
    use_case: str | None
    was: Evidence
    now: Evidence
    expected: Evidence
    verdict: str | None
    response: str | None
    held: str | None
    ended_at: str | None
    incident: int | None = Field(description="The incident that it belongs to.")
    outcome: str | None = Field(description="How it was judged.")
    about: str | None = Field(description="The cell, gateway, network, model or cohort that it is about.")
    gateway: str | None
    apn: str | None
    changes: dict[str, Any] | None
    channels: list[Channel] | None = Field(description="Of behaviour: what weighs most, the heaviest first.")
    new_hours: int | None = Field(
        default=None, description="Of behaviour: hours of the week with traffic for the first time."
    )


class FindingAndVerdict(Finding):
    """One finding, with what people said of its device or cohort."""

    benign: Verdicted | None = Field(description="The newest verdict on what it is about, in force or not.")


class Findings(BaseModel):
    """A page, the newest first."""

    findings: list[Finding]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Effect(Row):
    """What the gate asked of a gateway, and what came of it."""

    id: str
    at: str
    tenant: str
    imsi: str | None
    iccid: str | None
    what: str = Field(description="disconnect, into-quarantine or out-of-quarantine.")
    gateway: str | None
    session_id: str | None
    because: str | None
    held: str | None = Field(description="Why it was not sent.")
    attempts: int
    result: str | None = Field(description="ack, nak, silence, not-sent, or stop (its session ended); null: not known.")
    error_cause: int | None = Field(description="Of a NAK (RFC 5176 3.5).")
    proved_at: str | None
    incident: int | None
    as_of_seq: int


class Effects(BaseModel):
    """A page, the newest first."""

    effects: list[Effect]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def record_routes(registry: Registry, story: Story, now: Callable[[], int]) -> APIRouter:
    """All of them; `story` gives that of a subscription by IMSI, None where the journals know nothing of it; `now` is
    in us UTC."""
    routes, asking = APIRouter(prefix="/v1"), Asking(registry)
    _add_subscriptions(routes, asking, story)
    _add_findings(routes, asking, now)
    _add_effects(routes, asking)
    return routes


def _add_subscriptions(routes: APIRouter, asking: Asking, story: Story) -> None:
    declared: dict[str, Any] = {"tags": ["subscriptions"], "openapi_extra": needs("read-subscriptions")}
    telling = asyncio.Semaphore(STORIES_AT_ONCE)

    @routes.get("/subscriptions", response_model=None, responses={200: {"model": Subscriptions}}, **declared)
    async def subscriptions(
        request: Request, imsi: paging.Digits = None, iccid: paging.Digits = None, imei: paging.Digits = None,
        use_case: paging.Name = None, locked: bool | None = None, sort: Literal["imsi", "-imsi"] = "imsi",
        fields: paging.Fields = None, after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """Every subscription of the inventory, and those that were seen without being in it, by IMSI."""
        wanted, tenant = paging.sparse(Subscription, fields), request.state.principal.tenant
        key, descending = paging.key_of(f"subscriptions {sort}", after, str), sort == "-imsi"
        if imsi is not None:
            one = await asking.read(lambda c: listing.subscription(c, tenant=tenant, imsi=imsi, iccid=iccid))
            fits = one is not None and imei in (None, one.imei) and use_case in (None, one.use_case)
            fits = fits and locked in (None, one is not None and one.locked_at is not None and not one.confined)
            found = Page([one] if fits and (key is None or (imsi < key[0]) == descending) else [], None)
        else:
            found = await asking.read(lambda c: listing.subscriptions(
                c, tenant=tenant, after=key, limit=limit, use_case=use_case, iccid=iccid, imei=imei and imei[:14],
                locked=locked, descending=descending,
            ))  # fmt: skip
        told = [paging.picked(subscription_told(row), wanted) for row in found.rows]
        return paging.page("subscriptions", told, paging.next_of(f"subscriptions {sort}", found.on))

    @routes.get(
        "/subscriptions/{imsi_or_iccid}", response_model=None,
        responses={200: {"model": SubscriptionAndStory, "headers": preconditions.described()}}, **declared,
    )  # fmt: skip
    async def subscription(imsi_or_iccid: Id, request: Request, response: Response) -> dict[str, Any]:
        """One of them, with its story. Its ETag is of what is declared, and of which device it is bound to."""
        named, tenant = _named(imsi_or_iccid), request.state.principal.tenant
        row = await asking.read(lambda c: listing.subscription(c, tenant=tenant, **named))
        if row is None:
            raise Problem(404, "not-found", "No such subscription", "There is no subscription with this number.")
        response.headers["ETag"] = subscription_tag(row)
        async with telling:
            said = await in_thread(lambda: story(row.imsi))
        return {**subscription_told(row), "story": said}


def _add_findings(routes: APIRouter, asking: Asking, now: Callable[[], int]) -> None:
    declared: dict[str, Any] = {"tags": ["findings"], "openapi_extra": needs("read-findings")}

    @routes.get("/findings", response_model=None, responses={200: {"model": Findings}}, **declared)
    async def findings(
        request: Request, detector: paging.Name = None, use_case: paging.Name = None, imsi: paging.Digits = None,
        incident: paging.Number = None, lasting: bool | None = None, since: paging.Moment = None,
        until: paging.Moment = None, sort: paging.Sort = "-at", fields: paging.Fields = None,
        after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they began."""
        paging.moments(since, until)
        wanted, tenant = paging.sparse(Finding, fields), request.state.principal.tenant
        key = paging.key_of(f"findings {sort}", after, int, str)
        found = await asking.read(lambda c: listing.findings(
            c, tenant=tenant, after=key, limit=limit, ascending=sort == "at", detector=detector, use_case=use_case,
            imsi=imsi, incident=incident, lasting=lasting, since=since, until=until,
        ))  # fmt: skip
        rows = [paging.picked(finding_told(row), wanted) for row in found.rows]
        return paging.page("findings", rows, paging.next_of(f"findings {sort}", found.on))

    @routes.get("/findings/{id:path}", response_model=None, responses={200: {"model": FindingAndVerdict}}, **declared)
    async def finding(id: Id, request: Request) -> dict[str, Any]:
        """One of them: its id has slashes."""

        def look(connection: sa.Connection) -> tuple[Any, Any]:
            row = listing.finding(connection, request.state.principal.tenant, id)
            return row, None if row is None else benign.of_finding(connection, row, WIDENED)

        row, verdict = await asking.read(look)
        if row is None:
            raise Problem(404, "no-such-finding", "No such finding", "There is no finding with this id.")
        return {**finding_told(row), "benign": None if verdict is None else told_verdict(verdict, now())}


def _add_effects(routes: APIRouter, asking: Asking) -> None:
    declared: dict[str, Any] = {"tags": ["effects"], "openapi_extra": needs("read-effects")}

    @routes.get("/effects", response_model=None, responses={200: {"model": Effects}}, **declared)
    async def effects(
        request: Request, imsi: paging.Digits = None, incident: paging.Number = None, since: paging.Moment = None,
        until: paging.Moment = None, sort: paging.Sort = "-at", fields: paging.Fields = None,
        after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they were first sent."""
        paging.moments(since, until)
        wanted, tenant = paging.sparse(Effect, fields), request.state.principal.tenant
        key = paging.key_of(f"effects {sort}", after, int, str)
        found = await asking.read(lambda c: listing.effects(
            c, tenant=tenant, after=key, limit=limit, ascending=sort == "at", imsi=imsi, incident=incident,
            since=since, until=until,
        ))  # fmt: skip
        rows = [paging.picked(effect_told(row), wanted) for row in found.rows]
        return paging.page("effects", rows, paging.next_of(f"effects {sort}", found.on))

    @routes.get("/effects/{id:path}", response_model=None, responses={200: {"model": Effect}}, **declared)
    async def effect(id: Id, request: Request) -> dict[str, Any]:
        """One of them: its id has slashes."""
        row = await asking.read(lambda c: listing.effect(c, request.state.principal.tenant, id))
        if row is None:
            raise Problem(404, "no-such-effect", "No such effect", "There is no effect with this id.")
        return effect_told(row)


def subscription_told(row: Any) -> dict[str, Any]:
    """A row of the mirror as JSON."""
    return {**_of(Subscription, row), "locked_at": _when(row.locked_at)}


def subscription_tag(row: Any) -> str:
    """The ETag of a subscription: what is declared of it, and its binding's generation."""
    declared = ("imsi", "iccid", "msisdn", "tenant", "use_case", "segment", "state", "declared_imei", "generation")
    return preconditions.tag_of(*(getattr(row, name) for name in declared))


def finding_told(row: Any) -> dict[str, Any]:
    """The same of a finding: its document, and what became of it."""
    known = {"incident": row.incident, "outcome": row.outcome}
    names = [one.alias or name for name, one in Finding.model_fields.items()]
    return {name: known[name] if name in known else row.document.get(name) for name in names}


def effect_told(row: Any) -> dict[str, Any]:
    """The same of an effect."""
    return {**_of(Effect, row), "at": when(row.at), "proved_at": _when(row.proved_at)}


def _of(model: type[BaseModel], row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields}


def _when(at: int | None) -> str | None:
    return None if at is None else when(at)


def _named(text: str) -> dict[str, str]:
    """The IMSI or ICCID in a path. Raises Problem where it is neither."""
    try:
        if re.fullmatch(r"89[0-9]{16,18}", text):
            return {"iccid": Iccid.parse(text).text}
        return {"imsi": Imsi.parse(text).text}
    except IdentityError as error:
        raise invalid("path", "imsi_or_iccid", str(error)) from None
