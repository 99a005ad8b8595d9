"""Disconnect- and CoA-Requests (RFC 5176) as a protocol without a socket: octets and the time in, octets out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import HEADER_OCTETS, Packet, PacketError

Address = tuple[str, int]
IDENTIFIERS = 256
OUTSTANDING_MAX = 128
"""Requests without an answer to one gateway: of its 256 identifiers, so that one is not used again too soon."""
NEVER = float("inf")
ANSWERS = {
    int(Code.DISCONNECT_REQUEST): (int(Code.DISCONNECT_ACK), int(Code.DISCONNECT_NAK)),
    int(Code.COA_REQUEST): (int(Code.COA_ACK), int(Code.COA_NAK)),
}
"""RFC 5176 2.3: what a request is answered with."""


class Schedule(NamedTuple):
    """When a request is repeated (RFC 5080 2.2.1, which RFC 5176 2.3 refers to); seconds."""

    first_s: float = 2.0
    longest_s: float = 16.0
    times: int = 5
    whole_s: float = 30.0


RFC_5080 = Schedule()


class Peer(NamedTuple):
    """Where a client takes requests, whether CoA-Requests too, and its secret, which is not printed."""

    address: Address
    secret: bytes
    takes_changes: bool = False

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
    nas_identifier: bytes = b""
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
    answers: tuple[int, int]  # codes of ACK and NAK
    give_up_at: float
    interval_s: float
    again_at: float
    sent: int = 1


@dataclass
class _Line:
    next_identifier: int
    pending: dict[int, _Exchange] = field(default_factory=dict)


class DynauthClient:
    """Requests under way to all gateways.

    `jitter` gives RAND of RFC 5080 2.2.1, evenly between -0.1 and 0.1. `first_identifier` is better another one after a
    restart, so that late answers to the earlier process find no request.
    """

    def __init__(
        self, jitter: Callable[[], float], first_identifier: int = 0, schedule: Schedule = RFC_5080
    ) -> None:
        self._jitter, self._first = jitter, first_identifier % IDENTIFIERS
        self._schedule = schedule
        self._lines: dict[Address, _Line] = {}
        self.dropped: Counter[str] = Counter()
        """Datagrams that were no answer, by reason."""
        self.pending = 0
        """Requests without an answer."""
        self.next_due = NEVER
        """Before this, `due` and `expired` have nothing to do (after answers perhaps for longer)."""

    def has_room(self, address: Address) -> bool:
        """May another request go to that gateway now? If not, `disconnect` and `change` raise LookupError."""
        line = self._lines.get(address)
        return line is None or len(line.pending) < OUTSTANDING_MAX

    def disconnect(self, peer: Peer, session: Session, decided_at_s: int, now: float, token: Any) -> bytes:
        """The octets to send to `peer.address` now; `token` comes back with the answer.

        `decided_at_s` becomes the Event-Timestamp (RFC 5176 3.3: against replay), the same in each repetition.
        """
        return self._request(Packet(Code.DISCONNECT_REQUEST), peer, session, (), decided_at_s, now, token)

    def change(
        self, peer: Peer, session: Session, attributes: Sequence[tuple[str, bytes]], decided_at_s: int, now: float,
        token: Any,
    ) -> bytes:
        """Likewise a CoA-Request, which puts `attributes` (name, value) in the place of those that the session has."""
        return self._request(Packet(Code.COA_REQUEST), peer, session, attributes, decided_at_s, now, token)

    def _request(
        self, packet: Packet, peer: Peer, session: Session, attributes: Sequence[tuple[str, bytes]], decided_at_s: int,
        now: float, token: Any,
    ) -> bytes:
        line = self._lines.setdefault(peer.address, _Line(self._first))
        if len(line.pending) >= OUTSTANDING_MAX:
            raise LookupError("as many requests are under way as may be")
        while line.next_identifier in line.pending:
            line.next_identifier = (line.next_identifier + 1) % IDENTIFIERS
        identifier = line.next_identifier
        line.next_identifier = (identifier + 1) % IDENTIFIERS
        packet.identifier = identifier
        name_session(packet, session).add_all(attributes).add("Event-Timestamp", decided_at_s)
        octets = packet.sign_dynauth_request(peer.secret)
        interval = self._schedule.first_s * (1 + self._jitter())
        again_at = now + interval
        line.pending[identifier] = _Exchange(
            token, peer, packet.authenticator, octets, ANSWERS[packet.code], now + self._schedule.whole_s, interval,
            again_at,
        )
        self.pending += 1
        self.next_due = min(self.next_due, again_at)
        return octets

    def receive(self, octets: bytes, address: Address) -> Answer | None:
        """The answer that a datagram is; None for anything else, which is counted in `dropped`."""
        line = self._lines.get(address)
        exchange = line.pending.get(octets[1]) if line and len(octets) >= HEADER_OCTETS else None
        packet, reason = _read(octets, exchange)
        if line is None or exchange is None or packet is None:
            self.dropped[reason] += 1
            return None
        self._end(line, packet.identifier)
        cause = packet.get("Error-Cause")
        return Answer(exchange.token, packet.code == exchange.answers[0], cause if isinstance(cause, int) else 0)

    def due(self, now: float) -> list[tuple[Address, bytes]]:
        """What is to be sent again now."""
        again: list[tuple[Address, bytes]] = []
        if now < self.next_due:
            return again
        for address, line in self._lines.items():
            for exchange in line.pending.values():
                if now >= exchange.again_at and not self._is_over(exchange, now):
                    exchange.sent += 1
                    doubled = exchange.interval_s * (2 + self._jitter())
                    longest = self._schedule.longest_s
                    exchange.interval_s = doubled if doubled <= longest else longest * (1 + self._jitter())
                    exchange.again_at = min(now + exchange.interval_s, exchange.give_up_at)
                    again.append((address, exchange.octets))
        self._plan()
        return again

    def expired(self, now: float) -> list[Any]:
        """Tokens of requests that nobody answered in time; they are forgotten."""
        silent: list[Any] = []
        if now < self.next_due:
            return silent
        for line in self._lines.values():
            for identifier in [number for number, one in line.pending.items() if self._is_over(one, now)]:
                silent.append(self._end(line, identifier).token)
        self._plan()
        return silent

    def _end(self, line: _Line, identifier: int) -> _Exchange:
        self.pending -= 1
        if not self.pending:
            self.next_due = NEVER
        return line.pending.pop(identifier)

    def _plan(self) -> None:
        self.next_due = min(
            (one.again_at for line in self._lines.values() for one in line.pending.values()), default=NEVER
        )

    def _is_over(self, exchange: _Exchange, now: float) -> bool:
        spent = exchange.sent >= self._schedule.times and now >= exchange.again_at
        return spent or now >= exchange.give_up_at


def _read(octets: bytes, exchange: _Exchange | None) -> tuple[Packet | None, str]:
    """The answer to that request, or the reason why it is none: what costs nothing to see is looked at first."""
    if len(octets) < HEADER_OCTETS:
        return None, "too_short"
    if not any(octets[0] in codes for codes in ANSWERS.values()):
        return None, "bad_code"
    if exchange is None:
        return None, "no_request"
    if octets[0] not in exchange.answers:
        return None, "bad_code"
    try:
        packet = Packet.decode(octets)
    except PacketError as error:
        return None, error.reason
    if not packet.verify_response(exchange.authenticator, exchange.peer.secret):
        return None, "bad_authenticator"
    return packet, ""


def name_session(packet: Packet, session: Session) -> Packet:
    """Add what names the session, and the NAS that has it."""
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
    return packet
