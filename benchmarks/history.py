"""What does history cost and give: sealing, size, verifying, one subscription among all events, and SQL?"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from benchmarks.load.driver import cores
from benchmarks.load.fleet import IMSI_FIRST, Fleet
from benchmarks.past import recorded, sealed_as_history
from benchmarks.report import Bar, save
from simward.history.keeping import sealed_segments
from simward.history.whole import WholeJournal

NAME = "history"
QUESTION = "sealed segments as Parquet: time, octets, memory, and how fast one subscription is found"
SEEKING = """
import re, sys, time
from pathlib import Path
from simward.history.whole import WholeJournal
from simward.history.about import rows_about  # the import is not what is measured
whole = WholeJournal.open(Path(sys.argv[1]))
began = time.perf_counter()
found = (row for unit in whole.units() for row in rows_about(unit, {int(sys.argv[2])}))
rows = sum(1 for row in found if row.inputs and row.kind == "events")
resident = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(rows, time.process_time(), time.perf_counter() - began, resident)
"""


def measure(folder: Path, *, subscriptions: int, events: int, quick: bool) -> dict[str, object]:
    """Record, seal as it goes (so that the disk holds one form of it), then ask."""
    os.sched_setaffinity(0, {cores()[0]})
    fleet = Fleet(subscriptions)
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        work = Path(place)
        sealing, journal_octets = 0.0, 0
        for _ in recorded(work, fleet, events):
            journal_octets += sum(one.octets for one in sealed_segments(work / "data" / "journal"))
            before = time.perf_counter()
            sealed_as_history(work)
            sealing += time.perf_counter() - before
        figures = {"subscriptions": subscriptions, **_asked(work, fleet, sealing, journal_octets)}
        bars = [] if quick else [
            Bar("one subscription found in the history", figures["explain_seconds"], 5.0, "s", at_most=True, aim=1.0),
            Bar("sealing", figures["sealed_per_second"], 200_000, "events/s"),
        ]
        return save(NAME, QUESTION, figures, bars, work, quick=quick)


def _asked(work: Path, fleet: Fleet, sealing: float, journal_octets: int) -> dict[str, Any]:
    with closing(WholeJournal.open(work / "data")) as journal:
        units = journal.units()
        sealed, octets = sum(one.events for one in units), sum(one.octets for one in units)
        index = sum(one.files["subscriptions.parquet"]["octets"] for one in units)
        seal_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        before = time.perf_counter()
        verified = journal.verify()
        verifying = time.perf_counter() - before
        if verified.wrong:
            raise AssertionError(f"verification: {verified}")
        queried = _sql(journal)
    found = []
    for number in range(0, fleet.count, max(1, fleet.count // 5)):
        words = [sys.executable, "-c", SEEKING, str(work / "data"), str(10**15 + IMSI_FIRST + number)]
        rows, cpu, took, memory = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        found.append((int(rows), float(took), int(memory), float(cpu)))
    found.sort(key=lambda one: one[1])
    rows, took, memory, cpu = found[len(found) // 2]
    return {
        "sealed_events": sealed, "units": len(units), "sealing_seconds": sealing,
        "sealed_per_second": sealed / sealing if sealing else 0.0,
        "octets_an_event": octets / max(1, sealed), "index_octets_an_event": index / max(1, sealed),
        "journal_octets_an_event": journal_octets / max(1, sealed), "resident_max": seal_memory,
        "verified_per_second": (verified.last - verified.first) / verifying,
        "events_of_one": rows, "explain_seconds": took, "explain_process_cpu_seconds": cpu,
        "explain_slowest": found[-1][1], "explain_resident": memory,
        **queried,
    }  # fmt: skip


def _sql(journal: WholeJournal) -> dict[str, float]:
    from simward.history.asking import Asking, Narrowed

    timed = {}
    for name, query, narrowed in (
        ("sql_count_by_kind", "select kind, count(*) from events group by kind", Narrowed()),
        ("sql_one_imsi", "select * from events", Narrowed(imsis=(10**15 + IMSI_FIRST + 1,))),
        ("sql_devices", "select count(distinct imei) from events", Narrowed()),
    ):
        with ExitStack() as closing_all:
            asking = Asking(journal, closing_all, narrowed, with_journal=False)
            before = time.perf_counter()
            list(asking.ask(query).rows)
            timed[f"{name}_seconds"] = time.perf_counter() - before
    return timed


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=2_000, events=20_000, quick=True)
    events = int(os.environ.get("SIMWARD_BENCH_EVENTS", "20000000"))
    return measure(here, subscriptions=1_000_000, events=events, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
