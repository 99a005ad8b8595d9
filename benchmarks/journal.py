"""What does it cost to append a batch of events durably, by the size of the batch, beside one sync of the disk?"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.disk import SyncProbe, spread
from benchmarks.report import save
from simward.engine.events import ACCOUNTING_INTERIM, empty
from simward.engine.journal import events_row
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal

NAME = "journal"
QUESTION = "a durable append by size of the batch, beside one fdatasync"
SIZES = (1, 16, 64, 256, 1024)


def appends(folder: Path, probe: SyncProbe, sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Appends of every size and syncs of both kinds, interleaved, so that all see the same disk."""
    journal = SqliteJournal.open(folder / "journal")
    outputs = np.zeros(0, OUTPUT)
    took: dict[int, list[float]] = {size: [] for size in sizes}
    appended, overwritten = [], []
    batches = {size: _events(size) for size in sizes}
    for at in range(rounds):
        for size in sizes:
            before = time.perf_counter_ns()
            journal.append(events_row(journal.last + 1, at, "benchmark", batches[size], outputs))
            took[size].append((time.perf_counter_ns() - before) / 1000)
        appended.append(probe.append())
        overwritten.append(probe.overwrite())
    journal.close()
    floor = spread(appended)
    by_size = {}
    for size, times in took.items():
        said = spread(times)
        by_size[str(size)] = {
            **said, "us_an_event": said["mean"] / size, "times_fdatasync": said["p50"] / floor["p50"]
        }  # fmt: skip
    return {"append_us": by_size, "fdatasync_append_us": floor, "fdatasync_overwrite_us": spread(overwritten)}


def _events(count: int) -> np.ndarray:
    events = empty(count)
    random = np.random.default_rng(count)
    events["kind"] = ACCOUNTING_INTERIM
    for name in ("imsi", "imei", "uplink_octets", "downlink_octets", "request"):
        events[name] = random.integers(0, 2**50, count)
    events["session_id"][:, :16] = random.integers(48, 58, (count, 16))
    return events


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        probe = SyncProbe(Path(place))
        figures = appends(Path(place), probe, SIZES[:3] if quick else SIZES, 5 if quick else 400)
        probe.close()
        result = save(NAME, QUESTION, figures, [], Path(place), quick=quick)
    for size, said in figures["append_us"].items():
        print(f"         {size:>5} events: {said['p50']:.0f} us = {said['times_fdatasync']:.2f} fdatasync, "
              f"{said['us_an_event']:.2f} us an event")  # fmt: skip
    return result


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
