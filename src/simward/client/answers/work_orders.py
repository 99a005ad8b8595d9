"""What `client.work_orders` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class CancelledOrder(TypedDict):
    """An order that was taken back."""

    number: int
    state: Literal["cancelled"]
    cancelled: int

class MadeOrder(TypedDict):
    """An order that was made, or (`number` null) would be."""

    number: int | None
    kind: str
    title: str
    count: int
    items: list[PlannedItem]

class Near(TypedDict):
    """A circle."""

    latitude: float
    longitude: float
    radius_m: float

Order = TypedDict("Order", {
    "number": int,
    "tenant": str,
    "kind": str,
    "title": str,
    "state": 'Literal["open", "done", "overdue", "refused", "cancelled"]',
    "created_at": str,
    "created_by": str,
    "because": str,
    "from": str,
    "until": str,
    "source": 'str | None',
    "closed_at": 'str | None',
    "items": int,
    "counts": 'dict[str, int]',
})  # fmt: skip
"""A work order."""

OrderItem = TypedDict("OrderItem", {
    "iccid": str,
    "imei": 'str | None',
    "device": bool,
    "place": bool,
    "from": str,
    "until": str,
    "state": str,
    "changed_at": str,
    "was": 'str | None',
    "now": 'str | None',
    "finding": 'str | None',
    "note": 'str | None',
})  # fmt: skip
"""An item of a work order, as it stands."""

class Orders(TypedDict):
    """A page, the newest first."""

    work_orders: list[Order]
    next: str | None

PlannedItem = TypedDict("PlannedItem", {
    "iccid": str,
    "was": 'str | None',
    "imei": 'str | None',
    "device": bool,
    "place": bool,
    "from": str,
    "until": str,
})  # fmt: skip
"""What is planned for one subscription."""

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

WholeOrder = TypedDict("WholeOrder", {
    "number": int,
    "tenant": str,
    "kind": str,
    "title": str,
    "state": 'Literal["open", "done", "overdue", "refused", "cancelled"]',
    "created_at": str,
    "created_by": str,
    "because": str,
    "from": str,
    "until": str,
    "source": 'str | None',
    "closed_at": 'str | None',
    "items": int,
    "counts": 'dict[str, int]',
    "of": 'list[OrderItem]',
})  # fmt: skip
"""One, with its items."""
