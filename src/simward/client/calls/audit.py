"""Calls about audit."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.audit import Entries, Entry
from simward.client.caller import AsyncCaller, Caller


class AuditCalls:
    """Calls about audit."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, imsi: str | None = None, sort: Literal["-at", "at"] | None = None, after: str | None = None, limit:
        int | None = None,
    ) -> Entries:  # fmt: skip
        """The newest first unless `sort=at`; of one subscription with `imsi`. `simward audit verify` proves that
        none is missing."""
        answer: Entries = self._caller.call(
            "GET", "/v1/audit", query={"imsi": imsi, "sort": sort, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, sort: Literal["-at", "at"] | None = None, limit: int | None = None,
    ) -> Iterator[Entry]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/audit", "entries", query={"imsi": imsi, "sort": sort, "limit": limit},
        )  # fmt: skip


class AsyncAuditCalls:
    """Calls about audit."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, imsi: str | None = None, sort: Literal["-at", "at"] | None = None, after: str | None = None, limit:
        int | None = None,
    ) -> Entries:  # fmt: skip
        """The newest first unless `sort=at`; of one subscription with `imsi`. `simward audit verify` proves that
        none is missing."""
        answer: Entries = await self._caller.call(
            "GET", "/v1/audit", query={"imsi": imsi, "sort": sort, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, sort: Literal["-at", "at"] | None = None, limit: int | None = None,
    ) -> AsyncIterator[Entry]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/audit", "entries", query={"imsi": imsi, "sort": sort, "limit": limit},
        )  # fmt: skip

