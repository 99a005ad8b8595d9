"""Hours of traffic of a fleet as a journal, then as history: what the benchmarks of both are measured on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, inventory, policy_tables
from benchmarks.load.fleet import Fleet
from simward.engine import journal_files as files
from simward.engine.apply import revision_row
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.history.keeping import archive, sealed_segments

ROW_EVENTS = 512
"""What a busy gate puts into a row."""


def recorded(folder: Path, fleet: Fleet, events: int) -> Iterator[int]:
    """Fold random traffic and journal it; yields how many events there are so far, after each sealed segment."""
    with closing(SqliteJournal.open(folder / "data" / "journal")) as journal:
        fold = Fold.new()
        journal.register_kernel(fold.kernel, fold.manifest())
        journal.append(revision_row(fold, policy_tables(folder), BEGAN_AT))
        journal.append(revision_row(fold, inventory(fleet), BEGAN_AT))
        traffic = Traffic(fold, fleet, seed=7)
        made, segments = 0, 1
        while made < events:
            rows = traffic.next(traffic.anyone(min(65_536, fleet.count)))
            for at in range(0, len(rows), ROW_EVENTS):
                batch = rows[at : at + ROW_EVENTS]
                first = fold.sequence + 1
                folded = fold.events(batch)
                outputs = np.array(folded.outputs.view(np.ndarray))
                texts = fold.state.texts.take_new()
                journal.append(events_row(first, int(batch["received_at"][-1]), fold.kernel, batch, outputs, texts))
            made += len(rows)
            known = len(files.segments(folder / "data" / "journal"))
            if known > segments:
                segments = known
                yield made
        yield made


def sealed_as_history(folder: Path) -> int:
    """Make history of every sealed segment; how many."""
    data = folder / "data"
    sealed = sealed_segments(data / "journal")
    for one in sealed:
        archive(data, one.first)
    return len(sealed)
