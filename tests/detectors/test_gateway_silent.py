"""gateway-silent: a gateway that used to report has stopped."""

from __future__ import annotations

import numpy as np
from watched import INTERVAL_S, WatchedFleet

from simward.engine import events as e
from simward.engine import outputs as o

STOPPED = ["gateway-silent/stopped"]


def test_fires_when_a_busy_gateway_stops_and_ends_when_it_is_heard() -> None:
    fleet = WatchedFleet(90).all_start()  # one report each ten seconds
    assert fleet.began == []
    fleet.lasts(300, silent=range(90))
    assert fleet.began == STOPPED
    found = fleet.told(o.FINDING_BEGAN)[0]
    assert found["gateway"] == "pgw1" and found["was"] < found["expected"]
    assert fleet.ended == []
    fleet.lasts(20)
    assert fleet.ended == STOPPED


def test_stays_quiet_about_a_gateway_that_said_that_it_goes_down() -> None:
    fleet = WatchedFleet(90).all_start()
    assert fleet.lasts(600, silent=range(90), extra=[fleet.of_gateway(e.ACCOUNTING_OFF)]).began == []


def test_stays_quiet_when_nothing_is_owed() -> None:
    fleet = WatchedFleet(90).all_start()
    fleet.happen([fleet.event(e.ACCOUNTING_STOP, one) for one in range(90)])
    assert fleet.lasts(600, silent=range(90)).began == []


def test_stays_quiet_about_a_gateway_whose_sessions_report_all_at_once() -> None:
    fleet = WatchedFleet(40)
    fleet.happen([fleet.event(e.ACCOUNTING_START, one) for one in range(40)])
    for _ in range(12):
        fleet.lasts(INTERVAL_S, silent=range(40))
        fleet.happen([fleet.event(e.ACCOUNTING_INTERIM, one) for one in range(40)])
    assert fleet.began == []
    assert fleet.lasts(3 * INTERVAL_S, silent=range(40)).began == []
    assert fleet.lasts(INTERVAL_S, silent=range(40)).began == STOPPED


def test_stays_quiet_about_a_gateway_that_the_gate_could_not_hear() -> None:
    fleet = WatchedFleet(90).all_start()
    fleet.now += 3_600_000_000
    assert fleet.lasts(120).began == []


def test_fires_though_all_its_sessions_are_silent_before_its_patience_ends() -> None:
    """Fourteen a quarter of an hour: patient for twenty minutes, and for longer where pauses are the habit."""
    fleet = WatchedFleet(6).all_start()
    assert "gateway-silent/stopped" in fleet.lasts(5 * INTERVAL_S, silent=range(6)).began


def test_stays_quiet_about_a_first_pause_that_is_short_beside_the_time_it_is_known() -> None:
    fleet = WatchedFleet(90).all_start().lasts(6 * 3600)
    assert fleet.lasts(800, silent=range(90)).began == [], "a thirtieth of seven and a half hours is 900 s"
    assert fleet.lasts(150, silent=range(90)).began == STOPPED


def test_boundary_twenty_usual_gaps() -> None:
    """One report each ten seconds: patient for two hundred, and the groups are looked at within ten more ticks."""
    fleet = WatchedFleet(90).all_start()
    gap_us = int(np.asarray(fleet.watch.state.groups["gateway_silent"]["gap_us"]).max())
    assert 9_000_000 < gap_us < 11_000_000
    assert fleet.lasts(180, silent=range(90)).began == []
    assert fleet.lasts(60, silent=range(90)).began == STOPPED
