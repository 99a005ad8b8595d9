"""What `client.endpoints` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class DeadLetter(TypedDict):
    """What could not be delivered."""

    delivery: int
    announcement: str
    type: str
    subject: str
    made_at: str
    attempts: int
    status: int | None
    error: str | None

class DeadLetters(TypedDict):
    """A page, the newest first."""

    dead: list[DeadLetter]
    next: str | None

class Endpoint(TypedDict):
    """An endpoint of the settings, and how it does."""

    name: str
    kind: str
    url: str
    events: list[str]
    mode: str
    state: str
    failures_in_a_row: int
    waiting: int
    dead: int
    in_flight: int
    delivered: int
    oldest_waiting_at: str | None
    last_error: str | None
    secrets: int

class Endpoints(TypedDict):
    """A page, by name."""

    endpoints: list[Endpoint]
    next: str | None

class Redelivered(TypedDict):
    """An announcement waits again."""

    endpoint: str
    announcement: str

class Redriven(TypedDict):
    """So many dead letters wait again."""

    endpoint: str
    redriven: int

class Tested(TypedDict):
    """What came of a test."""

    endpoint: str
    delivered: bool
    status: int | None
    error: str | None
    took_ms: int
    id: str
