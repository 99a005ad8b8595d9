"""The instrument: intervals as tables have them, findings held against what happened, a page that needs nothing."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from simward.cli import cli
from simward.engine.behaviour.cohort_numbers import ANY, Cohort, cohort_number
from simward.engine.watching.layouts import USE_CASE
from simward.lab.measuring.instrument import measure
from simward.lab.measuring.intervals import percentile, poisson_interval, wilson_interval
from simward.lab.measuring.judges import FINDING, Heard
from simward.lab.measuring.page import page
from simward.lab.measuring.result import NOT_INSTALLED, Recall, attack_rows, detector_rows, findings_about_groups
from simward.lab.measuring.table import show
from simward.lab.measuring.verdicts import TRIED_BEFORE_US, held_against
from simward.lab.measuring.words import span
from simward.lab.traffic import attacks
from simward.lab.traffic.expanding import Texts
from simward.lab.traffic.happening import Act
from simward.lab.traffic.kinds import APNS, METER
from simward.lab.traffic.members import BEGINS_AT, DAY_US, GATEWAYS, Members, make_members
from simward.lab.traffic.programme import Plan

TEXTS = Texts(np.arange(1, len(APNS) + 1, dtype=np.int32), np.arange(50, 50 + len(GATEWAYS), dtype=np.int32), 60)
PLAN = Plan(
    seed=11, subscriptions=150, days=21, attacks=("sim-moved", "roaming-abroad", "budget-burst", "gradual-drift"),
    times=1, tick_s=60,
)  # fmt: skip


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.3640, 121.6270)],
)
def test_poisson_intervals_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == (pytest.approx(low, abs=2e-3), pytest.approx(high, abs=2e-3))


def test_intervals_of_many_are_those_of_the_normal_distribution() -> None:
    low, high = poisson_interval(1_000_000)
    assert (low, high) == (pytest.approx(998_041, abs=3), pytest.approx(1_001_962, abs=3))


def test_wilson_intervals() -> None:
    assert wilson_interval(49, 50) == (pytest.approx(0.8950, abs=1e-4), pytest.approx(0.9965, abs=1e-4))
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(5, 5)[1] == 1.0


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert percentile([], 0.5) is None


def test_spans_have_the_unit_that_fits() -> None:
    said = [span(one) for one in (0.0, 1.5, 90.0, 7200.0, 200_000.0, None)]
    assert said == ["0 s", "1.5 s", "90 s", "2 h", "2.3 d", "-"]


# Findings held against what happened.

USE_CASES = ["", "meter", "camera"]
NAMES = [("device-change", "other-model"), ("budget-exceeded", "day")]


@pytest.fixture
def members() -> Members:
    return make_members(1, 100)


def an_act(members: Members, name: str = "sim-moved", day: int = 3) -> Act:
    happening = attacks.happening(name)
    at = BEGINS_AT + day * DAY_US
    who = members.by_kind[METER][:1]
    act = Act(happening, members, who, at, at + DAY_US, happening.strengths[0], "", np.random.default_rng(1))
    act.note(at)
    return act


def heard(*findings: tuple[int, int, int]) -> Heard:
    """`findings`: at, IMSI, position in NAMES."""
    rows = np.zeros(len(findings), FINDING)
    for row, (at, imsi, name) in zip(rows, findings, strict=True):
        row["at"], row["imsi"], row["detector"] = at, imsi, name
    names = [pair for pair in NAMES for _ in range(16)]
    return Heard(names, {"device-change": "gate", "budget-exceeded": "watch"}, USE_CASES, rows)


def test_fires_where_an_attack_is_told_of(members: Members) -> None:
    act = an_act(members)
    made = held_against(heard((act.begins_at + 5_000_000, int(act.imsis[0]), 0)), [act], members, TEXTS)
    assert made.counted["device-change"].right == 1
    assert made.said[0].after_s["device-change/other-model"] == 5.0


def test_is_quiet_about_what_is_beside_the_point(members: Members) -> None:
    """A right word about another attack's victim is neither right nor false."""
    act = an_act(members, "retry-storm")
    made = held_against(heard((act.begins_at, int(act.imsis[0]), 0)), [act], members, TEXTS)
    assert (made.counted["device-change"].beside, made.counted["device-change"].false) == (1, 0)
    assert not made.said[0].caught


def test_on_the_boundary_of_an_attack_a_finding_becomes_false(members: Members) -> None:
    act = an_act(members)
    imsi, echo_us = int(act.imsis[0]), int(act.happening.echoes_days * DAY_US)
    before, last, after = act.begins_at - TRIED_BEFORE_US - 1, act.ends_at + echo_us - 1, act.ends_at + echo_us
    made = held_against(heard((before, imsi, 0), (last, imsi, 0), (after, imsi, 0)), [act], members, TEXTS)
    assert (made.counted["device-change"].right, made.counted["device-change"].false) == (1, 2)


def test_what_is_honest_informs_and_does_not_excuse_anything_else(members: Members) -> None:
    act = an_act(members, "wrong-clock")
    made = held_against(heard((act.begins_at, int(act.imsis[0]), 0)), [act], members, TEXTS)
    assert made.counted["device-change"].false == 1


