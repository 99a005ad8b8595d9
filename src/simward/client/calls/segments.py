"""Calls about segments."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.segments import Segment, Segments
from simward.client.caller import AsyncCaller, Caller, path


class SegmentsCalls:
    """Calls about segments."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> Segments:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: Segments = self._caller.call(
            "GET", "/v1/segments", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> Iterator[Segment]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/segments", "segments", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, name: str) -> Segment:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: Segment = self._caller.call("GET", path("/v1/segments/{name}", name))
        return answer


class AsyncSegmentsCalls:
    """Calls about segments."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> Segments:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: Segments = await self._caller.call(
            "GET", "/v1/segments", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> AsyncIterator[Segment]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/segments", "segments", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, name: str) -> Segment:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: Segment = await self._caller.call("GET", path("/v1/segments/{name}", name))
        return answer

