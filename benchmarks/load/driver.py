"""The load itself: sockets, windows of outstanding requests, retransmissions, and what came back."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numba import njit

from benchmarks.load.packets import ACCESS_REQUEST, STRIDE, Packets, reply_is_authentic
from benchmarks.load.syscalls import DONTWAIT, RECVMMSG, SENDMMSG, messages, nanoseconds

BATCH = 64
REPLY_ROOM = 512
SAMPLES = 2048
UNSENT, OUTSTANDING, DONE, LOST = 0, 1, 2, 3
COMPLETED, RETRANSMITTED, ABANDONED, STRANGE, STARTED_AT, ENDED_AT = 0, 1, 2, 3, 4, 5
EARLY_AT, EARLY_COUNT, LATE_AT, LATE_COUNT, IDLE_NS, SAMPLED = 6, 7, 8, 9, 10, 11


@dataclass(frozen=True)
class Outcome:
    """What a run of the load found."""

    requests: int
    completed: int
    accepted: int
    rejected: int
    lost: int
    retransmitted: int
    strange: int
    per_second: float
    """Completions a second between 5 % and 95 % of the run, so that filling and draining do not count."""
    seconds: float
    latency_us: dict[str, float]
    verified_replies: int
    forged_replies: int
    idle_share: float
    """The part of the time in which the generator had nothing to send and nothing to receive."""

    def sound(self) -> bool:
        """Whether every request was answered once, by someone who knows the secret."""
        return not (self.lost or self.forged_replies) and self.completed == self.requests


@njit(cache=True, nogil=True)
def drive(  # type: ignore[no-untyped-def]
    sockets, lane_first, lane_stride, lane_count, packets_at, lengths, window, total_window, retry_ns, tries_most,
    state, sent_at, tries, latency, codes, sample_every, samples, sample_of, outgoing, vectors, incoming, replies,
    counters,
):  # fmt: skip
    """Send everything, never more than `window` outstanding on a socket, and note what comes back.

    Lane s (socket s) owns packets lane_first[s] + k * lane_stride[s], k < lane_count[s]; identifier = k % 256, so a
    reply names its request as long as at most 256 are under way.
    """
    lanes = len(sockets)
    head = np.zeros(lanes, np.int64)  # oldest k that is not done
    next_ = np.zeros(lanes, np.int64)
    waiting = np.zeros(lanes, np.int64)
    moment = np.zeros(2, np.int64)
    total, finished, outstanding = lane_count.sum(), 0, 0
    early, late = total // 20, total - total // 20
    now = nanoseconds(moment)
    counters[STARTED_AT] = now
    patrol_at = now + retry_ns // 4
    while finished < total:
        busy = False
        for lane in range(lanes):
            if waiting[lane] > 0:
                got = RECVMMSG(np.int32(sockets[lane]), incoming.ctypes.data, np.uint32(BATCH), np.int32(DONTWAIT), 0)
                if got > 0:
                    busy = True
                    now = nanoseconds(moment)
                    for at in range(got):
                        k = head[lane] + ((np.int64(replies[at, 1]) - head[lane]) & 255)
                        number = lane_first[lane] + k * lane_stride[lane]
                        if k >= next_[lane] or state[number] != OUTSTANDING or incoming[at].octets < 20:
                            counters[STRANGE] += 1
                            continue
                        state[number] = DONE
                        latency[number] = now - sent_at[number]
                        codes[number] = replies[at, 0]
                        finished += 1
                        outstanding -= 1
                        waiting[lane] -= 1
                        counters[COMPLETED] += 1
                        if finished % sample_every == 0 and counters[SAMPLED] < len(samples):
                            samples[counters[SAMPLED], :] = replies[at, :]
                            sample_of[counters[SAMPLED]] = number
                            counters[SAMPLED] += 1
                    if counters[EARLY_AT] == 0 and finished >= early:
                        counters[EARLY_AT], counters[EARLY_COUNT] = now, finished
                    if counters[LATE_AT] == 0 and finished >= late:
                        counters[LATE_AT], counters[LATE_COUNT] = now, finished
                    while head[lane] < next_[lane] and state[lane_first[lane] + head[lane] * lane_stride[lane]] >= DONE:
                        head[lane] += 1
            room = min(window - waiting[lane], total_window - outstanding, BATCH, lane_count[lane] - next_[lane])
            room = min(room, 256 - (next_[lane] - head[lane]))
            if room > 0:
                busy = True
                for at in range(room):
                    number = lane_first[lane] + (next_[lane] + at) * lane_stride[lane]
                    vectors[at].base = packets_at + number * STRIDE
                    vectors[at].octets = lengths[number]
                now = nanoseconds(moment)
                sent = SENDMMSG(np.int32(sockets[lane]), outgoing.ctypes.data, np.uint32(room), np.int32(DONTWAIT))
                for _ in range(max(sent, 0)):
                    number = lane_first[lane] + next_[lane] * lane_stride[lane]
                    state[number], sent_at[number] = OUTSTANDING, now
                    tries[number] = 1
                    next_[lane] += 1
                    waiting[lane] += 1
                    outstanding += 1
        before, now = now, nanoseconds(moment)
        if not busy:
            counters[IDLE_NS] += now - before
        if now >= patrol_at:
            patrol_at = now + retry_ns // 4
            for lane in range(lanes):
                for k in range(head[lane], next_[lane]):
                    number = lane_first[lane] + k * lane_stride[lane]
                    if state[number] == OUTSTANDING and now - sent_at[number] > retry_ns * tries[number]:
                        if tries[number] >= tries_most:
                            state[number] = LOST
                            finished += 1
                            outstanding -= 1
                            waiting[lane] -= 1
                            counters[ABANDONED] += 1
                            continue
                        vectors[0].base = packets_at + number * STRIDE
                        vectors[0].octets = lengths[number]
                        SENDMMSG(np.int32(sockets[lane]), outgoing.ctypes.data, np.uint32(1), np.int32(DONTWAIT))
                        tries[number] += 1
                        counters[RETRANSMITTED] += 1
    counters[ENDED_AT] = nanoseconds(moment)


class Load:
    """Sockets towards one server; `run` may be called many times, each time with new packets."""

    def __init__(self, address: str, auth_port: int, accounting_port: int, secret: bytes, sockets: int = 4) -> None:
        self.secret, self.lanes = secret, sockets
        self._auth = [connected(address, auth_port) for _ in range(sockets)]
        self._accounting = [connected(address, accounting_port) for _ in range(sockets)]

    def close(self) -> None:
        """Give the sockets back."""
        for one in self._auth + self._accounting:
            one.close()

    def run(self, *kinds: Packets, outstanding: int, retry_s: float = 1.0, tries: int = 4) -> Outcome:
        """Send one kind of packets, or several mixed on sockets of their own, at most `outstanding` under way."""
        octets = kinds[0].octets if len(kinds) == 1 else np.concatenate([one.octets for one in kinds])
        lengths = np.concatenate([one.lengths for one in kinds])
        lanes, first = [], 0
        for one in kinds:
            for lane in range(self.lanes):
                open_ = (self._auth if one.code == ACCESS_REQUEST else self._accounting)[lane]
                lanes.append((open_.fileno(), first + lane, (len(one) - lane + self.lanes - 1) // self.lanes))
            first += len(one)
        for one_socket in self._auth + self._accounting:
            drain(one_socket)
        noted = _Noted(len(octets))
        outgoing, vectors, _ = messages(BATCH, 1)
        incoming, _keep, replies = messages(BATCH, REPLY_ROOM)
        active = sum(1 for lane in lanes if lane[2] > 0)
        window = min(256, max(1, -(-outstanding // max(active, 1))))
        drive(
            np.array([lane[0] for lane in lanes], np.int64), np.array([lane[1] for lane in lanes], np.int64),
            np.full(len(lanes), self.lanes, np.int64), np.array([lane[2] for lane in lanes], np.int64),
            octets.ctypes.data, lengths, window, outstanding, int(retry_s * 1e9), tries, noted.state, noted.sent_at,
            noted.tries, noted.latency, noted.codes, max(1, len(octets) // SAMPLES), noted.samples, noted.sample_of,
            outgoing, vectors, incoming, replies, noted.counters,
        )  # fmt: skip
        return noted.outcome(octets, self.secret)


class _Noted:
    def __init__(self, count: int) -> None:
        self.state, self.codes = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
        self.tries = np.zeros(count, np.int64)
        self.sent_at, self.latency = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.samples, self.sample_of = np.zeros((SAMPLES, REPLY_ROOM), np.uint8), np.zeros(SAMPLES, np.int64)
        self.counters = np.zeros(12, np.int64)

    def outcome(self, octets: np.ndarray, secret: bytes) -> Outcome:
        counters = self.counters
        forged = sum(
            not reply_is_authentic(octets[self.sample_of[at]].tobytes(), self.samples[at].tobytes(), secret)
            for at in range(counters[SAMPLED])
        )
        middle = (counters[LATE_AT] - counters[EARLY_AT]) / 1e9
        took = (counters[ENDED_AT] - counters[STARTED_AT]) / 1e9
        answered = self.latency[self.state == DONE] / 1000
        marks = np.percentile(answered, [50, 90, 99, 99.9]) if len(answered) else np.zeros(4)
        named = zip(("p50", "p90", "p99", "p99.9"), marks, strict=True)
        completed = int(counters[COMPLETED])
        rate = (counters[LATE_COUNT] - counters[EARLY_COUNT]) / middle if middle > 0 else completed / max(took, 1e-9)
        return Outcome(
            requests=len(octets), completed=completed, accepted=int(np.isin(self.codes, (2, 5)).sum()),
            rejected=int((self.codes == 3).sum()), lost=int(counters[ABANDONED]),
            retransmitted=int(counters[RETRANSMITTED]), strange=int(counters[STRANGE]), per_second=float(rate),
            seconds=float(took),
            latency_us={name: round(float(mark), 1) for name, mark in named},
            verified_replies=int(counters[SAMPLED]) - forged, forged_replies=forged,
            idle_share=float(counters[IDLE_NS] / max(1, counters[ENDED_AT] - counters[STARTED_AT])),
        )  # fmt: skip


def connected(address: str, port: int) -> socket.socket:
    """A socket with big buffers towards one port; it never waits."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    one.connect((address, port))
    one.setblocking(False)
    return one


def drain(one: socket.socket) -> None:
    """Throw away what a former run left."""
    while True:
        try:
            one.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            continue


def cores() -> tuple[int, int]:
    """The core for the server under test and the core for the load (the same one where there is only one)."""
    available: Iterable[int] = sorted(os.sched_getaffinity(0))
    listed = list(available)
    return listed[0], listed[1 % len(listed)]
