"""What `client.readyz` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Condition(TypedDict):
    """Something that has to hold, and how it stands."""

    ok: bool
    said: str

class Ready(TypedDict):
    """Everything that it needs is there."""

    ready: bool
    conditions: dict[str, Condition]
