"""Histories of when a fleet is heard: a seed draws days of short contacts, and then hours in which some are silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from watch_histories import CELL, DECLARED, IMSI, START_AT

from simward.engine import events as e
from simward.engine.fold import Fold
from simward.engine.tables import InventoryDelta
from simward.engine.watching.behind import Behind
from simward.engine.watching.fold import WatchFold
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

MEMBERS, DAYS = 16, 12
POLICY = """
use_case: meter
binding: {mode: none}
mobility: fixed
cadence: {every: 5m, silent_after: 20m, hours: [06-23]}
---
use_case: counter
binding: {mode: none}
"""
DAY_US, MINUTE_US, SECOND_US = 86_400_000_000, 60_000_000, 1_000_000
HEARD_MIN, TICK_S = 24, 10
NETWORKS = (100101, 100102, 199901)


def fleet() -> Behind:
    """Both folds with the policy, the inventory and the texts."""
    gate = Fold.new()
    gate.policy(
        compile_policy(read_policies({"law.yaml": POLICY}), Settings(Path("/nowhere"), GateSettings())), START_AT
    )
    lines = np.zeros(MEMBERS, DECLARED)
    lines["imsi"] = IMSI + np.arange(MEMBERS)
    lines["iccid"] = 1_00_1000000000000001 + np.arange(MEMBERS)
    lines["use_case"] = np.arange(MEMBERS) % 5 == 4
    gate.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter", "counter"]), START_AT)
    for text in (b"pgw1", b"pgw2", b"client1"):
        gate.state.texts.intern(text)
    return Behind(gate, WatchFold(gate))


def events_of(seed: int, behind: Behind) -> np.ndarray:
    """Each day a part of an hour, whose hour changes now and then; on the last days a cell or more fall silent."""
    rng, texts = np.random.default_rng(seed), behind.gate.state.texts
    told: list[np.ndarray] = []
    gateways = texts.find(b"pgw1"), texts.find(b"pgw2")
    for day in range(DAYS):
        hour = int(rng.integers(0, 24)) if rng.random() < 0.3 else 8
        begins = START_AT // DAY_US * DAY_US + (day + 1) * DAY_US + hour * 60 * MINUTE_US
        minutes = 90 if day >= DAYS - 2 else HEARD_MIN
        mute = set(range(6)) if day == DAYS - 1 else {int(rng.integers(0, MEMBERS))} if day == DAYS - 2 else set()
        ticks = e.empty(minutes * 60 // TICK_S)
        ticks["kind"] = e.TICK
        ticks["received_at"] = ticks["happened_at"] = begins + np.arange(len(ticks)) * TICK_S * SECOND_US
        told.append(ticks)
        for member in range(MEMBERS):
            for minute in range(member % 5, minutes, int(rng.integers(3, 6))):
                if member in mute and 10 < minute < minutes - 10:
                    continue
                told.append(contact(rng, member, begins + minute * MINUTE_US + member * 1_000, gateways, texts))
        if rng.random() < 0.3:
            told.append(plan(int(rng.integers(0, MEMBERS)), begins))
    events = np.concatenate(told)
    return events[np.argsort(events["received_at"], kind="stable")]


def contact(rng: np.random.Generator, member: int, at: int, gateways: tuple[int, int], texts: object) -> np.ndarray:
    """A request, a start and a stop, of which some are lost; now and then from elsewhere."""
    events = e.empty(3)
    serial = int(rng.integers(1, 1 << 40))
    events["kind"] = e.ACCESS_REQUEST, e.ACCOUNTING_START, e.ACCOUNTING_STOP
    events["received_at"] = events["happened_at"] = at + np.arange(3) * 2 * SECOND_US
    events["imsi"], events["imei"] = IMSI + member, (35000001 + member % 3) * 1_000_000 + member
    events["software"], events["cell"] = member % 2 + int(rng.random() < 0.02), CELL + member // 8
    events["plmn"] = NETWORKS[int(rng.random() < 0.03) + int(rng.random() < 0.02)]
    events["gateway"], events["client"] = gateways[member % 2], texts.find(b"client1")  # type: ignore[attr-defined]
    events["request"], events["cause"] = serial + np.arange(3), (0, 0, 1 + member % 3)
    name = f"{serial:x}".encode()
    events["session_id_octets"][1:], events["session_id"][1:, : len(name)] = len(name), list(name)
    events["happened_at"] -= int(rng.random() < 0.03) * 3 * 3600 * SECOND_US
    return events[rng.random(3) > 0.03]


def plan(member: int, at: int) -> np.ndarray:
    """A work order has one for two days."""
    event = e.empty(1)
    event["kind"], event["imsi"], event["flags"] = e.COMMAND_PLAN, IMSI + member, e.FLAG_PLAN_DEVICE
    event["received_at"] = event["happened_at"] = at
    event["prefix_high"], event["prefix_low"], event["delegated_high"] = at, at + 2 * DAY_US, member + 1
    event["request"] = -at
    return event
