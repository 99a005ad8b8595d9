"""What `client.bindings` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Binding(TypedDict):
    """A subscription belongs, or belonged, in a device."""

    imsi: str
    iccid: str | None
    tenant: str
    generation: int
    imei: str
    device: str
    began_at: str | None
    ended_at: str | None
    as_of_seq: int

class Bindings(TypedDict):
    """A page."""

    bindings: list[Binding]
    next: str | None
