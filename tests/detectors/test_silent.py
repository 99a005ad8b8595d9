"""silent: a subscription says nothing against its cadence, and nothing that it shares with others explains it."""

from __future__ import annotations

from heard import DAY_S, HOUR_S, SECOND_US, HeardFleet
from watched import CELL, in_cells

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.watching import cadence_layouts, layouts

NONE = ""
OTHER_CELL = CELL + 500


def test_fires_when_one_is_silent_and_ends_when_it_is_heard() -> None:
    fleet = HeardFleet(10).lives(5)
    assert fleet.began == []
    fleet.cause = 2
    fleet.lives(1)
    fleet.lives(3, silent=[3])
    assert fleet.began == ["silent/cadence"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert told["imsi"].endswith("4") and told["severity"] == "medium" and told["now"] is None
    assert told["was"].startswith("2026-01-10T07:17") and told["expected"].startswith("2026-01-12T08:17")
    assert told["at"][:16] == "2026-01-12T08:17", "within a minute of the 49th hour"
    assert told["last_word"] == {"what": "accounting-stop", "terminate_cause": "lost carrier", "changed": []}
    fleet.lives(3)
    assert fleet.ended == ["silent/cadence"] and fleet.began == ["silent/cadence"]
    assert len(fleet.told(o.FINDING_UPDATED)) == 0


def test_fires_after_twice_the_cadence_where_no_more_is_said() -> None:
    fleet = HeardFleet(10, "cadence: {every: 24h}").lives(5).lives(3, silent=[3])
    assert [one["at"][:16] for one in fleet.told(o.FINDING_BEGAN)] == ["2026-01-11T08:17"]


def test_fires_by_its_own_habit_where_nothing_is_declared() -> None:
    fleet = HeardFleet(10, NONE).lives(16).lives(7, silent=[3])
    assert fleet.began == ["silent/habit"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert told["severity"] == "low" and told["at"][:10] == "2026-01-25", "five times its longest silence, of a day"
    assert fleet.lives(1).ended == ["silent/habit"]


def test_fires_with_what_was_otherwise_before() -> None:
    def moves(day: int) -> list:
        return fleet.contact(3, 20 * HOUR_S, cell=OTHER_CELL, device=35999001 * 1_000_000 + 1)

    fleet = HeardFleet(10).lives(5)
    fleet.lives(1, extra=moves).lives(3, silent=[3])
    assert fleet.told(o.FINDING_BEGAN)[0]["last_word"]["changed"] == ["device", "cell"]


def test_fires_once_for_a_dead_cell_and_its_members_stay_quiet() -> None:
    fleet = HeardFleet(40, at=in_cells(40, 10)).lives(5).lives(4, silent=range(10))
    assert fleet.began == ["cell-silent/cell"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert told["was"] == 10 and told["about"].startswith("cell ")
    fleet.lives(6)
    assert fleet.began == ["cell-silent/cell"] and fleet.ended == ["cell-silent/cell"]


def test_fires_for_the_one_that_stays_away_when_its_cell_is_back() -> None:
    fleet = HeardFleet(40, at=in_cells(40, 10)).lives(5).lives(4, silent=range(10)).lives(6, silent=[3])
    assert fleet.began == ["cell-silent/cell", "silent/cadence"]


def test_fires_once_for_gateway_model_and_software() -> None:
    half = {one: {"gateway": f"pgw{one % 2}", "cell": CELL + one} for one in range(40)}
    fleet = HeardFleet(40, at=half).lives(5).lives(4, silent=range(0, 40, 2))
    assert fleet.names("silent") == [] and fleet.names("cell-silent") == ["cell-silent/gateway"]
    models = {one: {"cell": CELL + one % 6, "device": (35000001 + one % 4) * 1_000_000 + one} for one in range(48)}
    fleet = HeardFleet(48, at=models).lives(5).lives(4, silent=range(0, 48, 4))
    assert fleet.began == ["cell-silent/model"]
    software = {
        one: {"cell": CELL + one % 6, "device": 35000001 * 1_000_000 + one, "software": 7 if one < 8 else 6}
        for one in range(48)
    }  # fmt: skip
    fleet = HeardFleet(48, at=software).lives(5).lives(4, silent=range(8))
    assert fleet.began == ["cell-silent/software"]
    assert fleet.told(o.FINDING_BEGAN)[0]["about"] == "model 35000001 software 07"


def test_fires_when_the_whole_fleet_falls_silent_at_one_gateway_that_is_heard_no_more() -> None:
    fleet = HeardFleet(20).lives(5).lives(5, silent=range(20))
    assert fleet.names("silent") == []
    assert len(fleet.began) == 1, "one cause, whatever they have in common"


def test_stays_quiet_about_one_lost_report() -> None:
    fleet = HeardFleet(10).lives(5)
    for _ in range(4):
        fleet.lives(1, silent=[3]).lives(1)
    assert fleet.began == []


def test_stays_quiet_about_what_was_tested_and_put_on_a_shelf() -> None:
    fleet = HeardFleet(10).lives(2).lives(20, silent=[3, 4])
    assert fleet.began == []


def test_stays_quiet_about_what_was_never_heard() -> None:
    assert HeardFleet(10).lives(10, silent=[3]).began == []


def test_stays_quiet_while_a_work_order_has_it_and_fires_after_that() -> None:
    fleet = HeardFleet(10).lives(5).plans(3, days=10).lives(10, silent=[3])
    assert fleet.began == []
    assert fleet.lives(2, silent=[3]).began == ["silent/cadence"]


def test_stays_quiet_about_what_is_suspended() -> None:
    fleet = HeardFleet(10).lives(5).lives(1, silent=[3])
    fleet.fold.state.subscriptions["lifecycle"][3] = 2
    assert fleet.lives(5, silent=[3]).began == []


def test_stays_quiet_about_time_in_which_the_gate_did_not_run() -> None:
    """Three days; who reported then is heard on the next day. And an hour each day, in which three of them report."""
    fleet = HeardFleet(10).lives(5)
    fleet.now += 3 * DAY_S * SECOND_US
    assert fleet.lives(3).began == []
    fleet = HeardFleet(10).lives(5, deaf=(7 * HOUR_S, 8 * HOUR_S))
    assert fleet.lives(1, silent=[4]).lives(3).began == []


def test_fires_though_the_gate_restarts_each_day() -> None:
    fleet = HeardFleet(10).lives(6, deaf=(43_000, 43_060)).lives(5, silent=[3], deaf=(43_000, 43_060))
    assert fleet.began == ["silent/cadence"]


def test_stays_quiet_when_records_come_late() -> None:
    """A gateway that kept three days' records to itself gives them all at once."""
    places = {**in_cells(20, 20), **{one: {"gateway": "pgw2", "cell": CELL + 90} for one in range(20, 60)}}
    fleet = HeardFleet(60, at=places).lives(5).lives(3, silent=range(20)).lives(3)
    assert fleet.names("silent") == []


def test_stays_quiet_when_stops_are_lost() -> None:
    fleet = HeardFleet(10).lives(4)
    day = [one for member in range(10) for one in fleet.contact(member, fleet.hours[member] * HOUR_S)[:2]]
    fleet.lives(1, silent=range(10), extra=lambda _: day)
    assert fleet.lives(4).began == []


def test_stays_quiet_when_the_gateway_restarts() -> None:
    fleet = HeardFleet(10).lives(4)
    fleet.lives(1, extra=lambda _: [fleet.of_gateway(e.ACCOUNTING_ON, second=13 * HOUR_S)])
    assert fleet.lives(4).names("silent") == []


def test_stays_quiet_by_habit_about_a_day_without_work_and_a_weekend() -> None:
    """A shop: each working day, and then a bank holiday after a weekend."""
    fleet = HeardFleet(10, NONE)
    for _ in range(3):
        fleet.lives(5).lives(2, silent=range(10))
    assert fleet.lives(1, silent=range(10)).lives(4).began == []


def test_stays_quiet_about_clocks_that_are_wrong() -> None:
    fleet = HeardFleet(10).lives(4)
    for days in (-3, 400, 5):
        wrong = [one for member in range(10) for one in fleet.contact(member, fleet.hours[member] * HOUR_S)]
        for one in wrong:
            one["happened_at"] += days * DAY_S * SECOND_US
        fleet.lives(1, silent=range(10), extra=lambda _, wrong=wrong: wrong)
    assert fleet.lives(4).names("silent") == []


def test_boundary_the_third_day_makes_it_known() -> None:
    assert HeardFleet(10).lives(2).lives(4, silent=[3]).began == []
    assert HeardFleet(10).lives(3).lives(4, silent=[3]).began == ["silent/cadence"]


def test_boundary_four_are_chance_and_five_have_a_cause() -> None:
    fleet = HeardFleet(40, at=in_cells(40, 4)).lives(4).lives(4, silent=range(4))
    assert fleet.began == ["silent/cadence"] * 4
    assert HeardFleet(40, at=in_cells(40, 5)).lives(4).lives(4, silent=range(5)).began == ["cell-silent/cell"]


def test_boundary_as_many_octets_as_were_granted() -> None:
    assert cadence_layouts.RHYTHM.itemsize == 24 and layouts.WATCHED.itemsize == 64
