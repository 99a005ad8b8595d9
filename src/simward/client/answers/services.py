"""What `client.services` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict


class Service(TypedDict):
    """One service of one use case."""

    use_case: str
    service: Literal["data", "voice", "sms"]
    policy: Literal["", "none", "budget", "unlimited"]
    members: int
    ever_used: int
    used_lately: int
    last_used_at: str | None
    known_since: str | None
    verdict: Literal["none", "used though none", "not known yet", "unused", "used by few", "used"]
    risk: str

class Services(TypedDict):
    """A page, by use case and service."""

    as_of: str | None
    unused_for_days: int
    services: list[Service]
    next: str | None
