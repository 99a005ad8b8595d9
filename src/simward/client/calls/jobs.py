"""Calls about jobs."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from simward.client.answers.jobs import Job, JobList, JobRow, JobRows, MadeJob, Selected
from simward.client.caller import AsyncCaller, Caller, path


class JobsCalls:
    """Calls about jobs."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, kind: Literal["commands", "backtest"] | None = None, state: Literal["waiting", "running", "done",
        "failed", "cancelled"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> JobList:  # fmt: skip
        """The newest first."""
        answer: JobList = self._caller.call(
            "GET", "/v1/jobs", query={"kind": kind, "state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, kind: Literal["commands", "backtest"] | None = None, state: Literal["waiting", "running", "done",
        "failed", "cancelled"] | None = None, limit: int | None = None,
    ) -> Iterator[Job]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/jobs", "jobs", query={"kind": kind, "state": state, "limit": limit},
        )  # fmt: skip

    def create(
        self, *, do: Literal["lock", "quarantine", "release", "disconnect"], because: str, actor: str | None = None,
        iccids: Sequence[str] | None = None, select: Selected | None = None, rebind: bool | None = None, limits: bool |
        None = None, dry_run: bool | None = None, key: str | None = None,
    ) -> MadeJob:  # fmt: skip
        """One command for each of many subscriptions, at most fifty a second; a restart loses none."""
        answer: MadeJob = self._caller.call(
            "POST", "/v1/jobs", body={"do": do, "because": because, "actor": actor, "iccids": iccids, "select": select,
            "rebind": rebind, "limits": limits, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def get(self, number: int) -> Job:
        """One of them; a list says no `result`."""
        answer: Job = self._caller.call("GET", path("/v1/jobs/{number}", number))
        return answer

    def cancel(self, number: int, *, key: str | None = None) -> Job:
        """What was not begun is not done any more; what the gate was asked already is."""
        answer: Job = self._caller.call(
            "POST", path("/v1/jobs/{number}/cancel", number), key=key, keyed=True,
        )  # fmt: skip
        return answer

    def rows(
        self, number: int, *, result: Literal["open", "applied", "duplicate", "stale", "limited", "not-found",
        "not-permitted", "refused", "expired", "cancelled"] | None = None, after: str | None = None, limit: int | None
        = None,
    ) -> JobRows:  # fmt: skip
        """Of a job of commands, each subscription and what the gate answered."""
        answer: JobRows = self._caller.call(
            "GET", path("/v1/jobs/{number}/rows", number), query={"result": result, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all_rows(
        self, number: int, *, result: Literal["open", "applied", "duplicate", "stale", "limited", "not-found",
        "not-permitted", "refused", "expired", "cancelled"] | None = None, limit: int | None = None,
    ) -> Iterator[JobRow]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            path("/v1/jobs/{number}/rows", number), "rows", query={"result": result, "limit": limit},
        )  # fmt: skip


class AsyncJobsCalls:
    """Calls about jobs."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, kind: Literal["commands", "backtest"] | None = None, state: Literal["waiting", "running", "done",
        "failed", "cancelled"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> JobList:  # fmt: skip
        """The newest first."""
        answer: JobList = await self._caller.call(
            "GET", "/v1/jobs", query={"kind": kind, "state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, kind: Literal["commands", "backtest"] | None = None, state: Literal["waiting", "running", "done",
        "failed", "cancelled"] | None = None, limit: int | None = None,
    ) -> AsyncIterator[Job]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/jobs", "jobs", query={"kind": kind, "state": state, "limit": limit},
        )  # fmt: skip

    async def create(
        self, *, do: Literal["lock", "quarantine", "release", "disconnect"], because: str, actor: str | None = None,
        iccids: Sequence[str] | None = None, select: Selected | None = None, rebind: bool | None = None, limits: bool |
        None = None, dry_run: bool | None = None, key: str | None = None,
    ) -> MadeJob:  # fmt: skip
        """One command for each of many subscriptions, at most fifty a second; a restart loses none."""
        answer: MadeJob = await self._caller.call(
            "POST", "/v1/jobs", body={"do": do, "because": because, "actor": actor, "iccids": iccids, "select": select,
            "rebind": rebind, "limits": limits, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def get(self, number: int) -> Job:
        """One of them; a list says no `result`."""
        answer: Job = await self._caller.call("GET", path("/v1/jobs/{number}", number))
        return answer

    async def cancel(self, number: int, *, key: str | None = None) -> Job:
        """What was not begun is not done any more; what the gate was asked already is."""
        answer: Job = await self._caller.call(
            "POST", path("/v1/jobs/{number}/cancel", number), key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def rows(
        self, number: int, *, result: Literal["open", "applied", "duplicate", "stale", "limited", "not-found",
        "not-permitted", "refused", "expired", "cancelled"] | None = None, after: str | None = None, limit: int | None
        = None,
    ) -> JobRows:  # fmt: skip
        """Of a job of commands, each subscription and what the gate answered."""
        answer: JobRows = await self._caller.call(
            "GET", path("/v1/jobs/{number}/rows", number), query={"result": result, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all_rows(
        self, number: int, *, result: Literal["open", "applied", "duplicate", "stale", "limited", "not-found",
        "not-permitted", "refused", "expired", "cancelled"] | None = None, limit: int | None = None,
    ) -> AsyncIterator[JobRow]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            path("/v1/jobs/{number}/rows", number), "rows", query={"result": result, "limit": limit},
        )  # fmt: skip

