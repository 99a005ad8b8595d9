"""Both folds behind the gate, in step: rows of the gate's journal in, findings of the watch out; saved and restored as
one.

A snapshot holds the tables of both, so one file is one moment, and the gate's next start reads its own part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, INVENTORY, Journal, Layout, Row, row_events
from simward.engine.outputs import FINDING_ENDED, OUTPUT
from simward.engine.replay import fold_row
from simward.engine.snapshot import Snapshot, convert, newest_snapshot
from simward.engine.start import (
    WATCH_PREFIX,
    fold_foreign,
    from_snapshot,
    refuse_before_erasure,
    refuse_half_erased,
    refuse_unless_reached,
    room_to_grow,
    save,
    snapshots_folder,
)
from simward.engine.tables import InventoryDelta
from simward.engine.watching.fold import WatchFold
from simward.engine.watching.state import LAYOUTS, WatchState

NO_FINDINGS = np.zeros(0, OUTPUT)


class Behind:
    """The gate fold and the watch fold. `foreign` is set where the last rows were decided by another kernel."""

    def __init__(self, gate: Fold, watch: WatchFold) -> None:
        self.gate, self.watch = gate, watch
        self.foreign = False

    @property
    def sequence(self) -> int:
        """The last input that both have folded."""
        return self.gate.sequence

    def rows(self, rows: Iterable[Row], layouts: Mapping[str, Layout]) -> np.ndarray:
        """Fold rows in order; returns what the watch found."""
        found: list[np.ndarray] = []
        foreign: list[Row] = []
        for row in rows:
            if row.kind == EVENTS and row.kernel != self.gate.kernel:
                foreign.append(row)
                continue
            found += self._foreign(foreign, layouts)
            foreign, self.foreign = [], False
            found.append(self._row(row, layouts))
        found += self._foreign(foreign, layouts)
        some = [one for one in found if len(one)]
        return np.concatenate(some) if some else NO_FINDINGS

    def _foreign(self, rows: list[Row], layouts: Mapping[str, Layout]) -> list[np.ndarray]:
        if not rows:
            return []
        self.foreign = True
        fold_foreign(self.gate, rows, layouts)
        return [self.watch.events(row_events(row, layouts), row.first) for row in rows]

    def _row(self, row: Row, layouts: Mapping[str, Layout]) -> np.ndarray:
        if row.kind == EVENTS:
            fold_row(self.gate, row, layouts)
            return self.watch.events(row_events(row, layouts), row.first)
        found = self.watch.take_due(row.first, row.at)
        if row.kind == INVENTORY:
            found.append(self.watch.before_inventory(InventoryDelta.from_bytes(row.inputs), row.last, row.at))
        fold_row(self.gate, row, layouts)
        self.watch.revised(row.last, row.at)
        return np.concatenate([NO_FINDINGS, *found])

    def save(self, data_dir: Path) -> Path:
        """Write a snapshot of both."""
        arrays = self.watch.state.saved(self.watch.subscriptions)
        notes = {
            "watch_kernel": self.watch.kernel,
            "watch_detectors": [one["id"] for one in self.watch.manifest()["detectors"]],
            "watch_last_day": self.watch.last_day,
            "watch_fit_names": {name: list(self.watch.fit_names[name]) for name in ("use_cases", "tenants")},
        }
        return save(self.gate, data_dir, {f"{WATCH_PREFIX}{name}": array for name, array in arrays.items()}, notes)


def restore_behind(data_dir: Path, journal: Journal) -> Behind:
    """Both folds as the newest snapshot has them: the caller folds the rest. JournalError where it is out of reach.

    A snapshot that was made before there was a watch knows the gate's part alone: the watch begins there.
    """
    refuse_half_erased(data_dir)
    snapshot = newest_snapshot(snapshots_folder(data_dir), room=room_to_grow)
    gate = from_snapshot(snapshot) if snapshot is not None else Fold.new()
    refuse_before_erasure(gate.sequence, data_dir)
    refuse_unless_reached(gate, journal)
    state = watch_state_of(snapshot) if snapshot is not None else None
    watch = WatchFold(gate, state)
    if snapshot is not None:
        watch.last_day = dict(snapshot.notes.get("watch_last_day", {}))
        watch.fit_names = snapshot.notes.get("watch_fit_names", watch.names)
    if state is None:
        watch.state.watch_meta["sequence"] = gate.sequence
    return Behind(gate, watch)


def watch_state_of(snapshot: Snapshot) -> WatchState | None:
    """The watch's tables in a snapshot, copied by field name into today's layouts; None where it has none."""
    found = {name: snapshot.arrays.get(f"{WATCH_PREFIX}{name}") for name in LAYOUTS}
    if found["watch_meta"] is None:
        return None
    state = WatchState()
    for name, array in found.items():
        if array is None:
            continue  # an earlier version had no such table
        table = getattr(state, name)
        if len(array) > len(table):
            table = np.zeros(room_to_grow("watched", len(array)), LAYOUTS[name])
            setattr(state, name, table)
        table[: len(array)] = array if array.dtype == LAYOUTS[name] else convert(array, LAYOUTS[name])
    renumber(state, list(snapshot.notes["watch_detectors"]))
    state.moved()
    members = found["watched"]
    state.make_room(len(members) if members is not None else 0, 0)  # also in tables that an earlier version had not
    return state


def renumber(state: WatchState, then: list[str]) -> None:
    """Detectors are numbered by their order in the folder: open findings follow theirs, or end with it."""
    now = [one.id for one in state.judges()]
    if then == now:
        return
    for row in range(int(state.watch_meta["findings"][0])):
        finding = state.watch_findings[row]
        if not finding["opened_sequence"]:
            continue
        name = then[int(finding["detector"])]
        if name in now:
            finding["detector"] = now.index(name)
        else:
            state.drop_finding(row)
    for row in np.flatnonzero(state.cohort_findings["opened_sequence"]).tolist():
        name = then[int(state.cohort_findings["detector"][row])]
        if name in now:
            state.cohort_findings["detector"][row] = now.index(name)
        else:
            state.drop_cohort(row)
    for row in np.flatnonzero(state.about["subscription"]).tolist():
        name = then[int(state.about["detector"][row])]
        if name in now:
            state.about["detector"][row] = now.index(name)
        else:
            state.drop_about(row)


def open_findings(watch: WatchFold) -> dict[tuple[int, int], tuple[Callable[[int], None], int]]:
    """(opened sequence, index) -> how to drop what is open in the tables, and its row there."""
    state = watch.state
    of_groups, about = state.watch_findings[: int(state.watch_meta["findings"][0])], state.about
    return {
        (int(one["opened_sequence"]), int(one["opened_index"])): (drop, row)
        for table, drop in (
            (of_groups, state.drop_finding), (about, state.drop_about), (state.cohort_findings, state.drop_cohort),
        )
        for row, one in ((row, table[row]) for row in np.flatnonzero(table["opened_sequence"]).tolist())
    }  # fmt: skip


def reconcile(watch: WatchFold, recorded: Mapping[tuple[int, int], Any]) -> np.ndarray:
    """After an upgrade: what was recorded is a fact, whatever today's kernel would have found in the same time.

    `recorded` holds the newest output of each finding that the journal has as open, its detector already under today's
    number. What only the tables have open is forgotten, and may begin anew; what only the journal has open is over: the
    outputs returned say so, and are to be journalled with the next row, whose sequence they are to have.
    """
    tables = open_findings(watch)
    for name, (drop, row) in tables.items():
        if name not in recorded:
            drop(row)
    over = [output for name, output in recorded.items() if name not in tables]
    ended = np.array(over, OUTPUT).reshape(-1)
    if len(ended):
        ended["kind"], ended["at"], ended["sequence"] = FINDING_ENDED, watch.now, watch.sequence
        ended["index"] = 512 + np.arange(len(ended))  # the kernel's own end at 400
    return ended
