"""Requests seen lately, so that a retransmission gets the same answer and makes no second event (RFC 5080 2.2.2).

Bounded: sets of eight entries; in a full set the oldest entry gives way. What is forgotten too early is decided again,
and the fold knows a repeated accounting record by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from simward import compiled
from simward.engine.outputs import RESULT
from simward.wire.radius import compiling
from simward.wire.radius.compiling import uncounted

WAYS = 8
LIFETIME_US = 30_000_000
"""RFC 5080 2.2.2: five to thirty seconds; longer than a peer's longest wait between two transmissions."""
SEED_LIFETIME_US = 600_000_000
SEEDS_MAX = 262_144

FREE, IN_FLIGHT, ANSWERED = 0, 1, 2

REQUEST = np.dtype(
    [
        ("request", "i8"),  # hash of all below, for the audit and for a quick no
        ("seen_at", "i8"),
        ("high", "i8"),
        ("low", "i8"),
        ("first", "i8"),  # the Request Authenticator, halves
        ("second", "i8"),
        ("port", "i4"),
        ("code", "u1"),
        ("identifier", "u1"),
        ("state", "u1"),
        ("spare", "u1"),
    ],
    align=True,
)


class DuplicateArrays(NamedTuple):
    """The cache as compiled code takes it."""

    requests: np.ndarray  # REQUEST, sets of WAYS
    results: np.ndarray  # RESULT beside each
    seeds: np.ndarray  # i8, open addressing, 0 = empty: accounting requests journalled before a restart


@uncounted
def same_request(one, other):  # type: ignore[no-untyped-def]
    """Everything that RFC 5080 2.2.2 tells requests apart by."""
    return (
        one.request == other.request
        and one.first == other.first
        and one.second == other.second
        and one.high == other.high
        and one.low == other.low
        and one.port == other.port
        and one.identifier == other.identifier
        and one.code == other.code
    )


@uncounted
def find_request(requests, wanted, now):  # type: ignore[no-untyped-def]
    """The slot of this very request if it was seen within the last 30 s, else -1."""
    base = (wanted.request % np.int64(len(requests) // WAYS)) * WAYS
    for slot in range(base, base + WAYS):
        known = requests[slot]
        if known.state != FREE and now - known.seen_at < LIFETIME_US and same_request(known, wanted):
            return np.int64(slot)
    return np.int64(-1)


@uncounted
def claim_slot(requests, wanted, now):  # type: ignore[no-untyped-def]
    """Note a new request as in flight; returns its slot (a free one, else the oldest of the set)."""
    base = (wanted.request % np.int64(len(requests) // WAYS)) * WAYS
    chosen, oldest = np.int64(base), np.int64(0x7FFFFFFFFFFFFFFF)
    for slot in range(base, base + WAYS):
        if requests[slot].state == FREE:
            chosen = np.int64(slot)
            break
        if requests[slot].seen_at < oldest:
            chosen, oldest = np.int64(slot), np.int64(requests[slot].seen_at)
    requests[chosen] = wanted
    requests[chosen].seen_at = now
    requests[chosen].state = IN_FLIGHT
    return chosen


@uncounted
def is_seeded(seeds, request):  # type: ignore[no-untyped-def]
    """Was this request journalled before the restart?"""
    if len(seeds) <= 1:
        return False
    mask = np.int64(len(seeds) - 1)
    at = request & mask
    while seeds[at] != 0:
        if seeds[at] == request:
            return True
        at = (at + np.int64(1)) & mask
    return False


@uncounted
def remember_results(requests, cached, slots, names, results, count):  # type: ignore[no-untyped-def]
    """Keep the result beside each request whose slot is still its own."""
    for row in range(count):
        slot = slots[row]
        if slot >= 0 and requests[slot].request == names[row]:
            requests[slot].state = ANSWERED
            cached[slot] = results[row]


@uncounted
def forget_requests(requests, slots, names, count):  # type: ignore[no-untyped-def]
    """Free the slots of requests that were not decided on after all."""
    for row in range(count):
        slot = slots[row]
        if slot >= 0 and requests[slot].request == names[row] and requests[slot].state == IN_FLIGHT:
            requests[slot].state = FREE


@uncounted
def plant_seeds(seeds, requests):  # type: ignore[no-untyped-def]
    """Put the names of journalled requests into a table that has room for them."""
    mask = np.int64(len(seeds) - 1)
    for index in range(len(requests)):
        request = requests[index]
        at = request & mask
        while seeds[at] != 0 and seeds[at] != request:
            at = (at + np.int64(1)) & mask
        seeds[at] = request


_plant = compiled.entry(plant_seeds, depends=[compiling])


class Duplicates:
    """The cache; 65,536 requests are about 8 MB."""

    def __init__(self, entries: int = 65_536) -> None:
        assert entries >= WAYS and entries % WAYS == 0
        self._requests = compiled.records(np.zeros(entries, REQUEST))
        self._results = compiled.records(np.zeros(entries, RESULT))
        self._seeds = np.zeros(1, np.int64)
        self._seeded_until = -1

    def arrays(self, now_us: int) -> DuplicateArrays:
        """What compiled code looks into at that time."""
        if len(self._seeds) > 1:
            if self._seeded_until < 0:
                self._seeded_until = now_us + SEED_LIFETIME_US
            elif now_us > self._seeded_until:
                self._seeds = np.zeros(1, np.int64)
        return DuplicateArrays(self._requests, self._results, self._seeds)

    def renumber_segments(self, number_of: np.ndarray) -> None:
        """Segment n of the results that are kept is number_of[n] now."""
        segments = self._results["segment"]
        segments[:] = number_of[segments]

    def seed(self, requests: Iterable[int] | np.ndarray) -> None:
        """Accounting requests of the journal's tail (EVENT.request): a retransmission of one is acknowledged."""
        names = requests if isinstance(requests, np.ndarray) else np.fromiter(requests, np.int64)
        names = names[names > 0][-SEEDS_MAX:].astype(np.int64)
        size = 2
        while size < 2 * len(names) + 2:
            size *= 2
        seeds = np.zeros(size, np.int64)
        _plant(seeds, names)
        self._seeds, self._seeded_until = seeds, -1
