"""Disconnect-Requests: what the fold decided becomes a request to the gateway, and what came of it an event."""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from simward.engine.events import EFFECT_ACK, EFFECT_NAK, EFFECT_RESULT_NAMES, EFFECT_SILENCE
from simward.engine.fold import Fold
from simward.engine.outputs import DISCONNECT
from simward.gate.metrics import Metrics
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import PACKET_OCTETS_MAX, Packet, PacketError

log = logging.getLogger(__name__)

WAITING_MAX = 100_000
OUTSTANDING_MAX = 128
"""Requests without an answer to one gateway: of its 256 identifiers, so that one is not used again too soon."""
RECEIVED_AT_ONCE_MAX = 256
NEVER = float("inf")


class Timing(NamedTuple):
    """RFC 5080 2.2.1, which RFC 5176 2.3 refers to: seconds, and how many times."""

    first_s: float = 2.0
    longest_s: float = 16.0
    times: int = 5
    whole_s: float = 30.0


RFC_5080 = Timing()


class Peer(NamedTuple):
    """Where a client takes Disconnect-Requests, and its secret."""

    address: tuple[str, int]
    secret: bytes = b""

    def __repr__(self) -> str:
        return f"Peer({self.address})"


@dataclass
class Exchange:
    """One request and its repetitions: the same octets each time, as RFC 5080 2.2.2 has it for retransmissions."""

    effect: Any
    peer: Peer
    identifier: int
    authenticator: bytes
    octets: bytes
    give_up_at: float
    interval_s: float
    again_at: float
    sent: int = 1


@dataclass
class Line:
    """What is under way to one gateway, and what waits for a free identifier."""

    peer: Peer
    outstanding: dict[int, Exchange] = field(default_factory=dict)
    waiting: deque[Any] = field(default_factory=deque)
    next_identifier: int = field(default_factory=lambda: random.randrange(256))


