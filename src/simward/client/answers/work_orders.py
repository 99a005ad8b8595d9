"""What `client.work_orders` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import NotRequired, TypedDict


class Near(TypedDict):
    """A circle."""

    latitude: float
    longitude: float
    radius_m: float

class Select(TypedDict):
    """Subscriptions of the inventory; all that is given must fit."""

    use_case: NotRequired[str | None]
    label: NotRequired[str | None]
    near: NotRequired[Near | None]

Wanted = TypedDict("Wanted", {
    "iccid": str,
    "imei": 'NotRequired[str | None]',
    "device": 'NotRequired[bool]',
    "place": 'NotRequired[bool]',
    "from": 'NotRequired[str | None]',
    "until": 'NotRequired[str | None]',
    "line": 'NotRequired[int]',
})  # fmt: skip
"""One subscription: the device that it goes into (none given: any), whether its place may change, and when."""
