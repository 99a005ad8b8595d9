"""What `client.gateways` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Gateway(TypedDict):
    """A gateway: known by the name that it says (NAS-Identifier), behind the RADIUS client that says it."""

    gateway: str
    client: str
    sessions: int
    heard_at: str | None
    restarted_at: str | None
    silent_since: str | None

class Gateways(TypedDict):
    """A page, in the order in which they were first heard of."""

    gateways: list[Gateway]
    next: str | None