class Disconnects:
    """Sends, repeats, and matches answers, on one socket for all gateways. Time is passed in.

    `results` are EVENT rows for the next batch: ACK, NAK with its Error-Cause, or silence.
    """

    def __init__(
        self, opened: Mapping[int, socket.socket], peers: Mapping[str, Peer], fold: Fold, metrics: Metrics,
        *, timing: Timing = RFC_5080, monotonic: Callable[[], float], jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`opened`: a socket for each address family; `peers` by the client's name."""
        self._opened = dict(opened)
        self._peers, self._fold, self._metrics = dict(peers), fold, metrics
        self._timing, self._monotonic, self._jitter = timing, monotonic, jitter
        self._lines: dict[tuple[str, int], Line] = {}
        self._count = 0
        self._unreachable: set[str] = set()
        self.results: list[Any] = []
        self.due_at = NEVER
        self.numbers = tuple(one.fileno() for one in opened.values())

    @property
    def pending(self) -> int:
        """Requests that wait for an answer or for their turn."""
        return self._count

    def on_durable(self, outputs: np.ndarray) -> None:
        """Outputs that are in the journal: send what they decided (a held one was not)."""
        chosen = outputs[(outputs["kind"] == DISCONNECT) & (outputs["held"] == 0)]
        if len(chosen):
            self.request(chosen)

    def request(self, effects: np.ndarray) -> None:
        """Send a Disconnect-Request for each of these OUTPUT rows."""
        now = self._monotonic()
        for effect in effects.copy():
            name = self._fold.state.texts.name(int(effect["client"]))
            peer = self._peers.get(name)
            if peer is None:
                self._cannot(effect, name)
            elif self._count >= WAITING_MAX:
                self._metrics.add("effects_dropped_total")
                self._result(effect, EFFECT_SILENCE)
            else:
                line = self._lines.setdefault(peer.address, Line(peer))
                line.waiting.append(effect)
                self._count += 1
                self._send_waiting(line, now)

    def receive(self, now: float) -> None:
        """Answers have come."""
        for opened in self._opened.values():
            for _ in range(RECEIVED_AT_ONCE_MAX):
                try:
                    octets, address = opened.recvfrom(PACKET_OCTETS_MAX)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # the ICMP error of an earlier request: silence will say it
                self._answer(octets, (address[0], address[1]), now)

    def expire(self, now: float) -> None:
        """Repeat what has had no answer, and give up on what had none for too long."""
        if now < self.due_at:
            return
        for line in self._lines.values():
            for exchange in list(line.outstanding.values()):
                if now >= exchange.give_up_at or (exchange.sent >= self._timing.times and now >= exchange.again_at):
                    self._end(line, exchange, EFFECT_SILENCE)
                elif now >= exchange.again_at:
                    self._repeat(exchange, now)
            self._send_waiting(line, now)
        self._plan()

    def take(self, limit: int) -> list[Any]:
        """Results for the next batch."""
        taken, self.results = self.results[:limit], self.results[limit:]
        return taken

    def _send_waiting(self, line: Line, now: float) -> None:
        while line.waiting and len(line.outstanding) < OUTSTANDING_MAX:
            effect = line.waiting.popleft()
            while line.next_identifier in line.outstanding:
                line.next_identifier = (line.next_identifier + 1) % 256
            identifier = line.next_identifier
            line.next_identifier = (identifier + 1) % 256
            packet = request_for(effect, self._fold, identifier)
            octets = packet.sign_dynauth_request(line.peer.secret)
            interval = self._timing.first_s * (1 + self._jitter())
            exchange = Exchange(
                effect, line.peer, identifier, packet.authenticator, octets, now + self._timing.whole_s, interval,
                now + interval,
            )
            line.outstanding[identifier] = exchange
            self._transmit(exchange)
            self.due_at = min(self.due_at, exchange.again_at)

    def _repeat(self, exchange: Exchange, now: float) -> None:
        exchange.sent += 1
        exchange.interval_s = min(2 * exchange.interval_s, self._timing.longest_s) * (1 + self._jitter())
        exchange.again_at = min(now + exchange.interval_s, exchange.give_up_at)
        self._transmit(exchange)

    def _transmit(self, exchange: Exchange) -> None:
        family = socket.AF_INET6 if ":" in exchange.peer.address[0] else socket.AF_INET
        try:
            self._opened[family].sendto(exchange.octets, exchange.peer.address)
        except (OSError, KeyError):
            return  # as if it were lost on the way: it is repeated, and then it is silence

    def _answer(self, octets: bytes, address: tuple[str, int], now: float) -> None:
        line = self._lines.get(address)
        try:
            packet = Packet.decode(octets)
        except PacketError:
            return
        exchange = line.outstanding.get(packet.identifier) if line else None
        if line is None or exchange is None or packet.code not in (Code.DISCONNECT_ACK, Code.DISCONNECT_NAK):
            return
        if not packet.verify_response(exchange.authenticator, exchange.peer.secret):
            self._metrics.add("effects_total", "forged")
            return
        if packet.code == Code.DISCONNECT_ACK:
            self._end(line, exchange, EFFECT_ACK)
        else:
            cause = packet.get("Error-Cause")
            self._end(line, exchange, EFFECT_NAK, cause if isinstance(cause, int) else 0)
        self._send_waiting(line, now)
        self._plan()

    def _end(self, line: Line, exchange: Exchange, result: int, error_cause: int = 0) -> None:
        del line.outstanding[exchange.identifier]
        self._count -= 1
        self._result(exchange.effect, result, error_cause)

    def _result(self, effect: Any, result: int, error_cause: int = 0) -> None:
        self._metrics.add("effects_total", EFFECT_RESULT_NAMES[result])
        self.results.append(self._fold.effect_result(effect, result, error_cause, 0)[0])

    def _cannot(self, effect: Any, name: str) -> None:
        if name not in self._unreachable:
            self._unreachable.add(name)
            log.warning("%s has no dynauth address in simward.toml: its sessions cannot be disconnected", name)
        self._result(effect, EFFECT_SILENCE)

    def _plan(self) -> None:
        times = [one.again_at for line in self._lines.values() for one in line.outstanding.values()]
        self.due_at = min(times, default=NEVER)


def request_for(effect: Any, fold: Fold, identifier: int) -> Packet:
    """The Disconnect-Request of one effect: the session by its own id, the NAS as it called itself (RFC 5176 3)."""
    packet = Packet(Code.DISCONNECT_REQUEST, identifier)
    texts = fold.state.texts
    gateway, client = texts.name(int(effect["gateway"])), texts.name(int(effect["client"]))
    if _is_ipv4(gateway):
        packet.add("NAS-IP-Address", gateway)
    elif gateway != client:
        packet.add("NAS-Identifier", gateway)
    packet.add("Acct-Session-Id", effect["session_id"][: int(effect["session_id_octets"])].tobytes())
    if effect["address"]:
        packet.add("Framed-IP-Address", str(ipaddress.IPv4Address(int(effect["address"]))))
    packet.add("3GPP-IMSI", str(int(effect["imsi"]))[1:])
    # RFC 5176 3.3: against replay; the time of the decision, so that a repetition is the same octets.
    return packet.add("Event-Timestamp", max(int(effect["at"]), fold.now) // 1_000_000)


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def jitter() -> float:
    """RFC 5080 2.2.1: RAND, evenly between -0.1 and 0.1."""
    return int.from_bytes(os.urandom(2), "little") / 65535 * 0.2 - 0.1
