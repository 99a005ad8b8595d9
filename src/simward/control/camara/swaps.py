"""Device Swap 1.0.0 and SIM Swap 2.1.0: when a number's device or SIM changed last, and whether in so many hours.

Both are one thing with two names. A change is noted from the day on which the registry learnt to; before that, and
before `monitored_days` of the settings, nothing is told but that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request

from simward.connectors.cloudevents import timestamp
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.scopes import BASES, DEVICE_SWAP, SIM_SWAP
from simward.control.camara.bodies import body_of, hours_of, missing, number_of
from simward.control.camara.errors import CamaraError, out_of_range, unknown_device
from simward.registry import devices
from simward.registry.database import Registry

DAY_US, HOUR_US = 86_400_000_000, 3_600_000_000
NOT_APPLICABLE = CamaraError(
    422, "SERVICE_NOT_APPLICABLE", "The service is not available for the provided identifier."
)
ALREADY_BY_TOKEN = CamaraError(422, "UNNECESSARY_IDENTIFIER", "The device is already identified by the access token.")


@dataclass(frozen=True)
class Swap:
    """One of the two interfaces."""

    scope: str
    answer: str
    """The key of the date."""
    monitored: str
    since: str
    """The column that says since when it is as it is."""


DEVICE = Swap(DEVICE_SWAP, "latestDeviceChange", "device", "seen_since")
SIM = Swap(SIM_SWAP, "latestSimChange", "sim", "number_since")


@dataclass(frozen=True)
class Known:
    """What is known of the last change."""

    changed_at: int | None
    """None: there was none since changes are noted."""
    noted_since: int
    in_use: bool
    """It was in a device (or with a SIM) before that."""


def swap_routes(swap: Swap, registry: Registry, now: Callable[[], int], monitored_days: int) -> APIRouter:
    """Both routes of an interface; `monitored_days` is how far back it tells (0: as far as is known)."""
    routes, asking = APIRouter(prefix=BASES[swap.scope], include_in_schema=False), Asking(registry)

    @routes.post("/retrieve-date", openapi_extra=needs(swap.scope, f"{swap.scope}:retrieve-date"))
    async def retrieve_date(request: Request) -> dict[str, Any]:
        """When it changed last; null where that was before what is monitored, with how many days those are."""
        known = await _known(swap, asking, request, number_of(await body_of(request)))
        return date_told(swap, known, now(), monitored_days)

    @routes.post("/check", openapi_extra=needs(swap.scope, f"{swap.scope}:check"))
    async def check(request: Request) -> dict[str, Any]:
        """Did it change in the last `maxAge` hours?"""
        body = await body_of(request)
        number, hours = number_of(body), hours_of(body)
        if monitored_days and hours > monitored_days * 24:
            raise out_of_range(f"Check monitor period could not exceed local regulations ({monitored_days} days)")
        return {"swapped": was_swapped(await _known(swap, asking, request, number), now(), hours)}

    return routes


def date_told(swap: Swap, known: Known, now: int, monitored_days: int) -> dict[str, Any]:
    """The answer to retrieve-date."""
    told_from = now - monitored_days * DAY_US if monitored_days else 0
    if known.changed_at is not None and known.changed_at >= told_from:
        return {swap.answer: timestamp(known.changed_at)}
    since = max(told_from, known.noted_since) if known.changed_at is None else told_from
    return {swap.answer: None, "monitoredPeriod": (now - since) // DAY_US}


def was_swapped(known: Known, now: int, hours: int) -> bool:
    """The answer to check. Raises CamaraError where nobody can know."""
    since = now - hours * HOUR_US
    if known.changed_at is not None:
        return known.changed_at >= since
    if not known.in_use or since < known.noted_since:
        raise NOT_APPLICABLE
    return False


async def _known(swap: Swap, asking: Asking, request: Request, number: str | None) -> Known:
    principal: Principal = request.state.principal
    if principal.number is not None and number is not None:
        raise ALREADY_BY_TOKEN
    wanted = principal.number or number
    if wanted is None:
        raise missing()

    def look(connection: sa.Connection) -> Known:
        rows = devices.of_number(connection, wanted, principal.tenant)
        if not rows or (principal.tenant is None and len({row.tenant for row in rows}) > 1):
            raise unknown_device()
        return known_of(swap, rows, devices.monitored_since(connection, swap.monitored))

    return await asking.read(look)


def known_of(swap: Swap, rows: Sequence[Any], noted_since: int) -> Known:
    """Of the subscriptions of a number: the latest change of any."""
    changes = [int(getattr(row, swap.since)) for row in rows if getattr(row, swap.since) is not None]
    in_use = swap is SIM or any(row.imei is not None or row.seen_imei is not None for row in rows)
    return Known(max(changes, default=None), noted_since, in_use)
