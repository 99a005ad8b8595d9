"""What `client.segments` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, TypedDict


class Counted(TypedDict):
    """How many subscriptions."""

    members: int
    bound: int
    locked: int
    confined: int
    addressed: int

class Segment(TypedDict):
    """A segment."""

    name: str
    owner: Literal["files", "api"]
    file: str
    line: int
    document: dict[str, Any]
    subscriptions: Counted
    use_cases: list[str]

class Segments(TypedDict):
    """A page, by name."""

    segments: list[Segment]
    next: str | None
