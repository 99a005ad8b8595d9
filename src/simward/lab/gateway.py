"""A PGW on real sockets: asks, reports, sends again, checks every answer, and takes Disconnect- and CoA-Requests.

One thread and no threads inside: `Network.run` turns all gateways of the lab until a condition holds.
"""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simward.errors import PeerError
from simward.lab import packets
from simward.lab.packets import Nas
from simward.wire.radius.dictionary import Code, Value
from simward.wire.radius.packet import Packet

Build = Callable[[int, int], bytes]
"""Makes the packet from an identifier and Acct-Delay-Time (seconds)."""

SOCKETS = 4
PATIENCE_S = 1.0
NOT_EPHEMERAL = (20_000, 32_768)
ATTEMPTS = 5
SO_TIMESTAMPNS = 35  # Linux: the kernel notes when a datagram came in
ANSWERS_KEPT = 1024  # to requests of the gate, for those that are sent again (RFC 5176 3.3)


@dataclass(frozen=True)
class Answer:
    """What came of a request: the authentic answer (None for silence), the time it took, and how often it was sent."""

    packet: Packet | None
    milliseconds: float
    attempts: int

    @property
    def code(self) -> int:
        """The RADIUS code, 0 for silence."""
        return self.packet.code if self.packet else 0

    def get(self, name: str) -> Value | None:
        """The first attribute of that name."""
        return self.packet.get(name) if self.packet else None


Done = Callable[[Answer], None]


@dataclass
class _Pending:
    build: Build
    done: Done
    port: int
    index: int
    identifier: int
    packet: bytes
    first_sent: float
    sent_ns: int
    attempts: int
    limit: int
    patience: float
    deaf: bool  # the next answer counts as lost on the way
    renumbers: bool  # a repetition is a new packet, since Acct-Delay-Time changes (RFC 2866 4.1)
    closed: bool = False


