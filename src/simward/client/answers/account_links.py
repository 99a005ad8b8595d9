"""What `client.account_links` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class MadeLink(TypedDict):
    """A link that works once."""

    link: str
    link_ends_at: str
