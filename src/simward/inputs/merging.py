"""Several inputs as one stream in the order of time, with the gate's ticks where no input has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simward.engine import events as ev
from simward.engine.journal import Row

Piece = np.ndarray | Row
"""Events (EVENT, `received_at` never falling), or a journal row of policy or inventory, which counts from its time."""

TICK_US = 1_000_000
PIECE_US = 86_400 * TICK_US
TICKS_IN_A_SILENCE_MAX = 86_400
"""A silence of more than a day is told in so many ticks, further apart, but for no more than LISTENS_S."""
LISTENS_S = 10
"""Further apart they would say that the gate did not run, and whatever is silent then would owe nothing."""
LONG_SILENCE_S = TICKS_IN_A_SILENCE_MAX * LISTENS_S
LONGEST_SILENCE_S = 40 * LONG_SILENCE_S
"""What is longer (400 days) is a pause of the gate all the same: a file with one time of 1971 is told in time."""


class Monotone:
    """The events of one input with times that never fall: what comes late counts as come when it was read.

    `late` says how many events that were.
    """

    def __init__(self, batches: Iterable[np.ndarray]) -> None:
        self.late = 0
        self._batches = batches

    def __iter__(self) -> Iterator[np.ndarray]:
        newest = 0
        for events in self._batches:
            if not len(events):
                continue
            at = events["received_at"]
            self.late += int(np.count_nonzero(at < newest))
            at[:] = np.maximum.accumulate(np.maximum(at, newest))
            newest = int(at[-1])
            yield events


@dataclass
class _Head:
    """What an input has ready."""

    rest: Iterator[Piece]
    piece: Piece

    @property
    def first(self) -> int:
        return self.piece.at if isinstance(self.piece, Row) else int(self.piece["received_at"][0])

    @property
    def last(self) -> int:
        return self.piece.at if isinstance(self.piece, Row) else int(self.piece["received_at"][-1])


def merged(inputs: Iterable[Iterable[Piece]]) -> Iterator[Piece]:
    """All inputs in the order of time. Each input is in order, and stays so; one batch of each is held.

    What two inputs have at the very same microsecond may come in either order, revisions included.
    """
    heads: list[_Head] = []
    for one in inputs:
        _advance(heads, _Head(iter(one), np.zeros(0, ev.EVENT)))
    while len(heads) > 1:
        revisions = [head for head in heads if isinstance(head.piece, Row)]
        revision = min(revisions, key=lambda head: head.first, default=None)
        if revision is not None and all(head is revision or revision.first <= head.first for head in heads):
            yield revision.piece
            heads.remove(revision)
            _advance(heads, revision)
            continue
        # Up to here every input has shown what it has.
        limit = min(head.first if isinstance(head.piece, Row) else head.last for head in heads)
        ready = []
        for head in list(heads):
            if isinstance(head.piece, Row):
                continue
            cut = int(np.searchsorted(head.piece["received_at"], limit, side="right"))
            ready.append(head.piece[:cut])
            head.piece = head.piece[cut:]
            if not len(head.piece):
                at = heads.index(head)
                heads.remove(head)
                _advance(heads, head, at)
        events = np.concatenate(ready)
        if len(events):
            yield events[np.argsort(events["received_at"], kind="stable")]
    for head in heads:
        yield head.piece
        yield from head.rest


def _advance(heads: list[_Head], head: _Head, at: int | None = None) -> None:
    """Put an input back among the others with its next piece, if it has one."""
    for piece in head.rest:
        if isinstance(piece, Row) or len(piece):
            head.piece = piece
            heads.insert(len(heads) if at is None else at, head)
            return


def ticking(stream: Iterable[Piece]) -> Iterator[Piece]:
    """A stream with a tick at every full second between its events, as the gate journals them.

    So what is due by time alone (locks that expire) comes to pass.
    """
    newest = 0
    for piece in stream:
        if isinstance(piece, Row):
            yield piece
            continue
        at = piece["received_at"]
        since = np.diff(at, prepend=newest or at[0])
        # A piece of few subscriptions spans months, and with all of its ticks would fill the memory: a day at a time.
        anew = (since >= LONG_SILENCE_S * TICK_US) | (np.diff(at // PIECE_US, prepend=at[0] // PIECE_US) > 0)
        cuts = [0, *np.flatnonzero(anew).tolist(), len(piece)]
        for begin, end in pairwise(cuts):
            if begin == end:
                continue
            for ticks in _long_silence(newest, int(at[begin])) if newest else ():
                newest = int(ticks["received_at"][-1])
                yield ticks
            yield _with_ticks(piece[begin:end], newest)
            newest = int(at[end - 1])


def _long_silence(since: int, until: int) -> Iterator[np.ndarray]:
    """Ticks up to less than LONG_SILENCE_S before `until`, where it is longer than that."""
    while LONG_SILENCE_S * TICK_US <= until - since and until - since <= LONGEST_SILENCE_S * TICK_US:
        made = ev.empty(TICKS_IN_A_SILENCE_MAX)
        made["kind"] = ev.TICK
        steps = np.arange(1, TICKS_IN_A_SILENCE_MAX + 1) * LISTENS_S
        made["received_at"] = made["happened_at"] = (since // TICK_US + steps) * TICK_US
        since = int(made["received_at"][-1])
        yield made


def _with_ticks(piece: np.ndarray, newest: int) -> np.ndarray:
    times, before = _ticks(piece["received_at"], newest)
    if not len(times):
        return piece
    both = ev.empty(len(times) + len(piece))
    is_event = np.zeros(len(both), np.bool_)
    is_event[np.arange(len(piece)) + before] = True
    both[is_event] = piece
    both["kind"][~is_event] = ev.TICK
    both["received_at"][~is_event] = both["happened_at"][~is_event] = times
    return both


def _ticks(at: np.ndarray, newest: int) -> tuple[np.ndarray, np.ndarray]:
    """When there are ticks between events at these times, and how many of them are before each event.

    `newest` is the time of the event before (0: there is none).
    """
    edges = np.concatenate([[newest or at[0]], at])
    before, after = edges[:-1] // TICK_US, edges[1:] // TICK_US
    seconds = after - before
    silences = np.flatnonzero(seconds)
    times, counts = [np.zeros(0, np.int64)], np.zeros(len(at), np.int64)
    for silence in silences.tolist():
        count = int(min(seconds[silence], TICKS_IN_A_SILENCE_MAX))
        step = int(seconds[silence]) / count
        counts[silence] = count
        times.append((before[silence] + np.ceil(step * np.arange(1, count + 1)).astype(np.int64)) * TICK_US)
    return np.concatenate(times), np.cumsum(counts)
