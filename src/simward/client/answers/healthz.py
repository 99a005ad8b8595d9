"""What `client.healthz` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Alive(TypedDict):
    """The process answers."""

    alive: bool
