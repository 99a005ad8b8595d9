"""cell-silent: many fall silent together, and that is one finding for the cause."""

from __future__ import annotations

from watched import CELL, INTERVAL_S, WatchedFleet, in_cells

from simward.engine import events as e
from simward.engine import outputs as o
from simward.identity import cell_text

HOUR = 4 * INTERVAL_S


def about_cells(fleet: WatchedFleet) -> list[str]:
    """What this detector found."""
    return [one for one in fleet.began if one.startswith("cell-silent")]


def test_fires_once_for_a_cell_that_dies_and_ends_when_most_are_back() -> None:
    fleet = WatchedFleet(40, at=in_cells(40, 10)).all_start()
    assert fleet.began == []
    fleet.lasts(HOUR, silent=range(10))
    assert fleet.began == ["cell-silent/cell"]
    began = fleet.told(o.FINDING_BEGAN)[0]
    assert began["about"] == f"cell {cell_text(CELL)} in 00101"
    assert began["was"] == 10 and began["now"] >= 5
    assert fleet.ended == []
    fleet.lasts(HOUR)
    assert fleet.ended == ["cell-silent/cell"]
    assert fleet.told(o.FINDING_ENDED)[0]["now"] == 10, "all ten, when it was over"
    fleet.lasts(4 * HOUR)
    assert fleet.began == ["cell-silent/cell"]


def test_fires_for_the_gateway_and_not_for_its_cells() -> None:
    others = {one: {"gateway": "pgw2", "cell": CELL + 99} for one in range(60, 90)}
    places = {**in_cells(60, 6), **others}
    fleet = WatchedFleet(90, at=places).all_start().lasts(2 * HOUR, silent=range(60))
    assert about_cells(fleet) == ["cell-silent/gateway"]
    assert fleet.told(o.FINDING_BEGAN)[-1]["gateway"] == "pgw1"
    fleet.lasts(2 * HOUR)
    assert "cell-silent/gateway" in fleet.ended
    assert about_cells(fleet) == ["cell-silent/gateway"], "those who come back late are no new cause"


def test_fires_for_a_model_wherever_its_devices_are() -> None:
    places = {one: {"cell": CELL + one % 6, "device": (35000001 + one % 4) * 1_000_000 + one} for one in range(48)}
    fleet = WatchedFleet(48, at=places).all_start().lasts(2 * HOUR, silent=range(0, 48, 4))
    assert fleet.began == ["cell-silent/model"]
    assert fleet.told(o.FINDING_BEGAN)[0]["about"] == "model 35000001"


def test_fires_for_a_network_at_several_gateways() -> None:
    places = {
        one: {"cell": CELL + one % 5, "plmn": 100101 if one < 30 else 100102, "gateway": f"pgw{one % 3}"}
        for one in range(60)
    }
    fleet = WatchedFleet(60, at=places).all_start().lasts(2 * HOUR, silent=range(30))
    assert about_cells(fleet) == ["cell-silent/network"]
    assert fleet.told(o.FINDING_BEGAN)[0]["about"] == "network 00101"


def test_fires_for_each_of_two_cells_and_leaves_the_gateway_alone() -> None:
    fleet = WatchedFleet(80, at=in_cells(80, 10)).all_start().lasts(2 * HOUR, silent=range(20))
    assert fleet.began == ["cell-silent/cell", "cell-silent/cell"]


def test_stays_quiet_when_their_sessions_have_ended() -> None:
    fleet = WatchedFleet(20, at=in_cells(20, 10)).all_start()
    fleet.happen([fleet.event(e.ACCOUNTING_STOP, one) for one in range(10)])
    assert fleet.lasts(2 * HOUR, silent=range(10)).began == []


def test_stays_quiet_when_the_gateway_says_that_it_goes_down() -> None:
    fleet = WatchedFleet(20).all_start()
    fleet.lasts(2 * HOUR, silent=range(20), extra=[fleet.of_gateway(e.ACCOUNTING_OFF)])
    assert fleet.began == []


def test_stays_quiet_about_time_in_which_the_gate_did_not_run() -> None:
    fleet = WatchedFleet(20).all_start()
    fleet.now += 5 * HOUR * 1_000_000
    assert fleet.lasts(2 * INTERVAL_S).began == []


