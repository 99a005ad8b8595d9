"""How many call detail records a second does the watch fold on one core, in random order over 1 M subscriptions?"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, inventory, policy_tables
from benchmarks.load.driver import cores
from benchmarks.load.fleet import Fleet
from benchmarks.report import Bar, save
from simward.engine import call_records as c
from simward.engine.fold import Fold
from simward.engine.watching.fold import WatchFold

NAME = "record_fold"
QUESTION = "call detail records a second of the watch fold, random order, one core"
NOW = BEGAN_AT + 86_400_000_000
SHARE_OF_CALLERS = 10
"""One in ten subscriptions has calls; all of them write messages."""


def records_of(imsis: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Records of the last two days in any order: nine messages for each call, in three networks."""
    made = np.zeros(count, c.RECORD)
    calls = rng.random(count) < 0.1
    who = rng.integers(len(imsis), size=count)
    who[calls] -= who[calls] % SHARE_OF_CALLERS
    made["imsi"], made["plmn"] = imsis[who], 1_00101 + rng.integers(0, 3, count) // 2
    made["kind"] = np.where(calls, c.VOICE, c.SHORT_MESSAGE)
    made["destination"] = np.where(rng.random(count) < 0.02, c.INTERNATIONAL, c.HOME)
    made["duration_s"] = rng.integers(5, 300, count)
    made["happened_at"] = NOW - rng.integers(0, 2 * 86_400, count) * 1_000_000
    return made


def measure(folder: Path, subscriptions: int, rounds: int, chunk: int, bar: float, *, quick: bool) -> dict[str, object]:
    """First contact of everyone, then more of the same."""
    os.sched_setaffinity(0, {cores()[0]})
    fleet, gate, rng = Fleet(subscriptions), Fold.new(), np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        gate.policy(policy_tables(Path(place)), BEGAN_AT)
    gate.inventory(inventory(fleet), BEGAN_AT)
    watch = WatchFold(gate)
    watch.records(np.zeros(1, c.RECORD), gate.sequence + 1, NOW)  # compiled, or loaded, before anything is timed
    imsis = gate.state.subscriptions["imsi"][:subscriptions].copy()
    watch.records(records_of(imsis, subscriptions, rng), gate.sequence + 1, NOW)
    rates = []
    for _ in range(rounds):
        records = records_of(imsis, chunk, rng)
        before = time.perf_counter()
        taken, _ = watch.records(records, gate.sequence + 1, NOW)
        rates.append(taken / (time.perf_counter() - before))
    saved = watch.state.saved(watch.subscriptions)
    octets = (saved["called"].nbytes + saved["tallies"].nbytes) / max(1, watch.subscriptions)
    figures = {
        "subscriptions": subscriptions, "records_per_second": statistics.median(rates), "slowest": min(rates),
        "fastest": max(rates), "records": rounds * chunk, "octets_a_subscription": octets, "kernel": watch.kernel,
    }  # fmt: skip
    bars = [Bar(f"fold of records, {subscriptions:,} subscriptions", figures["records_per_second"], bar, "records/s")]
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, 2_000, 2, 2_000, 0, quick=True)
    return measure(here, 1_000_000, 8, 250_000, 100_000.0, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
