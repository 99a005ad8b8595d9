"""What honest fleets do together, in step and at once: no storm, no wave and no failure is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from storming import DAY, HOUR, MINUTE, MODEL, ConnectingFleet, again_and_again
from story import METER
from watched import CELL

from simward.engine import events as e

MEMBERS, OF_CELL, MODELS, GATEWAYS = 600, 30, 4, 4


def where(members: int = MEMBERS) -> dict[int, dict[str, Any]]:
    """Cells of thirty, each with members of several models, at all gateways."""
    return {
        one: {
            "cell": CELL + one // OF_CELL, "gateway": f"pgw{1 + one % GATEWAYS}",
            "device": METER + MODEL * (one // GATEWAYS % MODELS) + one,
        }
        for one in range(members)
    }  # fmt: skip


def of_model(number: int) -> list[int]:
    return [one for one in range(MEMBERS) if one // GATEWAYS % MODELS == number]


def of_cells(*numbers: int) -> list[int]:
    return [one for number in numbers for one in range(number * OF_CELL, (number + 1) * OF_CELL)]


@pytest.fixture
def fleet() -> ConnectingFleet:
    return ConnectingFleet(MEMBERS, at=where())


def test_quiet_about_meters_that_report_at_local_midnight_when_the_clocks_change() -> None:
    """Twelve hundred within seconds each day, in spring an hour earlier and in autumn an hour later; some try twice."""
    members = 1_200
    fleet = ConnectingFleet(members, at=where(members), days=-1)
    for day in range(9):
        shift = {5: -HOUR, 7: HOUR}.get(day, 0.0)
        fleet.jumps(DAY / 2 + shift)
        late = np.random.default_rng(day).permutation(members)[: members // 10]
        again_and_again(fleet, range(members), every=0, times=1, step=15 / members)
        again_and_again(fleet, late.tolist(), every=0, times=1, step=15 / members)
        fleet.passes(MINUTE).passes(5 * MINUTE, every=5).jumps(DAY / 2 - 6 * MINUTE)
    assert fleet.storms == []


@pytest.mark.parametrize("software", [2, 1], ids=["a-new-version", "the-version-stays"])
def test_quiet_about_a_roll_out_that_restarts_a_model_once_over_an_hour(fleet: ConnectingFleet, software: int) -> None:
    who = of_model(1)
    fleet.software = software
    for place, member in enumerate(who):
        fleet.connects(member, place * HOUR / len(who))
        if place % 3 == 0:  # the installer starts twice
            fleet.connects(member, place * HOUR / len(who) + 90)
    assert fleet.passes(HOUR + 5 * MINUTE, every=2).storms == []


def test_quiet_about_a_planned_maintenance_of_two_gateways_after_the_other(fleet: ConnectingFleet) -> None:
    """Each says that it goes down, its sessions move to the others, and come back; that is told as what it is."""
    for number in (1, 2):
        who = list(range(number - 1, MEMBERS, GATEWAYS))
        fleet.waiting.append(fleet.of_gateway(e.ACCOUNTING_OFF, f"pgw{number}", 1))
        again_and_again(fleet, who, every=0, times=1, step=0.2, gateway="pgw4")
        fleet.passes(10 * MINUTE)
        fleet.waiting.append(fleet.of_gateway(e.ACCOUNTING_ON, f"pgw{number}", 1))
        again_and_again(fleet, who, every=0, times=1, step=0.2)
        fleet.passes(10 * MINUTE)
    assert set(fleet.storms) <= {"synchronised-reconnect/after-outage"}


def test_quiet_when_the_power_comes_back_in_eight_cells_at_once(fleet: ConnectingFleet) -> None:
    """Two fifths of the fleet connect within seconds, and more than half of some models; a fifth of them twice."""
    who = of_cells(*range(0, 16, 2))
    again_and_again(fleet, who, every=0, times=1, step=15 / len(who))
    for place, member in enumerate(who[::5]):
        fleet.connects(member, 60 + place * 0.1)
    fleet.passes(10 * MINUTE)
    assert fleet.storms == []


def test_quiet_about_single_devices_that_storm_all_over_the_fleet_and_about_their_groups(
    fleet: ConnectingFleet,
) -> None:
    """One in twenty goes mad: each is told, and none of their groups."""
    who = np.random.default_rng(3).permutation(MEMBERS)[: MEMBERS // 20].tolist()
    again_and_again(fleet, who, every=10, times=15, step=0.3).passes(5 * MINUTE)
    assert fleet.storms == ["signalling-storm/subscription"] * len(who)
