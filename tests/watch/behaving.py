"""A fleet over weeks: each member has a session a day at its hour, and sends what it usually does, give or take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from simward.engine import events as e
from simward.engine import journal as j
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import DECLARED, InventoryDelta
from simward.engine.watching.behind import Behind
from simward.engine.watching.fold import WatchFold
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

IMSI = 1_001010000000001
FIRST_DAY = 20_700  # 2026-09-04
DAY_US, HOUR_US = 86_400_000_000, 3_600_000_000
POLICY = """
use_case: meter
binding: {mode: none}
responses: {default: observe, unusual-behaviour: notify, cohort-shift: notify}
"""
MODEL, OTHER_MODEL = 35_000_001, 35_000_002
ROW_EVENTS = 100

Change = Mapping[tuple[int, int], float]
"""(day, member) -> how many times as much as usual it sends."""


def a_fleet(members: int) -> Behind:
    """Both folds with policy and inventory; two models, half of the members each."""
    gate = Fold.new()
    tables, delta = revisions(members)
    gate.policy(tables, FIRST_DAY * DAY_US)
    gate.inventory(delta, FIRST_DAY * DAY_US)
    for text in (b"pgw1", b"client1"):
        gate.state.texts.intern(text)
    return Behind(gate, WatchFold(gate))


def revisions(members: int):  # type: ignore[no-untyped-def]
    """What is meant, compiled."""
    tables = compile_policy(read_policies({"fleet.yaml": POLICY}), Settings(Path("/nowhere"), GateSettings()))
    lines = np.zeros(members, DECLARED)
    lines["imsi"] = IMSI + np.arange(members)
    lines["iccid"] = 1_00_1000000000000001 + np.arange(members)
    return tables, InventoryDelta(lines, np.zeros(0, np.int64), ["meter"])


def days_of(members: int, days: int, changed: Change, seed: int = 7, first: int = 0) -> np.ndarray:
    """The events of some days, in order: for each member a request, a Start and a Stop, and a tick each half hour."""
    rng = np.random.default_rng(seed)
    usual = rng.uniform(9.0, 12.0, members)
    hour = rng.integers(1, 22, members)
    parts = []
    for day in range(first, first + days):
        begins = (FIRST_DAY + day) * DAY_US
        amount = np.exp2(usual + rng.normal(0, 0.4, members))
        for (on, member), factor in changed.items():
            if on == day:
                amount[member] *= factor
        start = begins + hour * HOUR_US + rng.integers(0, HOUR_US // 2, members)
        told = ((e.ACCESS_REQUEST, 0), (e.ACCOUNTING_START, 1_000_000), (e.ACCOUNTING_STOP, 600_000_000))
        for kind, after_us in told:
            part = e.empty(members)
            part["kind"], part["imsi"] = kind, IMSI + np.arange(members)
            part["imei"] = np.where(np.arange(members) % 2, MODEL, OTHER_MODEL) * 1_000_000 + np.arange(members)
            part["received_at"] = part["happened_at"] = start + after_us
            part["cell"], part["plmn"], part["rat"] = 5 << 56 | 1, 100101, 6
            part["gateway"], part["client"] = 1, 2
            part["request"] = (day * 4 + kind) * 1_000_000 + np.arange(members)
            name = np.frombuffer(f"{day:08d}".encode(), np.uint8)
            part["session_id"][:, :8], part["session_id_octets"] = name, 8
            if kind == e.ACCOUNTING_STOP:
                part["uplink_octets"], part["downlink_octets"] = amount, amount / 4
                part["duration_s"] = after_us // 1_000_000
            parts.append(part)
        ticks = e.empty(48)
        ticks["kind"] = e.TICK
        ticks["received_at"] = ticks["happened_at"] = begins + np.arange(48) * HOUR_US // 2
        parts.append(ticks)
    events = np.concatenate(parts)
    return events[np.argsort(events["received_at"], kind="stable")]


def journal_of(data_dir: Path, members: int, events: np.ndarray) -> None:
    """What a gate has journalled of these events."""
    fold, journal = Fold.new(), SqliteJournal.open(data_dir / "journal")
    journal.register_kernel(fold.kernel, fold.manifest())
    tables, delta = revisions(members)
    for kind, revision in ((j.POLICY, tables), (j.INVENTORY, delta)):
        at = FIRST_DAY * DAY_US
        (fold.policy if kind == j.POLICY else fold.inventory)(revision, at)  # type: ignore[arg-type]
        journal.append(j.Row(fold.sequence, 1, kind, at, fold.kernel, revision.to_bytes(), b""))
    for text in (b"pgw1", b"client1"):
        fold.state.texts.intern(text)
    at = 0
    while at < len(events):
        first = fold.sequence + 1
        folded = fold.events(events[at : at + ROW_EVENTS])
        kept, outputs = events[at : at + folded.consumed][folded.kept], folded.outputs.view(np.ndarray).copy()
        at += folded.consumed
        if len(kept):
            texts = fold.state.texts.take_new()
            journal.append(events_row(first, int(kept["received_at"][-1]), fold.kernel, kept, outputs, texts))
    journal.close()
