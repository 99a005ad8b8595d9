"""What `client.commands` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class CommandAnswer(TypedDict):
    """What the gate answered."""

    result: NotRequired[Literal["applied", "duplicate"] | None]
    sequence: NotRequired[int | None]
    generation: NotRequired[int | None]
    did: NotRequired[list[str] | None]
    id: NotRequired[str | None]
