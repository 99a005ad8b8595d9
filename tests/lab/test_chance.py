"""From when on something is no chance, and from when on the lab's storms can be known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simward.engine import events as ev
from simward.lab.traffic import attacks
from simward.lab.traffic.calls import CALL
from simward.lab.traffic.chance import at_least, beyond_chance_at
from simward.lab.traffic.day import Day
from simward.lab.traffic.expanding import Expansion, Losses, Texts
from simward.lab.traffic.habits import nobody
from simward.lab.traffic.happening import Act
from simward.lab.traffic.kinds import APNS, METER, TERMINAL
from simward.lab.traffic.members import BEGINS_AT, DAY_US, GATEWAYS, SECOND_US, Members, make_members

MINUTE_US = 60 * SECOND_US
TEXTS = Texts(np.arange(1, len(APNS) + 1, dtype=np.int32), np.arange(50, 50 + len(GATEWAYS), dtype=np.int32), 60)


@pytest.mark.parametrize(("count", "mean"), [(1, 0.2), (2, 1.0), (5, 0.5), (12, 3.0)])
def test_the_tail_is_poissons(count: int, mean: float) -> None:
    less = sum(math.exp(-mean) * mean**one / math.factorial(one) for one in range(count))
    assert at_least(count, mean) == pytest.approx(1 - less, rel=1e-6)


def test_what_is_usual_or_fewer_is_chance_and_anything_where_nothing_is_usual_is_not() -> None:
    assert at_least(3, 3.0) == at_least(1, 5.0) == 1.0
    assert at_least(1, 0.0) == 0.0


def test_a_few_that_are_rare_are_no_chance_and_what_comes_at_its_usual_rate_always_is() -> None:
    usual = 1 / (600.0 * SECOND_US)
    at = BEGINS_AT + np.arange(1, 100) * SECOND_US
    assert beyond_chance_at(at, BEGINS_AT, usual) == BEGINS_AT + 4 * SECOND_US
    assert beyond_chance_at(BEGINS_AT + np.arange(1, 100) * 600 * SECOND_US, BEGINS_AT, usual) == 0


def one_day(members: Members, number: int = 0) -> Day:
    """A day on which nothing happens by itself."""
    return Day(members, number, BEGINS_AT + number * DAY_US, nobody(), np.zeros(0, CALL))


@pytest.mark.parametrize("strength", [2.0, 10.0, 100.0])
def test_a_cells_storm_can_be_known_once_its_devices_come_for_a_third_time(strength: float) -> None:
    members = make_members(3, 2_000)
    who = np.concatenate([members.by_kind[METER][:20], members.by_kind[TERMINAL][:20]])
    begins_at = BEGINS_AT + 10 * 60 * MINUTE_US
    storm = attacks.happening("signalling-storm-of-a-cell")
    act = Act(storm, members, who, begins_at, begins_at + 120 * MINUTE_US, strength, "", np.random.default_rng(1))
    day = one_day(members)
    storm.alter(act, day)
    begins = np.sort(day.all_sessions()["begins_at"])
    assert begins[2 * len(who)] < act.shown_at < begins[3 * len(who)]
    assert act.began_at == begins[0]


def test_a_retry_storm_goes_on_over_midnight() -> None:
    members = make_members(3, 200)
    begins_at = BEGINS_AT + DAY_US - 5 * MINUTE_US
    storm = attacks.happening("retry-storm")
    lasts_us = int(storm.lasts("fast") * DAY_US)
    act = Act(storm, members, np.array([3]), begins_at, begins_at + lasts_us, 4.0, "fast", np.random.default_rng(1))
    first, second = one_day(members), one_day(members, 1)
    for day in (first, second):
        storm.alter(act, day)
    assert len(second.all_sessions()) == 0
    made = Expansion.of(first.all_sessions(), ev.empty(0), BEGINS_AT, 1, 1, Losses(), 3600)
    later = made.left(members.rows, TEXTS, BEGINS_AT + DAY_US)
    asked = later[later["kind"] == ev.ACCESS_REQUEST]["received_at"]
    assert int(asked.max()) >= act.ends_at - 30 * SECOND_US and int(asked.min()) < BEGINS_AT + DAY_US + MINUTE_US
