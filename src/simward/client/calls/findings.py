"""Calls about findings."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.findings import Finding, FindingAndVerdict, Findings
from simward.client.caller import AsyncCaller, Caller, path


class FindingsCalls:
    """Calls about findings."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, detector: str | None = None, use_case: str | None = None, imsi: str | None = None, incident: int |
        None = None, lasting: bool | None = None, since: int | None = None, until: int | None = None, sort:
        Literal["-at", "at"] | None = None, fields: str | None = None, after: str | None = None, limit: int | None =
        None,
    ) -> Findings:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they began."""
        answer: Findings = self._caller.call(
            "GET", "/v1/findings", query={"detector": detector, "use_case": use_case, "imsi": imsi, "incident":
            incident, "lasting": lasting, "since": since, "until": until, "sort": sort, "fields": fields, "after":
            after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, detector: str | None = None, use_case: str | None = None, imsi: str | None = None, incident: int |
        None = None, lasting: bool | None = None, since: int | None = None, until: int | None = None, sort:
        Literal["-at", "at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> Iterator[Finding]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/findings", "findings", query={"detector": detector, "use_case": use_case, "imsi": imsi, "incident":
            incident, "lasting": lasting, "since": since, "until": until, "sort": sort, "fields": fields, "limit":
            limit},
        )  # fmt: skip

    def get(self, id: str) -> FindingAndVerdict:
        """One of them: its id has slashes."""
        answer: FindingAndVerdict = self._caller.call("GET", path("/v1/findings/{id}", id))
        return answer


class AsyncFindingsCalls:
    """Calls about findings."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, detector: str | None = None, use_case: str | None = None, imsi: str | None = None, incident: int |
        None = None, lasting: bool | None = None, since: int | None = None, until: int | None = None, sort:
        Literal["-at", "at"] | None = None, fields: str | None = None, after: str | None = None, limit: int | None =
        None,
    ) -> Findings:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they began."""
        answer: Findings = await self._caller.call(
            "GET", "/v1/findings", query={"detector": detector, "use_case": use_case, "imsi": imsi, "incident":
            incident, "lasting": lasting, "since": since, "until": until, "sort": sort, "fields": fields, "after":
            after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, detector: str | None = None, use_case: str | None = None, imsi: str | None = None, incident: int |
        None = None, lasting: bool | None = None, since: int | None = None, until: int | None = None, sort:
        Literal["-at", "at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Finding]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/findings", "findings", query={"detector": detector, "use_case": use_case, "imsi": imsi, "incident":
            incident, "lasting": lasting, "since": since, "until": until, "sort": sort, "fields": fields, "limit":
            limit},
        )  # fmt: skip

    async def get(self, id: str) -> FindingAndVerdict:
        """One of them: its id has slashes."""
        answer: FindingAndVerdict = await self._caller.call("GET", path("/v1/findings/{id}", id))
        return answer

