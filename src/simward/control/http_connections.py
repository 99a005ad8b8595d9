"""One HTTP connection: a request has to come whole within a deadline, and who says nothing makes room for who does.

uvicorn bounds how many requests it serves, not how many connections it holds nor how long a request may take to come:
a few hundred that never say anything would keep everybody else out, and more of them use up the descriptors that
journals, registry and webhooks need too.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX = 256
"""Of one listener. One more closes the one that has kept us waiting longest."""
REQUEST_WITHIN_S = 10.0
"""From the connection, or the first octet of a further request, to the last octet of its body."""


class Connection(H11Protocol):
    """A connection of uvicorn's, with a bound and a deadline."""

    _deadline: asyncio.TimerHandle | None = None
    waits_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        if len(self.connections) >= CONNECTIONS_MAX:
            self._make_room()
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self.incomplete:
            self._expect()
        else:
            self._came()

    @property
    def incomplete(self) -> bool:
        """Is a request, or the rest of one, still to come?"""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def give_up(self) -> None:
        """Close it without a word."""
        self._came()
        self.connections.discard(self)
        self.transport.abort()

    def _expect(self) -> None:
        if self._deadline is None:
            self.waits_since = self.loop.time()
            self._deadline = self.loop.call_later(REQUEST_WITHIN_S, self.give_up)

    def _came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> None:
        waiting = [one for one in self.connections if isinstance(one, Connection) and one.incomplete]
        if waiting:
            min(waiting, key=lambda one: one.waits_since).give_up()
