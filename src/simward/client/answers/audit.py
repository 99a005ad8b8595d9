"""What `client.audit` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, TypedDict


class Entries(TypedDict):
    """A page."""

    entries: list[Entry]
    next: str | None

class Entry(TypedDict):
    """One write, or one automatic decision. What was erased is null: that it was there is still proved."""

    number: int
    at: str
    tenant: str
    actor: str
    what: str
    object: str
    cause: str
    imsi: str | None
    iccid: str | None
    why: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    erased: bool
    digest: str
