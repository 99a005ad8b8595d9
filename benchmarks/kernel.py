"""How many events a second does the kernel decide on one core, in random order over 1 M and 5 M subscriptions?"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, fold_all, inventory, policy_tables
from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.report import Bar, save
from simward.engine.events import EVENT
from simward.engine.fold import Fold

NAME = "kernel"
QUESTION = "events a second of the fold alone, random order, one core"


def timed(fold: Fold, traffic: Traffic, chosen: np.ndarray, chunk: int) -> list[float]:
    """Events a second of each chunk; making the events is not counted, folding them is."""
    rates = []
    for at in range(0, len(chosen), chunk):
        rows = traffic.next(chosen[at : at + chunk])
        before = time.perf_counter()
        kept, _ = fold_all(fold, rows)
        rates.append(len(rows) / (time.perf_counter() - before))
        if kept != len(rows):
            raise AssertionError(f"{len(rows) - kept} of {len(rows)} events were taken for retransmissions")
    return rates


def run(folder: Path, subscriptions: int, rounds: int, chunk: int) -> dict[str, Any]:
    """First contact of everyone, then the mix; figures of one size of fleet."""
    fleet = Fleet(subscriptions)
    fold = Fold.new()
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        fold.policy(policy_tables(Path(place)), BEGAN_AT)
    before = time.perf_counter()
    fold.inventory(inventory(fleet), BEGAN_AT)
    applied = time.perf_counter() - before
    traffic = Traffic(fold, fleet, seed=1)
    first = {"access": timed(fold, traffic, traffic.everyone(), chunk)}
    first["start"] = timed(fold, traffic, traffic.everyone(), chunk)
    for _ in range(2):
        # Half of the fleet moves on each time, so that all kinds of events come to be mixed.
        moved = traffic.anyone(subscriptions // 2)
        for at in range(0, len(moved), chunk):
            fold_all(fold, traffic.next(moved[at : at + chunk]))
    mix = [rate for _ in range(rounds) for rate in timed(fold, traffic, traffic.anyone(subscriptions), chunk)]
    return {
        "subscriptions": subscriptions,
        "mix_per_second": statistics.median(mix),
        "mix_slowest": min(mix),
        "mix_fastest": max(mix),
        "first_access_per_second": statistics.median(first["access"]),
        "first_start_per_second": statistics.median(first["start"]),
        "events_in_mix": rounds * subscriptions,
        "inventory_seconds": applied,
        "kernel": fold.kernel,
    }


def measure(folder: Path, sizes: Sequence[tuple[int, int, int, float]], *, quick: bool) -> dict[str, object]:
    """Each (subscriptions, rounds, events a chunk, bar) after the other."""
    os.sched_setaffinity(0, {cores()[0]})
    Fold.new().events(np.zeros(0, EVENT))  # compiled, or loaded, before anything is timed
    figures: dict[str, Any] = {}
    bars = []
    for subscriptions, rounds, chunk, bar in sizes:
        found = run(folder, subscriptions, rounds, chunk)
        bars.append(Bar(f"kernel, {subscriptions:,} subscriptions", found["mix_per_second"], bar, "events/s"))
        figures[f"{subscriptions}"] = found
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, [(2_000, 2, 1_000, 0), (4_000, 1, 1_000, 0)], quick=True)
    sizes = [(1_000_000, 4, 250_000, 2_000_000.0), (5_000_000, 1, 250_000, 1_000_000.0)]
    return measure(here, sizes, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
