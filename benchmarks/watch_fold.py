"""How many events a second does the watch fold take on one core, in random order over 1 M subscriptions?"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, inventory, policy_tables
from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.report import Bar, save
from simward.engine.events import EVENT
from simward.engine.fold import Fold
from simward.engine.watching.fold import WatchFold

NAME = "watch_fold"
QUESTION = "events a second of the watch fold alone, random order, one core"


def timed(gate: Fold, watch: WatchFold, traffic: Traffic, chosen: np.ndarray, chunk: int) -> list[float]:
    """Events a second of each chunk; making the events and the gate's own fold are not counted."""
    rates = []
    for at in range(0, len(chosen), chunk):
        rows = traffic.next(chosen[at : at + chunk])
        done = 0
        while done < len(rows):
            first = gate.sequence + 1
            folded = gate.events(rows[done:])
            kept = rows[done : done + folded.consumed][folded.kept]
            done += folded.consumed
            before = time.perf_counter()
            watch.events(kept, first)
            rates.append(len(kept) / (time.perf_counter() - before))
    return rates


def octets_each(watch: WatchFold) -> float:
    """What the watch keeps of a subscription, its sessions and what its groups take included."""
    saved = watch.state.saved(watch.subscriptions)
    return sum(array.nbytes for array in saved.values()) / max(1, watch.subscriptions)


def measure(folder: Path, subscriptions: int, rounds: int, chunk: int, bar: float, *, quick: bool) -> dict[str, object]:
    """First contact of everyone, then the mix."""
    os.sched_setaffinity(0, {cores()[0]})
    fleet, gate = Fleet(subscriptions), Fold.new()
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        gate.policy(policy_tables(Path(place)), BEGAN_AT)
    gate.inventory(inventory(fleet), BEGAN_AT)
    watch = WatchFold(gate)
    watch.events(np.zeros(0, EVENT), 1)  # compiled, or loaded, before anything is timed
    traffic = Traffic(gate, fleet, seed=1)
    for _ in range(2):
        timed(gate, watch, traffic, traffic.everyone(), chunk)
    for _ in range(2):  # so that all kinds of events come to be mixed
        timed(gate, watch, traffic, traffic.anyone(subscriptions // 2), chunk)
    mix = [rate for _ in range(rounds) for rate in timed(gate, watch, traffic, traffic.anyone(subscriptions), chunk)]
    figures = {
        "subscriptions": subscriptions, "mix_per_second": statistics.median(mix), "mix_slowest": min(mix),
        "mix_fastest": max(mix), "events_in_mix": rounds * subscriptions, "octets_a_subscription": octets_each(watch),
        "kernel": watch.kernel,
    }  # fmt: skip
    bars = [
        Bar(f"watch fold, {subscriptions:,} subscriptions", figures["mix_per_second"], bar, "events/s"),
        Bar("octets a subscription in the watch", figures["octets_a_subscription"], 400, "octets", at_most=True),
    ]  # fmt: skip
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, 2_000, 2, 1_000, 0, quick=True)
    return measure(here, 1_000_000, 3, 250_000, 1_000_000.0, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
