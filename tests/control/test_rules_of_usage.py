"""Rules that are triggered by what a subscription uses: the watch finds it, and the rule acts through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.ruled_fleet import IMSI, RuledFleet

from simward.engine import call_records as c
from simward.engine.layouts import CONFINED_BY_RULE
from simward.registry import rules as kept

POLICY = """
use_case: meter
binding: {mode: first-use}
services: {data: SAID}
limits: {quarantine: {per_hour: 3}}
---
rule: heavy
on: TRIGGER
if: finding.severity != "info" && use_case.name == "meter" && !subscription.quarantined
do: [{quarantine: {}}]
mode: MODE
"""
CASES = {"usage": ("2 MB/day", "budget-exceeded/day", 2_000_001), "service": ("none", "service-not-permitted/data", 0)}


HEARD = {"hours": ("unlimited}\ncadence: {hours: [14-15]", "off-schedule/hours")}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    opened: list[RuledFleet] = []

    def make(case: str, mode: str) -> RuledFleet:
        said, trigger = ({**CASES, **RECORDED, **HEARD})[case][:2]
        policy = POLICY.replace("SAID", said).replace("TRIGGER", trigger).replace("MODE", mode)
        opened.append(RuledFleet(tmp_path, policy, 8))
        opened[-1].follow()
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.mark.parametrize("case", CASES)
def test_a_rule_in_dry_run_says_whom_it_would_act_on(fleet: Any, case: str) -> None:
    one = fleet(case, "dry-run")
    one.uses(range(5), CASES[case][2])
    one.settle()
    assert one.states == {kept.DRY_RUN: 5} and one.locked == 0


@pytest.mark.parametrize("case", CASES)
def test_a_live_rule_acts_as_far_as_limits_let_it(fleet: Any, case: str) -> None:
    one = fleet(case, "live")
    one.uses(range(5), CASES[case][2])
    one.settle()
    assert one.states == {kept.DONE: 3, kept.HELD: 2}
    assert one.fold.state.subscriptions["locked"].tolist().count(CONFINED_BY_RULE) == 3


def test_a_rule_of_usage_leaves_those_within_their_budget_alone(fleet: Any) -> None:
    one = fleet("usage", "live")
    one.uses(range(5), 2_000_000)
    one.settle()
    assert one.states == {} and one.locked == 0


RECORDED = {
    "voice": ("unlimited, voice: none", "service-not-permitted/voice", c.VOICE, c.HOME, 1),
    "sms": ("unlimited, sms: none", "service-not-permitted/sms", c.SHORT_MESSAGE, c.HOME, 1),
    "premium": ("unlimited", "service-not-permitted/premium", c.SHORT_MESSAGE, c.PREMIUM, 1),
    "messages": ("unlimited, sms: 2/day", "budget-exceeded/day", c.SHORT_MESSAGE, c.HOME, 3),
    "calls": ("unlimited, voice: 3m/day", "budget-exceeded/day", c.VOICE, c.HOME, 4),
    "fraud": ("unlimited", "toll-fraud/premium", c.VOICE, c.PREMIUM, 2),
}


@pytest.mark.parametrize("case", RECORDED)
def test_a_rule_acts_on_what_call_detail_records_tell(fleet: Any, case: str) -> None:
    _, _, kind, destination, times = RECORDED[case]
    one = fleet(case, "live")
    records = np.zeros(times, c.RECORD)
    records["imsi"], records["kind"], records["destination"] = IMSI + 2, kind, destination
    records["duration_s"], records["happened_at"] = 60, one.now - 3_600_000_000
    if times > 1:
        one.is_told(records[1:])
    one.settle()
    assert one.states == {} and one.locked == 0, "all but one"
    one.is_told(records[:1])
    one.settle()
    assert one.states == {kept.DONE: 1} and one.locked == 1


def test_a_rule_acts_on_a_contact_at_an_hour_that_is_not_declared(fleet: Any) -> None:
    one = fleet("hours", "live")
    one.uses((0, 1, 2, 4, 5, 6, 7), 0)
    one.settle()
    assert one.states == {}, "they came at a quarter past two"
    one.now += 6 * 3_600_000_000
    one.uses([3], 0)
    one.settle()
    assert one.states == {kept.DONE: 1} and one.locked == 1
