"""One replay: a stream of events and revisions through the fold, and what it finds, in memory that does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from simward.engine.events import TICK
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, POLICY, Layout, Row, row_events, row_outputs, row_texts, row_whole_ids
from simward.engine.outputs import FINDING_BEGAN, VERDICT
from simward.engine.replay import fold_events, fold_row
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.engine.words import Findings, Lexicon
from simward.inputs.merging import Piece

HELD_MAX = 20_000
"""Findings that are held so as to be told once, whole and in order; past it those that have ended are told first."""
DIFFERING_MAX = 1000

Tell = Callable[[dict[str, Any]], None]


class Replay:
    """A fold of its own and everything that is said of it. `tell` gets each finding once: when it is over, or at last.

    `judged_by`: this policy takes the place of every revision that comes by ("what would it have found?").
    `told_max`: so many findings are put into words, and the rest only counted (0: all).
    """

    def __init__(self, tell: Tell, judged_by: PolicyTables | None = None, *, told_max: int = 0) -> None:
        self.fold = Fold.new()
        self.events = self.ticks = self.rows = self.outputs = 0
        self.began_at = self.ended_at = 0
        self.found: Counter[str] = Counter()
        self.compared = self.other_kernel = self.differing = 0
        self.first_differing = 0
        self._tell, self.judged_by, self._told_max = tell, judged_by, told_max
        self._told = np.zeros(0, np.int64)
        self._findings = Findings()
        self._lexicon = Lexicon(lambda kernel: self.fold.manifest())

    def learn_texts(self, rows: Iterable[Row]) -> None:
        """Take over a record's texts: no other input may take the numbers that its rows mean."""
        for row in rows:
            self.fold.state.texts.load(row_texts(row))

    def judge_by(self, tables: PolicyTables, at: int = 0) -> None:
        """Put a policy into force."""
        self.fold.policy(tables, at)
        self._lexicon.policy(tables.to_bytes())

    def declare(self, delta: InventoryDelta, at: int = 0) -> None:
        """Declare subscriptions."""
        self._take(self.fold.inventory(delta, at))

    def take_all(self, stream: Iterable[Piece], layouts: Mapping[str, Layout]) -> None:
        """Fold everything; sequences are counted anew."""
        for piece in stream:
            if isinstance(piece, Row):
                if piece.kind == POLICY and self.judged_by is None:
                    self._lexicon.take(piece)
                if piece.kind != POLICY or self.judged_by is None:
                    self._take(fold_row(self.fold, piece, layouts))
                continue
            self._count(piece)
            self._take(fold_events(self.fold, piece))

    def take_record(self, rows: Iterable[Row], layouts: Callable[[], Mapping[str, Layout]], *, compare: bool) -> None:
        """Fold a record's rows under their own sequences; with `compare`, hold them against what was decided then."""
        for row in rows:
            if row.kind == POLICY and self.judged_by is not None:
                continue
            if row.first != self.fold.sequence + 1:
                self.fold.state.meta["sequence"] = row.first - 1  # what is found keeps the sequence of its event
            self._lexicon.take(row)
            known = layouts()
            if row.kind == EVENTS:
                self.fold.state.texts.load(row_texts(row))
                self.fold.state.texts.whole_ids.load(row_whole_ids(row))
                events = row_events(row, known)
                self._count(events)
                outputs = fold_events(self.fold, events)
            else:
                outputs = fold_row(self.fold, row, known)
            self.rows += 1
            if compare and self.judged_by is None:
                self._compare(row, outputs, known)
            self._take(outputs)

    def finish(self) -> None:
        """Tell the findings that are still held."""
        for one in self._findings:
            self._tell(one)
        self._findings = Findings()

    def _count(self, events: np.ndarray) -> None:
        self.began_at = self.began_at or int(events["received_at"][0])
        self.ended_at = int(events["received_at"][-1])
        ticks = int(np.count_nonzero(events["kind"] == TICK))
        self.ticks += ticks
        self.events += len(events) - ticks

    def _take(self, outputs: np.ndarray) -> None:
        if not len(outputs):
            return
        self.outputs += len(outputs)
        self._lexicon.learn(self.fold.state.texts.name, self.fold.state.texts.count)
        began = outputs[outputs["kind"] == FINDING_BEGAN]
        classes, counts = np.unique(began[["detector", "class"]], return_counts=True)
        for (detector, number), count in zip(classes.tolist(), counts.tolist()):
            self.found[self._lexicon.reason(detector, number)] += count
        for _ in self._findings.take(self._to_be_told(outputs) if self._told_max else outputs, self._lexicon):
            pass
        if len(self._findings) > HELD_MAX:
            for one in self._findings.take_ended():
                self._tell(one)

    def _to_be_told(self, outputs: np.ndarray) -> np.ndarray:
        """Without the rows of findings that are only counted."""
        began = outputs["kind"] == FINDING_BEGAN
        names = np.where(began, outputs["sequence"], outputs["opened_sequence"]) * 256
        names += np.where(began, outputs["index"], outputs["opened_index"])
        room = max(0, self._told_max - len(self._told))
        self._told = np.concatenate([self._told, names[began][:room]])
        return outputs[np.isin(names, self._told) | (outputs["kind"] == VERDICT)]

    def _compare(self, row: Row, outputs: np.ndarray, layouts: Mapping[str, Layout]) -> None:
        if row.kernel != self.fold.kernel:
            self.other_kernel += 1
            return
        self.compared += 1
        recorded = row_outputs(row, layouts)
        if not alike(recorded, outputs):
            self.differing += 1
            self.first_differing = self.first_differing or first_difference(recorded, outputs, row.first)


def alike(recorded: np.ndarray, folded: np.ndarray) -> bool:
    """Equal but for `event`, which says where in its batch the event stood and means nothing in the journal."""
    if len(recorded) != len(folded):
        return False
    one, other = recorded.copy(), np.array(folded.view(np.ndarray)).astype(recorded.dtype)
    one["event"] = other["event"] = 0
    return all(np.array_equal(one[name], other[name]) for name in one.dtype.names or ())


def first_difference(recorded: np.ndarray, folded: np.ndarray, first: int) -> int:
    """The sequence of the first output that is not in both."""
    for number in range(min(len(recorded), len(folded))):
        if not alike(recorded[number : number + 1], folded[number : number + 1]):
            return int(min(recorded["sequence"][number], folded["sequence"][number])) or first
    longer = max(recorded, folded, key=len)
    return int(longer["sequence"][min(len(recorded), len(folded))]) or first


def pieces_of(rows: Iterable[Row], layouts: Callable[[], Mapping[str, Layout]]) -> Iterator[Piece]:
    """A record's rows as a stream that may be merged with others."""
    for row in rows:
        yield row_events(row, layouts()) if row.kind == EVENTS else row