def test_stays_quiet_where_a_gateway_sends_no_interims() -> None:
    fleet = WatchedFleet(20)
    fleet.happen([fleet.event(e.ACCOUNTING_START, member) for member in range(20)])
    assert fleet.lasts(3 * HOUR, silent=range(20)).began == []


def test_stays_quiet_when_they_vanish_one_by_one() -> None:
    fleet = WatchedFleet(20, at=in_cells(20, 10)).all_start()
    for gone in range(1, 10):
        fleet.lasts(2 * HOUR, silent=range(gone))
    assert fleet.began == []


def test_stays_quiet_when_some_stops_are_lost_and_the_others_end_in_good_order() -> None:
    """An evening: of forty cars five park without a Stop that arrives, and the rest with one."""
    fleet = WatchedFleet(40, at=in_cells(40, 40)).all_start()
    fleet.happen([fleet.event(e.ACCOUNTING_STOP, one) for one in range(5, 40)])
    assert about_cells(fleet.lasts(2 * HOUR, silent=range(40))) == []


def test_stays_quiet_about_a_gateway_that_reports_more_rarely_than_it_was_told() -> None:
    """RFC 2869 5.16: its own setting overrides what the gate asks for; the first two reports show it."""
    fleet = WatchedFleet(20)
    fleet.happen([fleet.event(e.ACCOUNTING_START, member) for member in range(20)])
    fleet.lasts(HOUR // 3, silent=range(20))
    for _ in range(3):
        fleet.happen([fleet.event(e.ACCOUNTING_INTERIM, member) for member in range(20)])
        fleet.lasts(HOUR, silent=range(20))
    assert about_cells(fleet) == []
    assert about_cells(fleet.lasts(4 * HOUR, silent=range(20))) == ["cell-silent/gateway"], "it says nothing at all"


def test_stays_quiet_about_a_model_half_of_which_a_silent_gateway_spoke_for() -> None:
    """Its other half is heard through another gateway: the model is not what the silent ones have in common."""
    places = {one: {"gateway": f"pgw{one % 2}", "cell": CELL + one} for one in range(60)}
    fleet = WatchedFleet(60, at=places).all_start().lasts(2 * HOUR, silent=range(0, 60, 2))
    assert about_cells(fleet) == ["cell-silent/gateway"]
    # When it is back, half of those never say that their sessions ended meanwhile.
    fleet.lasts(3 * HOUR, silent=range(0, 60, 4))
    assert about_cells(fleet) == ["cell-silent/gateway"]


def test_boundary_an_absence_is_no_habit_until_it_comes_again() -> None:
    def habit_s(absences: int) -> int:
        fleet = WatchedFleet(20, at=in_cells(20, 10)).all_start()
        for _ in range(absences):
            fleet.lasts(2 * HOUR, silent=[0]).lasts(2 * INTERVAL_S)
        return int(fleet.watch.state.watched["habit_s"][0])

    assert habit_s(1) == INTERVAL_S
    assert habit_s(2) > 4 * INTERVAL_S


def test_boundary_four_are_chance_and_five_are_not() -> None:
    assert not WatchedFleet(40, at=in_cells(40, 4)).all_start().lasts(2 * HOUR, silent=range(4)).began
    five = WatchedFleet(40, at=in_cells(40, 5)).all_start().lasts(2 * HOUR, silent=range(5))
    assert five.began == ["cell-silent/cell"]


def test_boundary_half_of_those_that_were_live() -> None:
    fleet = WatchedFleet(60, at=in_cells(60, 12)).all_start()
    assert fleet.lasts(2 * HOUR, silent=range(5)).began == []
    again = WatchedFleet(60, at=in_cells(60, 12)).all_start()
    assert again.lasts(2 * HOUR, silent=range(6)).began == ["cell-silent/cell"]


def test_boundary_a_cell_that_stays_dead_when_its_gateway_is_back_is_told_then() -> None:
    places = {**in_cells(60, 10), **{one: {"gateway": "pgw2", "cell": CELL + 99} for one in range(60, 90)}}
    fleet = WatchedFleet(90, at=places).all_start().lasts(2 * HOUR, silent=range(60)).lasts(4 * HOUR, silent=range(10))
    assert about_cells(fleet) == ["cell-silent/gateway", "cell-silent/cell"]
