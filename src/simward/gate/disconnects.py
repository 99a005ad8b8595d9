"""Disconnect- and CoA-Requests: what the fold decided becomes a request to a gateway, what came of it an event."""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from simward.engine.events import (
    EFFECT_ACK,
    EFFECT_NAK,
    EFFECT_NOT_SENT,
    EFFECT_RESULT_NAMES,
    EFFECT_SILENCE,
    SESSION_ID_OCTETS,
)
from simward.engine.fold import Fold
from simward.engine.outputs import CHANGE, INTO_QUARANTINE, sent_effects
from simward.engine.texts import OVERFLOW_TEXT
from simward.gate.metrics import Metrics
from simward.logs import called
from simward.wire.radius.dynauth import RFC_5080, Address, DynauthClient, Peer, Schedule, Session
from simward.wire.radius.packet import PACKET_OCTETS_MAX

log = logging.getLogger(__name__)

WAITING_MAX = 100_000
RECEIVED_AT_ONCE_MAX = 256
Attributes = list[tuple[str, bytes]]
FilterOf = Callable[..., Attributes]
"""The attributes of the filter that a CHANGE (OUTPUT row) puts in place, `quarantine` or not."""


def no_filter(effect: Any, *, quarantine: bool) -> Attributes:
    """Of a gate without a policy: no filter, so that nothing is changed."""
    return []


