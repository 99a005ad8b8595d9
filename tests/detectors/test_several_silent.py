"""Several groups that fall silent at once, each for a cause of its own: each is told, and none that is only where."""

from __future__ import annotations

from typing import Any

import pytest
from heard import HeardFleet
from story import HOME, METER
from watched import CELL, INTERVAL_S, WatchedFleet

from simward.engine import outputs as o

MEMBERS, OF_CELL, MODELS, GATEWAYS = 240, 12, 4, 4
STEP = 91
"""Members report in an order that has nothing to do with what they have in common."""


def where(members: int = MEMBERS, of_cell: int = OF_CELL, **of_all: Any) -> dict[int, dict[str, Any]]:
    """Cells of a dozen, each with members of several models, at all gateways."""
    places = {}
    for member in range(members):
        one = member * STEP % members
        places[member] = {
            "cell": CELL + one // of_cell, "gateway": f"pgw{one % GATEWAYS}",
            "device": METER + 1_000_000 * (one // GATEWAYS % MODELS) + member, **of_all,
        }  # fmt: skip
    return places


PLACES = where()


def in_cells(*cells: int, places: dict[int, dict[str, Any]] = PLACES) -> set[int]:
    return {member for member, place in places.items() if place["cell"] - CELL in cells}


def of_models(*models: int) -> set[int]:
    return {member for member, place in PLACES.items() if place["device"] // 1_000_000 - METER // 1_000_000 in models}


def at_gateways(*gateways: int) -> set[int]:
    return {member for member, place in PLACES.items() if int(place["gateway"][3:]) in gateways}


def falls_silent(silent: set[int]) -> WatchedFleet:
    """For an hour and a quarter, and comes back."""
    fleet = WatchedFleet(MEMBERS, at=PLACES).all_start()
    return fleet.lasts(5 * INTERVAL_S, silent=silent).lasts(2 * INTERVAL_S)


@pytest.mark.parametrize(
    ("silent", "told"),
    [
        (in_cells(*range(0, 16, 2)), {"cell": 8}),
        (of_models(0, 1), {"model": 2}),
        (in_cells(3) | of_models(0), {"cell": 1, "model": 1}),
        (at_gateways(1, 2), {"gateway": 2}),
        (at_gateways(1) | in_cells(3), {"gateway": 1, "cell": 1}),
        (at_gateways(1) | of_models(0), {"gateway": 1, "model": 1}),
        (in_cells(*range(20)), {"network": 1}),
    ],
    ids=["8-cells", "2-models", "cell-model", "2-gateways", "gateway-cell", "gateway-model", "everything"],
)
def test_fires_for_each_of_those_that_fall_silent_at_once_and_ends_with_each(
    silent: set[int], told: dict[str, int]
) -> None:
    fleet = falls_silent(silent)
    found = [one.partition("/")[2] for one in fleet.began if one.startswith("cell-silent")]
    assert {one: found.count(one) for one in found} == told
    named = {one["about"] for one in fleet.told(o.FINDING_BEGAN) if one["detector"] == "cell-silent"}
    assert len(named) == len(found)
    assert sorted(fleet.ended) == sorted(fleet.began)


def test_stays_quiet_about_a_gateway_while_the_cells_come_back_one_after_the_other() -> None:
    """Twelve of twenty cells: half of those that are silent still are, of a gateway, when six are back."""
    places = {
        one: {
            "cell": CELL + one // OF_CELL, "gateway": f"pgw{one % GATEWAYS}",
            "device": METER + 1_000_000 * (one // GATEWAYS % MODELS) + one,
        }
        for one in range(MEMBERS)
    }  # fmt: skip
    fleet = WatchedFleet(MEMBERS, at=places).all_start()
    fleet.lasts(5 * INTERVAL_S, silent=range(144)).lasts(INTERVAL_S)
    assert {one for one in fleet.began if one.startswith("cell-silent")} == {"cell-silent/cell"}


OF_DAY = where(120, 6)


@pytest.mark.parametrize(
    ("silent", "told"),
    [
        (in_cells(*range(0, 16, 2), places=OF_DAY), ["cell"] * 8),
        ({one for one in OF_DAY if OF_DAY[one]["device"] // 1_000_000 % 4 in (0, 1)}, ["model"] * 2),
        (set(OF_DAY), ["network"]),
    ],
    ids=["8-cells", "2-models", "everything"],
)
def test_fires_for_each_by_the_cadence_of_those_who_connect_daily(silent: set[int], told: list[str]) -> None:
    fleet = HeardFleet(120, at={one: {**place, "plmn": HOME} for one, place in OF_DAY.items()})
    fleet.lives(4).lives(4, silent=silent)
    assert [one.partition("/")[2] for one in fleet.names("cell-silent")] == told
    assert fleet.names("silent") == []
