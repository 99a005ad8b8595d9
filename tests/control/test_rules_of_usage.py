"""Rules that are triggered by what a subscription uses: the watch finds it, and the rule acts through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.ruled_fleet import RuledFleet

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


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    opened: list[RuledFleet] = []

    def make(case: str, mode: str) -> RuledFleet:
        said, trigger, _ = CASES[case]
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
