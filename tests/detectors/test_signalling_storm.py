"""signalling-storm: many connect again and again, and that is one finding for the cause."""

from __future__ import annotations

import numpy as np
import pytest
from storming import DAY, HOUR, MINUTE, POLICY, ConnectingFleet, again_and_again, of_model
from story import METER
from watched import CELL

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.watching import layouts, signal_layouts


def test_fires_once_for_the_model_that_storms_within_a_minute_and_ends_with_it() -> None:
    fleet = ConnectingFleet(80)
    since = fleet.now
    again_and_again(fleet, of_model(80, 1), every=15, times=40, step=0.3).passes(10 * MINUTE)
    assert fleet.storms == ["signalling-storm/model"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert began["about"] == f"model {METER // 1_000_000 + 1}"
    assert (began["was"], began["severity"], began["imsi"]) == (40, "high", None) and began["now"] >= 8
    assert fleet.began_after(since) < 60
    assert fleet.over == []
    fleet.passes(17 * MINUTE, every=5)  # by its habit, who connects again within a quarter of an hour goes on storming
    assert fleet.over == ["signalling-storm/model"]
    assert fleet.told(o.FINDING_ENDED)[0]["now"] == 40
    assert fleet.jumps(HOUR).passes(MINUTE).storms == ["signalling-storm/model"]


def test_fires_for_the_cell_where_all_of_it_storm() -> None:
    fleet = ConnectingFleet(80)
    again_and_again(fleet, range(10), every=20, times=20, step=1).passes(8 * MINUTE)
    assert fleet.storms == ["signalling-storm/cell"]
    assert str(fleet.told(o.FINDING_BEGAN)[0]["about"]).startswith("cell ")


def test_fires_for_the_gateway_through_which_they_storm() -> None:
    fleet = ConnectingFleet(80)
    again_and_again(fleet, range(0, 80, 2), every=20, times=20, step=0.4).passes(8 * MINUTE)
    assert fleet.storms == ["signalling-storm/gateway"]
    assert fleet.told(o.FINDING_BEGAN)[0]["gateway"] == "pgw1"


TWO = POLICY.replace("use_case: meter", "use_case: lamp") + "---" + POLICY


def test_fires_for_the_use_case_that_its_members_have_in_common() -> None:
    """Two models and two gateways of one use case: the use case is what they have in common."""
    fleet = ConnectingFleet(40, policy=TWO)
    again_and_again(fleet, range(40), every=20, times=20, step=0.4).passes(8 * MINUTE)
    assert fleet.storms == ["signalling-storm/use-case"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert (began["about"], began["use_case"], began["tenant"]) == ("use case meter", "meter", "default")
    assert (began["was"], began["scope"]) == (40, "group")


def test_fires_for_one_that_storms_alone_and_tells_again_when_it_has_doubled() -> None:
    fleet = ConnectingFleet(40)
    again_and_again(fleet, [3], every=30, times=200).passes(100 * MINUTE)
    assert fleet.storms == ["signalling-storm/subscription"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert (began["imsi"], began["scope"], began["expected"]) == ("001010000000004", "subscription", 30)
    told = [one["now"] for one in fleet.told(o.FINDING_UPDATED) if one["detector"] == "signalling-storm"]
    assert told == sorted(told) and 1 <= len(told) <= 3
    assert fleet.over == []
    fleet.jumps(HOUR).passes(20)
    assert fleet.over == ["signalling-storm/subscription"]


def test_fires_for_slow_storms_by_the_habit_of_those_who_take_part() -> None:
    """Each eight minutes, where once a day is usual: no more than eight an hour each, and all of a cell."""
    fleet = ConnectingFleet(80)
    again_and_again(fleet, range(10), every=480, times=12, step=20).passes(100 * MINUTE, every=5)
    assert fleet.storms == ["signalling-storm/cell"]


def test_quiet_when_all_come_back_after_the_restart_of_a_gateway_and_some_try_twice() -> None:
    fleet = ConnectingFleet(80)
    for restart in range(4):  # it restarts again and again
        fleet.waiting += [fleet.of_gateway(e.ACCOUNTING_ON, f"pgw{number}") for number in (1, 2)]
        again_and_again(fleet, range(80), every=30, times=1 if restart else 2, step=0.2)
        fleet.passes(90)
    assert [one for one in fleet.passes(5 * MINUTE).storms if "after-outage" not in one] == []


def test_quiet_when_a_roll_out_restarts_all_devices_of_a_model() -> None:
    fleet = ConnectingFleet(80)
    for member in of_model(80, 1):  # restarts to install, then with the new version, and once more to be sure
        fleet.software = 1
        fleet.connects(member, member * 1.0)
        fleet.software = 2
        fleet.connects(member, member * 1.0 + 60).connects(member, member * 1.0 + 120)
    assert fleet.passes(10 * MINUTE).storms == []


def test_quiet_about_devices_that_do_so_every_day() -> None:
    """Terminals that open five sessions in five minutes at noon have always done that."""
    fleet = ConnectingFleet(40, days=0)
    for _ in range(6):
        again_and_again(fleet, range(40), every=60, times=5, step=0.5)
        fleet.passes(24 * MINUTE, every=2).jumps(DAY - 24 * MINUTE)
    assert [one for one in fleet.storms if "/subscription" not in one] == fleet.storms[:1], "the first day at most"
    assert len(fleet.storms) <= 1


def test_quiet_about_a_fleet_that_is_commissioned() -> None:
    """Installers switch devices on, off and on again, one after the other."""
    fleet = ConnectingFleet(60, days=0)
    for member in range(60):
        fleet.connects(member, member * 20.0).connects(member, member * 20.0 + 60)
    assert fleet.passes(30 * MINUTE).storms == []


def test_quiet_about_flapping_at_the_edge_of_coverage_and_about_records_that_come_late() -> None:
    fleet = ConnectingFleet(80)
    for time in range(10):
        for member in (0, 11, 22, 33):
            fleet.connects(member, time * 240.0 + member)
    fleet.passes(45 * MINUTE, every=5)
    assert fleet.storms == []
    late = [
        fleet.event(e.ACCOUNTING_START, member, 1, session=f"late{number}")
        for member in range(40)
        for number in range(20)
    ]
    for number, event in enumerate(late):  # a gateway sends what it has kept for a day
        event["happened_at"] = fleet.now - int((number % 20) * 4_000 * 1_000_000) - 3_600_000_000
        event["flags"] = e.FLAG_TIMESTAMP
    fleet.waiting += late
    assert fleet.passes(3 * MINUTE).storms == []


def test_quiet_about_one_of_a_group_however_much_it_storms_and_about_its_group() -> None:
    fleet = ConnectingFleet(40)
    again_and_again(fleet, [0, 1, 2, 3], every=10, times=60).passes(12 * MINUTE)
    assert fleet.storms == ["signalling-storm/subscription"] * 4


def test_boundary_four_members_are_told_one_by_one_and_five_as_their_cell() -> None:
    for count, told in ((4, {"signalling-storm/subscription"}), (5, {"signalling-storm/cell"})):
        fleet = ConnectingFleet(80)
        again_and_again(fleet, range(count), every=12, times=60).passes(13 * MINUTE)
        assert set(fleet.storms) == told, count


def test_boundary_the_owner_says_how_many_sessions_an_hour_are_tolerated() -> None:
    for limit, told in ((120, []), (40, ["signalling-storm/subscription"])):
        fleet = ConnectingFleet(10, days=0, policy=POLICY + f"signalling: {{sessions_per_hour: {limit}}}\n")
        again_and_again(fleet, [3], every=60, times=90)
        assert fleet.passes(92 * MINUTE, every=2).storms == told, limit


def test_fires_for_one_although_its_group_explained_it_ten_days_before() -> None:
    """The hour of an explanation is kept in one octet, which comes round."""
    fleet = ConnectingFleet(80)
    again_and_again(fleet, of_model(80, 1), every=15, times=40, step=0.3).passes(10 * MINUTE)
    fleet.passes(20 * MINUTE, every=5).jumps(10 * HOUR).jumps(245 * HOUR)
    again_and_again(fleet, of_model(80, 1)[:1], every=30, times=60).passes(31 * MINUTE)
    assert fleet.storms == ["signalling-storm/model", "signalling-storm/subscription"]


def test_fires_for_a_cell_in_which_one_stormed_while_it_was_the_only_one() -> None:
    """One of one is no habit of twenty."""
    fleet = ConnectingFleet(80)
    cell = CELL + 99
    again_and_again(fleet, [0], every=30, times=4, cell=cell).passes(30 * MINUTE, every=5)
    for member in range(1, 20):
        fleet.connects(member, member * 30.0, cell=cell)
    fleet.passes(12 * MINUTE, every=5).jumps(5 * DAY)
    again_and_again(fleet, range(20), every=20, times=8, step=0.5, cell=cell).passes(4 * MINUTE)
    assert fleet.storms == ["signalling-storm/cell"]


@pytest.mark.parametrize(("every", "told"), [(450, ["signalling-storm/cell"]), (1_000, [])])
def test_fires_within_a_minute_of_the_third_time_that_is_at_once_for_what_connects_daily(
    every: float, told: list[str]
) -> None:
    fleet = ConnectingFleet(80)
    again_and_again(fleet, range(10), every=every, times=3, step=2)
    assert fleet.passes(2 * every, every=2).storms == []
    assert fleet.passes(MINUTE).storms == told


def test_whoever_storms_alone_does_not_take_the_place_of_a_group_that_waits_to_be_judged() -> None:
    fleet = ConnectingFleet(80)
    again_and_again(fleet, [70, 75], every=10, times=6).passes(MINUTE)
    meta = fleet.watch.state.watch_meta
    assert not meta["struck_count"].any()
    again_and_again(fleet, range(10), every=20, times=4, step=1).passes(50)
    again_and_again(fleet, [71, 76], every=5.5, times=4).passes(20)
    assert np.ravel(meta["struck_count"])[layouts.CELL - 1] == 1
    assert fleet.storms == ["signalling-storm/cell"]


@pytest.mark.parametrize("again", [2, 3])
def test_boundary_twice_is_no_storm_and_three_times_is(again: int) -> None:
    fleet = ConnectingFleet(80)
    again_and_again(fleet, range(10), every=60, times=again, step=0.5).passes(5 * MINUTE)
    assert fleet.storms == (["signalling-storm/cell"] if again == 3 else [])


def test_boundary_as_many_octets_as_were_granted() -> None:
    fields = layouts.WATCHED.fields or {}
    assert signal_layouts.SIGNALS.itemsize + layouts.WATCHED.itemsize - fields["use_case"][1] == 24
