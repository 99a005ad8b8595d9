"""A fleet whose gate journals, so that a watch can follow; and what the watch has recorded of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from story import IMSI
from watched import POLICY, WatchedFleet, in_cells

from simward.engine import journal as j
from simward.engine.both_journals import findings_folder
from simward.engine.journal import events_row, row_outputs
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

MEMBERS, CELL_SIZE = 40, 10
FAST = POLICY.replace("15m", "1m")
"""Interims each minute: a cell is told dead within ten."""
INTERVAL_S = 60


class JournalledFleet(WatchedFleet):
    """Four cells of ten. What happens is in `data_dir/journal`, some hundred events a row."""

    interval_s = INTERVAL_S

    def __init__(self, data_dir: Path, members: int = MEMBERS) -> None:
        super().__init__(members, FAST, in_cells(members, CELL_SIZE))
        self.journal = SqliteJournal.open(data_dir / "journal")
        self.journal.register_kernel(self.fold.kernel, self.fold.manifest())
        tables = compile_policy(read_policies({"story.yaml": FAST}), Settings(Path("/nowhere"), GateSettings()))
        lines = np.zeros(members, DECLARED)
        lines["imsi"] = IMSI + np.arange(members)
        lines["iccid"] = 1_00_1000000000000001 + np.arange(members)
        lines["msisdn"] = 1_883000000000001 + np.arange(members)
        delta = InventoryDelta(lines, np.zeros(0, np.int64), ["meter"])
        for sequence, kind, revision in ((1, j.POLICY, tables), (2, j.INVENTORY, delta)):
            self.journal.append(j.Row(sequence, 1, kind, self.now, self.fold.kernel, revision.to_bytes(), b""))

    def kept_as(self, first: int, kept: np.ndarray, outputs: np.ndarray) -> None:
        for at in range(0, len(kept), 100):
            part = kept[at : at + 100]
            mine = outputs[(outputs["sequence"] >= first + at) & (outputs["sequence"] < first + at + len(part))]
            texts = self.fold.state.texts.take_new()
            self.journal.append(events_row(first + at, self.now, self.fold.kernel, part, mine, texts))

    def close(self) -> None:
        """The gate stops."""
        self.journal.close()


def recorded(data_dir: Path) -> np.ndarray:
    """Every output in the watch's journal; its rows follow on, and its chain of digests is whole."""
    with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as own:
        assert own.verify().wrong == 0
        found = [row_outputs(row, own.layouts) for row in own.rows()]
    outputs = np.concatenate(found) if found else np.zeros(0, OUTPUT)
    outputs["event"] = 0  # the place in the batch is the one thing that a cut may change
    return outputs


def names(outputs: np.ndarray) -> list[tuple[int, int, int]]:
    """What each output is: sequence, index and kind."""
    return [(int(one["sequence"]), int(one["index"]), int(one["kind"])) for one in outputs]


def a_bad_day(fleet: Any) -> Any:
    """Hours with a dead cell, a dead gateway and what comes between, minute by minute."""
    fleet.happen([fleet.event(2, member) for member in range(fleet.members)])
    yield from _minutes(fleet, 35, ())
    yield from _minutes(fleet, 12, range(CELL_SIZE))
    yield from _minutes(fleet, 12, ())
    yield from _minutes(fleet, 14, range(fleet.members))
    yield from _minutes(fleet, 12, range(CELL_SIZE))
    yield from _minutes(fleet, 12, ())


def _minutes(fleet: Any, count: int, silent: Any) -> Any:
    for _ in range(count):
        fleet.lasts(60, silent=silent)
        yield fleet
