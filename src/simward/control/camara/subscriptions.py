"""IoT SIM Fraud Prevention Subscriptions 0.1.0: who wants to be told of a change of device or area, and where."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from simward.connectors.cloudevents import timestamp
from simward.control.api.asking import Asking, in_thread
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.scopes import BASES, FRAUD_SUBSCRIPTIONS
from simward.control.camara.areas import Area, Areas
from simward.control.camara.bodies import body_of
from simward.control.camara.devices import Found, found
from simward.control.camara.errors import NOT_FOUND, CamaraError
from simward.control.camara.fraud import imei_text
from simward.control.camara.telling import IMEI_CHANGE, Telling, ends_by_token
from simward.control.camara.wanted import Wanted, wanted_of
from simward.registry import camara as kept
from simward.registry.database import Registry
from simward.registry.devices import is_outside
from simward.registry.sealing import SINK_TOKEN, Vault, context_of

EACH_MAX = 1000
"""Of one client: what a list may hold."""
TOO_MANY = CamaraError(429, "QUOTA_EXCEEDED", "Rejected due to exceeding a business quota limit.")


class Subscribing:
    """Makes, finds and ends subscriptions. `woken` is called when there may be something to send."""

    def __init__(
        self, registry: Registry, telling: Telling, areas: Areas, vault: Vault, now: Callable[[], int], *,
        allow_private: bool, woken: Callable[[], None],
    ) -> None:  # fmt: skip
        self.asking, self._telling, self._areas, self._vault = Asking(registry), telling, areas, vault
        self.now, self.allow_private, self._woken = now, allow_private, woken

    async def subscribe(self, wanted: Wanted, at: Found, principal: Principal) -> dict[str, Any]:
        """A new one, as JSON. Raises CamaraError."""
        area = await in_thread(lambda: self._areas.of(at.row.use_case))
        told = await self.asking.write(lambda c: self._begin(c, wanted, at, principal, area))
        self._woken()
        return told

    async def find(self, id_: str, principal: Principal) -> Any:
        """One of the caller's. Raises CamaraError."""
        owner, tenant = owner_of(principal), principal.tenant
        row = await self.asking.read(lambda c: kept.find(c, id_, owner, tenant))
        if row is None or not _about(row, principal):
            raise CamaraError(404, "NOT_FOUND", NOT_FOUND)
        return row

    async def end(self, row: Any) -> None:
        """It is deleted; what has ended already is only gone."""

        def write(connection: sa.Connection) -> None:
            at = self.now()
            if row.status == kept.ACTIVE:
                self._telling.end(connection, row, at, "SUBSCRIPTION_DELETED")
            else:
                kept.end(connection, row.id, kept.DELETED, at)

        await self.asking.write(write)
        self._woken()

    def _begin(
        self, connection: sa.Connection, wanted: Wanted, at: Found, principal: Principal, area: Area | None
    ) -> dict[str, Any]:
        owner = owner_of(principal) or principal.name
        if kept.count_of(connection, owner) >= EACH_MAX:
            raise TOO_MANY
        id_, now = str(uuid.uuid4()), self.now()
        ends = [wanted.expires_at, None if wanted.token_ends_at is None else ends_by_token(wanted.token_ends_at)]
        config = {**wanted.config, "subscriptionDetail": {"device": at.said}}
        kept.add(connection, {
            "id": id_, "tenant": at.row.tenant, "owner": owner, "imsi": at.row.imsi, "type": wanted.type,
            "sink": wanted.sink, "config": config, "started_at": now, "expires_at": wanted.expires_at,
            "credential": self._sealed(id_, wanted.token),
            "credential_ends_at": wanted.token_ends_at, "events_max": wanted.events_max, "status": kept.ACTIVE,
            "ends_at": min((one for one in ends if one is not None), default=None),
        })  # fmt: skip
        row = kept.find(connection, id_, owner, None)
        self._telling.begin(connection, row, now)
        if wanted.initial:
            self._tell_now(connection, row, at, area, now)
        return told(kept.find(connection, id_, owner, None))

    def _sealed(self, id_: str, token: str | None) -> bytes | None:
        return None if token is None else self._vault.seal(context_of(SINK_TOKEN, id_), token.encode())

    def _tell_now(self, connection: sa.Connection, row: Any, at: Found, area: Area | None, now: int) -> None:
        """How it is now, where that is what the event would say: its device; or that it is outside its area."""
        if row.type == IMEI_CHANGE:
            imei = at.row.seen_imei or at.row.imei
            if imei is not None:
                self._telling.changed(connection, row, now, {"imei": imei_text(imei)})
        elif area is not None and is_outside(connection, at.row.imsi):
            self._telling.changed(connection, row, now, {"area": area.told})


def subscription_routes(subscribing: Subscribing) -> APIRouter:
    """All four."""
    routes = APIRouter(prefix=BASES[FRAUD_SUBSCRIPTIONS], include_in_schema=False)

    @routes.post("/subscriptions", openapi_extra=needs(f"{FRAUD_SUBSCRIPTIONS}:subscribe"))
    async def subscribe(request: Request) -> Response:
        """Be told from now on."""
        body = await body_of(request)
        wanted = wanted_of(body, subscribing.now(), subscribing.allow_private)
        at = await found(subscribing.asking, request, wanted.device)
        return JSONResponse(await subscribing.subscribe(wanted, at, request.state.principal), 201)

    @routes.get("/subscriptions", openapi_extra=needs(f"{FRAUD_SUBSCRIPTIONS}:read"))
    async def listed(request: Request) -> list[dict[str, Any]]:
        """The caller's own, the newest first."""
        principal: Principal = request.state.principal
        owner, tenant = owner_of(principal), principal.tenant
        rows = await subscribing.asking.read(lambda c: kept.listed(c, owner, tenant, EACH_MAX))
        return [told(row) for row in rows if _about(row, principal)]

    @routes.get("/subscriptions/{subscription_id}", openapi_extra=needs(f"{FRAUD_SUBSCRIPTIONS}:read"))
    async def one(subscription_id: str, request: Request) -> dict[str, Any]:
        """One of the caller's own."""
        return told(await subscribing.find(subscription_id, request.state.principal))

    @routes.delete("/subscriptions/{subscription_id}", openapi_extra=needs(f"{FRAUD_SUBSCRIPTIONS}:delete"))
    async def delete(subscription_id: str, request: Request) -> Response:
        """Be told no more; the last event says so."""
        await subscribing.end(await subscribing.find(subscription_id, request.state.principal))
        return Response(status_code=204)

    return routes


def owner_of(principal: Principal) -> str | None:
    """Whose subscriptions a caller sees: a client its own; None: whoever opens the owner's socket sees all."""
    return None if principal.local else principal.client or principal.name


def told(row: Any) -> dict[str, Any]:
    """`Subscription`."""
    document = {
        "id": row.id, "protocol": "HTTP", "sink": row.sink, "types": [row.type], "config": row.config,
        "startsAt": timestamp(int(row.started_at)), "status": row.status,
    }  # fmt: skip
    return document | ({} if row.expires_at is None else {"expiresAt": timestamp(int(row.expires_at))})


def _about(row: Any, principal: Principal) -> bool:
    """Who shows a three-legged token sees what is about its number alone."""
    if principal.number is None:
        return True
    return bool(row.config["subscriptionDetail"]["device"].get("phoneNumber") == principal.number)
