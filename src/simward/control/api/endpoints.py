"""`/v1/endpoints`: who is told, how that goes, what could not be delivered; tests, and dead letters sent again."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from simward.control.api import answers_outward as a
from simward.control.api import paging
from simward.control.api.answers import answered
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.dispatching import Courier, Dispatcher
from simward.engine.phrases import when
from simward.errors import RegistryError
from simward.registry import outbox
from simward.registry import tables as t
from simward.registry.announcements import deliver
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.response.announcing import DELIVER_WITHIN_US, Announcement, Announcing

log = logging.getLogger(__name__)

LISTED_MOST = 1000
Result = TypeVar("Result")


class Redrive(BaseModel):
    """Dead letters that shall wait again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    deliveries: list[int] = Field(default=[], max_length=LISTED_MOST, description="Their numbers; none: all.")


class Redeliver(BaseModel):
    """An announcement that shall be delivered once more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    announcement: str = Field(min_length=1, max_length=96, description="Its id (webhook-id).")


class Asking:
    """What the routes ask of: the endpoints by name, and the registry in a thread."""

    def __init__(self, registry: Registry, dispatcher: Dispatcher) -> None:
        self.registry, self.dispatcher = registry, dispatcher

    def couriers(self, request: Request) -> dict[str, Courier]:
        """Those of endpoints that the caller may see, by name: who is bound to a tenant sees that tenant's."""
        tenant = request.state.principal.tenant
        return {
            name: one for name, one in sorted(self.dispatcher.couriers.items())
            if tenant in (None, one.endpoint.tenant)
        }  # fmt: skip

    def courier(self, name: str, request: Request) -> Courier:
        """Of an endpoint. Raises Problem where the caller sees none of this name."""
        couriers = self.couriers(request)
        if name not in couriers:
            known = ", ".join(couriers) or "none"
            raise Problem(404, "no-such-endpoint", "No such endpoint", f"The settings have {known}.")
        return couriers[name]

    async def ask(self, work: Callable[[sa.Connection], Result], *, writes: bool = False) -> Result:
        """What `work` gives in a transaction."""

        def asked() -> Result:
            with self.registry.writing() if writes else self.registry.reading() as connection:
                return work(connection)

        try:
            return await asyncio.to_thread(asked)
        except RegistryError as error:
            wait = {"Retry-After": "1"}
            raise Problem(503, "no-registry", "The registry cannot be used", str(error), headers=wait) from None


def endpoint_routes(
    registry: Registry, dispatcher: Dispatcher, announcing: Announcing, now: Callable[[], int]
) -> APIRouter:
    """All routes."""
    routes = APIRouter(prefix="/v1/endpoints", tags=["endpoints"])
    asking = Asking(registry, dispatcher)
    _add_looking(routes, asking)
    _add_testing(routes, asking, announcing, now)
    _add_sending_again(routes, asking, now)
    return routes


def _add_looking(routes: APIRouter, asking: Asking) -> None:
    @routes.get("", openapi_extra=needs("read-endpoints"), **answered(a.Endpoints))
    async def listed(
        request: Request, after: paging.After = None, limit: paging.Limit = LISTED_MOST
    ) -> Response:
        """Every endpoint of the settings by name: what waits, what died, whether it is up."""
        key, counted = paging.key_of("endpoints", after, str), await asking.ask(outbox.counts)
        found = [(name, one) for name, one in asking.couriers(request).items() if key is None or name > key[0]]
        more = paging.cursor_of("endpoints", found[limit - 1][0]) if len(found) > limit else None
        return paging.page("endpoints", [told(one, counted.get(name, {})) for name, one in found[:limit]], more)

    @routes.get("/{name}/dead", openapi_extra=needs("read-endpoints"), **answered(a.DeadLetters))
    async def dead(
        name: str, request: Request, after: paging.After = None, limit: paging.Limit = 100
    ) -> Response:
        """What could not be delivered, the newest first."""
        asking.courier(name, request)
        key = paging.key_of("dead", after, int)
        rows = await asking.ask(lambda c: outbox.dead_letters(c, name, limit + 1, key and key[0]))
        more = paging.cursor_of("dead", rows[limit - 1].number) if len(rows) > limit else None
        return paging.page("dead", [dead_letter(row) for row in rows[:limit]], more)


