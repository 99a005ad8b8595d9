"""off-schedule: a subscription connects at hours or on days at which it does not."""

from __future__ import annotations

import numpy as np
from heard import DAY_S, HOUR_S, SECOND_US, HeardFleet

from simward.engine import events as e
from simward.engine import outputs as o

NIGHT = [4.2] * 6
"""All meters connect between four and five in the morning."""
DECLARED = "cadence: {every: 24h, hours: [04-05]}"
WORKDAYS = "cadence: {days: [mon-fri], hours: ['08-18']}"


def at_hours(fleet: HeardFleet, *hours: float, member: int = 3) -> list[np.ndarray]:
    """Further contacts of one in a day."""
    return [one for hour in hours for one in fleet.contact(member, hour * HOUR_S, lasts_s=30)]


def learnt(days: int = 57) -> HeardFleet:
    """A fleet without declared hours, known for eight weeks."""
    return HeardFleet(6, "", hours=NIGHT).lives(days)


def test_fires_at_each_hour_that_is_not_declared_and_ends_after_a_week() -> None:
    fleet = HeardFleet(6, DECLARED, hours=NIGHT).lives(3)
    assert fleet.began == []
    fleet.lives(1, extra=lambda _: at_hours(fleet, 13.3))
    assert fleet.began == ["off-schedule/hours"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert (told["now"], told["expected"], told["severity"]) == ("13-14 on thu", "04-05", "low")
    fleet.lives(2, extra=lambda _: at_hours(fleet, 14.3))
    assert fleet.lives(5).ended == []
    assert fleet.lives(3).ended == ["off-schedule/hours"]
    assert fleet.began == ["off-schedule/hours"] and fleet.told(o.FINDING_UPDATED) == []


def test_fires_on_a_day_that_is_not_declared() -> None:
    fleet = HeardFleet(6, WORKDAYS, hours=[10.0] * 6).lives(5)
    fleet.lives(2, silent=range(6), extra=lambda day: at_hours(fleet, 10.0) if day == 1 else [])
    assert fleet.began == ["off-schedule/hours"]
    assert fleet.told(o.FINDING_BEGAN)[0]["now"] == "10-11 on sun"


def test_fires_by_its_own_habit_at_the_fourth_hour_of_a_week() -> None:
    fleet = learnt()
    fleet.lives(1, extra=lambda _: at_hours(fleet, 13.3, 16.3)).lives(1, extra=lambda _: at_hours(fleet, 22.0))
    assert fleet.began == []
    fleet.lives(1, extra=lambda _: at_hours(fleet, 13.3, 13.4, 13.5))
    assert fleet.began == ["off-schedule/habit"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert told["expected"] == "04-05" and told["now"].startswith("13-14 on ")
    assert fleet.lives(9).ended == ["off-schedule/habit"]


def test_stays_quiet_when_the_clocks_change_and_drift() -> None:
    declared, habit = HeardFleet(6, DECLARED, hours=NIGHT).lives(3), learnt()
    for fleet in (declared, habit):
        for hour in (3.2, 5.4):
            fleet.hours = [hour] * 6
            fleet.lives(10)
        assert fleet.began == []
    for week in range(10):  # a quarter of an hour a week
        habit.hours = [5.4 + 0.25 * week] * 6
        habit.lives(7)
    assert habit.began == []


def test_stays_quiet_when_a_clock_is_wrong_or_records_come_late() -> None:
    fleet = HeardFleet(6, DECLARED, hours=NIGHT).lives(3)
    wrong = at_hours(fleet, 4.5)
    for one in wrong:
        one["happened_at"] -= 7 * HOUR_S * SECOND_US
    late = at_hours(fleet, 4.6 - 24)
    for one in late:
        one["received_at"] += 9 * HOUR_S * SECOND_US + DAY_S * SECOND_US
    assert fleet.lives(1, extra=lambda _: wrong + late).began == []


def test_stays_quiet_when_its_gateway_restarted() -> None:
    fleet = HeardFleet(6, DECLARED, hours=NIGHT).lives(3)
    again = [fleet.of_gateway(e.ACCOUNTING_ON, second=12 * HOUR_S), *at_hours(fleet, 12.1)]
    assert fleet.lives(1, extra=lambda _: again).began == []


def test_stays_quiet_about_most_of_a_fleet_that_comes_back_after_an_outage() -> None:
    """The network was away, and nobody said so: forty devices connect at noon, of which the first few are told."""
    fleet = HeardFleet(40, DECLARED, hours=[4.2] * 40).lives(3)
    fleet.lives(1, extra=lambda _: [one for member in range(40) for one in at_hours(fleet, 12.0, member=member)])
    assert fleet.began == ["off-schedule/hours"] * 5


def test_stays_quiet_about_single_odd_hours_of_years() -> None:
    """It could not be heard at its hour, and tried again later: every ninth day."""
    fleet = learnt(30)
    fleet.lives(120, extra=lambda day: at_hours(fleet, 5.0 + day % 17) if day % 9 == 0 else [])
    assert fleet.began == []


def test_stays_quiet_about_devices_without_regular_hours() -> None:
    fleet = HeardFleet(6, "")
    rng = np.random.default_rng(5)
    fleet.lives(90, extra=lambda _: at_hours(fleet, *rng.uniform(0, 23.9, 3)))
    assert fleet.began == []


def test_stays_quiet_about_a_new_subscription() -> None:
    fleet = HeardFleet(6, "", hours=NIGHT).lives(20)
    assert fleet.lives(7, extra=lambda _: at_hours(fleet, 13.3, 20.1)).began == []


def test_boundary_an_hour_beside_is_in_time() -> None:
    fleet = HeardFleet(6, DECLARED, hours=NIGHT).lives(3)
    assert fleet.lives(1, extra=lambda _: at_hours(fleet, 3.01, 5.98)).began == []
    assert fleet.lives(1, extra=lambda _: at_hours(fleet, 6.01)).began == ["off-schedule/hours"]


def test_stays_quiet_about_days_of_the_week_on_which_it_was_not_out_by_chance() -> None:
    """For eight weeks on working days alone, morning and evening; then it is out at weekends as well."""

    fleet = HeardFleet(6, "", hours=NIGHT)
    fleet.lives(57, silent=[3], extra=lambda day: at_hours(fleet, 7.5, 16.7) if day % 7 < 5 else [])
    fleet.lives(21, silent=[3], extra=lambda _: at_hours(fleet, 7.5, 16.7))
    assert fleet.began == []


def test_stays_quiet_about_odd_hours_of_four_weeks_ago() -> None:
    """Three in one week, and one in that of the same number four weeks later."""
    fleet = learnt(58)
    fleet.lives(1, extra=lambda _: at_hours(fleet, 10.3, 13.3, 16.3)).lives(27)
    assert fleet.lives(1, extra=lambda _: at_hours(fleet, 22.0)).began == []


def test_fires_in_the_last_week_of_a_period_too() -> None:
    fleet = learnt(83)
    fleet.lives(1, extra=lambda _: at_hours(fleet, 7.3, 10.3, 13.3, 16.3))
    assert fleet.began == ["off-schedule/habit"]
