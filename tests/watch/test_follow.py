"""A snapshot made behind the gate is the state of the journal, and the next start needs only the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gate.running import RunningGate
from simward.engine import events
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.snapshot import read_snapshot, snapshot_paths
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import from_snapshot, snapshots_folder
from simward.watch.snapshots import make_snapshot


def ticks(journal: SqliteJournal, fold: Fold, count: int) -> None:
    """Append rows as a gate does."""
    for _ in range(count):
        tick = events.empty(1)
        tick["kind"], tick["received_at"] = events.TICK, fold.sequence + 1
        first = fold.sequence + 1
        folded = fold.events(tick)
        journal.append(events_row(first, first, fold.kernel, tick, folded.outputs, fold.state.texts.take_new()))


def test_a_snapshot_is_the_state_of_the_journal(tmp_path: Path) -> None:
    journal, fold = SqliteJournal.open(tmp_path / "journal"), Fold.new()
    ticks(journal, fold, 5)
    made = make_snapshot(tmp_path)
    assert made.sequence == 5 and made.path is not None
    assert from_snapshot(read_snapshot(made.path)).state.digest() == fold.state.digest()
    assert make_snapshot(tmp_path).path is None, "nothing has happened since"
    ticks(journal, fold, 3)
    assert make_snapshot(tmp_path).sequence == 8
    journal.close()


def test_an_empty_journal_needs_no_snapshot(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "journal").close()
    assert make_snapshot(tmp_path).path is None
    assert not snapshot_paths(snapshots_folder(tmp_path))


def test_as_the_gate_starts_it(tmp_path: Path) -> None:
    gate = RunningGate(tmp_path / "net")
    journal, fold = SqliteJournal.open(gate.folder / "data" / "journal"), Fold.new()
    ticks(journal, fold, 2)
    journal.close()
    command = [sys.executable, "-m", "simward.watch", "--dir", str(gate.folder), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sequence 2: 00000000000000000002.snapshot")
    (gate.folder / "simward.toml").unlink()
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 2
