"""Load at a rate, whatever the server does: each packet goes out at its moment, once, and its answer comes or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from benchmarks.load.driver import BATCH, connected, drain
from benchmarks.load.packets import STRIDE, Packets
from benchmarks.load.syscalls import DONTWAIT, RECVMMSG, SENDMMSG, USLEEP, messages, nanoseconds

REPLY_ROOM = 512
PATIENCE_NS = 1_000_000_000
"""An answer later than this is none: a gateway would have sent again."""
IDLE_US = 20
ANSWERED, LONGEST_AWAY_NS, UNSENT, BEGAN_AT, LAST_AT = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def pace(  # type: ignore[no-untyped-def]
    sockets, packets_at, lengths, per_second, sent_at, latency, slots, outgoing, vectors, incoming, replies, counters,
):  # fmt: skip
    """Packet n goes out on socket n % lanes at n / per_second; slots[lane, identifier] = n + 1 while it waits.

    latency[n] stays 0 where no answer came before PATIENCE_NS, or before its identifier was needed again.
    """
    lanes, count, next_ = len(sockets), len(lengths), 0
    moment = np.zeros(2, np.int64)
    began = nanoseconds(moment)
    counters[BEGAN_AT] = here_at = began
    while True:
        busy = False
        now = nanoseconds(moment)
        due = min(count, np.int64((now - began) * per_second / 1e9) + 1, next_ + lanes * BATCH)
        counters[LONGEST_AWAY_NS] = max(counters[LONGEST_AWAY_NS], now - here_at)
        here_at = now
        if next_ < due:
            busy = True
            for turn in range(min(lanes, due - next_)):
                first = next_ + turn
                lane = first % lanes
                room = (due - first + lanes - 1) // lanes
                for at in range(room):
                    number = first + at * lanes
                    vectors[at].base = packets_at + number * STRIDE
                    vectors[at].octets = lengths[number]
                    slots[lane, (number // lanes) & 255] = number + 1
                    sent_at[number] = now
                sent = SENDMMSG(np.int32(sockets[lane]), outgoing.ctypes.data, np.uint32(room), np.int32(DONTWAIT))
                counters[UNSENT] += room - max(sent, 0)
            next_ = due
            counters[LAST_AT] = now
        for lane in range(lanes):
            got = RECVMMSG(np.int32(sockets[lane]), incoming.ctypes.data, np.uint32(BATCH), np.int32(DONTWAIT), 0)
            if got <= 0:
                continue
            busy = True
            now = nanoseconds(moment)
            for at in range(got):
                number = slots[lane, replies[at, 1]] - 1
                if number >= 0 and incoming[at].octets >= 20 and now - sent_at[number] <= PATIENCE_NS:
                    latency[number] = now - sent_at[number]
                    slots[lane, replies[at, 1]] = 0
                    counters[ANSWERED] += 1
        if next_ == count and (counters[ANSWERED] == count or now - counters[LAST_AT] > PATIENCE_NS):
            return
        if not busy:
            USLEEP(np.uint32(IDLE_US))


@dataclass(frozen=True)
class Kept:
    """What became of packets that were each sent once."""

    sent: int
    answered: int
    per_second: float
    """Sent, as it came out."""
    latency_us: dict[str, float]
    longest_away_us: float
    """The longest time for which the sender itself was kept from its core: that much of a latency may be its own."""

    @property
    def lost_share(self) -> float:
        """The part without an answer."""
        return 1 - self.answered / self.sent


class PacedLoad:
    """Sockets towards one port; `run` may be called many times, also in a thread: it does not hold the GIL."""

    def __init__(self, address: str, port: int, sockets: int) -> None:
        """An identifier comes again after 256 * sockets packets: that should take longer than an answer."""
        self.lanes = sockets
        self._sockets = [connected(address, port) for _ in range(sockets)]

    def run(self, packets: Packets, per_second: float) -> Kept:
        """Send them all at this rate; packets must have been made for this number of sockets."""
        for one in self._sockets:
            drain(one)
        count = len(packets)
        sent_at, latency, counters = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(5, np.int64)
        outgoing, vectors, _ = messages(BATCH, 1)
        incoming, _keep, replies = messages(BATCH, REPLY_ROOM)
        pace(
            np.array([one.fileno() for one in self._sockets], np.int64), packets.octets.ctypes.data, packets.lengths,
            float(per_second), sent_at, latency, np.zeros((self.lanes, 256), np.int64), outgoing, vectors, incoming,
            replies, counters,
        )  # fmt: skip
        answered = latency[latency > 0] / 1000
        marks = np.percentile(answered, [50, 90, 99, 99.9]) if len(answered) else np.zeros(4)
        took = max(1, counters[LAST_AT] - counters[BEGAN_AT]) / 1e9
        return Kept(
            sent=count, answered=int(counters[ANSWERED]), per_second=count / took,
            longest_away_us=counters[LONGEST_AWAY_NS] / 1000,
            latency_us={name: round(float(mark), 1) for name, mark in zip(("p50", "p90", "p99", "p99.9"), marks,
                                                                       strict=True)},
        )  # fmt: skip

    def close(self) -> None:
        """Give the sockets back."""
        for one in self._sockets:
            one.close()
