"""The backtest: the record is folded as it was until `since`, and from there on under the proposed policies.

Bindings, locks, sessions and everything that detectors remember are at `since` what they really were. From then on the
fold lives in the world that would be: proposed policies in place of every revision, its own locks and bindings, and
the traffic, inventory and commands that were recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from simward.backtest.acts import BY_COMMAND, NO_ACTS, Numbering, acts_of
from simward.backtest.beginning import begin
from simward.backtest.behind import Behind, really_found
from simward.backtest.counting import Counts
from simward.backtest.judged import Judged
from simward.backtest.people import People
from simward.backtest.ports import Judgements, Proposed, RuleAction, RuleActions, no_judgements, no_rule_actions
from simward.backtest.tally import DID, WOULD
from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.fold import Fold
from simward.engine.journal import POLICY, Row
from simward.engine.outputs import RESULT
from simward.engine.phrases import when
from simward.engine.replay import fold_row
from simward.engine.start import fold_foreign
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.errors import UsageError
from simward.history.runs import Run
from simward.history.whole import WholeJournal

Told = Callable[[int], None]
"""Is given the sequence that has been reached, now and then."""
STALE_GENERATION = 2**31 - 1
"""A binding's generation that no subscription reaches: a command that expects it is stale."""


class Backtest:
    """From `since` (us UTC) to the end of the record; with `warm_up_us`, what lies much earlier than that before it is
    not folded. `watch`: fold the watch as well, which looks after everybody at each of a month's ticks and takes some
    times as long. `run()` once; then `counts`, `people`, `judged` and `rules` hold what was found.
    """

    def __init__(
        self, record: WholeJournal, tables: PolicyTables, since: int, *, warm_up_us: int | None = None,
        judgements: Judgements = no_judgements, rule_actions: RuleActions = no_rule_actions,
        proposed: Proposed | None = None, watch: bool = False,
    ) -> None:  # fmt: skip
        self.record, self.tables, self.since, self.warm_up_us = record, tables, since, warm_up_us
        self.fold = Fold.new()
        self.counts = Counts()
        self.judged = Judged(judgements())
        self.people = People(self._deeds)
        self.events = self.ticks = self.subscriptions = 0
        self.began_at = self.ended_at = 0
        self.unknown_up_to = 0
        """Bindings and locks that were made up to this sequence, and not since, are not known."""
        self.rules: list[RuleAction] = []
        self._rule_actions, self.proposed = rule_actions, proposed
        self._parted = False
        self.watch = watch
        self._behind = Behind(self.fold) if watch else None
        self._today = Numbering(self.fold.manifest())
        self._numberings: dict[str, Numbering] = {}

    def run(self, data_dir: Path, told: Told = lambda sequence: None) -> None:
        """Fold everything; UsageError where nothing is recorded since then."""
        beginning = begin(self.record, data_dir, self.since, self.warm_up_us)
        self.fold, self.unknown_up_to = beginning.fold, 0 if beginning.facts else beginning.fold.sequence
        if self.watch:
            self._behind = Behind(self.fold, beginning.watch)
            self._behind.honour(data_dir)
        self.people.know(self.fold.state)
        self.people.remember(self.fold.state)
        self.fold.state.texts.load(list(self.record.texts()))  # the proposed policies' must not take their numbers
        for piece in self.record.runs(self.fold.sequence):
            if isinstance(piece, Run):
                self._run(piece)
            else:
                self._revision(piece)
            told(piece.last)
        if not self.ended_at:
            raise UsageError(f"nothing is recorded since {when(self.since)[:19]}Z")
        self.people.finish(self.ended_at)
        if self.watch:
            for found in really_found(data_dir, max(self.since, self.began_at), self.ended_at):
                use_cases = self._use_cases(self.people.rows_of(found.outputs["imsi"]))
                self.counts.outputs(DID, found.outputs, found.numbering, use_cases)
        self.counts.settle()
        self.subscriptions = int(self.fold.state.meta["subscriptions_live"][0])
        if self.proposed is not None:
            self.proposed.finish(self.ended_at)
        self.rules = list(self._rule_actions(max(self.since, self.began_at), self.ended_at))

    def _part(self) -> None:
        """Put the proposed policies into force: from here on there are two worlds."""
        state = self.fold.state
        sequence = int(state.meta["sequence"][0])
        self.fold.policy(self.tables, self.since)
        state.meta["sequence"] = sequence
        if self._behind is not None:
            self._behind.revised(self.since)
        self.people.part(self.since)
        if self.proposed is not None:
            self.proposed.begin(self.fold, self._behind.manifest() if self._behind is not None else {})
        self._parted = True

    def _revision(self, row: Row) -> None:
        if not self._parted and row.at >= self.since:
            self._part()
        if self._parted and row.kind == POLICY:
            return
        self.fold.state.meta["sequence"] = row.first - 1
        if row.kind != POLICY:
            delta = InventoryDelta.from_bytes(row.inputs)
            self.people.leave(self.people.rows_of(delta.removals), row.at)
            if self._behind is not None:
                self._found_behind(self._behind, self._behind.leaves(delta, row.at))
        fold_row(self.fold, row, self.record.layouts)
        if self._behind is not None:
            self._behind.revised(row.at)
        self.people.know(self.fold.state)

    def _run(self, run: Run) -> None:
        known = self.fold.sequence
        if not self._parted and run.first <= known:  # a snapshot was made within these rows
            _, run = run.split(known + 1 - run.first)
        if not self._parted:
            before = int(np.searchsorted(run.events["received_at"], self.since))
            earlier, run = run.split(before)
            if before:
                self._as_it_was(earlier)
            if not len(run.events):
                return
            self._part()
        self._count(run.events)
        self._as_it_would_be(run)

    def _as_it_was(self, run: Run) -> None:
        """Before `since`: the fold is what the record says it was."""
        did = self._did(run)
        if run.kernel == self.fold.kernel:
            self._fold(run, did)
            return
        results = np.zeros(len(run.events), RESULT)
        results["row"] = self.people.rows_of(run.events["imsi"])
        results["known"] = results["row"] >= 0
        self.people.follow(run.events, results, NO_ACTS, did, self.fold.state, run.first)
        fold_foreign(self.fold, [run.row()], self.record.layouts)
        if self._behind is not None:
            self._behind.run(run)

    def _as_it_would_be(self, run: Run) -> None:
        """From `since` on: the fold goes its own way, and the record is held against it."""
        _expect_no_generation(run)
        did = self._did(run)
        numbering = self._numbering(run.kernel)
        if len(run.outputs):
            rows = self.people.rows_of(run.outputs["imsi"])
            self.counts.outputs(DID, run.outputs, numbering, self._use_cases(rows))
        self._fold(run, did)

    def _did(self, run: Run) -> np.ndarray:
        """What the record says was done, as acts."""
        outputs = run.outputs
        if not len(outputs):
            return NO_ACTS
        numbering = self._numbering(run.kernel)
        self.judged.record(outputs, numbering)
        positions = outputs["sequence"] - run.first
        return acts_of(outputs, numbering, positions, self.people.rows_of(outputs["imsi"]))

    def _fold(self, run: Run, did: np.ndarray) -> None:
        events, state, at = run.events, self.fold.state, 0
        state.texts.load(run.texts)
        while at < len(events):
            state.meta["sequence"] = run.first - 1 + at
            folded = self.fold.events(events[at:])
            consumed = folded.consumed
            would = self._would(folded.outputs) if self._parted and len(folded.outputs) else NO_ACTS
            low, high = np.searchsorted(did["position"], (at, at + consumed)) if len(did) else (0, 0)
            done = did[low:high].copy()
            done["position"] -= at
            self.people.follow(events[at : at + consumed], folded.results, would, done, state, run.first + at)
            at += consumed
        state.texts.take_new()
        if self._behind is not None:
            self._found_behind(self._behind, self._behind.run(run))

    def _found_behind(self, behind: Behind, outputs: np.ndarray) -> None:
        """Add what the watch would find. It notifies at most, so it cuts nobody."""
        if not self._parted or not len(outputs):
            return
        if self.proposed is not None:
            self.proposed.take_behind(outputs)
        use_cases = self._use_cases(self.people.rows_of(outputs["imsi"]))
        self.counts.outputs(WOULD, outputs, behind.numbering, use_cases)

    def _would(self, outputs: np.ndarray) -> np.ndarray:
        if self.proposed is not None:
            self.proposed.take(outputs)
        rows = self.people.rows_of(outputs["imsi"])
        self.counts.outputs(WOULD, outputs, self._today, self._use_cases(rows))
        return acts_of(outputs, self._today, outputs["event"], rows)

    def _use_cases(self, rows: np.ndarray) -> np.ndarray:
        found = np.asarray(self.fold.state.subscriptions["use_case"])[np.maximum(rows, 0)]
        return np.where(rows >= 0, found, 0)

    def _numbering(self, kernel: str) -> Numbering:
        if kernel == self.fold.kernel:
            return self._today
        if kernel not in self._numberings:
            self._numberings[kernel] = Numbering(self.record.manifest(kernel))
        return self._numberings[kernel]

    def _count(self, events: np.ndarray) -> None:
        self.began_at = self.began_at or int(events["received_at"][0])
        self.ended_at = int(events["received_at"][-1])
        ticks = int(np.count_nonzero(events["kind"] == ev.TICK))
        self.ticks += ticks
        self.events += len(events) - ticks

    def _deeds(self, deeds: np.ndarray) -> None:
        self.counts.deeds(deeds)
        self.judged.deeds(deeds, self.people.rows)


def _expect_no_generation(run: Run) -> None:
    """What people ordered, and got, is done in both worlds, whatever the generation of the binding is in this one; what
    was stale or not found then is not done."""
    kinds = run.events["kind"]
    commands = np.flatnonzero(np.isin(kinds, BY_COMMAND))
    if not len(commands):
        return
    answers = run.outputs[run.outputs["kind"] == out.COMMAND_ANSWER]
    said = dict(zip((answers["sequence"] - run.first).tolist(), answers["result"].tolist()))
    for position in commands.tolist():
        refused = said.get(position) in (out.STALE, out.NOT_FOUND)
        run.events["argument"][position] = STALE_GENERATION if refused else -1
