"""What `client.rules` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, TypedDict


class Approved(TypedDict):
    """What came of an approval."""

    released: int
    awaiting: int

class Paused(TypedDict):
    """Who paused a rule, when and why."""

    at: str
    actor: str
    because: str

class Rejected(TypedDict):
    """What came of a rejection."""

    rejected: int

class Rule(TypedDict):
    """A rule; docs/reference/policy-keys.md says what its document means."""

    rule: str
    in_force: bool
    mode: str | None
    acts: bool
    revision: int | None
    paused: Paused | None
    approve_above: int | None
    actions: dict[str, int]
    document: dict[str, Any] | None

class Rules(TypedDict):
    """A page, by name."""

    rules: list[Rule]
    next: str | None
