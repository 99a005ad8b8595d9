"""One replay: a stream of events and revisions through the fold, and what it finds, in memory that does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from simward.behaviour_settings import BehaviourSettings
from simward.engine.events import TICK
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, POLICY, Layout, Row, row_events, row_outputs, row_texts, row_whole_ids
from simward.engine.replay import NO_OUTPUTS, fold_events, fold_row
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.engine.watching.fold import WatchFold
from simward.engine.words import WATCH_SHARD, Lexicon
from simward.fitting.daily import fit_copied
from simward.fitting.day_fits import InStep
from simward.inputs.merging import Piece
from simward.inputs.rates import SubscriptionDays
from simward.inputs.telling import Tell, Telling

DIFFERING_MAX = 1000
AT_ONCE = 2048
"""Events that both folds take by turns: few enough for what they touch to stay in a core's cache."""


class Replay:
    """Folds of its own, the gate's and (`behind`) the watch's, and everything that is said of what they find.

    `judged_by`: this policy takes the place of every revision that comes by ("what would it have found?").
    `tell` and `told_max`: see Telling. `behaviour`: the alarm budget of what the watch finds. A record whose decisions
    are compared with what was decided is folded without the watch, whose findings have a record of their own.
    """

    def __init__(
        self, tell: Tell, judged_by: PolicyTables | None = None, *, told_max: int = 0, behind: bool = True,
        behaviour: BehaviourSettings | None = None,
    ) -> None:  # fmt: skip
        self.fold = Fold.new()
        self.events = self.ticks = self.rows = 0
        self.began_at = self.ended_at = 0
        self.lived = SubscriptionDays()
        self.compared = self.other_kernel = self.differing = 0
        self.first_differing = 0
        self.judged_by = judged_by
        self._telling = Telling(tell, told_max)
        self._lexicon = Lexicon(lambda kernel: self.fold.manifest())
        self._watch = WatchFold(self.fold) if behind else None
        self.behaviour = behaviour or BehaviourSettings()
        self._days = InStep(self._watch, self.behaviour, fit_copied) if self._watch is not None else None
        self._watch_lexicon = Lexicon(lambda kernel: self._watch.manifest() if self._watch else {})
        self._watch_lexicon.shard = WATCH_SHARD

    @property
    def found(self) -> Counter[str]:
        """detector/class -> findings that began."""
        return self._telling.found

    @property
    def findings_a_day(self) -> float | None:
        """The alarm budget, as it was on the day judged last where it follows the fleet; None where no day was."""
        if self.behaviour.findings_a_day is not None or self._watch is None:
            return self.behaviour.findings_a_day
        return self._watch.last_day.get("budget")

    def learn_texts(self, rows: Iterable[Row]) -> None:
        """Take over a record's texts: no other input may take the numbers that its rows mean."""
        for row in rows:
            self.fold.state.texts.load(row_texts(row))

    def judge_by(self, tables: PolicyTables, at: int = 0) -> None:
        """Put a policy into force."""
        self.fold.policy(tables, at)
        for lexicon in (self._lexicon, self._watch_lexicon):
            lexicon.policy(tables.to_bytes())
        self._revised(at)

    def declare(self, delta: InventoryDelta, at: int = 0) -> None:
        """Declare subscriptions."""
        self._leave(delta, at)
        self._take(self.fold.inventory(delta, at))
        self._revised(at)

    def take_all(self, stream: Iterable[Piece], layouts: Mapping[str, Layout]) -> None:
        """Fold everything; sequences are counted anew."""
        for piece in stream:
            if isinstance(piece, Row):
                if piece.kind != POLICY or self.judged_by is None:
                    self._revision(piece, layouts)
                continue
            self._events(piece)

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
                outputs = self._events(row_events(row, known), kept=compare)
            else:
                outputs = self._revision(row, known)
            self.rows += 1
            if compare and self.judged_by is None:
                self._compare(row, outputs, known)

    def finish(self) -> None:
        """Tell the findings that are still held."""
        self._telling.finish()

    def _events(self, events: np.ndarray, *, kept: bool = False) -> np.ndarray:
        """Fold events, and tell what they say; returns the gate's outputs where they are to be kept."""
        self._count(events)
        first, outputs = self.fold.sequence + 1, NO_OUTPUTS
        if kept:
            outputs = fold_events(self.fold, events)
            self._take(outputs)
            if self._days is not None:
                self._take_watch(self._days.events(events, first))
        else:
            self._both(events, first)
        return outputs

    def _both(self, events: np.ndarray, first: int) -> None:
        """Both folds by turns, a piece at a time: what the one fetched from memory the other finds in the cache."""
        found, at = [NO_OUTPUTS], 0
        while at < len(events):
            folded = self.fold.events(events[at : at + AT_ONCE])
            until = at + folded.consumed
            self._take(folded.outputs)
            if self._days is not None:
                found.append(self._days.events(events[at:until], first + at, folded.results["row"]))
            at = until
        self._take_watch(np.concatenate(found))

    def _revision(self, row: Row, layouts: Mapping[str, Layout]) -> np.ndarray:
        """The same of a row of policy or inventory."""
        if row.kind == POLICY:
            self._lexicon.take(row)
            self._watch_lexicon.policy(row.inputs)
        else:
            self._leave(InventoryDelta.from_bytes(row.inputs), row.at)
        outputs = fold_row(self.fold, row, layouts)
        self._take(outputs)
        self._revised(row.at)
        return outputs

    def _leave(self, delta: InventoryDelta, at: int) -> None:
        if self._watch is not None:
            self._take_watch(self._watch.before_inventory(delta, self.fold.sequence + 1, at))

    def _revised(self, at: int) -> None:
        if self._watch is not None:
            self._watch.revised(self.fold.sequence, at)

    def _count(self, events: np.ndarray) -> None:
        self.began_at = self.began_at or int(events["received_at"][0])
        self.ended_at = int(events["received_at"][-1])
        ticks = int(np.count_nonzero(events["kind"] == TICK))
        self.ticks += ticks
        self.events += len(events) - ticks
        self.lived.take(events)

    def _take(self, outputs: np.ndarray) -> None:
        self._telling.take(outputs, self._lexicon, self.fold)

    def _take_watch(self, outputs: np.ndarray) -> None:
        self._telling.take(outputs, self._watch_lexicon, self.fold)

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
