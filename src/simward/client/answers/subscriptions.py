"""What `client.subscriptions` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Subscription(TypedDict):
    """A subscription: what the inventory says of it, and what was decided and seen since."""

    imsi: NotRequired[str]
    iccid: NotRequired[str | None]
    msisdn: NotRequired[str | None]
    tenant: NotRequired[str]
    use_case: NotRequired[str | None]
    segment: NotRequired[str | None]
    state: NotRequired[Literal["active", "inventory", "suspended", "retired"] | None]
    declared_imei: NotRequired[str | None]
    imei: NotRequired[str | None]
    device: NotRequired[str | None]
    generation: NotRequired[int]
    apn: NotRequired[str | None]
    address: NotRequired[str | None]
    prefix: NotRequired[str | None]
    delegated: NotRequired[str | None]
    locked_at: NotRequired[str | None]
    locked_because: NotRequired[str | None]
    confined: NotRequired[bool]
    as_of_seq: NotRequired[int]

class SubscriptionAndStory(TypedDict):
    """One subscription, with its story (null: the journals know nothing of it)."""

    imsi: NotRequired[str]
    iccid: NotRequired[str | None]
    msisdn: NotRequired[str | None]
    tenant: NotRequired[str]
    use_case: NotRequired[str | None]
    segment: NotRequired[str | None]
    state: NotRequired[Literal["active", "inventory", "suspended", "retired"] | None]
    declared_imei: NotRequired[str | None]
    imei: NotRequired[str | None]
    device: NotRequired[str | None]
    generation: NotRequired[int]
    apn: NotRequired[str | None]
    address: NotRequired[str | None]
    prefix: NotRequired[str | None]
    delegated: NotRequired[str | None]
    locked_at: NotRequired[str | None]
    locked_because: NotRequired[str | None]
    confined: NotRequired[bool]
    as_of_seq: NotRequired[int]
    story: NotRequired[Told | None]

class Subscriptions(TypedDict):
    """A page, by IMSI."""

    subscriptions: list[Subscription]
    next: str | None

class Told(TypedDict):
    """The story of a subscription, in short: quiet runs are one chapter."""

    chapters: list[dict[str, Any]]
    now: dict[str, Any]
    could: list[str]
