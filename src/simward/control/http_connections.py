"""One HTTP connection: a request has to come whole within a deadline, and who says nothing makes room for who does.

uvicorn bounds how many requests it serves, not how many connections it holds nor how long a request may take to come:
a few hundred that never say anything would keep everybody else out, and more of them use up the descriptors that
journals, registry and webhooks need too.
"""

from __future__ import annotations

import asyncio
from ssl import SSLContext
from typing import Any, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX = 256
"""Of one listener. One more closes the one that has kept us waiting longest."""
REQUEST_WITHIN_S = 10.0
"""From the connection, or the first octet of a further request, to the last octet of its body."""

FAREWELL_WITHIN_S = 1.0
"""How long the other end's close_notify is waited for (RFC 8446 6.1)."""


class Gathering:
    """A transport to which head and body of an answer go as one: each would be a system call and a packet of its own.

    What is written waits for the end of this turn of the event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """See asyncio.WriteTransport."""
        if not data:
            return
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)

    def close(self) -> None:
        """The same: what was written goes out before."""
        self._send()
        self._transport.close()

    def abort(self) -> None:
        """The same: at once."""
        self._held.clear()
        self._transport.abort()

    def _send(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._transport.write(b"".join(held))


class Connection(H11Protocol):
    """A connection of uvicorn's, with a bound and a deadline."""

    _deadline: asyncio.TimerHandle | None = None
    waits_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        if len(self.connections) >= CONNECTIONS_MAX:
            self._make_room()
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]
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
        held = [one for one in self.connections if isinstance(one, Connection)]
        waiting = [one for one in held if one.incomplete or one.transport.is_closing()]
        if waiting:
            min(waiting, key=lambda one: one.waits_since).give_up()


class HasContext(Protocol):
    """Something whose context may be another one for the next connection."""

    context: SSLContext


class SecureConnection(Connection):
    """The same by TLS; what has not shaken hands yet counts as a connection too, and has the same deadline.

    asyncio's servers tell a protocol of a connection once it is secure: until then nothing would bound how many
    strangers may hold one.
    """

    certificate: HasContext
    _secure = False
    _early = b""
    _shaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol: first the TCP connection, then the same by TLS."""
        if self._secure:
            # It has its room, and its deadline goes on.
            H11Protocol.connection_made(self, Gathering(transport, self.loop))  # type: ignore[arg-type]
        else:
            super().connection_made(transport)
            transport.pause_reading()
            self._shaking = self.loop.create_task(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._secure:
            super().data_received(data)
        else:  # it came in one piece with the end of the handshake, before we were told of that
            self._early += data

    def eof_received(self) -> None:
        """See asyncio.Protocol."""
        if not self._secure:
            self.give_up()

    async def _shake_hands(self, plain: asyncio.Transport) -> None:
        try:
            secure = await self.loop.start_tls(
                plain, self, self.certificate.context, server_side=True, ssl_handshake_timeout=REQUEST_WITHIN_S,
                ssl_shutdown_timeout=FAREWELL_WITHIN_S,
            )  # fmt: skip
        except (OSError, asyncio.CancelledError):  # ssl.SSLError is an OSError: whoever it was does not speak TLS
            self.give_up()
            return
        if secure is None or plain.is_closing():
            self.give_up()
            return
        self._secure = True
        self.connection_made(secure)  # type: ignore[arg-type]
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)


def by_tls(certificate: HasContext) -> type[Connection]:
    """Connections that are secured with it."""
    return type("CertifiedConnection", (SecureConnection,), {"certificate": certificate})
