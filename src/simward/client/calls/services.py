"""Calls about services."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.services import Service, Services
from simward.client.caller import AsyncCaller, Caller


class ServicesCalls:
    """Calls about services."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, use_case: str | None = None, verdict: Literal["none", "used though none", "not known yet", "unused",
        "used by few", "used"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> Services:  # fmt: skip
        """What could be taken off the SIMs of each use case: a service that is not there cannot be misused."""
        answer: Services = self._caller.call(
            "GET", "/v1/services", query={"use_case": use_case, "verdict": verdict, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, use_case: str | None = None, verdict: Literal["none", "used though none", "not known yet", "unused",
        "used by few", "used"] | None = None, limit: int | None = None,
    ) -> Iterator[Service]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/services", "services", query={"use_case": use_case, "verdict": verdict, "limit": limit},
        )  # fmt: skip


class AsyncServicesCalls:
    """Calls about services."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, use_case: str | None = None, verdict: Literal["none", "used though none", "not known yet", "unused",
        "used by few", "used"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> Services:  # fmt: skip
        """What could be taken off the SIMs of each use case: a service that is not there cannot be misused."""
        answer: Services = await self._caller.call(
            "GET", "/v1/services", query={"use_case": use_case, "verdict": verdict, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, use_case: str | None = None, verdict: Literal["none", "used though none", "not known yet", "unused",
        "used by few", "used"] | None = None, limit: int | None = None,
    ) -> AsyncIterator[Service]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/services", "services", query={"use_case": use_case, "verdict": verdict, "limit": limit},
        )  # fmt: skip

