"""How many events a second does the fold's kernel decide on one core, in random order over a million subscriptions?"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, fold_all, inventory, policy_tables
from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.report import Bar, save
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


def measure(folder: Path, *, subscriptions: int, rounds: int, chunk: int, quick: bool) -> dict[str, object]:
    """First contact of everyone, then the mix."""
    os.sched_setaffinity(0, {cores()[0]})
    fleet = Fleet(subscriptions)
    fold = Fold.new()
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        fold.policy(policy_tables(Path(place)), BEGAN_AT)
    before = time.perf_counter()
    fold.inventory(inventory(fleet), BEGAN_AT)
    applied = time.perf_counter() - before
    traffic = Traffic(fold, fleet, seed=1)
    warm = Fold.new()
    fold_all(warm, traffic.next(np.arange(0)))
    first = {"access": timed(fold, traffic, traffic.everyone(), chunk)}
    first["start"] = timed(fold, traffic, traffic.everyone(), chunk)
    for _ in range(2):
        # Half of the fleet moves on each time, so that all kinds of events come to be mixed.
        fold_all(fold, traffic.next(traffic.anyone(subscriptions // 2)))
    mix = [rate for _ in range(rounds) for rate in timed(fold, traffic, traffic.anyone(subscriptions), chunk)]
    figures = {
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
    bars = [Bar("kernel", statistics.median(mix), 2_000_000, "events/s")]
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=2_000, rounds=2, chunk=1_000, quick=True)
    return measure(here, subscriptions=1_000_000, rounds=4, chunk=250_000, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
