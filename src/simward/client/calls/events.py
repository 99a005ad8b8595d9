"""Calls about events."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from simward.client.answers.events import CloudEvent, Events
from simward.client.caller import AsyncCaller, Caller


class EventsCalls:
    """Calls about events."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None, type: Sequence[str] | None = None, limit: int | None = None) -> Events:
        """Those after one that you have, the oldest that are kept first. With `type` a page may hold fewer."""
        answer: Events = self._caller.call(
            "GET", "/v1/events", query={"after": after, "type": type, "limit": limit},
        )  # fmt: skip
        return answer

    def stream(self, *, after: str | None = None, type: Sequence[str] | None = None) -> Iterator[CloudEvent]:
        """Server-sent events: `id` the event's, `event` its type, `data` all of it. From now on, unless `after` or
        `Last-Event-ID` says after which; a comment each 15 s where nothing happens.

        A stream that breaks off is taken up again behind the last event.
        """
        return self._caller.stream(
            "/v1/events/stream", query={"after": after, "type": type},
        )  # fmt: skip


class AsyncEventsCalls:
    """Calls about events."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, after: str | None = None, type: Sequence[str] | None = None, limit: int | None = None,
    ) -> Events:  # fmt: skip
        """Those after one that you have, the oldest that are kept first. With `type` a page may hold fewer."""
        answer: Events = await self._caller.call(
            "GET", "/v1/events", query={"after": after, "type": type, "limit": limit},
        )  # fmt: skip
        return answer

    def stream(self, *, after: str | None = None, type: Sequence[str] | None = None) -> AsyncIterator[CloudEvent]:
        """Server-sent events: `id` the event's, `event` its type, `data` all of it. From now on, unless `after` or
        `Last-Event-ID` says after which; a comment each 15 s where nothing happens.

        A stream that breaks off is taken up again behind the last event.
        """
        return self._caller.stream(
            "/v1/events/stream", query={"after": after, "type": type},
        )  # fmt: skip

