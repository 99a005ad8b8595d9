"""How long does a backtest of a month take, whole command, and how much memory: ten thousand subscriptions?

`backtest_month` asks the same of a hundred thousand.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.gate import write_folder
from benchmarks.load.fleet import Fleet
from benchmarks.month import write_month
from benchmarks.replay import RUN
from benchmarks.report import Bar, save
from simward.policy.wanted import read_tables
from simward.settings import Settings

NAME = "backtest"
QUESTION = "a month of history under proposed policies: seconds of the whole command, and its memory"
OBSERVED = """
use_case: water-meter
segment: metering
binding: {mode: first-use}
responses: {default: observe}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
"""
PROPOSED = """
use_case: water-meter
segment: metering
binding: {mode: first-use}
networks: {plmn: ["00101"]}
responses: {default: observe, device-change: lock, network-not-permitted: refuse}
release_when: bound-device-returns
limits: {lock: {per_hour: 20, share_of_fleet: 0.5%}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
"""
HOURS = 720
ROW_EVENTS = 16
"""What a gate of such a fleet puts into a row of the journal, where subscriptions do not report at random."""
OCTETS_AN_EVENT = 80
"""Disk that is asked for beforehand; units take some forty."""


def backtested(work: Path) -> dict[str, Any]:
    """Run the command in a process of its own; what it says, and what it took."""
    words = ["--dir", str(work), "backtest", "--policies", str(work / "proposed"), "--json"]
    command = [sys.executable, "-c", RUN, *words]
    with open(work / "said.jsonl", "w+b") as said:
        done = subprocess.run(command, check=True, stdout=said, stderr=subprocess.PIPE, text=True)
        said.seek(0)
        text = said.read()
    spent = json.loads(done.stderr.splitlines()[-1])
    summary = json.loads(text.splitlines()[-1])["summary"]
    cuts = summary["cuts"]
    whole = summary["events"] + summary["ticks"]
    return {
        "seconds": spent["seconds"], "resident_max": spent["resident"], "events": summary["events"],
        "ticks": summary["ticks"], "per_second": whole / spent["seconds"], "would_be_cut": cuts["would_be"],
        "would_be_cut_new": cuts["would_be_new"], "were_cut": cuts["were"],
        "held": sum(of["times"] for one in summary["limits"] for of in one["held"].values()),
        "said": hashlib.sha256(text).hexdigest(),
    }  # fmt: skip


def measure(
    folder: Path, name: str, question: str, *, subscriptions: int, hours: int, within_s: float
) -> dict[str, object]:
    """Write the month, then try a stricter policy on it, twice: both must say the same to the byte."""
    needed = 2 * subscriptions * hours * OCTETS_AN_EVENT
    if shutil.disk_usage(folder).free < needed:
        raise SystemExit(f"{folder} needs {needed >> 30} GB free: name another with TMPDIR")
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        work, fleet = Path(place), Fleet(subscriptions)
        write_folder(work, Fleet(0), b"unused", (1812, 1813, 3799), OBSERVED)
        (work / "proposed").mkdir()
        (work / "proposed" / "fleet.yaml").write_text(PROPOSED)
        began = time.monotonic()
        _, observed = read_tables(Settings.load(work))
        rows = write_month(work, fleet, observed, hours=hours, row_events=ROW_EVENTS).rows
        writing = time.monotonic() - began
        octets = sum(path.stat().st_size for path in (work / "data").rglob("*") if path.is_file())
        first = backtested(work)  # compiles, where nothing is compiled yet
        run = backtested(work)
        if run["said"] != first["said"]:
            raise AssertionError("two runs over the same record say different things")
        figures: dict[str, object] = {
            "subscriptions": subscriptions, "hours": hours, "events_a_row": ROW_EVENTS, "rows": rows,
            "history_octets": octets, "writing_seconds": writing, **run, "first_seconds": first["seconds"],
        }  # fmt: skip
        what = f"a backtest of {run['events'] // 10**6} million events"
        bars = [Bar(what, run["seconds"], within_s, "s", at_most=True, aim=0.75 * within_s)] if within_s else []
        return save(name, question, figures, bars, work, quick=not within_s)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, NAME, QUESTION, subscriptions=1_000, hours=30, within_s=0.0)
    return measure(here, NAME, QUESTION, subscriptions=10_000, hours=HOURS, within_s=24.0)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
