"""A history in which much is found behind the gate: a cell, then a gateway, falls silent and comes back, every day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.folded import inventory
from benchmarks.load.fleet import IMEI_FIRST, IMSI_FIRST, Fleet
from simward.engine import events as e
from simward.engine.apply import apply_offline
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import Settings

BEGAN_AT = 1_700_000_000_000_000
TICK_S, INTERVAL_S, CELL_MEMBERS = 5, 300, 10
CELL = 5 << 56 | 1
DAY = ((8, 0), (20, 1), (10, 0), (20, 2), (16, 0))
"""Intervals, and who is silent in them: 0 = nobody, 1 = the first cell, 2 = all of the gateway."""


def write_history(data_dir: Path, policy: str, fleet: Fleet, days: int, declared: Fleet | None = None) -> None:
    """Journal revisions and some days of a fleet's life, as a gate would have; more may be declared than speak."""
    settings = Settings.load(data_dir.parent)
    fold = Fold.new()
    tables = compile_policy(read_policies({"fleet.yaml": policy}), settings)
    data_dir.mkdir(parents=True, exist_ok=True)
    with closing(SqliteJournal.open(data_dir / "journal")) as journal:
        journal.register_kernel(fold.kernel, fold.manifest())
        for _ in apply_offline(fold, journal, [tables, inventory(declared or fleet)], BEGAN_AT):
            pass
        fold.state.texts.intern(b"pgw1")
        at = BEGAN_AT
        for _ in range(days):
            for intervals, silent in DAY:
                for _ in range(intervals):
                    events = interval(fold, fleet, at, silent)
                    at += INTERVAL_S * 1_000_000
                    append(journal, fold, events)


def interval(fold: Fold, fleet: Fleet, at: int, silent: int) -> np.ndarray:
    """Ticks, and one interim of each member that speaks, spread evenly."""
    quiet = {0: 0, 1: CELL_MEMBERS, 2: fleet.count}[silent]
    speaking = np.arange(quiet, fleet.count)
    events = e.empty(INTERVAL_S // TICK_S + len(speaking))
    ticks, told = events[: INTERVAL_S // TICK_S], events[INTERVAL_S // TICK_S :]
    ticks["kind"] = e.TICK
    ticks["received_at"] = at + np.arange(1, len(ticks) + 1) * TICK_S * 1_000_000
    told["kind"] = e.ACCOUNTING_INTERIM
    told["received_at"] = at + speaking * (INTERVAL_S * 1_000_000 // fleet.count)
    told["imsi"] = 10**15 + IMSI_FIRST + speaking
    told["imei"], told["cell"] = IMEI_FIRST + speaking, CELL + speaking // CELL_MEMBERS
    told["plmn"], told["rat"] = 100101, 8
    told["gateway"] = told["client"] = fold.state.texts.find(b"pgw1")
    told["duration_s"] = (told["received_at"] - BEGAN_AT) // 1_000_000
    told["request"] = told["received_at"] + speaking
    for position, member in enumerate(speaking):
        name = f"h{member}".encode()
        told["session_id"][position, : len(name)] = list(name)
        told["session_id_octets"][position] = len(name)
    events["happened_at"] = events["received_at"]
    return events[np.argsort(events["received_at"], kind="stable")]


def append(journal: SqliteJournal, fold: Fold, events: np.ndarray) -> None:
    """Fold them, and journal what was new."""
    at = 0
    while at < len(events):
        first = fold.sequence + 1
        folded = fold.events(events[at:])
        kept = events[at : at + folded.consumed][folded.kept]
        outputs = folded.outputs.view(np.ndarray).copy()
        at += folded.consumed
        texts = fold.state.texts.take_new()
        journal.append(events_row(first, int(kept["received_at"][-1]), fold.kernel, kept, outputs, texts))
