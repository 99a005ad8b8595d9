"""Histories for the watch: hypothesis draws who is silent for how long, who moves, who ends; this makes the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from simward.engine import call_records as c
from simward.engine import events as e
from simward.engine.fold import Fold
from simward.engine.journal import MemoryJournal, events_row
from simward.engine.outputs import OUTPUT
from simward.engine.tables import DECLARED, InventoryDelta
from simward.engine.watching.behind import Behind
from simward.engine.watching.fold import WatchFold
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

MEMBERS = 24
IMSI = 1_001010000000001
START_AT = 1_790_000_000_000_000
INTERVAL_S = 20
CELL = 5 << 56 | 1
POLICY = """
use_case: meter
binding: {mode: none}
services: {data: [20 kB/hour, 30 kB/day, 45 kB/month]}
responses: {default: observe, cell-silent: notify, budget-exceeded: notify}
"""
OCTETS_PER_S = 10
DATA_NONE = "---\nuse_case: button\nbinding: {mode: none}\nservices: {data: none}\n"
PARTS = ("nobody", "first cell", "second cell", "a few", "first gateway", "one model", "all")
HAPPENINGS = ("", "stops", "moves", "restarts", "off", "requests", "deaf", "storms")
"""Before that; or (storms) what those do instead."""

step = st.tuples(
    st.sampled_from(PARTS),  # who is silent
    st.sampled_from((30, 90, 400)),  # for how many seconds
    st.sampled_from(HAPPENINGS),
    st.integers(0, MEMBERS - 1),
)
histories = st.lists(step, min_size=1, max_size=7)


def a_long_one(rng: np.random.Generator) -> list[tuple[str, int, str, int]]:
    """A day on which much happens, and a cell dies slowly: first five of it, then all."""
    return [
        ("nobody", 60, "", 0), ("a few", 390, "", 0), ("first cell", 160, "", 0), ("nobody", 60, "", 0),
        ("first gateway", 420, "moves", 20), ("nobody", 60, "stops", 3), ("all", 100, "deaf", 0),
        ("nobody", 60, "restarts", 0), ("nobody", 400, "", 0), ("one model", 160, "storms", 0),
        ("nobody", 400, "", 0),
    ]  # fmt: skip


def silent_ones(part: str) -> set[int]:
    """The members of a part."""
    return {
        "nobody": set[int](), "first cell": set(range(8)), "second cell": set(range(8, 16)), "a few": set(range(5)),
        "first gateway": set(range(16)), "one model": set(range(0, MEMBERS, 3)), "all": set(range(MEMBERS)),
    }[part]  # fmt: skip


def fleet() -> Behind:
    """Both folds with the policy, the inventory and the texts."""
    gate = Fold.new()
    tables = compile_policy(read_policies({"law.yaml": POLICY + DATA_NONE}), Settings(Path("/nowhere"), GateSettings()))
    tables.use_cases["interim_interval_s"] = INTERVAL_S  # shorter than policy may ask for, so that histories are short
    gate.policy(tables, START_AT)
    lines = np.zeros(MEMBERS, DECLARED)
    lines["imsi"] = IMSI + np.arange(MEMBERS)
    lines["iccid"] = 1_00_1000000000000001 + np.arange(MEMBERS)
    lines["use_case"] = np.arange(MEMBERS) % 8 == 7
    gate.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter", "button"]), START_AT)
    for text in (b"pgw1", b"pgw2", b"client1"):
        gate.state.texts.intern(text)
    return Behind(gate, WatchFold(gate))


def removal(behind: Behind, member: int) -> np.ndarray:
    """The inventory loses one; what was found about it ends."""
    delta = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + member]), [])
    ended = behind.watch.before_inventory(delta)
    behind.gate.inventory(delta, behind.gate.now)
    behind.watch.revised(behind.gate.sequence, behind.gate.now)
    return ended


def records_of(rng: np.random.Generator, count: int, at: int) -> np.ndarray:
    """Records of calls, messages and data of the last three days, in any order; some are of nobody."""
    records = np.zeros(count, c.RECORD)
    records["imsi"] = IMSI + rng.integers(0, MEMBERS + 2, count)
    records["kind"], records["destination"] = rng.integers(1, 4, count), rng.integers(0, 5, count)
    records["duration_s"], records["plmn"] = rng.integers(-1, 900, count), 100101 + rng.integers(0, 3, count)
    records["uplink_octets"], records["downlink_octets"] = rng.integers(-1, 1 << 36, (2, count))
    records["happened_at"] = at - rng.integers(-3600, 3 * 86_400, count) * 1_000_000
    return records


def fold_records(behind: Behind, records: np.ndarray) -> np.ndarray:
    """Fold records at the end of what is folded; what was found."""
    taken, found = behind.watch.records(records, behind.gate.sequence + 1, behind.watch.now)
    assert taken == len(records)
    return found


def events_of(steps: list[tuple[str, int, str, int]], behind: Behind) -> np.ndarray:
    """The events of a history, in order: ticks each five seconds, interims of those who are not silent."""
    texts, told = behind.gate.state.texts, list[Any]()
    now, count = START_AT, 0
    moved: set[int] = set()

    def say(kind: int, member: int, at: int) -> None:
        nonlocal count
        count += 1
        event = e.empty(1)
        event["kind"], event["received_at"], event["happened_at"] = kind, at, at
        if kind != e.TICK:
            event["gateway"] = texts.find(b"pgw1" if member < 16 else b"pgw2")
            event["client"], event["request"] = texts.find(b"client1"), count
        if kind == e.ACCESS_REQUEST:
            event["credentials"] = (e.CREDENTIALS_WRONG, e.CREDENTIALS_RIGHT)[count % 3 == 0]
        if kind not in (e.TICK, e.ACCOUNTING_ON, e.ACCOUNTING_OFF):
            name = f"s{member}".encode()
            event["imsi"], event["imei"] = IMSI + member, (35000001 + member % 3) * 1_000_000 + member
            event["cell"], event["plmn"] = CELL + member // 8 + (10 if member in moved else 0), 100101
            event["session_id_octets"], event["duration_s"] = len(name), (at - START_AT) // 1_000_000
            event["session_id"][0, : len(name)] = list(name)
            if kind in (e.ACCOUNTING_INTERIM, e.ACCOUNTING_STOP):
                event["uplink_octets"] = (at - START_AT) // 1_000_000 * OCTETS_PER_S * (1 + member % 3)
                event["downlink_octets"] = event["uplink_octets"] // (1 + count % 5)  # so it falls now and then
        told.append(event)

    for member in range(MEMBERS):
        say(e.ACCOUNTING_START, member, now)
    for part, seconds, what, member in steps:
        if what == "deaf":
            now += 3_600_000_000
        if what in ("restarts", "off"):
            say(e.ACCOUNTING_ON if what == "restarts" else e.ACCOUNTING_OFF, member, now)
        if what == "moves":
            moved ^= {member}
        if what == "requests":
            say(e.ACCESS_REQUEST, member, now)
        if what == "stops":
            say(e.ACCOUNTING_STOP, member, now)
        silent = silent_ones(part)
        stormy = silent if what == "storms" else set[int]()
        for second in range(1, seconds + 1):
            now += 1_000_000
            if second % 5 == 0:
                say(e.TICK, 0, now)
            for reporting in range(MEMBERS):
                if reporting not in silent and second % INTERVAL_S == reporting * INTERVAL_S // MEMBERS:
                    say(e.ACCOUNTING_INTERIM, reporting, now)
                if reporting in stormy and second % 10 == reporting % 10:
                    say(e.ACCESS_REQUEST, reporting, now)
                if reporting in stormy and reporting % 2 and second % 20 == reporting % 10 + 1:
                    say(e.ACCOUNTING_START, reporting, now)
    return np.concatenate(told)


def fold_all(
    behind: Behind, events: np.ndarray, cuts: list[int], journal: MemoryJournal | None = None
) -> np.ndarray:
    """Fold in batches of these sizes (the last one over and over) as the gate does, and behind it; what was found."""
    found, at, turn = [np.zeros(0, OUTPUT)], 0, 0
    while at < len(events):
        first = behind.gate.sequence + 1
        folded = behind.gate.events(events[at : at + max(1, cuts[min(turn, len(cuts) - 1)])])
        kept, outputs = events[at : at + folded.consumed][folded.kept], folded.outputs.view(np.ndarray).copy()
        at, turn = at + folded.consumed, turn + 1
        if len(kept):
            found.append(behind.watch.events(kept, first))
            if journal is not None:
                if not journal.last:  # the fleet's own revisions have numbers too
                    journal.append(events_row(1, START_AT, behind.gate.kernel, e.empty(first - 1), outputs[:0]))
                journal.append(events_row(first, START_AT, behind.gate.kernel, kept, outputs))
    outputs = np.concatenate(found)
    outputs["event"] = 0  # the place in the batch is the one thing that a cut may change
    return outputs