@dataclass
class Counters:
    """What a gateway counted."""

    sent: int = 0
    repeated: int = 0
    doubled: int = 0
    answers_lost: int = 0
    late: int = 0
    silent: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Gateway:
    """One PGW: some sockets on its own address, 256 identifiers on each, and a port for requests of the gate."""

    def __init__(
        self, name: str, address: str, secret: bytes, auth: tuple[str, int], accounting: tuple[str, int],
        dynauth: int = 0,
    ) -> None:  # fmt: skip
        self.nas = Nas(name, address, secret)
        self.ports = {auth[1]: auth, accounting[1]: accounting}
        self.auth_port, self.accounting_port = auth[1], accounting[1]
        self.counters = Counters()
        self.sessions: dict[str, int] = {}
        """Acct-Session-Id to subscription number, for Disconnect-Requests."""
        self.disconnects: list[tuple[str, int]] = []
        """Acct-Session-Id and the Error-Cause that was answered (0: ACK)."""
        self.on_disconnect: Callable[[str], int] = self._known_session
        self.changes: list[tuple[str, str, int]] = []
        """Acct-Session-Id, the filter asked for (packets.filter_in) and the Error-Cause answered."""
        self.on_change: Callable[[str], int] = self._known_session
        self.hears_requests = True
        """False: requests of the gate are lost on the way."""
        self._sockets = [_bound(address, 0) for _ in range(SOCKETS)]
        self._dynauth = _bound(address, dynauth) if dynauth else None
        self._free = {port: _identifiers() for port in self.ports}
        self._waiting: dict[int, deque[_Pending]] = {port: deque() for port in self.ports}
        self._pending: dict[tuple[int, int, int], _Pending] = {}
        self._deadlines: list[tuple[float, int, _Pending]] = []
        self._order = 0
        self._answered: dict[bytes, bytes] = {}
        # Charging-Ids go on after a restart of the lab, so that a session id never comes twice.
        self._charging_id = int(time.time() * 4) & 0x7FFFFFFF

    def next_session(self) -> tuple[str, int]:
        """A new Acct-Session-Id (gateway's address and Charging-Id in hex, TS 29.061 16.4.3) and Charging-Id."""
        self._charging_id = (self._charging_id + 1) & 0xFFFFFFFF
        return f"{socket.inet_aton(self.nas.address).hex().upper()}{self._charging_id:08X}", self._charging_id

    def ask(
        self, port: int, build: Build, done: Done, *, twice: bool = False, loses_answer: bool = False,
        attempts: int = ATTEMPTS, patience: float = PATIENCE_S,
    ) -> None:  # fmt: skip
        """Send a request to one of the gate's two ports and call `done` once with what came of it."""
        pending = _Pending(
            build, done, port, 0, 0, b"", 0.0, 0, 0, attempts, 0.05 if loses_answer else patience, loses_answer,
            renumbers=port == self.accounting_port,
        )  # fmt: skip
        if not self._free[port]:
            self._waiting[port].append(pending)
            return
        self._first(pending)
        if twice:
            self.counters.doubled += 1
            self._transmit(pending)

    def send_raw(self, octets: bytes, port: int) -> None:
        """Send octets that nobody waits for."""
        self._sockets[0].sendto(octets, self.ports[port])

    @property
    def outstanding(self) -> int:
        """Requests without an answer yet."""
        return len(self._pending) + sum(len(queue) for queue in self._waiting.values())

    def register(self, selector: selectors.BaseSelector) -> None:
        """Let `selector` watch every socket."""
        for index, one in enumerate(self._sockets):
            selector.register(one, selectors.EVENT_READ, (self._receive, index))
        if self._dynauth is not None:
            selector.register(self._dynauth, selectors.EVENT_READ, (self._take_request, 0))

    def close(self) -> None:
        """Close every socket."""
        for one in [*self._sockets, *([self._dynauth] if self._dynauth else [])]:
            one.close()

    def due(self, now: float) -> None:
        """Send again what was not answered in time, and give up on what was sent often enough."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, pending = heapq.heappop(self._deadlines)
            if pending.closed:
                continue
            if pending.attempts >= pending.limit:
                self.counters.silent += 1
                self._settle(pending, Answer(None, 0.0, pending.attempts))
                continue
            self.counters.repeated += 1
            pending.deaf, pending.patience = False, PATIENCE_S
            if pending.renumbers:
                self._release(pending)
                self._place(pending, int(now - pending.first_sent + 0.999))
            self._transmit(pending)
            self._watch(pending, now)

    def _first(self, pending: _Pending) -> None:
        pending.first_sent = time.monotonic()
        self._place(pending, 0)
        pending.sent_ns = time.time_ns()
        self._transmit(pending)
        self.counters.sent += 1
        self._watch(pending, pending.first_sent)

    def _place(self, pending: _Pending, delay_s: int) -> None:
        pending.index, pending.identifier = self._free[pending.port].popleft()
        pending.packet = pending.build(pending.identifier, delay_s)
        self._pending[pending.port, pending.index, pending.identifier] = pending

    def _release(self, pending: _Pending) -> None:
        del self._pending[pending.port, pending.index, pending.identifier]
        self._free[pending.port].append((pending.index, pending.identifier))

    def _transmit(self, pending: _Pending) -> None:
        self._sockets[pending.index].sendto(pending.packet, self.ports[pending.port])

    def _watch(self, pending: _Pending, now: float) -> None:
        self._order += 1
        pending.attempts += 1
        heapq.heappush(self._deadlines, (now + pending.patience, self._order, pending))

    def _settle(self, pending: _Pending, answer: Answer) -> None:
        pending.closed = True
        self._release(pending)
        pending.done(answer)
        waiting = self._waiting[pending.port]
        if waiting and self._free[pending.port]:
            self._first(waiting.popleft())

    def _receive(self, index: int) -> None:
        for _ in range(64):
            try:
                octets, notes, _, peer = self._sockets[index].recvmsg(4096, 64)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # the gate's port was closed when an earlier packet came; sending again is all there is to do
            pending = self._pending.get((peer[1], index, octets[1])) if len(octets) >= 20 else None
            if pending is None:
                self.counters.late += 1
                continue
            packet, fault = packets.read_answer(octets, pending.packet, self.nas.secret)
            if packet is None:
                self.counters.faults[fault] += 1
            elif pending.deaf:
                self.counters.answers_lost += 1
            else:
                took = (_arrival_ns(notes) - pending.sent_ns) / 1e6
                self._settle(pending, Answer(packet, took, pending.attempts))

    def _take_request(self, _: int) -> None:
        assert self._dynauth is not None
        try:
            octets, peer = self._dynauth.recvfrom(4096)
        except BlockingIOError:
            return
        if not self.hears_requests:
            return
        request, fault = packets.read_dynauth(octets, self.nas.secret)
        if request is None:
            self.counters.faults[f"dynamic authorization: {fault}"] += 1
            return
        answer = self._answered.get(octets)
        if answer is None:
            session = str(request.get("Acct-Session-Id") or "")
            if request.code == Code.COA_REQUEST:
                cause = self.on_change(session)
                self.changes.append((session, packets.filter_in(request), cause))
            else:
                cause = self.on_disconnect(session)
                self.disconnects.append((session, cause))
            answer = packets.dynauth_answer(request, cause, self.nas.secret)
            if len(self._answered) >= ANSWERS_KEPT:
                self._answered.clear()
            self._answered[octets] = answer
        self._dynauth.sendto(answer, peer)

    def _known_session(self, session: str) -> int:
        return 0 if session in self.sessions else packets.SESSION_CONTEXT_NOT_FOUND


class Network:
    """The lab's gateways, turned together."""

    def __init__(self, gateways: Mapping[str, Gateway]) -> None:
        self.gateways = gateways
        self._selector = selectors.DefaultSelector()
        for gateway in gateways.values():
            gateway.register(self._selector)

    def turn(self, seconds: float) -> None:
        """Wait at most `seconds` for packets and do what has come due."""
        for key, _ in self._selector.select(max(0.0, seconds)):
            receive, index = key.data
            receive(index)
        now = time.monotonic()
        for gateway in self.gateways.values():
            gateway.due(now)

    def run(self, until: Callable[[], bool], seconds: float) -> bool:
        """Turn until a condition holds; says whether it did within `seconds`."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(left, 0.02))
        return True

    @property
    def outstanding(self) -> int:
        """Requests without an answer yet, at all gateways."""
        return sum(gateway.outstanding for gateway in self.gateways.values())

    def close(self) -> None:
        """Close every socket."""
        self._selector.close()
        for gateway in self.gateways.values():
            gateway.close()


def free_port(address: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that is free now, of UDP unless `kind` says otherwise.

    The system gives it to nobody by itself: it gives those from 32768 on.
    """
    for port in random.SystemRandom().sample(range(*NOT_EPHEMERAL), 64):
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind((address, port))
            except OSError:
                continue
            return port
    raise PeerError(f"no port of {address} is free")


def _identifiers() -> deque[tuple[int, int]]:
    """Every socket's identifiers, longest unused first; neighbours differ in both, as a renumbered packet must."""
    return deque((index, (number + 64 * index) % 256) for number in range(256) for index in range(SOCKETS))


def _bound(address: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    one.setblocking(False)
    one.bind((address, port))
    return one


def _arrival_ns(notes: list[tuple[int, int, bytes]]) -> int:
    """When the kernel received a datagram: so the lab's own slowness does not count as the gate's."""
    for level, kind, value in notes:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", value)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
