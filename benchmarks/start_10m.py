"""How soon is a gate of ten million subscriptions up again, each with a live session?

The journal and the snapshot are made by the engine itself, as a gate makes them (a row a batch, each synced), but
without sockets: over those it would take a quarter of an hour. It needs 10 GiB of memory and 12 GiB of disk, and takes
some minutes, so it runs only where it is asked for: `make bench BENCH=start_10m`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, inventory
from benchmarks.gate import Gate
from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.processes import resident_octets
from benchmarks.report import Bar, save
from simward.engine.apply import apply_offline
from simward.engine.fold import Fold
from simward.engine.journal import Journal, events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import save as save_snapshot
from simward.engine.tables import InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import load_policies
from simward.settings import Settings

NAME = "start_10m"
QUESTION = "the time to start again with ten million subscriptions"
SECRET = b"a-secret-only-for-benchmarks"
PART = 100_000
"""Lines of inventory in a row of the journal."""
CHUNK = 250_000


def journalled(fold: Fold, journal: Journal, rows: np.ndarray) -> None:
    """Fold and append batch by batch, as the gate does."""
    at = 0
    while at < len(rows):
        first = fold.sequence + 1
        folded = fold.events(rows[at:])
        inputs = rows[at : at + folded.consumed]
        if not folded.kept.all():
            raise AssertionError("events were taken for retransmissions")
        journal.append(
            events_row(first, int(inputs["received_at"][-1]), fold.kernel, inputs, folded.outputs,
                       fold.state.texts.take_new())
        )  # fmt: skip
        at += folded.consumed


def parts(fleet: Fleet) -> list[InventoryDelta]:
    """The inventory in pieces that a row of the journal holds."""
    whole = inventory(fleet)
    no_one = np.zeros(0, np.int64)
    return [
        InventoryDelta(np.ascontiguousarray(whole.upserts[at : at + PART]), no_one, whole.use_cases)
        for at in range(0, fleet.count, PART)
    ]


def make(folder: Path, fleet: Fleet, tail: int) -> dict[str, float]:
    """A journal in which everyone was declared, asked and started, a snapshot, and `tail` events after it; seconds."""
    began = time.monotonic()
    settings = Settings.load(folder)
    settings.data_dir.mkdir(mode=0o700)
    journal = SqliteJournal.open(settings.data_dir / "journal")
    try:
        fold = Fold.new()
        journal.register_kernel(fold.kernel, fold.manifest())
        policy = compile_policy(load_policies(settings.policies_dir), settings)
        for _ in apply_offline(fold, journal, [policy, *parts(fleet)], BEGAN_AT):
            pass
        declared = time.monotonic()
        traffic = Traffic(fold, fleet, seed=1)
        for _ in range(2):
            everyone = traffic.everyone()
            for at in range(0, len(everyone), CHUNK):
                journalled(fold, journal, traffic.next(everyone[at : at + CHUNK]))
        started = time.monotonic()
        save_snapshot(fold, settings.data_dir)
        saved = time.monotonic()
        for at in range(0, tail, CHUNK):
            journalled(fold, journal, traffic.next(traffic.anyone(min(CHUNK, tail - at))))
    finally:
        journal.close()
    return {"declare": declared - began, "ask_and_start": started - declared, "snapshot": saved - started}


def measure(folder: Path, *, subscriptions: int, tail: int, starts: int, quick: bool) -> dict[str, object]:
    """Make it, and start a gate on it a few times."""
    server_core, load_core = cores()
    fleet = Fleet(subscriptions)
    gate = Gate(server_core, SECRET, Fleet(0), folder)
    try:
        took = make(gate.folder, fleet, tail)
        seconds, resident = [], 0
        for _ in range(starts):
            seconds.append(gate.start(patience=300, cores=(server_core, load_core)))
            resident = resident_octets(gate.pid)
            gate.kill()  # so that the tail stays as long as it is
        octets = {path.suffix: path.stat().st_size for path in (gate.folder / "data" / "snapshots").iterdir()}
        said = gate.said()
    finally:
        gate.close()
    if f"{subscriptions:,} subscriptions" not in said:
        print(f"  only this was said: {said[-500:]}", file=sys.stderr)
    figures = {
        "subscriptions": subscriptions, "tail_events": tail, "start_seconds": seconds, "making_seconds": took,
        "resident_octets": resident, "snapshot_octets": sum(octets.values()),
    }  # fmt: skip
    # The first finds the snapshot in memory, as it was just written: warm, like the others.
    bars = [Bar("start with ten million, snapshot and tail", max(seconds), 30, "s", at_most=True)]
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    print(f"         started in {', '.join(f'{one:.1f}' for one in seconds)} s; made in {sum(took.values()):.0f} s; "
          f"{resident / subscriptions:.0f} octets a subscription")  # fmt: skip
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=5_000, tail=1_000, starts=1, quick=True)
    return measure(here, subscriptions=10_000_000, tail=1_000_000, starts=3, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
