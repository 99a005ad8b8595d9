"""The watch fold over the gate's: rows of the gate's journal in, findings out. Live and refolded, the same code."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.compiled import INTERPRETED
from simward.engine.behaviour.renumbering import Names, Renumbering
from simward.engine.fold import Fold
from simward.engine.outputs import OUTPUT
from simward.engine.rows import MAPPED
from simward.engine.state import BATCH_MAX, interpreted
from simward.engine.tables import InventoryDelta
from simward.engine.watching import compose
from simward.engine.watching.layouts import USE_CASE
from simward.engine.watching.own_inputs import Awaited
from simward.engine.watching.settling import take_own
from simward.engine.watching.state import WatchState

RECORD_INDEX = 32_768
"""The first index of what records show: that of what the input at the same place shows ends before."""
NOT_SOUGHT = np.zeros(1, np.int32)
FORGOTTEN_AT_ONCE = 256
"""Removed subscriptions whose findings end with one call of the kernel: some fifteen each, at the very most."""


class WatchFold:
    """The watch's state and kernel, beside the gate fold that knows the subscriptions.

    The gate fold must have folded the same rows; of what it knows only that is read which revisions alone change.
    """

    def __init__(self, gate: Fold, state: WatchState | None = None) -> None:
        self.gate, self.state = gate, state or WatchState()
        self.kernel = compose.kernel_hash()
        self.entries = compose.composed()
        self.awaited = Awaited()
        """Inputs of its own that are journalled, and taken when their sequence comes."""
        self.last_day: dict[str, Any] = {}
        """What is said of the day that was settled last: empty before the first."""
        self.names: Names = gate.state.policy.names
        """By which numbers of use cases and tenants its state goes: those of the policy in force."""
        self.fit_names: Names = self.names
        """And those by which the newest fit went."""
        self.state.take_policy(gate.state.policy)
        self.index_groups()

    @property
    def sequence(self) -> int:
        """Sequence number, in the gate's journal, of the last input folded."""
        return int(self.state.watch_meta["sequence"][0])

    @property
    def now(self) -> int:
        """received_at of the newest input, us."""
        return int(self.state.watch_meta["now"][0])

    @property
    def subscriptions(self) -> int:
        """How many rows the gate's table of subscriptions has in use."""
        return int(self.gate.state.meta["subscriptions"][0])

    def manifest(self) -> dict[str, Any]:
        """What readers of the findings must know about this kernel."""
        return compose.manifest()

    def digest(self) -> str:
        """Equal digests mean equal states."""
        return self.state.digest(self.subscriptions)

    def events(self, events: np.ndarray, first: int, found: np.ndarray | None = None) -> np.ndarray:
        """Fold journalled events, the first of which has the sequence `first`; returns a copy of the outputs.

        `found`: i4, for each the row of its subscription as the gate fold has just found it (results["row"]), which is
        then not sought again.
        """
        parts, at = [], 0
        while at < len(events):
            parts += self.take_due(first + at, int(events["received_at"][at]))
            room = self.awaited.room(first + at, BATCH_MAX)
            batch = np.ascontiguousarray(events[at : at + room])
            if self.state.make_room(self.subscriptions, len(batch)):
                self.index_groups()
            watch = self.state.tables()
            watch["events"] = batch.ctypes.data
            rows = np.ascontiguousarray(found[at : at + room], np.int32) if found is not None else NOT_SOUGHT
            watch["found"] = rows.ctypes.data if found is not None else 0
            if INTERPRETED:
                MAPPED[batch.ctypes.data], MAPPED[rows.ctypes.data] = interpreted(batch), interpreted(rows)
            consumed, made = self.entries.fold(self.gate.state.tables(), watch, len(batch), first + at)
            if made:
                parts.append(self.state.outputs[:made].copy())
            at += int(consumed)
        return np.concatenate(parts) if parts else np.zeros(0, OUTPUT)

    def take_due(self, sequence: int, at: int) -> list[np.ndarray]:
        """Take the own inputs that come before the gate's `sequence` of `at` (us); their outputs, where there are any.

        A revision of the gate is an input as well: to be called before one is folded.
        """
        made = [take_own(self, one, sequence, at) for one in self.awaited.due(sequence)]
        return [one for one in made if len(one)]

    def records(self, records: np.ndarray, sequence: int, at: int) -> tuple[int, np.ndarray]:
        """Fold call detail records right before the gate's input `sequence`, at `at` (us): how many of them were taken,
        fewer where there is room for no more outputs at one place, and a copy of the outputs.
        """
        state, parts, done, index = self.state, [np.zeros(0, OUTPUT)], 0, RECORD_INDEX
        meta = state.watch_meta
        before = int(meta["sequence"][0]), int(meta["now"][0])
        meta["sequence"], meta["now"] = sequence, max(self.now, at)
        while done < len(records):
            batch = np.ascontiguousarray(records[done : done + BATCH_MAX])
            if state.make_room(self.subscriptions, 0, len(batch)):
                self.index_groups()
            watch = state.tables()
            watch["records"] = batch.ctypes.data
            if INTERPRETED:
                MAPPED[batch.ctypes.data] = interpreted(batch)
            taken, made, index = self.entries.fold_records(self.gate.state.tables(), watch, len(batch), index)
            parts.append(state.outputs[: int(made)].copy())
            done += int(taken)
            if not taken:
                break
        meta["sequence"], meta["now"] = before
        return done, np.concatenate(parts)

    def before_inventory(self, delta: InventoryDelta, sequence: int = 0, at: int = 0) -> np.ndarray:
        """Forget the subscriptions that a revision removes, and end what was found about them; returns the outputs.

        To be called before the gate fold forgets their rows. `sequence` and `at` (us) are the revision's own.
        """
        if not len(delta.removals):
            return np.zeros(0, OUTPUT)
        self.state.make_room(self.subscriptions, 0)
        table = self.gate.state.subscriptions[: self.subscriptions]
        rows = np.flatnonzero(np.isin(table["imsi"], delta.removals) & (table["imsi"] != 0)).astype(np.int64)
        self._number(sequence or self.gate.sequence + 1, at)
        parts, ended = [np.zeros(0, OUTPUT)], 0
        t, w = self.gate.state.tables(), self.state.tables()
        for begin in range(0, len(rows), FORGOTTEN_AT_ONCE):
            made = self.entries.forget(t, w, rows[begin : begin + FORGOTTEN_AT_ONCE], self.now, 0, ended)
            parts.append(self.state.outputs[: int(made)].copy())
            ended += int(made)
        return np.concatenate(parts)

    def revised(self, sequence: int, at: int) -> None:
        """A revision took a sequence number, and the gate fold has taken the revision."""
        self._number(sequence, at)
        self.state.take_policy(self.gate.state.policy)
        moved = Renumbering.between(self.names, self.gate.state.policy.names)
        self.names = self.gate.state.policy.names
        if moved is not None:
            use_cases = np.asarray(self.gate.state.subscriptions["use_case"][: self.subscriptions]).astype(np.int64)
            self.state.make_room(self.subscriptions, 0)
            moved.move_rows(self.state.behaviour[: self.subscriptions], use_cases)
            moved.move_verdicts(self.state.benign_cohorts)
            moved.move_findings(self.state.cohort_findings)
            groups = self.state.groups[: int(self.state.watch_meta["groups"][0])]
            groups["key"] = np.where(groups["kind"] == USE_CASE, moved.numbers(groups["key"]), groups["key"])
            self.index_groups()

    def _number(self, sequence: int, at: int) -> None:
        self.state.watch_meta["sequence"] = sequence
        self.state.watch_meta["now"] = max(self.now, at)

    def index_groups(self) -> None:
        """Make the index of groups anew."""
        self.state.group_index[:] = 0
        self.entries.build_index(self.state.tables())
