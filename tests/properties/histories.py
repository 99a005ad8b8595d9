"""Histories for the law: hypothesis draws steps, and this makes them the events of a small fleet at two gateways."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from simward.engine import events as e
from simward.engine.fold import Fold
from simward.engine.tables import CELL, DECLARED, MODEL, InventoryDelta, PolicyTables
from simward.policy.compile import Beside, compile_policy
from simward.policy.load import read_policies
from simward.policy.places import points
from simward.settings import GateSettings, Settings

MEMBERS = 5
IMSI = 1_001010000000001
START_AT = 1_790_000_000_000_000
ECGI = 4 << 56
DEVICES = (0, 35000000000001, 35000000000002, 35999999000001)

POLICY = """
use_case: meter
segment: metering
binding: {mode: first-use}
mobility: {mode: fixed, learn: 1h, confirm: 30m}
cadence: {silent_after: 1h}
networks: {plmn: ["00101"], rat: [nb-iot]}
responses: {default: observe, device-change: lock, device-change/software: observe, network-not-permitted: refuse,
  apn-not-permitted: quarantine}
release_when: bound-device-returns
limits: {lock: {per_hour: 2}, quarantine: {per_hour: 3}, refuse: {share_of_fleet: 40%}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/30
address_pool6: 2001:db8:aa::/120
quarantine_pool: 10.65.0.0/29
quarantine_address_pool6: 2001:db8:bb::/120
filter_id: normal
quarantine_filter_id: confined
"""

KINDS = (
    e.ACCESS_REQUEST,
    e.ACCESS_REQUEST,
    e.ACCOUNTING_START,
    e.ACCOUNTING_INTERIM,
    e.ACCOUNTING_INTERIM,
    e.ACCOUNTING_STOP,
    e.ACCOUNTING_ON,
    e.TICK,
    e.COMMAND_LOCK,
    e.COMMAND_QUARANTINE,
    e.COMMAND_RELEASE,
    e.COMMAND_DISCONNECT,
    e.COMMAND_PLAN,
    e.COMMAND_PLAN,
    e.COMMAND_UNPLAN,
    e.COMMAND_BIND,
    e.COMMAND_UNBIND,
    e.EFFECT_RESULT,
    e.CHANGE_RESULT,
)

step = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, MEMBERS),  # the last one is a stranger
    st.sampled_from(DEVICES),
    st.integers(-1, 2),  # software
    st.integers(0, 2),  # session
    st.sampled_from(("meters.iot", "internet", "")),
    st.sampled_from((100101, 199999, 0)),
    st.sampled_from((b"pgw1", b"pgw2")),
    st.sampled_from((1, 30, 4000)),  # seconds since the step before
)
histories = st.lists(step, min_size=1, max_size=60)


def tables() -> PolicyTables:
    """The policy above, compiled."""
    settings = Settings(Path("/nowhere"), GateSettings())
    return compile_policy(read_policies({"law.yaml": POLICY}), settings, beside())


def beside() -> Beside:
    """Two of three cells that are 300 km apart, and a model that can use another technology than it does."""
    cells, models = np.zeros(2, CELL), np.zeros(1, MODEL)
    for row, place in enumerate(points(np.array([59.91, 60.39]), np.array([10.75, 5.32]))):
        cells[row] = (ECGI | row, 100101, *place.tolist())
    models[0] = (DEVICES[-1] // 10**6, 1, 1 << 6)
    return Beside(cells, models)


def inventory() -> InventoryDelta:
    """Five subscriptions."""
    lines = np.zeros(MEMBERS, DECLARED)
    lines["imsi"] = IMSI + np.arange(MEMBERS)
    lines["iccid"] = 1_00_1000000000000001 + np.arange(MEMBERS)
    return InventoryDelta(lines, np.zeros(0, np.int64), ["meter"])


def fleet() -> Fold:
    """A fold that has the policy and the inventory."""
    fold = Fold.new()
    fold.policy(tables(), START_AT)
    fold.inventory(inventory(), START_AT)
    for text in (b"pgw1", b"pgw2", b"client1", b"meters.iot", b"internet"):
        fold.state.texts.intern(text)
    return fold


def events_of(steps: list[tuple], fold: Fold) -> np.ndarray:
    """The events of a history, in order."""
    events, now = e.empty(len(steps)), START_AT
    for number, (kind, member, device, software, session, apn, plmn, gateway, seconds) in enumerate(steps):
        now += seconds * 1_000_000
        event = events[number : number + 1]
        event["kind"], event["received_at"], event["happened_at"] = kind, now, now
        if kind == e.TICK:
            continue
        name = session_name(member, session)
        event["flags"] = e.FLAG_TIMESTAMP * (plmn != 0)
        event["gateway"] = fold.state.texts.find(gateway)
        event["client"] = fold.state.texts.find(b"client1")
        event["request"] = 1_000_000 + number
        if kind == e.ACCOUNTING_ON:
            continue
        event["imsi"], event["imei"], event["software"] = IMSI + member, device, software if device else -1
        event["apn"] = fold.state.texts.find(apn.encode())
        event["plmn"], event["rat"] = plmn, 8
        event["area"], event["cell"] = session - (session == 2), ECGI | session
        if kind in (e.ACCOUNTING_START, e.ACCOUNTING_INTERIM, e.ACCOUNTING_STOP, e.EFFECT_RESULT, e.CHANGE_RESULT):
            part = part_of(name)
            event["session_id_octets"] = len(part)
            event["session_id"][0, : len(part)] = list(part)
            event["flags"] |= e.FLAG_SESSION_ID_CUT * (len(name) > len(part))
            event["address"] = (10 << 24) + 64 * 65536 + 1 + member % 2
            pool = 0x20010DB800BB0000 if session == 2 else 0x20010DB800AA0000
            event["ipv6_high"] = event["prefix_high"] = pool
            event["ipv6_low"] = event["prefix_low"] = 1 + member % 2
            event["prefix_length"] = 128
        if kind in (e.ACCOUNTING_INTERIM, e.ACCOUNTING_STOP):
            event["duration_s"] = number * 10
            event["uplink_octets"] = event["downlink_octets"] = number
        if kind == e.COMMAND_QUARANTINE:
            event["flags"] |= e.FLAG_AUTOMATION * (software == 1)
        if kind in (e.COMMAND_BIND, e.COMMAND_UNBIND):
            event["flags"] |= e.FLAG_AREA * (software == 1)
        if kind in (e.COMMAND_PLAN, e.COMMAND_UNPLAN):
            event["delegated_high"] = 1 + session % 2
            event["prefix_high"], event["prefix_low"] = now + session * 600_000_000, now + 3_000_000_000
            event["flags"] = (0, e.FLAG_PLAN_DEVICE, e.FLAG_PLAN_PLACE, 3 * e.FLAG_PLAN_DEVICE)[software + 1]
        if kind in (e.EFFECT_RESULT, e.CHANGE_RESULT):
            event["cause"], event["subject"], event["request"] = 1 + member % 3, number + 2 - session, member % 2
    return events


def session_name(member: int, session: int) -> bytes:
    """Acct-Session-Id: a short one, a hexadecimal one, and a long one (a very long one of odd members)."""
    long_one = f"{member:08d}-a-long-id-has-blocks-{session:012d}" + "-and-more-of-them" * 11 * (member % 2)
    return (f"session-{member}-{session}", f"{member:040X}", long_one)[session].encode()


def part_of(name: bytes) -> bytes:
    """What an event has room for."""
    return name if len(name) <= e.SESSION_ID_OCTETS else name[:40] + hashlib.blake2b(name, digest_size=8).digest()


WHOLE = {part_of(name): name for name in (session_name(member, 2) for member in range(1, MEMBERS + 1, 2))}


def hear(fold: Fold, events: np.ndarray) -> np.ndarray:
    """Put beside a batch what its events have no room for, as the receiver does; returns the batch."""
    parts = [one.tobytes() for one in events["session_id"][events["flags"] & e.FLAG_SESSION_ID_CUT != 0]]
    fold.state.texts.whole_ids.load([(part[40:], WHOLE[part]) for part in parts])
    return events


def fold_all(fold: Fold, events: np.ndarray, cuts: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fold in batches of these sizes (the last one over and over); returns outputs, results, and what was kept."""
    outputs, results, kept, at, turn = [], [], [], 0, 0
    while at < len(events):
        size = max(1, cuts[min(turn, len(cuts) - 1)])
        folded = fold.events(hear(fold, events[at : at + size]))
        made = folded.outputs.view(np.ndarray).copy()
        made["event"] = 0  # the place in the batch is the one thing that a cut may change
        outputs.append(made)
        results.append(folded.results.view(np.ndarray).copy())
        kept.append(folded.kept.copy())
        at += folded.consumed
        turn += 1
    return np.concatenate(outputs), np.concatenate(results), np.concatenate(kept)
