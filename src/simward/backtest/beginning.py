"""Where a backtest begins: a snapshot that is old enough, the beginning of the record, or somewhere in between.

In between, what was decided before is not folded again: bindings, locks and addresses are those of the newest snapshot,
less what the record says was decided since. What comes before `--since` from there on is folded as it was, so that
sessions, and what detectors remember, are there as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np

from simward.backtest.acts import Numbering
from simward.engine import outputs as out
from simward.engine.events import COMMAND_BIND, COMMAND_UNBIND
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, row_outputs
from simward.engine.layouts import LOCKED_BY_FINDING, MARK_AREA, MARK_FREE, MARK_TAKEN, MARK_TIED, SUBSCRIPTION
from simward.engine.outputs import OUTPUT
from simward.engine.pools import settle_pools
from simward.engine.replay import fold_row
from simward.engine.snapshot import convert, newest_snapshot, read_snapshot, snapshot_paths
from simward.engine.start import from_snapshot, room_to_grow, snapshots_folder
from simward.engine.watching.behind import watch_state_of
from simward.engine.watching.state import WatchState
from simward.history.base import Base
from simward.history.unit import Unit, outputs_name
from simward.history.whole import WholeJournal

DECIDED = (
    out.BOUND, out.UNBOUND, out.LOCKED, out.CONFINED, out.RELEASED, out.ADDRESS_GIVEN, out.RESTRICTED, out.UNRESTRICTED,
)  # fmt: skip
"""Outputs that change what a subscription is bound to, whether it is locked, and its address."""
COLUMNS = ("sequence", "at", "imsi", "was", "now", "kind", "detector", "generation", "result", "event_kind")


class Beginning:
    """The fold as it begins, and the watch's state where a snapshot has one. `facts`: bindings and locks of before are
    known; else what was decided before is not.
    """

    def __init__(self, fold: Fold, watch: WatchState | None = None, *, facts: bool = True) -> None:
        self.fold, self.watch, self.facts = fold, watch, facts


def begin(record: WholeJournal, data_dir: Path, since: int, warm_up_us: int | None) -> Beginning:
    """The fold to begin with. Without `warm_up_us` as early as there is anything, with it not much earlier than that
    before `since`."""
    earliest = _sequence_before(record, since - warm_up_us) if warm_up_us is not None else 0
    earliest = max(earliest, record.base.last)
    for path in snapshot_paths(snapshots_folder(data_dir)):
        sequence = int(path.stem)
        following = next(iter(record.rows(sequence)), None) if sequence >= earliest else None
        if following is not None and following.at <= since:
            snapshot = read_snapshot(path, room_to_grow)
            return Beginning(from_snapshot(snapshot), watch_state_of(snapshot))
    fold = Fold.new()
    if not earliest:
        return Beginning(fold)
    declared = takewhile(lambda row: row.last <= earliest, record.revisions())
    for row in Base().and_then(declared, earliest, 0, b"", {}).rows():
        fold_row(fold, row, record.layouts)
    fold.state.meta["sequence"] = earliest
    return Beginning(fold, facts=_put_facts(fold, record, data_dir))


def _sequence_before(record: WholeJournal, at: int) -> int:
    """The last sequence of the newest unit of history that ends before a time."""
    return max((unit.last for unit in record.units() if unit.at_last < at), default=0)


def _put_facts(fold: Fold, record: WholeJournal, data_dir: Path) -> bool:
    """Give subscriptions what they had after the fold's sequence; False where no snapshot can tell."""
    snapshot = newest_snapshot(snapshots_folder(data_dir), wanted=lambda name: name == "subscriptions")
    if snapshot is None or snapshot.sequence < fold.sequence:
        return False
    saved = convert(snapshot.arrays["subscriptions"], SUBSCRIPTION)
    saved = saved[saved["imsi"] != 0]
    numbers = Numbering({"detectors": [{"id": name, "classes": []} for name in snapshot.notes["detectors"]]})
    saved["lock_detector"] = numbers.detector[saved["lock_detector"]]
    used = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])].view(np.ndarray)
    _, mine, theirs = np.intersect1d(used["imsi"], saved["imsi"], return_indices=True)
    free = used["bound_imei"][mine] == 0  # what is declared is bound already
    for name in ("bound_imei", "generation"):
        used[name][mine[free]] = saved[name][theirs[free]]
    for name in ("locked", "lock_detector", "locked_s", "locked_until_s", "address", "other_addresses"):
        used[name][mine] = saved[name][theirs]
    used["marks"][mine] = saved["marks"][theirs] & ~np.uint8(MARK_TAKEN)
    for decided in _decided(record, fold.sequence, snapshot.sequence):
        _take_back(used, decided)
    settle_pools(fold.state, fold.state.policy)
    return True


