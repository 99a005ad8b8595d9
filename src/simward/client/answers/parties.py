"""What `client.parties` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Parties(TypedDict):
    """A page, by name."""

    parties: list[Party]
    next: str | None

class Party(TypedDict):
    """A party of the settings, and what it owes."""

    name: str
    endpoint: str
    use_cases: list[str]
    may: list[str]
    acknowledge_within_s: int
    answers: bool
    unanswered: int
    overdue: int