def _add_testing(routes: APIRouter, asking: Asking, announcing: Announcing, now: Callable[[], int]) -> None:
    @routes.post("/{name}/test", openapi_extra=needs("write-endpoints"), **answered(a.Tested))
    async def test(name: str, request: Request) -> dict[str, Any]:
        """Send a test now, past all that waits. An endpoint that takes it counts as up again."""
        courier = asking.courier(name, request)
        id_ = f"endpoint.test:{uuid.uuid4()}"

        def announced(connection: sa.Connection) -> Any:
            one = Announcement(
                "endpoint.test", id_, now(), f"endpoint {name}", courier.endpoint.tenant, data={"endpoint": name}
            )
            announcing.say(connection, one)
            return connection.execute(sa.select(t.announcement).where(t.announcement.c.id == id_)).one()

        row = await asking.ask(announced, writes=True)
        began = time.monotonic()
        outcome = await courier.probe(row)
        return {
            "endpoint": name, "delivered": outcome.delivered, "status": outcome.status, "error": outcome.error or None,
            "took_ms": round((time.monotonic() - began) * 1000), "id": id_,
        }  # fmt: skip


def _add_sending_again(routes: APIRouter, asking: Asking, now: Callable[[], int]) -> None:
    @routes.post("/{name}/redrive", openapi_extra=needs("write-endpoints"), **answered(a.Redriven))
    async def redrive(name: str, asked: Redrive, request: Request) -> dict[str, Any]:
        """Dead letters wait again, for another day, each before what waits in its lane."""
        courier = asking.courier(name, request)

        def write(connection: sa.Connection) -> int:
            again = outbox.redrive(connection, name, now(), now() + DELIVER_WITHIN_US, asked.deliveries)
            _audit(connection, request, now(), "endpoint.redrive", courier, {"deliveries": again})
            return again

        again = await asking.ask(write, writes=True)
        await asking.dispatcher.reload(name)
        return {"endpoint": name, "redriven": again}

    @routes.post("/{name}/redeliver", openapi_extra=needs("write-endpoints"), **answered(a.Redelivered))
    async def redeliver(name: str, asked: Redeliver, request: Request) -> dict[str, Any]:
        """An announcement is delivered to an endpoint once more, under its id, after what waits in its lane."""
        courier = asking.courier(name, request)

        def write(connection: sa.Connection) -> bool:
            found = sa.select(t.announcement).where(t.announcement.c.id == asked.announcement)
            row = connection.execute(found).one_or_none()
            if row is None or row.tenant != courier.endpoint.tenant:
                return False
            deliver(connection, row.number, row.subject, [name], now(), now() + DELIVER_WITHIN_US)
            _audit(connection, request, now(), "endpoint.redeliver", courier, {"announcement": asked.announcement})
            return True

        if not await asking.ask(write, writes=True):
            raise Problem(404, "no-such-announcement", "No such announcement", f"{asked.announcement} is not kept.")
        asking.dispatcher.wake()
        return {"endpoint": name, "announcement": asked.announcement}


def told(courier: Courier, counted: dict[str, int]) -> dict[str, Any]:
    """An endpoint as JSON; its secrets are no part of it."""
    breaker, endpoint = courier.breaker, courier.endpoint
    oldest = counted.get("oldest_waiting_at")
    return {
        "name": endpoint.name, "kind": endpoint.kind, "url": endpoint.url, "events": list(endpoint.events),
        "mode": endpoint.mode, "state": breaker.state, "failures_in_a_row": breaker.failures,
        "waiting": counted.get("waiting", 0), "dead": counted.get("dead", 0), "in_flight": courier.in_flight,
        "delivered": counted.get("delivered", 0), "oldest_waiting_at": when(oldest) if oldest else None,
        "last_error": courier.last_error or None, "secrets": 1 + bool(endpoint.previous_secret),
    }  # fmt: skip


def dead_letter(row: Any) -> dict[str, Any]:
    """A dead letter as JSON."""
    return {
        "delivery": row.number, "announcement": row.id, "type": row.type, "subject": row.subject,
        "made_at": when(row.made_at), "attempts": row.attempts, "status": row.status, "error": row.error,
    }  # fmt: skip


def _audit(
    connection: sa.Connection, request: Request, now: int, what: str, courier: Courier, after: dict[str, Any]
) -> None:
    principal: Principal = request.state.principal
    note(connection, Deed(
        at=now, actor=principal.name, what=what, object=f"endpoint {courier.endpoint.name}", after=after,
        tenant=courier.endpoint.tenant,
    ))  # fmt: skip