def test_what_several_do_at_once_is_right_whatever_else_befalls_a_group(members: Members) -> None:
    """Five of a use case call premium numbers on their own, while all of another kind have a heat wave."""
    calls, heat = an_act(members, "premium-calls"), an_act(members, "heat-wave")
    what = heard((calls.begins_at, 0, 0))
    what.findings["group_kind"], what.findings["subject"] = USE_CASE, 1
    what.names[:16] = [("toll-fraud-together", "use-case")] * 16
    what.runs["toll-fraud-together"] = "watch"
    made = held_against(what, [heat, calls], members, TEXTS)
    assert (made.counted["toll-fraud-together"].right, made.counted["toll-fraud-together"].false) == (1, 0)
    made = held_against(what, [heat], members, TEXTS)
    assert made.counted["toll-fraud-together"].false == 1


def test_what_is_told_of_a_cohort_is_about_who_is_in_it_and_counted_for_each_happening(members: Members) -> None:
    meters, heat = an_act(members, "firmware-rollout"), an_act(members, "heat-wave")
    model = int(members.rows["imei"][meters.who[0]]) // 10**6
    what = heard(*[(meters.begins_at, 0, 0)] * 4)
    cohorts = (Cohort(0, 1, model, 3), Cohort(0, 1, model + 7, 3), Cohort(0, ANY, ANY, 3), Cohort(0, 2, ANY, 3))
    what.findings["subject"] = [cohort_number(one) for one in cohorts]
    what.names[:16] = [("cohort-shift", "more")] * 16
    what.runs["cohort-shift"] = "watch"
    made = held_against(what, [meters], members, TEXTS)
    assert (made.counted["cohort-shift"].so, made.counted["cohort-shift"].false) == (2, 2)
    told = findings_about_groups(held_against(what, [meters, heat], members, TEXTS).said)
    assert told == {
        "firmware-rollout": {"cohort-shift": [2], "device-change": [0]}, "heat-wave": {"cohort-shift": [2]},
    }  # fmt: skip


def test_what_is_told_of_the_fleet_is_about_what_befalls_most_of_it(members: Members) -> None:
    model, heat = an_act(members, "firmware-gone-wild"), an_act(members, "heat-wave")
    heat.who = members.by_kind[METER]
    what = heard((heat.begins_at, 0, 0))
    what.findings["subject"] = cohort_number(Cohort(0, ANY, ANY, 3))
    what.names[:16] = [("cohort-shift", "more")] * 16
    what.runs["cohort-shift"] = "watch"
    told = findings_about_groups(held_against(what, [model, heat], members, TEXTS).said)
    assert told["firmware-gone-wild"]["cohort-shift"] == [0] and told["heat-wave"]["cohort-shift"] == [1]


def test_a_detector_that_does_not_exist_yet_is_awaited(members: Members) -> None:
    said = held_against(heard(), [an_act(members, "data-surge")], members, TEXTS).said
    (row,) = attack_rows(said, {"device-change": "gate"})
    assert row.awaited == ["unusual-behaviour"] and not row.by_detector, NOT_INSTALLED


def test_a_detector_has_its_rate_with_its_interval(members: Members) -> None:
    what = heard((BEGINS_AT, 1, 0))
    row = next(
        one.told() for one in detector_rows(held_against(what, [], members, TEXTS), what, 2_000_000)
        if one.detector == "device-change"
    )  # fmt: skip
    assert row["false_in_a_million"] == 0.5
    assert (row["false_in_a_million_low"], row["false_in_a_million_high"]) == (
        pytest.approx(0.0127, abs=1e-3), pytest.approx(2.786, abs=1e-3),
    )  # fmt: skip


# The whole of it.


def test_a_small_seed_finds_what_it_should_and_makes_nothing_up() -> None:
    told = measure(PLAN).told()
    rows = {one["attack"]: one for one in told["attacks"]}
    for name in ("sim-moved", "roaming-abroad", "budget-burst"):
        assert rows[name]["anybody"]["recall"] == 1.0
    assert "gradual-drift" in told["skipped"]
    # Statistical findings have a budget, which they may spend.
    rules = [one for one in told["detectors"] if one["detector"] not in ("unusual-behaviour", "cohort-shift")]
    assert not {one["detector"]: one["findings"] for one in rules if one["findings"]["false"]}
    assert told["played"]["subscription_days"] == 150 * 21
    text = page(told)
    assert "device-change" in text and "<svg" in text
    assert not re.search(r"(?:src|href)=|url\(|@import", text.replace('href="#', "")), "the page fetches something"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--strength", "nan"], "nan is no number"),
        (["--budget", "inf"], "inf is no number"),
        (["--honest-only", "--strength", "3"], "--honest-only plays none"),
        (["--honest-only", "--attack", "slow-leak"], "--honest-only plays none"),
        (["--html", "nowhere/score.html"], "there is no folder"),
        (["--attack", "slow-leak", "--subscriptions", "300", "--days", "10"], "nothing to play (slow-leak: it takes"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_played(asked: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["lab", "score", *asked])
    assert result.exit_code == 2 and said in result.output


def test_names_are_not_broken_on_a_narrow_terminal() -> None:
    told: dict[str, Any] = measure(Plan(1, 60, 2, (), tick_s=60)).told()
    console = Console(width=80, file=io.StringIO())
    show(told, console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    for row in told["detectors"]:
        assert any(f" {row['detector']} " in line for line in lines)


def test_where_nothing_was_to_be_found_there_is_no_recall() -> None:
    assert Recall(0, 0).told()["recall"] is None
