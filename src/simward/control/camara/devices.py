"""Which subscription a request is about: by its body where the token is two-legged, else by the token alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import Request

from simward.control.api.asking import Asking
from simward.control.api.principals import Principal
from simward.control.camara.bodies import Device, missing
from simward.control.camara.errors import CamaraError, invalid, unknown_device
from simward.registry import devices

NOT_SUPPORTED = "None of the provided identifiers is supported by the implementation."
ALREADY_BY_TOKEN = (
    "An explicit identifier has been provided for the device when this is already identified by the access token"
)


@dataclass(frozen=True)
class Found:
    """A subscription, and how whoever asks names it."""

    row: Any
    """Of the mirror."""
    said: dict[str, Any]
    """The `device` of an answer or event about it."""


async def found(asking: Asking, request: Request, device: Device | None) -> Found:
    """The subscription that a request is about. Raises CamaraError."""
    principal: Principal = request.state.principal
    if principal.number is not None:
        if device is not None:
            raise CamaraError(422, "UNNECESSARY_IDENTIFIER", ALREADY_BY_TOKEN)
        device = Device({"phoneNumber": principal.number}, principal.number)
    if device is None:
        raise missing()
    if device.number is None and not device.ipv4 and device.ipv6 is None:
        raise CamaraError(422, "UNSUPPORTED_IDENTIFIER", NOT_SUPPORTED)
    tenant = principal.tenant
    return Found(await asking.read(lambda c: _one(c, device, tenant)), device.said)


def _one(connection: sa.Connection, device: Device, tenant: str | None) -> Any:
    """The row that every identifier leads to; one that leads to several cards leads to none."""
    asked: list[Callable[[], Any]] = []
    if device.number is not None:
        asked.append(lambda: devices.of_number(connection, str(device.number), tenant))
    if device.address is not None:
        asked.append(lambda: devices.of_ipv4(connection, device.address, tenant))  # type: ignore[arg-type]
    if device.ipv6 is not None:
        asked.append(lambda: devices.of_ipv6(connection, device.ipv6, tenant))  # type: ignore[arg-type]
    cards = []
    for ask in asked:
        iccids = {row.iccid for row in ask()}
        if len(iccids) != 1 or None in iccids:
            raise unknown_device()
        cards.append(iccids.pop())
    if len(set(cards)) > 1:
        raise invalid("Multiple inconsistent device parameters specified")
    row = devices.of_iccid(connection, cards[0])
    if row is None:
        raise unknown_device()
    return row
