"""Runs every benchmark, each in a process of its own: `python -m benchmarks [--quick] [NAME ...]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from benchmarks.report import RESULTS

ALL = (
    "kernel", "watch_fold", "journal", "history", "replay", "cdr_import", "record_fold", "backtest", "one_request",
    "reaction", "flood", "memory", "mutations", "kills", "webhooks", "told", "gate_vs_freeradius", "false_alarms",
    "lab_score", "foreign_records", "incidents", "runaway_rule", "unknown",
)  # fmt: skip
ONLY_NAMED = ("start_10m", "closed_loop", "backtest_month", "faces")
"""Run only where asked for: what takes many minutes, or tens of gigabytes."""


def main() -> int:
    """0 = all ran; 1 = one failed, or with --check a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = f"some of: {', '.join(ALL)} (default: all of these), {', '.join(ONLY_NAMED)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    parser.add_argument("--quick", action="store_true", help="tiny, to see that everything runs; writes no results")
    parser.add_argument("--check", action="store_true", help="end with 1 where a bar is missed")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(ALL + ONLY_NAMED))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(ALL + ONLY_NAMED)}")
    failed, began = [], time.monotonic()
    for name in asked.names or ALL:
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if asked.quick else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    print(f"took {time.monotonic() - began:.0f} s" + (f"; failed: {', '.join(failed)}" if failed else ""))
    missed = 0 if asked.quick else sum(not bar["met"] for bar in bars(asked.names or ALL))
    return 1 if failed or (asked.check and missed) else 0


def bars(names: tuple[str, ...] | list[str]) -> list[dict[str, object]]:
    """The bars in the newest results."""
    found: list[dict[str, object]] = []
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            found += json.loads(path.read_text())["bars"]
    return found


if __name__ == "__main__":
    sys.exit(main())
