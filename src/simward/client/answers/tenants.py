"""What `client.tenants` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict

from simward.client.answers.segments import Counted


class Tenant(TypedDict):
    """An owner."""

    name: str
    use_cases: list[str]
    segments: list[str]
    subscriptions: Counted

class Tenants(TypedDict):
    """A page, by name."""

    tenants: list[Tenant]
    next: str | None
