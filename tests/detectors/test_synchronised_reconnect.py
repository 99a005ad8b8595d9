"""synchronised-reconnect: many connect within the same seconds, and what follows an outage is told apart."""

from __future__ import annotations

import pytest
from storming import DAY, HOUR, MINUTE, ConnectingFleet, again_and_again, of_model
from story import METER
from watched import CELL

from simward.engine import events as e
from simward.engine import outputs as o

MEMBERS = 120


def waves(fleet: ConnectingFleet, members: list[int], every: float, times: int, over: float = 10) -> ConnectingFleet:
    """So many waves of all members, each within some seconds, `every` seconds apart."""
    for time in range(times):
        again_and_again(fleet, members, every=0, times=1, step=over / len(members))
        fleet.passes(min(every, 4 * MINUTE))
        if every > 4 * MINUTE and time < times - 1:
            fleet.jumps(every - 4 * MINUTE - 1)
    return fleet


def test_fires_at_the_first_wave_of_a_model_that_never_made_one_and_ends_an_hour_after_the_last() -> None:
    fleet = ConnectingFleet(MEMBERS)
    since = fleet.now
    waves(fleet, of_model(MEMBERS, 1), 360, 4)
    assert fleet.storms == ["synchronised-reconnect/model"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert began["about"] == f"model {METER // 1_000_000 + 1}" and began["severity"] == "medium"
    assert began["was"] == 60 and began["now"] >= 30
    assert fleet.began_after(since) < 60
    fleet.jumps(HOUR / 2).passes(20)
    assert fleet.over == []
    fleet.jumps(HOUR).passes(20)
    assert fleet.over == ["synchronised-reconnect/model"]


def test_fires_once_where_a_whole_model_restarts_each_minute() -> None:
    """It is a storm as well: the waves explain it, and nobody is told of each device."""
    fleet = waves(ConnectingFleet(MEMBERS), of_model(MEMBERS, 1), 60, 30)
    assert fleet.storms == ["synchronised-reconnect/model"]


def test_fires_for_a_cell_at_its_second_wave() -> None:
    cells = {one: {"cell": CELL + one // 30, "device": METER + one} for one in range(MEMBERS)}
    fleet = ConnectingFleet(MEMBERS, at=cells)
    waves(fleet, list(range(30)), 1800, 1)
    assert fleet.storms == []
    fleet.jumps(1800 - 240)
    waves(fleet, list(range(30)), 60, 1)
    assert fleet.storms == ["synchronised-reconnect/cell"]


def test_names_the_gateway_and_blames_nobody_when_all_come_back_after_its_restart() -> None:
    """It fires with a class of its own, once, and ends when they are back."""
    fleet = ConnectingFleet(MEMBERS)
    fleet.waiting.append(fleet.of_gateway(e.ACCOUNTING_ON, "pgw1", 1))
    again_and_again(fleet, range(0, MEMBERS, 2), every=0, times=1, step=0.3)
    fleet.passes(4 * MINUTE)
    assert fleet.storms == ["synchronised-reconnect/after-outage"] == fleet.over
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert (began["gateway"], began["severity"], began["was"]) == ("pgw1", "info", 60)
    assert str(began["about"]).startswith("gateway pgw1")
    assert 50 <= fleet.told(o.FINDING_ENDED)[0]["now"] <= 60


def test_quiet_about_meters_that_report_together_each_midnight_or_hour() -> None:
    for every, times in ((DAY, 6), (HOUR, 100)):
        fleet = ConnectingFleet(60, days=0)
        for _ in range(times):
            waves(fleet, list(range(60)), 60, 1).jumps(every - 61)
        assert fleet.storms == [], every


def test_quiet_about_a_roll_out_that_restarts_all_devices_at_once() -> None:
    fleet = ConnectingFleet(MEMBERS)
    for fleet.software in (7, 8):  # two in one night
        again_and_again(fleet, of_model(MEMBERS, 1), every=0, times=1, step=0.1).passes(5 * MINUTE)
    assert fleet.storms == []


def test_quiet_about_single_waves_of_a_cell_where_the_power_comes_back() -> None:
    fleet = ConnectingFleet(MEMBERS)
    for cell in range(3):
        waves(fleet, list(range(10 * cell, 10 * cell + 10)), 60, 1)
    assert fleet.storms == []


def test_quiet_about_the_first_contact_of_a_fleet_that_is_switched_on() -> None:
    fleet = ConnectingFleet(MEMBERS, days=-1)
    assert waves(fleet, list(range(MEMBERS)), 120, 1).storms == []


@pytest.mark.parametrize("count", [28, 32])
def test_boundary_half_of_a_model_at_once_is_told_at_the_first_wave(count: int) -> None:
    fleet = waves(ConnectingFleet(MEMBERS), of_model(MEMBERS, 1)[:count], 120, 1)
    assert bool(fleet.storms) == (count == 32)