def _decided(record: WholeJournal, after: int, until: int) -> Iterator[np.ndarray]:
    """Recorded outputs that changed facts, the newest first, so that the oldest has the last word."""
    rows = record.journal.rows(max([after, *(unit.last for unit in record.units())]))
    parts = [
        _renumbered(record, row.kernel, row_outputs(row, record.layouts))
        for row in rows if row.kind == EVENTS and row.outputs and row.first <= until
    ]  # fmt: skip
    for part in [*(_unit_decided(record, unit) for unit in record.units(after)), *parts][::-1]:
        wanted = np.isin(part["kind"], DECIDED) & (part["sequence"] > after) & (part["sequence"] <= until)
        yield part[wanted][::-1]


def _unit_decided(record: WholeJournal, unit: Unit) -> np.ndarray:
    """The outputs of a unit of history, in the columns that matter."""
    import pyarrow.parquet as pq

    parts = []
    for layout in unit.layouts:
        if not unit.has(outputs_name(layout)):
            continue
        with pq.ParquetFile(unit.path(outputs_name(layout)), page_checksum_verification=True) as file:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number, columns=list(COLUMNS), use_threads=False)
                part = np.zeros(table.num_rows, OUTPUT)
                for name in COLUMNS:
                    part[name] = table[name].to_numpy()
                parts.append(part[np.isin(part["kind"], DECIDED)])
    whole = np.concatenate([np.zeros(0, OUTPUT), *parts])
    whole = whole[np.argsort(whole["sequence"], kind="stable")]
    return _renumbered(record, next(reversed(unit.kernels), ""), whole)


def _renumbered(record: WholeJournal, kernel: str, outputs: np.ndarray) -> np.ndarray:
    outputs["detector"] = Numbering(record.manifest(kernel)).detector[outputs["detector"]]
    return outputs


def _take_back(used: np.ndarray, decided: np.ndarray) -> None:
    """Make of facts what they were before they were decided; `decided` with the newest first."""
    order = np.argsort(used["imsi"], kind="stable")
    at = np.searchsorted(used["imsi"], decided["imsi"], sorter=order)
    rows = order[np.minimum(at, len(order) - 1)] if len(order) else at
    for row, one in zip(rows.tolist(), decided):
        if not len(used) or used["imsi"][row] != one["imsi"]:
            continue
        kind = int(one["kind"])
        if kind in (out.BOUND, out.UNBOUND):
            used["bound_imei"][row] = one["was"] if kind == out.UNBOUND else 0
            used["generation"][row] = max(0, int(one["generation"]) - 1)
            if one["event_kind"] in (COMMAND_BIND, COMMAND_UNBIND):
                used["marks"][row] &= ~np.uint8(MARK_TIED if kind == out.BOUND else MARK_FREE)
        elif kind in (out.LOCKED, out.CONFINED):
            for name in ("locked", "lock_detector", "locked_s", "locked_until_s"):
                used[name][row] = 0
        elif kind == out.RELEASED:
            used["locked"][row] = int(one["now"]) or LOCKED_BY_FINDING
            used["lock_detector"][row] = one["detector"]
            used["locked_s"][row], used["locked_until_s"][row] = int(one["was"]) // 1_000_000, 0
        elif kind == out.RESTRICTED:
            used["marks"][row] &= ~np.uint8(MARK_AREA)
        elif kind == out.UNRESTRICTED:
            used["marks"][row] |= MARK_AREA
        elif int(one["result"]) == 0:
            used["address"][row] = 0
