"""The RADIUS sockets and what speaks RADIUS on them, behind the few verbs that the loop uses."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from simward.gate.destinations import Destinations, is_wildcard
from simward.gate.sockets import batch_receiver, batch_sender
from simward.gate.source_filter import Network, SourceFilter
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import ACCOUNTING, AUTH, IPV4_OCTETS, IPV6_OCTETS, PacketBatch
from simward.wire.radius.outcomes import OUTCOMES, UNKNOWN_CLIENT
from simward.wire.radius.receive import Decoded, Receiver

BATCH = 1024
FIRST_SHARE = BATCH * 3 // 4
"""Of a batch, what the socket that is read first may fill: neither can starve the other."""
DISCARD_BATCHES_MAX = 16


class Port(Protocol):
    """What the loop needs of the network. Every verb is about the batch last received."""

    numbers: tuple[int, ...]
    """File numbers to wait for."""

    def receive(self, *, accounting: bool = True) -> int:
        """Take what has come, up to a batch; how many packets."""
        ...

    def discard_accounting(self) -> int:
        """Drop what has come on the accounting port, so that it will be sent again; how many packets."""
        ...

    def decode(self, now: int) -> Decoded:
        """The batch as events that are authentic, stamped `now`."""
        ...

    def remember(self, decoded: Decoded, results: np.ndarray) -> None:
        """These are durable: keep the results, for retransmissions."""
        ...

    def forget(self, decoded: Decoded) -> None:
        """These are not durable: a retransmission is a new request."""
        ...

    def answer(self, decoded: Decoded, results: np.ndarray, now: int, *, without: np.ndarray | None = None) -> int:
        """Sign and send the answers, but none to the events marked in `without`; how many were sent."""
        ...

    def refuse(self, decoded: Decoded, text: str) -> int:
        """Reject every Access-Request of the batch, saying why, and answer no accounting; how many were sent."""
        ...


class RadiusPort:
    """Two sockets, one batch in, one batch out."""

    def __init__(
        self, auth: socket.socket, accounting: socket.socket, receiver: Receiver, answerer: Answerer,
        networks: Sequence[Network] = (),
    ) -> None:
        """`networks` are those of the clients: where there are any, a flood from elsewhere is kept out."""
        self.auth, self.accounting = auth, accounting
        self.source_filter = SourceFilter((auth, accounting), networks)
        self.numbers: tuple[int, ...] = (auth.fileno(), accounting.fileno())
        self.receiver, self._answerer = receiver, answerer
        self._batch, self._out = PacketBatch(BATCH), PacketBatch(BATCH)
        batch, out = self._batch, self._out
        self._came_to, self._leaves_from = _destinations(auth, accounting), _destinations(auth, accounting)
        self._reader = batch_receiver(batch.octets, batch.lengths, batch.addresses, self._came_to)
        self._sender = batch_sender(out.octets, out.lengths, out.addresses, self._leaves_from)
        self._opened = {AUTH: auth, ACCOUNTING: accounting}
        self._sizes = {
            one: IPV6_OCTETS if one.family == socket.AF_INET6 else IPV4_OCTETS for one in (auth, accounting)
        }
        self._accounting_first = False

    @property
    def dropped_answers(self) -> int:
        """Answers that the network would not take."""
        return self._sender.dropped

    def counts(self) -> dict[str, int]:
        """Packets by what became of them."""
        return dict(zip(OUTCOMES, self.receiver.counts.tolist(), strict=True))

    def receive(self, *, accounting: bool = True) -> int:
        """See Port."""
        if not accounting:
            count = self._take(self.auth, AUTH, 0, BATCH)
        elif self._accounting_first:
            count = self._take(self.accounting, ACCOUNTING, 0, FIRST_SHARE)
            count = self._take(self.auth, AUTH, count, BATCH)
        else:
            count = self._take(self.auth, AUTH, 0, FIRST_SHARE)
            count = self._take(self.accounting, ACCOUNTING, count, BATCH)
        self._accounting_first = not self._accounting_first
        self._batch.count = count
        return count

    def discard_accounting(self) -> int:
        """See Port."""
        dropped = 0
        for _ in range(DISCARD_BATCHES_MAX):
            count = self._reader.receive(self.accounting, 0, BATCH)
            dropped += count
            if count < BATCH:
                break
        return dropped

    def decode(self, now: int) -> Decoded:
        """See Port."""
        decoded = self.receiver.decode(self._batch, now)
        self.source_filter.heard(int(self.receiver.counts[UNKNOWN_CLIENT]))
        return decoded

    def remember(self, decoded: Decoded, results: np.ndarray) -> None:
        """See Port."""
        self.receiver.remember(decoded, results)

    def forget(self, decoded: Decoded) -> None:
        """See Port."""
        self.receiver.forget(decoded)

    def answer(self, decoded: Decoded, results: np.ndarray, now: int, *, without: np.ndarray | None = None) -> int:
        """See Port."""
        return self._send(self._answerer.answer(self._batch, decoded, results, self._out, now, without))

    def refuse(self, decoded: Decoded, text: str) -> int:
        """See Port."""
        return self._send(self._answerer.refuse(self._batch, decoded, text, self._out))

    def close(self) -> None:
        """Give the sockets back."""
        self.auth.close()
        self.accounting.close()

    def _take(self, opened: socket.socket, kind: int, start: int, end: int) -> int:
        count = self._reader.receive(opened, start, end)
        if not count:
            return start
        batch, end = self._batch, start + count
        batch.port_kind[start:end] = kind
        batch.address_lengths[start:end] = self._sizes[opened]
        return end

    def _send(self, count: int) -> int:
        """Answers stand in the order of requests, and those of one socket stood together."""
        if not count:
            return 0
        if self._came_to is not None and self._leaves_from is not None:
            self._leaves_from.take(self._came_to, self._out.sources[:count])
        kinds = self._out.port_kind
        first, last = kinds[0], kinds[count - 1]
        if first == last:
            return self._sender.send(self._opened[first], 0, count)
        turn = int(np.argmax(kinds[:count] == last))
        return self._sender.send(self._opened[first], 0, turn) + self._sender.send(self._opened[last], turn, count)


def _destinations(*opened: socket.socket) -> Destinations | None:
    """Room for where each packet of a batch came to; None where every socket has one address."""
    if not any(is_wildcard(one) for one in opened):
        return None
    made = Destinations(BATCH)
    for one in opened:
        made.watch(one)
    return made
