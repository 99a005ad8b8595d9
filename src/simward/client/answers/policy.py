"""What `client.policy` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, TypedDict


class Document(TypedDict):
    """A document of the policy."""

    kind: str
    name: str
    owner: Literal["files", "api"]
    file: str
    line: int
    document: dict[str, Any]

class InForce(TypedDict):
    """The policy in force."""

    revision: int | None
    documents: list[Document]
    texts: dict[str, Text]

class Text(TypedDict):
    """A text of the policy, as it was written."""

    owner: Literal["files", "api"]
    text: str
