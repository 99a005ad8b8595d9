"""Disconnect-Requests (RFC 5176) as a protocol without a socket: octets and the time go in, octets come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet, PacketError

Address = tuple[str, int]
IDENTIFIERS = 256
NEVER = float("inf")


class Schedule(NamedTuple):
    """When a request is repeated (RFC 5080 2.2.1, which RFC 5176 2.3 refers to); seconds."""

    first_s: float = 2.0
    longest_s: float = 16.0
    times: int = 5
    whole_s: float = 30.0


RFC_5080 = Schedule()


class Peer(NamedTuple):
    """Where a client takes Disconnect-Requests, and its secret, which is not printed."""

    address: Address
    secret: bytes

    def __repr__(self) -> str:
        return f"Peer({self.address})"


@dataclass(frozen=True)
class Session:
    """What names one session to the gateway that holds it.

    RFC 5176 3: every session identification attribute that is sent must match, so only those are sent that the
    gateway itself reported for this session: Acct-Session-Id, which is unique there, Framed-IP-Address and 3GPP-IMSI.
    User-Name and Called-Station-Id are left out, as gateways rewrite them. NAS-Identifier or NAS-IP-Address tells
    proxies the way.
    """

    session_id: bytes
    imsi: str = ""
    address: str = ""
    nas_identifier: str = ""
    nas_address: str = ""
    cut: bool = False
    """The session's id was too long to be kept whole: it is not sent, the rest must do."""


class Answer(NamedTuple):
    """What a gateway said to one request."""

    token: Any
    accepted: bool
    error_cause: int
    """RFC 5176 3.5, 0 = none given."""


@dataclass
class _Exchange:
    """One request and its repetitions: the same octets each time (RFC 5080 2.2.2 tells duplicates by them)."""

    token: Any
    peer: Peer
    authenticator: bytes
    octets: bytes
    give_up_at: float
    interval_s: float
    again_at: float
    sent: int = 1


@dataclass
class _Line:
    pending: dict[int, _Exchange] = field(default_factory=dict)
    next_identifier: int = 0


class DynauthClient:
    """Requests under way to all gateways.

    `jitter` gives RAND of RFC 5080 2.2.1, evenly between -0.1 and 0.1. `first_identifier` is better another one after a
    restart, so that late answers to the earlier process find no request.
    """

    def __init__(
        self, jitter: Callable[[], float], first_identifier: int = 0, schedule: Schedule = RFC_5080
    ) -> None:
        self._jitter, self._first = jitter, first_identifier
        self._schedule = schedule
        self._lines: dict[Address, _Line] = {}
        self.dropped: Counter[str] = Counter()
        """Datagrams that were no answer, by reason."""

    @property
    def pending(self) -> int:
        """Requests without an answer."""
        return sum(len(line.pending) for line in self._lines.values())

    @property
    def next_due(self) -> float:
        """When `due` or `expired` next has something to do."""
        return min((one.again_at for line in self._lines.values() for one in line.pending.values()), default=NEVER)

    def has_room(self, address: Address) -> bool:
        """Is an identifier free for that gateway? Without one, `disconnect` raises LookupError."""
        return len(self._lines.get(address, _Line()).pending) < IDENTIFIERS

    def disconnect(self, peer: Peer, session: Session, decided_at_s: int, now: float, token: Any) -> bytes:
        """The octets to send to `peer.address` now; `token` comes back with the answer.

        `decided_at_s` becomes the Event-Timestamp (RFC 5176 3.3: against replay), the same in each repetition.
        """
        line = self._lines.setdefault(peer.address, _Line(next_identifier=self._first))
        if len(line.pending) >= IDENTIFIERS:
            raise LookupError("every identifier is in use")
        while line.next_identifier in line.pending:
            line.next_identifier = (line.next_identifier + 1) % IDENTIFIERS
        identifier = line.next_identifier
        line.next_identifier = (identifier + 1) % IDENTIFIERS
        packet = request_for(session, identifier, decided_at_s)
        octets = packet.sign_dynauth_request(peer.secret)
        interval = self._schedule.first_s * (1 + self._jitter())
        line.pending[identifier] = _Exchange(
            token, peer, packet.authenticator, octets, now + self._schedule.whole_s, interval, now + interval
        )
        return octets

    def receive(self, octets: bytes, address: Address) -> Answer | None:
        """The answer that a datagram is; None for anything else, which is counted in `dropped`."""
        try:
            packet = Packet.decode(octets)
        except PacketError as error:
            self.dropped[error.reason] += 1
            return None
        line = self._lines.get(address, _Line())
        exchange = line.pending.get(packet.identifier)
        reason = _why_not(packet, exchange)
        if exchange is None or reason:
            self.dropped[reason] += 1
            return None
        del line.pending[packet.identifier]
        cause = packet.get("Error-Cause")
        return Answer(exchange.token, packet.code == Code.DISCONNECT_ACK, cause if isinstance(cause, int) else 0)

    def due(self, now: float) -> list[tuple[Address, bytes]]:
        """What is to be sent again now."""
        again = []
        for address, line in self._lines.items():
            for exchange in line.pending.values():
                if now >= exchange.again_at and not self._is_over(exchange, now):
                    exchange.sent += 1
                    doubled = exchange.interval_s * (2 + self._jitter())
                    longest = self._schedule.longest_s
                    exchange.interval_s = doubled if doubled <= longest else longest * (1 + self._jitter())
                    exchange.again_at = min(now + exchange.interval_s, exchange.give_up_at)
                    again.append((address, exchange.octets))
        return again

    def expired(self, now: float) -> list[Any]:
        """Tokens of requests that nobody answered in time; they are forgotten."""
        silent = []
        for line in self._lines.values():
            for identifier in [number for number, one in line.pending.items() if self._is_over(one, now)]:
                silent.append(line.pending.pop(identifier).token)
        return silent

    def _is_over(self, exchange: _Exchange, now: float) -> bool:
        spent = exchange.sent >= self._schedule.times and now >= exchange.again_at
        return spent or now >= exchange.give_up_at


def _why_not(packet: Packet, exchange: _Exchange | None) -> str:
    """The reason why a packet is not the answer to that request; empty where it is."""
    if packet.code not in (Code.DISCONNECT_ACK, Code.DISCONNECT_NAK):
        return "bad_code"
    if exchange is None:
        return "no_request"
    return "" if packet.verify_response(exchange.authenticator, exchange.peer.secret) else "bad_authenticator"


def request_for(session: Session, identifier: int, decided_at_s: int) -> Packet:
    """The Disconnect-Request of one session, unsigned."""
    packet = Packet(Code.DISCONNECT_REQUEST, identifier)
    if session.nas_identifier:
        packet.add("NAS-Identifier", session.nas_identifier)
    elif session.nas_address:
        packet.add("NAS-IP-Address", session.nas_address)
    if session.session_id and not session.cut:
        packet.add("Acct-Session-Id", session.session_id)
    if session.address:
        packet.add("Framed-IP-Address", session.address)
    if session.imsi:
        packet.add("3GPP-IMSI", session.imsi)
    return packet.add("Event-Timestamp", decided_at_s)
