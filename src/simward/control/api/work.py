"""`/v1/work-orders`: changes that are meant, made known to the gate before they begin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from simward.control.api import answers_outward as a
from simward.control.api import paging
from simward.control.api.answers import answered
from simward.control.api.permissions import needs, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.engine.phrases import when
from simward.errors import ConfigurationError, RefusedError, RegistryError
from simward.errors import Problem as FileProblem
from simward.gate_socket import NOTE_CHARACTERS_MAX
from simward.identity import Iccid, Imei
from simward.logs import called
from simward.registry import choosing
from simward.registry import work_orders as kept
from simward.registry.database import Registry
from simward.registry.tables import DEFAULT_TENANT
from simward.response import ordering
from simward.response.selecting import Selection, select

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

ITEMS_SHOWN = 1000
NUMBER_END = 2**62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Text = Annotated[str, StringConstraints(max_length=NOTE_CHARACTERS_MAX)]
State = Literal["open", "done", "overdue", "refused", "cancelled"]


class Asked(BaseModel):
    """What every write says: who (only the owner's socket may name somebody else) and why."""

    model_config = ConfigDict(extra="forbid")

    actor: Text = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Text = Field(min_length=1, pattern=r"\S", description="Why; kept for the audit.")


class Wanted(BaseModel):
    """One subscription: the device that it goes into (none given: any), whether its place may change, and when."""

    model_config = ConfigDict(extra="forbid")

    iccid: str
    imei: str | None = Field(default=None, description="14, 15 or 16 digits; not given: any device.")
    device: bool = Field(default=True, description="The device may change.")
    place: bool = Field(default=False, description="The place may change.")
    begins: AwareDatetime | None = Field(default=None, alias="from", description="Not given: as the order says.")
    ends: AwareDatetime | None = Field(default=None, alias="until", description="Not given: as the order says.")
    line: int = Field(default=0, ge=0, description="Where it stands in the file that it comes from, for errors.")

    @model_validator(mode="after")
    def _fits(self) -> Wanted:
        self.iccid = Iccid.parse(self.iccid).text
        if self.imei is not None:
            if not self.device:
                raise ValueError("imei goes with device: true")
            self.imei = Imei.parse(self.imei).text
        if not (self.device or self.place):
            raise ValueError("device, place: at least one of them changes")
        return self


class Near(BaseModel):
    """A circle."""

    model_config = ConfigDict(extra="forbid")

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    radius_m: float = Field(gt=0, le=20_000_000)


class Select(BaseModel):
    """Subscriptions of the inventory; all that is given must fit."""

    model_config = ConfigDict(extra="forbid")

    use_case: str | None = None
    label: str | None = Field(default=None, description="May hold * and ?.")
    near: Near | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Select:
        if self.use_case is None and self.label is None and self.near is None:
            raise ValueError("use_case, label, near: at least one")
        return self

    def selection(self) -> Selection:
        """As the inventory is asked."""
        near = (self.near.latitude, self.near.longitude, self.near.radius_m) if self.near else None
        return Selection(self.use_case, self.label, near)


class NewOrder(Asked):
    """A work order: `items`, or (for a refit) `select`."""

    kind: Literal["plan", "swap", "refit"] = "plan"
    title: Text = Field(default="", description="Not given: made of what it is about.")
    begins: AwareDatetime | None = Field(default=None, alias="from", description="Not given: now.")
    ends: AwareDatetime | None = Field(default=None, alias="until", description="Not given: a day after `from`.")
    items: list[Wanted] = Field(default_factory=list, max_length=kept.ITEMS_MAX)
    select: Select | None = None
    device: bool = Field(default=True, description="With select: the device may change, into any other.")
    place: bool = Field(default=True, description="With select: the place may change.")
    source: Text = Field(default="", description="The file that it comes from.")
    dry_run: bool = Field(default=False, description="Only say what it would be about.")

    @model_validator(mode="after")
    def _is_about_something(self) -> NewOrder:
        if bool(self.items) == (self.select is not None):
            raise ValueError("items or select: one of them")
        if self.select is not None and not (self.device or self.place):
            raise ValueError("device, place: at least one of them changes")
        return self


class Orders:
    """What the routes do, each in one transaction: for a thread, since the registry has one writer at a time."""

    def __init__(self, registry: Registry, inventory: Path, now: Callable[[], int]) -> None:
        self._registry, self._inventory, self._now = registry, inventory, now

    def create(self, asked: NewOrder, principal: Principal) -> dict[str, Any]:
        """Make an order, unless it is a dry run; what it is about."""
        actor, at = speaker(principal, asked.actor), self._now()
        wanted = _wanted(asked, self._inventory, at)
        for one in wanted:
            _may(principal, "plan", one.item.iccid)
        with self._registry.writing() as connection:
            if asked.select is not None and principal.tenant is not None:
                mine = choosing.known(connection, [one.item.iccid for one in wanted], principal.tenant)
                wanted = [one for one in wanted if one.item.iccid in mine]
            order = kept.Order(
                asked.kind, asked.title or _title(asked, wanted), actor, asked.because, [one.item for one in wanted],
                asked.source, _tenant_of(connection, wanted, asked.source or "items", principal.tenant),
            )  # fmt: skip
            ordering.check(connection, wanted, asked.source or "items", at)
            was = ordering.devices_of(connection, [one.item.iccid for one in wanted][:ITEMS_SHOWN])
            number = None if asked.dry_run else ordering.make(connection, order, at)
        if number is not None:
            log.info(
                "work order %d of %d items by %r", number, len(wanted), actor,
                extra=called("work-order-made", work_order=number, items=len(wanted), actor=actor),
            )
        items = [_planned(one, was) for one in wanted[:ITEMS_SHOWN]]
        return {"number": number, "kind": order.kind, "title": order.title, "count": len(wanted), "items": items}

    def listed(self, states: list[State], tenant: str | None, after: str | None, limit: int) -> Response:
        """A page of orders in these states."""
        key = paging.key_of("work-orders", after, int)
        with self._registry.reading() as connection:
            found = kept.listed(connection, states, limit + 1, tenant=tenant, before=key and key[0])
            more = paging.cursor_of("work-orders", found[limit - 1].number) if len(found) > limit else None
            return paging.page("work_orders", [kept.told(connection, one) for one in found[:limit]], more)

    def one(self, number: int, tenant: str | None) -> dict[str, Any]:
        """An order with its items."""
        with self._registry.reading() as connection:
            order = _must_be(connection, number, tenant)
            items = [kept.item_told(item) for item in kept.items_of(connection, number)]
            return {**kept.told(connection, order), "of": items}

    def cancel(self, number: int, asked: Asked, principal: Principal) -> dict[str, Any]:
        """Take back what is still to come."""
        actor = speaker(principal, asked.actor)
        _may(principal, "plan", None)
        with self._registry.writing() as connection:
            _must_be(connection, number, principal.tenant)
            count = ordering.cancel(connection, min(number, NUMBER_END), actor, asked.because, self._now())
        log.info(
            "work order %d cancelled by %r", number, actor,
            extra=called("work-order-cancelled", work_order=number, actor=actor),
        )
        return {"number": number, "state": "cancelled", "cancelled": count}


def work_routes(
    registry: Registry, inventory: Path, now: Callable[[], int], decided: Callable[[], None] = lambda: None
) -> APIRouter:
    """The routes. `decided` is called when there are new commands for the gate."""
    routes = APIRouter(prefix="/v1/work-orders", tags=["work orders"])
    orders = Orders(registry, inventory, now)

    @routes.post("", status_code=201, openapi_extra=needs("plan"), **answered(a.MadeOrder, 201))
    async def create(asked: NewOrder, request: Request) -> dict[str, Any]:
        """Make an order and have the gate told; with `dry_run`, only say what it would be about."""
        answer = await carried_out(lambda: orders.create(asked, request.state.principal))
        if answer["number"] is not None:
            decided()
        return answer

    @routes.get("", openapi_extra=needs("read-work-orders"), **answered(a.Orders))
    async def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first; open and overdue ones unless `state` says."""
        tenant = request.state.principal.tenant
        return await carried_out(lambda: orders.listed(state or ["open", "overdue"], tenant, after, limit))

    @routes.get("/{number}", openapi_extra=needs("read-work-orders"), **answered(a.WholeOrder))
    async def one(number: int, request: Request) -> dict[str, Any]:
        """An order with its items."""
        return await carried_out(lambda: orders.one(number, request.state.principal.tenant))

    @routes.post("/{number}/cancel", openapi_extra=needs("plan"), **answered(a.CancelledOrder))
    async def cancel(number: int, asked: Asked, request: Request) -> dict[str, Any]:
        """Take back what is still to come."""
        answer = await carried_out(lambda: orders.cancel(number, asked, request.state.principal))
        decided()
        return answer

    return routes


def _must_be(connection: sa.Connection, number: int, tenant: str | None) -> Any:
    """The order, for who may see this tenant (None: all); of another tenant, or of several, there is none."""
    order = kept.find(connection, number) if number < NUMBER_END else None
    if order is None or tenant not in (None, order.tenant):
        raise ordering.NoSuchOrder(f"there is no work order {number}")
    return order


def _tenant_of(connection: sa.Connection, wanted: list[ordering.Wanted], source: str, tenant: str | None) -> str:
    """Whose an order is. ConfigurationError where who is bound to a tenant asks about what it does not see."""
    known = choosing.known(connection, [one.item.iccid for one in wanted], None)
    if tenant is not None:
        strange = [one for one in wanted if known.get(one.item.iccid) != tenant]
        if strange:
            raise ConfigurationError([
                FileProblem(source, one.line, "iccid", f"{one.item.iccid}: there is no such subscription")
                for one in strange[: ordering.PROBLEMS_SHOWN]
            ])  # fmt: skip
    owners = {*known.values()} or {tenant or DEFAULT_TENANT}
    return owners.pop() if len(owners) == 1 else kept.OF_SEVERAL


def _wanted(asked: NewOrder, inventory: Path, at: int) -> list[ordering.Wanted]:
    """The items, each with its time."""
    begins = at if asked.begins is None else _us(asked.begins)
    ends = begins + 86_400_000_000 if asked.ends is None else _us(asked.ends)
    if asked.select is not None:
        found = select(inventory, asked.select.selection())
        return [
            ordering.Wanted(kept.Item(iccid, begins, ends, None, asked.device, asked.place), line)
            for line, iccid in enumerate(found, start=1)
        ]
    return [
        ordering.Wanted(
            kept.Item(
                one.iccid, begins if one.begins is None else _us(one.begins),
                ends if one.ends is None else _us(one.ends), one.imei, one.device, one.place,
            ),
            one.line or position,
        )
        for position, one in enumerate(asked.items, start=1)
    ]  # fmt: skip


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _title(asked: NewOrder, wanted: list[ordering.Wanted]) -> str:
    """What it is about, in words."""
    if len(wanted) == 1:
        item = wanted[0].item
        what = f"to device {item.imei}" if item.imei else "to another device" if item.device else "to another place"
        return f"SIM {item.iccid} {what}{' at another place' if item.device and item.place else ''}"
    if asked.select is not None:
        parts = [asked.select.use_case, asked.select.label, "a place" if asked.select.near else None]
        return f"Refit of {', '.join(one for one in parts if one)}: {len(wanted)} SIMs"
    file = asked.source.rpartition("/")[2]
    return f"{len(wanted)} SIMs{f' of {file}' if file else ''}"


def _planned(one: ordering.Wanted, was: dict[str, str]) -> dict[str, Any]:
    item = one.item
    return {
        "iccid": item.iccid, "was": was.get(item.iccid), "imei": item.imei, "device": item.device, "place": item.place,
        "from": when(item.begins_at), "until": when(item.ends_at),
    }  # fmt: skip


def _may(principal: Principal, what: str, iccid: str | None) -> None:
    if not principal.allows(what, iccid):
        raise Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not: {what}.")


async def carried_out(work: Callable[[], Answer]) -> Answer:
    """What one of Orders' functions gives, in a thread. Raises Problem."""
    try:
        return await asyncio.to_thread(work)
    except ConfigurationError as error:
        wrong = [
            {"file": one.file, "line": one.line, "where": one.where, "detail": one.what, "instead": one.instead}
            for one in error.problems
        ]
        raise Problem(422, "unfit-order", "The order cannot be meant", str(error), errors=wrong) from None
    except ordering.NoSuchOrder as error:
        raise Problem(404, "no-such-work-order", "No such work order", str(error)) from None
    except RefusedError as error:
        raise Problem(409, "work-order-refused", "Not as the order stands", str(error)) from None
    except RegistryError as error:
        wait = {"Retry-After": "1"}
        raise Problem(503, "no-registry", "The registry cannot be used", str(error), headers=wait) from None
