"""What `client.jobs` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Job(TypedDict):
    """A job, as it stands."""

    number: int
    kind: Literal["commands", "backtest"]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    tenant: str | None
    actor: str
    because: str
    asked_at: str
    begun_at: str | None
    ended_at: str | None
    done: int
    total: int
    arguments: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None

class JobList(TypedDict):
    """A page, the newest first."""

    jobs: list[Job]
    next: str | None

class JobRow(TypedDict):
    """One subscription of a job of commands."""

    id: str
    iccid: str | None
    result: Literal["open", "applied", "duplicate", "stale", "limited", "not-found", "not-permitted", "refused",
        "expired", "cancelled"]
    sequence: int | None
    answered_at: str | None

class JobRows(TypedDict):
    """A page, in their order."""

    rows: list[JobRow]
    next: str | None

class MadeJob(TypedDict):
    """What a job is about; `job` is null where nothing was made (`dry_run`)."""

    job: int | None
    subscriptions: int
    unknown: int
    examples: list[str]

class Selected(TypedDict):
    """Subscriptions as the registry mirrors them; all that is given must fit."""

    use_case: NotRequired[str | None]
    segment: NotRequired[str | None]
    tenant: NotRequired[str | None]
    locked: NotRequired[bool | None]
    model: NotRequired[str | None]
