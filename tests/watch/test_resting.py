"""What rests is not looked at by each tick, and nobody can tell: outputs and state are those of looking at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simward.engine import events as ev
from simward.engine.fold import Fold
from simward.engine.tables import DECLARED, InventoryDelta, PolicyTables
from simward.engine.watching.fold import WatchFold
from simward.inputs.merging import ticking
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

IMSI, BEGINS, HOUR_US = 1_001010000000001, 20_700 * 86_400_000_000, 3_600_000_000
MEMBERS = 24
KINDS = (ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP)
POLICY = """
use_case: meter
binding: {mode: none}
cadence: {every: 1h, silent_after: EVERY}
responses: {default: observe}
---
use_case: tracker
binding: {mode: none}
responses: {default: observe}
"""


def policy(silent_after: str) -> PolicyTables:
    documents = read_policies({"fleet.yaml": POLICY.replace("EVERY", silent_after)})
    return compile_policy(documents, Settings(Path("/nowhere"), GateSettings()))


def lines_of(members: range) -> InventoryDelta:
    lines = np.zeros(len(members), DECLARED)
    lines["imsi"], lines["iccid"] = IMSI + np.array(members), 1_00_1000000000000001 + np.array(members)
    lines["use_case"] = np.array(members) % 2
    return InventoryDelta(lines, np.zeros(0, np.int64), ["meter", "tracker"])


class Pair:
    """The same input for two folds: one lets rest what rests, the other looks at everything at each tick."""

    def __init__(self) -> None:
        self.folds = []
        for never in (0, 1):
            gate = Fold.new()
            for text in (b"pgw1", b"pgw2", b"client"):
                gate.state.texts.intern(text)
            watch = WatchFold(gate)
            watch.state.pace["never"] = never
            self.folds.append((gate, watch))
        self.told = 0

    def policy(self, silent_after: str, at: int) -> None:
        for gate, watch in self.folds:
            gate.policy(policy(silent_after), at)
            watch.revised(gate.sequence, at)

    def inventory(self, delta: InventoryDelta, at: int) -> None:
        ended = []
        for gate, watch in self.folds:
            ended.append(watch.before_inventory(delta, gate.sequence + 1, at))
            gate.inventory(delta, at)
            watch.revised(gate.sequence, at)
        assert np.array_equal(*ended)

    def events(self, events: np.ndarray) -> None:
        made = []
        for gate, watch in self.folds:
            first, at = gate.sequence + 1, 0
            while at < len(events):
                at += gate.events(events[at:]).consumed
            made.append(watch.events(events, first))
        assert np.array_equal(*made)
        self.told += len(made[0])
        assert self.folds[0][1].digest() == self.folds[1][1].digest()


def traffic(rng: np.random.Generator, hours: range, quiet: set[int]) -> np.ndarray:
    """Requests, Starts, Interims, Stops of random members in random cells; those in `quiet` say nothing.

    Now and then a storm, and a gateway that restarts.
    """
    count = 60 * len(hours)
    made = ev.empty(count)
    member = rng.integers(0, MEMBERS, count)
    made["kind"] = rng.choice(KINDS, count)
    storm = rng.random(count) < 0.1
    member[storm], made["kind"][storm] = member[0], ev.ACCESS_REQUEST
    at = BEGINS + hours.start * HOUR_US + np.sort(rng.integers(0, len(hours) * HOUR_US, count))
    made["received_at"] = made["happened_at"] = at
    made["imsi"], made["imei"] = IMSI + member, (35_000_001 + member % 3) * 1_000_000 + member
    made["software"], made["plmn"], made["cell"] = member % 2, 100101, (5 << 56) | (1 + rng.integers(0, 4, count))
    made["gateway"], made["client"], made["request"] = 1 + member % 2, 3, hours.start * 1000 + np.arange(count) + 1
    made["session_id"][:, 0], made["session_id_octets"] = 65 + member, 1
    made["duration_s"], made["uplink_octets"], made["downlink_octets"] = np.arange(count), np.arange(count) * 500, 9
    made = made[~np.isin(member, list(quiet))]
    restarts = rng.random(len(made)) < 0.01
    made["kind"][restarts], made["imsi"][restarts] = ev.ACCOUNTING_ON, 0
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_can_tell_who_rested(seed: int) -> None:
    """Busy hours, silences of some and of all, restarts, a removal and another policy in between."""
    rng, pair = np.random.default_rng(seed), Pair()
    pair.policy("3h", BEGINS)
    pair.inventory(lines_of(range(MEMBERS)), BEGINS)
    when: list[tuple[range, set[int]]] = [
        (range(3), set()), (range(26, 28), set()), (range(50, 52), set()), (range(74, 78), set()),
        (range(78, 86), {1, 2, 3, 4, 5, 6, 7}), (range(94, 96), {0, 8}), (range(96, 98), set()),
    ]  # fmt: skip
    pieces = list(ticking([traffic(rng, hours, quiet) for hours, quiet in when]))
    for number, piece in enumerate(pieces):
        assert isinstance(piece, np.ndarray)
        if number == 3:
            piece = piece[piece["received_at"] // HOUR_US != piece["received_at"][-1] // HOUR_US - 1]  # nobody listened
        for cut in np.array_split(piece, 1 + number % 3):
            pair.events(cut)
        at = int(piece["received_at"][-1])
        if number == 3:
            pair.inventory(InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + 2]), []), at)
        if number == 4:
            pair.policy("2h", at)
            pair.inventory(lines_of(range(2, 3)), at)
    assert pair.told > 20, "it has something to say"


def test_a_quiet_fleet_rests() -> None:
    """Else months of ticks would take minutes."""
    pair = Pair()
    pair.policy("3h", BEGINS)
    pair.inventory(lines_of(range(MEMBERS)), BEGINS)
    pair.events(traffic(np.random.default_rng(3), range(2), set()))
    ticks = ev.empty(1200)
    ticks["kind"] = ev.TICK
    ticks["received_at"] = ticks["happened_at"] = BEGINS + 4 * HOUR_US + np.arange(1200) * 1_000_000
    pair.events(ticks)
    state, now_s = pair.folds[0][1].state, int(ticks["received_at"][-1]) // 1_000_000
    resting = state.group_rests[: int(state.watch_meta["groups"][0])] > now_s
    assert np.count_nonzero(resting) >= len(resting) // 2
