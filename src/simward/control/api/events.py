"""`/v1/events`: what webhooks send, to be fetched instead: a page at a time, or as a stream that goes on.

Both give the same events under the same ids, and go on after any of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simward.control.api import paging
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.logs import called
from simward.registry import listing
from simward.registry.database import Registry
from simward.response.telling import event_of

log = logging.getLogger(__name__)

STREAMS_MOST, STREAMS_EACH_MOST = 32, 4
HEARTBEAT_S = 15.0
SEND_WITHIN_S = 30.0
"""A client that has not taken what was sent by then is left: it comes back, and goes on where it was."""
AT_ONCE = 200
TYPES_MOST = 32
MEDIA_TYPE = "text/event-stream"

Still = Callable[[Principal], Awaitable[bool]]
Types = Annotated[list[Annotated[str, Query(max_length=64)]] | None, Query(
    alias="type", max_length=TYPES_MOST, description="Only these; may hold * (incident.*), may be given again."
)]  # fmt: skip
EventId = Annotated[str | None, Query(max_length=128, description="The id of the last event that you have.")]


class CloudEvent(BaseModel):
    """An event: CloudEvents 1.0.2, JSON format. What stands in `data` of each type: asyncapi.yaml."""

    model_config = ConfigDict(extra="allow")

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: dict[str, Any]


class Events(BaseModel):
    """Some events, in the order in which they were said."""

    events: list[CloudEvent]
    after: str | None = Field(description="Ask for what comes after this; as you asked where nothing has come.")
    more: bool = Field(description="There is more already.")


class News:
    """Wakes who waits for something new; of the event loop alone."""

    def __init__(self) -> None:
        self._some = asyncio.Event()

    def wake(self) -> None:
        """Something may have been written."""
        self._some.set()
        self._some = asyncio.Event()

    async def wait(self, within_s: float) -> None:
        """Until then, or until `within_s` have passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._some.wait()


class Streams:
    """Those that are being served: few, and few for each caller."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @property
    def now(self) -> int:
        """How many are served."""
        return self._of.total()

    def begin(self, name: str) -> None:
        """Raises Problem where there are too many."""
        if self._of.total() >= STREAMS_MOST or self._of[name] >= STREAMS_EACH_MOST:
            said = f"{STREAMS_EACH_MOST} streams are served to one caller, and {STREAMS_MOST} in all."
            raise Problem(429, "too-many-streams", "Too many streams", said, headers={"Retry-After": "15"})
        self._of[name] += 1

    def end(self, name: str) -> None:
        """One less."""
        self._of[name] -= 1
        self._of += Counter()  # without those that have none


def event_routes(
    registry: Registry, installation: str, news: News, still: Still, streams: Streams | None = None
) -> APIRouter:
    """Both routes. `still`: would this caller be let in now? `streams`: where those being served are counted."""
    routes, asking, streams = APIRouter(prefix="/v1/events", tags=["events"]), Asking(registry), streams or Streams()
    declared: dict[str, Any] = {"response_model": None, "openapi_extra": needs("read-events")}

    async def begin(principal: Principal, after: str | None, otherwise: int) -> int:
        if after is None:
            return otherwise
        number = await asking.read(lambda c: listing.announced(c, principal.tenant, after))
        if number is None:
            raise Problem(404, "no-such-event", "No such event", "after: no event with this id is kept; begin anew.")
        return number

    async def rows_after(principal: Principal, number: int, limit: int) -> Any:
        return await asking.read(
            lambda c: listing.announcements(c, tenant=principal.tenant, after=number, limit=limit)
        )

    @routes.get("", responses={200: {"model": Events}}, **declared)
    async def events(
        request: Request, after: EventId = None, types: Types = None, limit: paging.Limit = 100
    ) -> dict[str, Any]:
        """Those after one that you have, the oldest that are kept first. With `type` a page may hold fewer."""
        principal: Principal = request.state.principal
        number = await begin(principal, after, 0)
        rows = await rows_after(principal, number, limit + 1)
        told = [event_of(row, installation).document for row in rows[:limit] if _wanted(row.type, types)]
        last = rows[:limit][-1].id if rows else after
        return {"events": told, "after": last, "more": len(rows) > limit}

    @routes.get("/stream", response_class=_Described, **declared)
    async def stream(
        request: Request, after: EventId = None, types: Types = None,
        last_event_id: Annotated[str | None, Header(max_length=128)] = None,
    ) -> Response:  # fmt: skip
        """Server-sent events: `id` the event's, `event` its type, `data` all of it. From now on, unless `after` or
        `Last-Event-ID` says after which; a comment each 15 s where nothing happens."""
        principal: Principal = request.state.principal
        newest = await asking.read(listing.last_announced)
        number = await begin(principal, last_event_id or after, newest)
        streams.begin(principal.name)

        async def chunks() -> AsyncIterator[bytes]:
            at, said_at = number, time.monotonic()
            yield b"retry: 2000\n\n"
            while await still(principal):
                rows = await rows_after(principal, at, AT_ONCE)
                told = b"".join(_as_text(row, installation) for row in rows if _wanted(row.type, types))
                at = rows[-1].number if rows else at
                if told or time.monotonic() - said_at >= HEARTBEAT_S:
                    said_at = time.monotonic()
                    yield told or b": nothing\n\n"
                if len(rows) < AT_ONCE:
                    await news.wait(HEARTBEAT_S)

        return EventStream(chunks(), lambda: streams.end(principal.name))

    return routes


class _Described(Response):
    """How the stream is told in the OpenAPI description."""

    media_type = MEDIA_TYPE


class EventStream(Response):
    """Sends chunks until its client is gone, or takes none."""

    media_type = MEDIA_TYPE

    def __init__(self, chunks: AsyncIterator[bytes], ended: Callable[[], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks, self._ended = chunks, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One response (ASGI)."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(self._send(send))
            gone = asyncio.create_task(_until_gone(receive))
            try:
                await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
                if sending.done() and sending.exception() is not None:
                    log.warning("a stream of events ends: %r", sending.exception(), extra=called("event-stream-failed"))
            finally:
                await _ended((sending, gone))
        finally:
            self._ended()

    async def _send(self, send: Send) -> None:
        async for chunk in self._chunks:
            async with asyncio.timeout(SEND_WITHIN_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _wanted(type_name: str, patterns: list[str] | None) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(type_name, one) for one in patterns)


def _as_text(row: Any, installation: str) -> bytes:
    """One event as the HTML standard has it (9.2.6): JSON without line ends is one `data` line."""
    document = json.dumps(event_of(row, installation).document, separators=(",", ":"))
    return f"id: {row.id}\nevent: {row.type}\ndata: {document}\n\n".encode()
