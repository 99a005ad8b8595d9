"""What `client.effects` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import NotRequired, TypedDict


class Effect(TypedDict):
    """What the gate asked of a gateway, and what came of it."""

    id: NotRequired[str]
    at: NotRequired[str]
    tenant: NotRequired[str]
    imsi: NotRequired[str | None]
    iccid: NotRequired[str | None]
    what: NotRequired[str]
    gateway: NotRequired[str | None]
    session_id: NotRequired[str | None]
    because: NotRequired[str | None]
    held: NotRequired[str | None]
    attempts: NotRequired[int]
    result: NotRequired[str | None]
    error_cause: NotRequired[int | None]
    proved_at: NotRequired[str | None]
    incident: NotRequired[int | None]
    as_of_seq: NotRequired[int]

class Effects(TypedDict):
    """A page, the newest first."""

    effects: list[Effect]
    next: str | None
