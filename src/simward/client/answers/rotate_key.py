"""What `client.rotate_key` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Rotated(TypedDict):
    """What was done."""

    key: str
    sealed_again: int
