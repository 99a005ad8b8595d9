"""The watch in a backtest: what its detectors would find under the proposed policies, and what they really found.

The watch judges what was used, heard or left unsaid, which no cut of the would-be world takes back: its fold needs the
traffic, the inventory and the policies, and nothing that the gate decided. Call detail records are not folded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simward.backtest.acts import Numbering
from simward.detectors import of_watch
from simward.engine.both_journals import findings_folder
from simward.engine.fold import Fold
from simward.engine.journal import BEHAVIOUR, Row, row_outputs
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import InventoryDelta
from simward.engine.watching.fold import WatchFold
from simward.engine.watching.own_inputs import read_own
from simward.engine.watching.state import WatchState
from simward.errors import JournalError
from simward.history.runs import Run


class Found(NamedTuple):
    """What the watch really found: outputs, and how their detectors are numbered today."""

    outputs: np.ndarray
    numbering: Numbering


class Behind:
    """The watch's fold beside the gate's; what is folded by the one is to be folded by the other next."""

    def __init__(self, gate: Fold, state: WatchState | None = None) -> None:
        """`state`: as it was in the snapshot that the gate's fold begins with; None: it begins with nothing."""
        self._watch = WatchFold(gate, state)
        self._watch.state.watch_meta["sequence"] = gate.sequence
        self.numbering = Numbering(self._watch.manifest(), of_watch())

    def honour(self, data_dir: Path) -> None:
        """Days are settled as they were: by the fits, and with the verdicts, that the watch has journalled."""
        try:
            journal = SqliteJournal.open(findings_folder(data_dir), writer=False)
        except JournalError:  # no watch ever ran
            return
        with closing(journal):
            for row in journal.rows(after=max(0, self._watch.sequence - 1)):
                if row.kind == BEHAVIOUR:
                    self._watch.awaited.add(row.last, partial(_own_input, data_dir, row.last))

    def manifest(self) -> dict[str, Any]:
        """Of its kernel."""
        return self._watch.manifest()

    def run(self, run: Run) -> np.ndarray:
        """Fold a run's events; returns what was found."""
        return self._watch.events(run.events, run.first)

    def leaves(self, delta: InventoryDelta, at: int) -> np.ndarray:
        """Before the gate's fold takes a revision of the inventory."""
        return self._watch.before_inventory(delta, self._watch.gate.sequence + 1, at)

    def revised(self, at: int) -> None:
        """After the gate's fold has taken a revision."""
        self._watch.revised(self._watch.gate.sequence, at)


def really_found(data_dir: Path, since: int, until: int) -> Iterator[Found]:
    """What the watch journalled between two times (us UTC)."""
    try:
        journal = SqliteJournal.open(findings_folder(data_dir), writer=False)
    except JournalError:  # no watch ever ran
        return
    numberings: dict[str, Numbering] = {}
    with closing(journal):
        for row in journal.rows():
            if row.at < since or not row.outputs:
                continue
            outputs = row_outputs(row, journal.layouts)
            outputs = outputs[(outputs["at"] >= since) & (outputs["at"] <= until)]
            if len(outputs):
                yield Found(outputs, numberings.setdefault(row.kernel, _numbering(journal, row)))


def _own_input(data_dir: Path, last: int) -> bytes:
    with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as journal:
        return read_own(journal, last)


def _numbering(journal: SqliteJournal, row: Row) -> Numbering:
    return Numbering(journal.manifest(row.kernel), of_watch())
