"""What `client.use_cases` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, TypedDict

from simward.client.answers.segments import Counted


class UseCase(TypedDict):
    """A use case."""

    name: str
    owner: Literal["files", "api"]
    file: str
    line: int
    document: dict[str, Any]
    subscriptions: Counted
    tenant: str
    segments: list[str]

class UseCases(TypedDict):
    """A page, by name."""

    use_cases: list[UseCase]
    next: str | None
