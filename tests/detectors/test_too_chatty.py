"""too-chatty: a subscription connects far more often than it should, hour after hour."""

from __future__ import annotations

import numpy as np
from heard import DAY_S, HOUR_S, HeardFleet

from simward.engine import events as e
from simward.engine import outputs as o

NONE = ""


def often(fleet: HeardFleet, times: int, since_h: float = 0.5, until_h: float = 23.5) -> list[np.ndarray]:
    """So many further contacts of one in a day."""
    seconds = np.linspace(since_h * HOUR_S, until_h * HOUR_S, times)
    return [one for second in seconds for one in fleet.contact(3, float(second), lasts_s=20)]


def test_fires_when_a_meter_connects_every_half_hour_and_ends_when_it_stops() -> None:
    fleet = HeardFleet(6).lives(4)
    fleet.lives(3, extra=lambda _: often(fleet, 47))
    assert fleet.began == ["too-chatty/cadence"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert (told["now"], told["expected"], told["severity"]) == (19, 18, "low")
    assert [one["now"] for one in fleet.told(o.FINDING_UPDATED)] == [38]
    assert fleet.ended == []
    fleet.lives(2)
    assert fleet.began == ["too-chatty/cadence"] and fleet.ended == ["too-chatty/cadence"]


def test_fires_by_its_own_habit_where_nothing_is_declared() -> None:
    fleet = HeardFleet(6, NONE).lives(30)
    assert fleet.began == []
    fleet.lives(1, extra=lambda _: often(fleet, 60))
    assert fleet.names("too-chatty") == ["too-chatty/habit"]
    assert next(one for one in fleet.told(o.FINDING_BEGAN) if one["detector"] == "too-chatty")["was"] <= 5


def test_fires_within_half_a_day_when_it_connects_every_quarter_of_an_hour() -> None:
    fleet = HeardFleet(6).lives(4)
    fleet.lives(1, extra=lambda _: often(fleet, 90))
    assert fleet.told(o.FINDING_BEGAN)[0]["at"][:13] <= "2026-01-09T06"


def test_stays_quiet_about_a_burst_of_a_few_hours() -> None:
    fleet = HeardFleet(6).lives(4)
    assert fleet.lives(2, extra=lambda _: often(fleet, 100, 8.1, 11.9)).names("too-chatty") == []


def test_stays_quiet_about_requests_that_come_to_nothing() -> None:
    """Refused, or lost: that is a storm, if it is many."""
    fleet = HeardFleet(6).lives(4)
    requests = [fleet.event(e.ACCESS_REQUEST, 3, second) for second in range(600, DAY_S, 600)]
    assert fleet.lives(1, extra=lambda _: requests).names("too-chatty") == []


def test_stays_quiet_when_its_gateway_restarts_all_day() -> None:
    """Each time all of its sessions begin anew, without anybody's asking for it."""

    def restarts(_: int) -> list[np.ndarray]:
        told = []
        for second in range(1_000, DAY_S - 1_000, 2_000):
            told.append(fleet.of_gateway(e.ACCOUNTING_ON, second=second))
            told += [one for member in range(6) for one in fleet.contact(member, second + 60 + member, lasts_s=600)]
        return told

    fleet = HeardFleet(6).lives(4)
    assert fleet.lives(1, extra=restarts).names("too-chatty") == []


def test_stays_quiet_when_days_of_records_come_at_once() -> None:
    fleet = HeardFleet(6, "cadence: {every: 8h}").lives(4)
    told = [fleet.contact(3, hour * HOUR_S - back * DAY_S) for back in range(1, 6) for hour in (1, 9, 17)]
    late = [one for contact in told for one in contact]
    for one in late:
        one["received_at"] = fleet.now + 5 * HOUR_S * 1_000_000 + int(one["request"][0])
        one["flags"] = e.FLAG_TIMESTAMP
    assert fleet.lives(1, extra=lambda _: late).names("too-chatty") == []


def test_stays_quiet_about_many_records_of_one_session() -> None:
    fleet = HeardFleet(6).lives(4)
    interims = [fleet.event(e.ACCOUNTING_INTERIM, 3, second, session="long") for second in range(600, DAY_S, 300)]
    assert fleet.lives(1, extra=lambda _: interims).names("too-chatty") == []


def test_boundary_eighteen_sessions_a_day_for_one_a_day_and_six_hours() -> None:
    fleet = HeardFleet(6).lives(4)
    assert fleet.lives(1, extra=lambda _: often(fleet, 17, 10)).began == []
    fleet = HeardFleet(6).lives(4)
    assert fleet.lives(1, extra=lambda _: often(fleet, 20, 10)).began == ["too-chatty/cadence"]


def some(fleet: HeardFleet, rng: np.random.Generator, most: int) -> list[np.ndarray]:
    """A shop's payment terminal: so many sessions at most, in opening hours."""
    return often(fleet, int(rng.integers(most // 2, most + 1)), 9, 19)


def test_stays_quiet_about_the_best_day_of_a_shop_and_fires_beyond_it() -> None:
    """It is said to be heard of once a day at least, and is so a dozen times; once twenty."""
    fleet, rng = HeardFleet(6), np.random.default_rng(3)
    fleet.lives(28, extra=lambda _: some(fleet, rng, 12))
    fleet.lives(1, extra=lambda _: often(fleet, 20, 9, 19))
    assert fleet.began == []
    fleet.lives(2, extra=lambda _: often(fleet, 60)).lives(1, extra=lambda _: often(fleet, 25))
    assert fleet.names("too-chatty") == ["too-chatty/cadence"]
    assert fleet.ended == [], "what it did then became its habit"
    assert fleet.lives(2).ended == ["too-chatty/cadence"]
