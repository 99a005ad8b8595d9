"""How often is a copy, or something unusual, seen in records of people where there is none?"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.load import people
from benchmarks.report import Bar, save

NAME = "foreign_records"
QUESTION = "clones and statistical findings in made-up noisy records of people, imported with `simward convert`"
SEED = 20260105
COPIED_SHARE = 0.005
CLONES = ("cloned-subscription", "copied-device")
STATISTICAL = ("unusual-behaviour", "cohort-shift")


def simward(*words: str) -> list[str]:
    """The lines that a command prints; findings are no failure."""
    done = subprocess.run([sys.executable, "-m", "simward", *words], check=False, capture_output=True, text=True)
    if done.returncode > 1:
        raise RuntimeError(f"simward {' '.join(words)}: {done.stderr}")
    return done.stdout.splitlines()


def judged(folder: Path, count: int, days: int, seed: int) -> dict[str, Any]:
    """Convert and replay as the documentation says; findings of those who have a copy are counted apart."""
    copied = int(count * COPIED_SHARE)
    people.write(folder / "records.csv", count, days, seed, copied)
    (made,) = simward("convert", str(folder / "records.csv"), "--into", str(folder / "study"), "--json")[-1:]
    study = folder / "study"
    *found, summary = simward("--dir", str(study), "replay", str(study / "events.parquet"), "--json")
    with (study / "inventory.csv").open() as file:
        label = {line["imsi"]: line["label"] for line in csv.DictReader(file)}
    have_copies = {f"{one * 2_654_435_761 % (1 << 32):08x}" for one in range(copied)}
    honest: Counter[str] = Counter()
    caught = set()
    for one in map(json.loads, found):
        who = label.get(one["imsi"] or "", "")
        if who in have_copies:
            caught |= {who} if one["detector"] in CLONES else set()
        else:
            honest[f"{one['detector']}/{one['class']}"] += 1
    said = json.loads(made)
    days_lived = json.loads(summary)["summary"]["subscription_days"]
    return {
        "people": count, "days": days, "subscription_days": days_lived, "findings": dict(honest.most_common()),
        "clones_per_10000": 10_000 * of(honest, CLONES) / days_lived,
        "impossible_travel_per_10000": 10_000 * of(honest, ("impossible-travel",)) / days_lived,
        "statistical_per_1000": 1_000 * of(honest, STATISTICAL) / days_lived,
        "copies": copied, "copies_found": len(caught),
        "converted": {key: said[key] for key in ("rows", "repeated", "doubted_cells", "far_rows", "notes")},
    }  # fmt: skip


def of(found: Counter[str], detectors: tuple[str, ...]) -> int:
    """Findings of these detectors."""
    return sum(count for name, count in found.items() if name.partition("/")[0] in detectors)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question, for a large file and for a small one."""
    large = int(os.environ.get("SIMWARD_BENCH_PEOPLE", "6000"))
    sizes = {"small": (40, 8)} if quick else {"large": (large, 28), "small": (300, 60)}
    figures = {}
    for name, (count, days) in sizes.items():
        with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
            figures[name] = judged(Path(place), count, days, SEED)
    bars = []
    for one in figures.values():
        of_people = f"in noisy records of {one['people']:,} people"
        clones, statistical = one["clones_per_10000"], one["statistical_per_1000"]
        bars += [
            Bar(f"clones {of_people}", clones, 1, "in 10,000 user-days", at_most=True),
            Bar(f"statistical findings {of_people}", statistical, 1, "in 1,000 user-days", at_most=True),
        ]
    if not quick:
        share = figures["large"]["copies_found"] / figures["large"]["copies"]
        bars.append(Bar("copies with another device found among them", share, 0.99, "of all"))
    return save(NAME, QUESTION, figures, [] if quick else bars, folder or Path(tempfile.gettempdir()), quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
