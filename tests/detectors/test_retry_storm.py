"""retry-storm: a subscription asks again and again without success, and does not back off."""

from __future__ import annotations

import pytest
from storming import DAY, HOUR, MINUTE, POLICY, ConnectingFleet

from simward.engine import events as e
from simward.engine import outputs as o

DOUBLING = [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047]
"""Seconds: each pause is twice as long as the one before."""
BY_3GPP = [pause * 770 + tries * 10 for pause in range(8) for tries in range(5)]
"""Seconds: T3411 between five tries, T3402 after them (TS 24.301 10.2)."""


def asks(fleet: ConnectingFleet, seconds: list[int], member: int = 3, **more: object) -> ConnectingFleet:
    """A member asks at these moments and is not let in."""
    for second in seconds:
        fleet.fails(member, second, **more)
    return fleet.passes(seconds[-1] + 2, every=1 if seconds[-1] < 1000 else 5)


def test_fires_within_a_minute_for_tries_without_a_pause_and_ends_when_they_do() -> None:
    fleet = ConnectingFleet(10)
    since = fleet.now
    asks(fleet, list(range(0, 300, 4)))
    assert fleet.storms == ["retry-storm/refused"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert (began["imsi"], began["severity"], began["expected"]) == ("001010000000004", "medium", 30)
    assert fleet.began_after(since) < 60
    assert [one["now"] for one in fleet.told(o.FINDING_UPDATED)] == [22, 44], "again when it has doubled"
    fleet.passes(15 * MINUTE, every=5)
    assert fleet.over == []
    fleet.jumps(HOUR).passes(20)
    assert fleet.over == ["retry-storm/refused"]


def test_fires_for_slow_tries_that_never_pause() -> None:
    assert asks(ConnectingFleet(10), list(range(0, 3600, 60))).storms == ["retry-storm/refused"]


def test_fires_once_where_the_tries_go_on_for_days() -> None:
    fleet = ConnectingFleet(4)
    for _ in range(3):
        asks(fleet, list(range(0, 3600, 30)))
    assert fleet.storms == ["retry-storm/refused"] and fleet.over == []


@pytest.mark.parametrize("seconds", [DOUBLING, BY_3GPP], ids=["doubling", "3GPP"])
def test_quiet_about_a_device_that_backs_off(seconds: list[int]) -> None:
    assert asks(ConnectingFleet(10), seconds).storms == []


def test_quiet_about_two_apns_that_are_refused_at_once() -> None:
    fleet = ConnectingFleet(10)
    for second in range(0, 50, 10):
        fleet.fails(3, second)
        fleet.fails(3, second + 0.1)
    assert fleet.passes(5 * MINUTE).storms == []


def test_quiet_where_sessions_follow() -> None:
    fleet = ConnectingFleet(10)
    for round_of in range(20):  # two tries of three come to nothing, and then it works
        for second in (0, 30):
            fleet.fails(3, round_of * 300 + second)
        fleet.connects(3, round_of * 300 + 60)
    assert fleet.passes(101 * MINUTE, every=5).storms == []


def test_quiet_about_a_gateway_that_sends_no_accounting() -> None:
    """Nothing is known of what came of its requests: twenty an hour are twenty sessions."""
    fleet = ConnectingFleet(10, days=0)
    asks(fleet, list(range(0, 3600, 180)), gateway="pgw9")
    assert fleet.storms == []


def test_quiet_about_each_where_their_group_explains_it() -> None:
    fleet = ConnectingFleet(80)
    for member in range(10):
        for time in range(60):
            fleet.fails(member, member * 0.5 + time * 8)
    assert fleet.passes(9 * MINUTE).storms == ["signalling-storm/cell"]


def test_quiet_about_late_records_of_tries_long_ago() -> None:
    fleet = ConnectingFleet(10)
    for number in range(40):
        fleet.fails(3, 1 + number * 0.5)
        fleet.waiting[-1]["happened_at"] = fleet.now - int(3 * HOUR * 1_000_000) - number
        fleet.waiting[-1]["flags"] = e.FLAG_TIMESTAMP
    assert fleet.passes(2 * MINUTE).storms == []


def test_boundary_eleven_within_two_minutes_are_few_and_twelve_are_not() -> None:
    for count, told in ((11, []), (12, ["retry-storm/refused"])):
        fleet = ConnectingFleet(10)
        fleet.now = fleet.now // 60_000_000 * 60_000_000  # the counting goes by whole minutes
        assert asks(fleet, list(range(1, 1 + 4 * count, 4))).storms == told


def test_boundary_the_owner_says_how_many_an_hour_are_tolerated() -> None:
    for limit, told in ((100, []), (20, ["retry-storm/refused"])):
        fleet = ConnectingFleet(10, policy=POLICY + f"signalling: {{attempts_per_hour: {limit}}}\n")
        assert asks(fleet, list(range(0, 3600, 90))).storms == told, limit


@pytest.mark.parametrize("days", [10, 30, 44, 60, 200])
def test_fires_for_one_that_has_signalled_nothing_for_weeks(days: int) -> None:
    """A device that is always on asks once in months: the minutes in its row come round after 45 days."""
    fleet = ConnectingFleet(10).jumps(days * DAY)
    assert asks(fleet, list(range(0, 300, 4))).storms == ["retry-storm/refused"]


@pytest.mark.parametrize("minutes", [0, 0x7FFF, 0x8000, 0xFFFF])
def test_fires_for_a_new_one_on_whatever_day_it_comes(minutes: int) -> None:
    fleet = ConnectingFleet(3, days=-1)
    fleet.jumps((minutes - fleet.now // 60_000_000) % 0x10000 * MINUTE)
    fleet.connects(0).passes(MINUTE)
    assert asks(fleet, list(range(0, 300, 4)), member=2).storms == ["retry-storm/refused"]
