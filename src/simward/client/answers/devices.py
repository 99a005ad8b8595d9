"""What `client.devices` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict

from simward.client.answers.bindings import Binding


class Device(TypedDict):
    """A device that a subscription was bound to."""

    imei: str
    model: str
    is_in: int
    known_in: int

class Devices(TypedDict):
    """A page, by IMEI."""

    devices: list[Device]
    next: str | None

class WholeDevice(TypedDict):
    """One of them."""

    imei: str
    model: str
    is_in: int
    known_in: int
    bindings: list[Binding]
    declared_for: list[str]
