"""How many events a second does a replay read and fold, end to end on one core: from history and from event files?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.past import recorded, sealed_as_history
from benchmarks.report import Bar, save

NAME = "replay"
QUESTION = "events a second of one core's time, from a file to findings, whole pipeline, a process each"

RUN = """
import json, re, sys, time
sys.argv = ["simward", *sys.argv[1:]]
from simward.cli import cli
began = time.perf_counter()
try:
    cli(prog_name="simward")
except SystemExit:
    pass
# Not ru_maxrss, which begins with what the parent had.
resident = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps({"seconds": time.perf_counter() - began, "resident": resident}), file=sys.stderr)
"""


def replayed(work: Path, *words: str) -> dict[str, float]:
    """Replay in a process of its own: events, seconds (of the folding alone, and of the process), memory."""
    command = [sys.executable, "-c", RUN, "--dir", str(work), "replay", "--json", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[-1])["summary"]
    spent = json.loads(done.stderr.splitlines()[-1])
    events = said["events"] + said["ticks"]
    return {
        "events": events, "per_second": events / said["cpu_seconds"], "cpu_seconds": said["cpu_seconds"],
        "seconds": said["seconds"],
        "process_seconds": spent["seconds"], "resident_max": spent["resident"], "differing": said.get("differing", 0),
    }  # fmt: skip


def write_files(work: Path, rows: int) -> None:
    """The events as Parquet, CSV and JSON lines, by the names and forms that outsiders use."""
    import duckdb

    from simward.history.views import events_view

    files = ", ".join(f"'{path}'" for path in sorted((work / "data" / "history").glob("*/events-*.parquet")))
    connection = duckdb.connect()
    connection.execute("SET VARIABLE texts = ['', '', 'meters.iot', 'pgw1.example', 'pgw1', 'x', 'y', 'z']")
    connection.execute("SET preserve_insertion_order = true")
    columns = (
        'received_at, happened_at, kind, imsi, "user", msisdn, imei, software, plmn, area, cell, rat, apn, address, '
        "gateway, client, session_id, uplink_octets, downlink_octets, duration_s, terminate_cause"
    )
    select = f"SELECT {columns} FROM (SELECT {events_view()} FROM read_parquet([{files}]) LIMIT {rows})"
    connection.execute(f"COPY ({select}) TO '{work / 'x.parquet'}' (FORMAT parquet, ROW_GROUP_SIZE 65536)")
    connection.execute(f"COPY (FROM '{work / 'x.parquet'}' LIMIT {rows // 5}) TO '{work / 'x.csv'}' (FORMAT csv)")
    connection.execute(f"COPY (FROM '{work / 'x.parquet'}' LIMIT {rows // 20}) TO '{work / 'x.jsonl'}' (FORMAT json)")


def whole(run: dict[str, Any]) -> float:
    """Events a second from the start of the process to its end, compiled code and imports included."""
    return float(run["events"] / run["process_seconds"])


def measure(folder: Path, *, subscriptions: int, events: int, quick: bool) -> dict[str, object]:
    """Journal and history, then history under another policy, then files made from it, alone and merged."""
    os.sched_setaffinity(0, {cores()[0]})
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        work = Path(place)
        for _ in recorded(work, Fleet(subscriptions), events):
            sealed_as_history(work)
        figures: dict[str, Any] = {"subscriptions": subscriptions}
        replayed(work, "journal" if quick else "history")  # compiled from here on
        figures["journal_and_history"] = replayed(work, "journal")
        if quick:
            return save(NAME, QUESTION, figures, [], work, quick=True)
        figures["history"] = replayed(work, "history")
        write_files(work, min(events, 10_000_000))
        figures["history_other_policy"] = replayed(work, "history", "--policies", str(work / "policies"))
        for name in ("parquet", "csv", "jsonl"):
            figures[name] = replayed(work, str(work / f"x.{name}"))
        figures["parquet_gate_only"] = replayed(work, "--gate-only", str(work / "x.parquet"))
        figures["parquet_and_csv_merged"] = replayed(work, str(work / "x.parquet"), str(work / "x.csv"))
        bars = [
            Bar(f"replay of {what}, end to end", whole(figures[name]), 500_000, "events/s", aim=2_000_000)
            for what, name in (
                ("the history", "history"), ("a Parquet file", "parquet"),
                ("a Parquet file, by the gate's detectors alone", "parquet_gate_only"),
            )
        ]
        return save(NAME, QUESTION, figures, bars, work, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=2_000, events=20_000, quick=True)
    events = int(os.environ.get("SIMWARD_BENCH_EVENTS", "12000000"))
    return measure(here, subscriptions=1_000_000, events=events, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
