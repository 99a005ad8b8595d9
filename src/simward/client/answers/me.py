"""What `client.me` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict


class Me(TypedDict):
    """Who asks."""

    name: str
    kind: Literal["owner", "account", "token", "other"]
    role: str | None
    tenant: str | None
    permissions: list[str]
    csrf: str | None