class Disconnects:
    """Gives the protocol its sockets, its clock and its requests: one socket an address family for all gateways.

    `results` are EVENT rows for the next batch: ACK, NAK with its Error-Cause, or silence.
    """

    def __init__(
        self, opened: Mapping[int, socket.socket], peers: Mapping[str, Peer], fold: Fold, metrics: Metrics,
        *, filter_of: FilterOf = no_filter, schedule: Schedule = RFC_5080, monotonic: Callable[[], float],
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`opened`: a socket for each address family; `peers` by the client's name."""
        self._opened = dict(opened)
        self._peers, self._fold, self._metrics = dict(peers), fold, metrics
        self._monotonic, self._filter_of = monotonic, filter_of
        self._client = DynauthClient(jitter, random.randrange(256), schedule)
        self._waiting: dict[Address, deque[tuple[Peer, Any, Attributes, bytes]]] = {}
        self._waiting_count = 0
        self._unreachable: set[str] = set()
        self.results: list[Any] = []
        self.numbers = tuple(one.fileno() for one in opened.values())

    @property
    def pending(self) -> int:
        """Requests that wait for an answer or for their turn."""
        return self._client.pending + self._waiting_count

    @property
    def due_at(self) -> float:
        """When `expire` next has something to do."""
        return self._client.next_due

    def on_durable(self, outputs: np.ndarray) -> None:
        """Outputs that are in the journal: send what they decided (a held one was not)."""
        chosen = sent_effects(outputs)
        if len(chosen):
            self.request(chosen)

    def request(self, effects: np.ndarray) -> None:
        """Send a Disconnect- or CoA-Request for each of these OUTPUT rows."""
        now = self._monotonic()
        for effect in effects.copy():
            name = self._fold.state.texts.name(int(effect["client"]))
            peer, attributes = self._peers.get(name), self._attributes(effect)
            if int(effect["kind"]) == CHANGE and not (peer and peer.takes_changes and attributes):
                self._result(effect, EFFECT_NOT_SENT)
            elif peer is None:
                self._cannot(effect, name)
            elif self.pending >= WAITING_MAX:
                self._metrics.add("effects_dropped_total")
                self._result(effect, EFFECT_SILENCE)
            else:
                whole = self._fold.whole_id(effect) if is_part(effect) else b""
                self._waiting.setdefault(peer.address, deque()).append((peer, effect, attributes, whole))
                self._waiting_count += 1
                self._send_waiting(peer.address, now)

    def receive(self, now: float) -> None:
        """Answers have come."""
        for opened in self._opened.values():
            for _ in range(RECEIVED_AT_ONCE_MAX):
                try:
                    octets, address = opened.recvfrom(PACKET_OCTETS_MAX + 1)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # the ICMP error of an earlier request: silence will say it
                self._answer(octets, (address[0], address[1]), now)

    def expire(self, now: float) -> None:
        """Repeat what has had no answer, and give up on what had none for too long."""
        if now < self.due_at:
            return
        for effect in self._client.expired(now):
            self._result(effect, EFFECT_SILENCE)
        for address, octets in self._client.due(now):
            self._transmit(octets, address)
        for address in self._waiting:
            self._send_waiting(address, now)

    def take(self, limit: int) -> list[Any]:
        """Results for the next batch."""
        taken, self.results = self.results[:limit], self.results[limit:]
        return taken

    def _send_waiting(self, address: Address, now: float) -> None:
        """As many of those that wait for this gateway as may be under way at once."""
        waiting = self._waiting.get(address)
        while waiting and self._client.has_room(address):
            peer, effect, attributes, whole = waiting.popleft()
            self._waiting_count -= 1
            # The time of the decision, or that of sending where a restart or a queue came between.
            decided_at_s = max(int(effect["at"]), self._fold.now) // 1_000_000
            session = session_of(effect, self._fold, whole)
            if int(effect["kind"]) == CHANGE:
                octets = self._client.change(peer, session, attributes, decided_at_s, now, effect)
            else:
                octets = self._client.disconnect(peer, session, decided_at_s, now, effect)
            self._transmit(octets, address)

    def _attributes(self, effect: Any) -> Attributes:
        if int(effect["kind"]) != CHANGE:
            return []
        return self._filter_of(effect, quarantine=int(effect["result"]) == INTO_QUARANTINE)

    def _transmit(self, octets: bytes, address: Address) -> None:
        try:
            self._opened[family_of(address[0])].sendto(octets, address)
        except (OSError, KeyError):
            return  # as if it were lost on the way: it is repeated, and then it is silence

    def _answer(self, octets: bytes, address: Address, now: float) -> None:
        answer = self._client.receive(octets, address)
        if answer is None:
            for reason, count in self._client.dropped.items():
                self._metrics.counts["effect_answers_dropped_total", reason] = count
            return
        self._result(answer.token, EFFECT_ACK if answer.accepted else EFFECT_NAK, answer.error_cause)
        self._send_waiting(address, now)

    def _result(self, effect: Any, result: int, error_cause: int = 0) -> None:
        self._metrics.add("effects_total", EFFECT_RESULT_NAMES[result])
        self.results.append(self._fold.effect_result(effect, result, error_cause, 0)[0])

    def _cannot(self, effect: Any, name: str) -> None:
        if name not in self._unreachable:
            self._unreachable.add(name)
            log.warning(
                "%s has no dynauth address in simward.toml: its sessions cannot be disconnected", name,
                extra=called("no-dynauth", gateway=name),
            )
        self._result(effect, EFFECT_SILENCE)


def is_part(effect: Any) -> bool:
    """May the id that this OUTPUT row has be the start of a longer one? It fills its room."""
    return int(effect["session_id_octets"]) >= SESSION_ID_OCTETS


def session_of(effect: Any, fold: Fold, whole: bytes = b"") -> Session:
    """The session of one effect as its gateway knows it: by its own id, the NAS as it called itself (RFC 5176 3).

    `whole` is the id where the OUTPUT row has only a part of it.
    """
    texts, size = fold.state.texts, int(effect["session_id_octets"])
    gateway, client = texts.name(int(effect["gateway"])), texts.name(int(effect["client"]))
    is_address = _is_ipv4(gateway)
    unnamed = is_address or gateway == client or int(effect["gateway"]) == OVERFLOW_TEXT
    return Session(
        whole or effect["session_id"][:size].tobytes(),
        imsi=str(int(effect["imsi"]))[1:] if effect["subject"] else "",  # only what the gateway itself has said
        address=str(ipaddress.IPv4Address(int(effect["address"]))) if effect["address"] else "",
        nas_identifier=b"" if unnamed else texts.text(int(effect["gateway"])),
        nas_address=gateway if is_address else "",
        # Sent in part, the gateway would say that there is no such session, and a live one would be taken for ended.
        cut=is_part(effect) and not whole,
    )


def source_of(family: int, peers: Iterable[Peer], auth_host: str) -> str:
    """The address to send from: the one that gateways ask on, since they know it, where they can be reached from it."""
    own = ipaddress.ip_address(auth_host)
    reached = [ipaddress.ip_address(peer.address[0]) for peer in peers if family_of(peer.address[0]) == family]
    if family_of(auth_host) == family and all(own.is_loopback <= one.is_loopback for one in reached):
        return auth_host
    if all(one.is_loopback for one in reached):
        return "::1" if family == socket.AF_INET6 else "127.0.0.1"
    return "::" if family == socket.AF_INET6 else "0.0.0.0"


def family_of(host: str) -> int:
    """AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def jitter() -> float:
    """RFC 5080 2.2.1: RAND, evenly between -0.1 and 0.1."""
    return int.from_bytes(os.urandom(2), "little") / 65535 * 0.2 - 0.1
