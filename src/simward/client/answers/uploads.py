"""What `client.uploads` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict

from simward.client.answers.revisions import Plan


class Applied(TypedDict):
    """What came of it."""

    applied: bool
    revision: int | None
    first: int | None
    last: int | None
    disconnects: int
    plan: Plan

class NewlyUploaded(TypedDict):
    """One that was just made."""

    id: str
    at: str
    actor: str
    because: str
    state: Literal["proposed", "in force"]
    takes_over: list[str]
    lines: int
    documents: list[Place]
    warnings: list[Warned]

class Place(TypedDict):
    """A document, and where it stands."""

    kind: str
    name: str
    file: str
    line: int

class Upload(TypedDict):
    """A proposal, or what is in force of the API."""

    id: str
    at: str
    actor: str
    because: str
    state: Literal["proposed", "in force"]
    takes_over: list[str]
    lines: int

class Uploads(TypedDict):
    """A page, the newest first."""

    uploads: list[Upload]
    next: str | None

class Warned(TypedDict):
    """Something doubtful."""

    file: str
    line: int
    key: str
    detail: str
    instead: str

class WholeUpload(TypedDict):
    """One, with everything that the API would declare."""

    id: str
    at: str
    actor: str
    because: str
    state: Literal["proposed", "in force"]
    takes_over: list[str]
    lines: int
    policies: dict[str, str]
