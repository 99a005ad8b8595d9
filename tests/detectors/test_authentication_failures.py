"""authentication-failures: many show wrong credentials for one reason, or one goes on showing them."""

from __future__ import annotations

from typing import Any

from storming import MINUTE, ConnectingFleet, of_model
from story import METER

from simward.engine import outputs as o
from simward.engine.events import CREDENTIALS_MISSING, CREDENTIALS_RIGHT, CREDENTIALS_WRONG


def wrong(fleet: ConnectingFleet, members: list[int], times: int = 2, said: int = CREDENTIALS_WRONG) -> ConnectingFleet:
    """Each of the members tries so often with wrong credentials, over some minutes."""
    for place, member in enumerate(members):
        for time in range(times):
            fleet.fails(member, place * 3.0 + time * 25, said)
    return fleet.passes(len(members) * 3 + times * 25 + 60)


def test_fires_once_for_the_model_whose_devices_have_a_wrong_password_and_ends_with_it() -> None:
    fleet = wrong(ConnectingFleet(120), of_model(120, 1)[:24])
    assert fleet.storms == ["authentication-failures/model"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert began["about"] == f"model {METER // 1_000_000 + 1}" and began["severity"] == "high"
    assert (began["was"], began["expected"]) == (60, 10)
    assert fleet.over == []
    fleet.passes(12 * MINUTE)
    assert fleet.over == ["authentication-failures/model"] and fleet.told(o.FINDING_ENDED)[0]["now"] == 24


def test_fires_for_a_gateway_that_takes_the_passwords_away() -> None:
    fleet = wrong(ConnectingFleet(120), list(range(0, 120, 2)), 1, CREDENTIALS_MISSING)
    assert fleet.storms == ["authentication-failures/gateway"]
    assert fleet.told(o.FINDING_BEGAN)[0]["gateway"] == "pgw1"


def test_fires_for_one_that_goes_on_and_ends_when_it_stops() -> None:
    fleet = wrong(ConnectingFleet(20), [3], 12)
    assert "authentication-failures/subscription" in fleet.storms
    began = next(one for one in fleet.told(o.FINDING_BEGAN) if one["detector"] == "authentication-failures")
    assert (began["imsi"], began["scope"], began["expected"]) == ("001010000000004", "subscription", 10)
    fleet.passes(50 * MINUTE, every=10)
    assert "authentication-failures/subscription" in fleet.over


def test_quiet_when_right_ones_follow_and_about_failures_of_some() -> None:
    fleet = ConnectingFleet(120)
    for member in range(60):  # a mistake that the next try corrects
        fleet.fails(member, member * 5.0, CREDENTIALS_WRONG).connects(member, member * 5.0 + 20)
        next(one for one in reversed(fleet.waiting) if one["kind"][0] == 1)["credentials"] = CREDENTIALS_RIGHT
    assert fleet.passes(8 * MINUTE).storms == []
    assert wrong(ConnectingFleet(120), list(range(0, 120, 15))).storms == []


def test_quiet_where_as_many_fail_as_usual() -> None:
    """A fleet of which a tenth was never configured: that is found by the gate, one by one, and is no news."""
    fleet = ConnectingFleet(200, days=0)
    some = list(range(0, 200, 10))
    for _ in range(3):
        wrong(fleet, some, 1).jumps(23 * 3600)
    began = len(fleet.storms)
    assert began <= 3
    for _ in range(3):
        wrong(fleet, some, 1).jumps(23 * 3600)
    assert len(fleet.storms) == began


def test_boundary_nine_at_once_are_told_one_by_one_and_ten_together() -> None:
    for count, told in ((9, []), (10, ["authentication-failures/model"])):
        members: list[Any] = of_model(120, 1)[::2][:count]
        assert wrong(ConnectingFleet(120), members, 1).storms == told, count


def test_boundary_ten_in_an_hour_are_a_mistake_and_eleven_a_guess() -> None:
    for count in (10, 11):
        fleet = ConnectingFleet(10)
        fleet.now = fleet.now // 60_000_000 * 60_000_000  # the counting goes by whole minutes
        for time in range(count):
            fleet.fails(3, 1 + time * 5.0, CREDENTIALS_WRONG)
        found = [one for one in fleet.passes(4 * MINUTE).storms if one.startswith("authentication")]
        assert bool(found) == (count == 11), count
