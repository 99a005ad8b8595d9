"""Makes a snapshot behind the gate: the newest one, and the journal's tail folded on top of it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import NamedTuple

from simward.engine.snapshot import snapshot_paths
from simward.engine.start import restore, save, snapshots_folder
from simward.history.whole import WholeJournal


class Made(NamedTuple):
    """What came of it."""

    sequence: int
    path: Path | None
    """None where nothing has happened since the newest snapshot."""
    seconds: float


def make_snapshot(data_dir: Path) -> Made:
    """Fold what the journal holds and write it down. Reads the journal beside the gate that writes it.

    Raises JournalError where the journal is not what it should be, OSError where the disk cannot be written.
    """
    began = time.monotonic()
    with contextlib.closing(WholeJournal.open(data_dir)) as journal:
        fold = restore(data_dir, journal)
    newest = snapshot_paths(snapshots_folder(data_dir))
    if fold.sequence == 0 or (newest and int(newest[0].stem) >= fold.sequence):
        return Made(fold.sequence, None, time.monotonic() - began)
    path = save(fold, data_dir)
    return Made(fold.sequence, path, time.monotonic() - began)
