"""What `client.undo` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Undone(TypedDict):
    """What is being taken back, and how far that is."""

    undo: str
    releases: int
    answers: dict[str, int]
    over: bool
    locked_otherwise: int
    cancelled: int
    takes_s: int
