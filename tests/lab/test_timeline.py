"""The honest week: the same for the same seed, in an order that a network could produce."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from simward.lab import timeline
from simward.lab.fleet import LIFT_ALARM, make_fleet
from simward.lab.geography import HOME_PLMN, PARTNER_PLMN
from simward.lab.timeline import ATTACH, INTERIM, RESTART_AT, RESTART_LASTS, RESTARTED, STOP, VANISH, plan_week

FLEET = make_fleet(11, 300)
WEEK = plan_week(FLEET, 11)


def test_the_same_seed_plans_the_same_week() -> None:
    assert plan_week(make_fleet(11, 300), 11) == WEEK
    assert plan_week(FLEET, 12) != WEEK


def test_everything_that_an_honest_week_has_is_there() -> None:
    assert WEEK.count(ATTACH) > 1000 and WEEK.count(INTERIM) > 1000
    assert WEEK.count(VANISH) > 10
    assert WEEK.handovers > 100
    assert 10 < len(WEEK.updated) < 60
    for twist in (timeline.LOST_ANSWER, timeline.TWICE, timeline.OVERTAKEN):
        assert WEEK.twists(twist) > 0
    assert WEEK.count(timeline.GATEWAY_OFF) == WEEK.count(timeline.GATEWAY_ON) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_session_begins_with_an_attach_and_ends_at_most_once(seed: int) -> None:
    by_subscription = defaultdict(list)
    for step in plan_week(FLEET, seed).steps:
        if step.subscription >= 0:
            by_subscription[step.subscription].append(step)
    assert FLEET.suspended.number not in by_subscription
    for steps in by_subscription.values():
        live = False
        for step in steps:
            if step.act == ATTACH:
                assert not live and step.place is not None
            else:
                assert live
            live = step.act in (ATTACH, INTERIM)


def test_times_rise_and_stay_in_the_week() -> None:
    times = [step.at for step in WEEK.steps]
    assert times == sorted(times)
    assert 0 <= times[0] and times[-1] <= timeline.WEEK


def test_only_permitted_networks_are_visited() -> None:
    assert {step.place.plmn for step in WEEK.steps if step.place is not None} <= {HOME_PLMN, PARTNER_PLMN}
    lifts = {one.number for one in FLEET.by_use_case[LIFT_ALARM]}
    assert {step.place.plmn for step in WEEK.steps if step.place and step.subscription in lifts} == {HOME_PLMN}


def test_nothing_happens_at_a_gateway_while_it_restarts() -> None:
    during = Counter(
        step.act
        for step in WEEK.steps
        if step.gateway == RESTARTED and RESTART_AT < step.at < RESTART_AT + RESTART_LASTS
    )
    assert during == {}


def test_software_rises_only_for_those_said_to_be_updated() -> None:
    versions = defaultdict(list)
    for step in WEEK.steps:
        if step.act == ATTACH:
            versions[step.subscription].append(step.software)
    changed = {number for number, seen in versions.items() if len(set(seen)) > 1}
    assert changed == WEEK.updated
    assert all(seen == sorted(seen) for seen in versions.values())
    assert {number: seen[-1] for number, seen in versions.items()} == WEEK.software_at_end()


def test_a_stop_follows_the_session_that_it_ends() -> None:
    for step in WEEK.steps:
        if step.act == STOP:
            assert step.duration_s > 0 and step.uplink_octets > 0
