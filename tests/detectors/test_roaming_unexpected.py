"""roaming-unexpected: a subscription is where it never was, and hardly any of its like."""

from __future__ import annotations

import numpy as np
import pytest
from heard import HOUR_S, HeardFleet
from watched import HOME

from simward.engine import outputs as o
from simward.engine.watching.cadence import visit_bits

ABROAD, OTHER_ABROAD, NEIGHBOUR = 199901, 199902, 100102
"""Another country, another network of it, and another network at home: prefix-1 decimal."""
FIXED = "mobility: fixed"


def seen_in(fleet: HeardFleet, *networks: int, member: int = 3, hour: float = 12.0) -> list[np.ndarray]:
    """Further contacts of one in a day, each an hour after the one before."""
    return [one for number, plmn in enumerate(networks)
            for one in fleet.contact(member, (hour + number) * HOUR_S, lasts_s=30, plmn=plmn, cell=0)]  # fmt: skip


def test_fires_at_once_abroad_and_ends_a_day_after_it_is_home() -> None:
    fleet = HeardFleet(10, FIXED).lives(9)
    assert fleet.began == []
    fleet.lives(1, extra=lambda _: seen_in(fleet, ABROAD, OTHER_ABROAD))
    assert fleet.began == ["roaming-unexpected/country"]
    told = fleet.told(o.FINDING_BEGAN)[0]
    assert (told["was"], told["now"], told["severity"]) == ("00101", "99901", "medium")
    assert told["at"][:16] == "2026-01-14T12:00", "with the request"
    fleet.lives(3, silent=[3])
    assert fleet.ended == [], "nobody knows that it is back"
    assert fleet.lives(2).ended == ["roaming-unexpected/country"]
    assert fleet.began == ["roaming-unexpected/country"]


def test_fires_for_another_network_where_it_still_is_on_the_next_day() -> None:
    fleet = HeardFleet(10, FIXED).lives(9)
    fleet.places[3] = {"plmn": NEIGHBOUR}
    assert fleet.lives(1).began == []
    assert fleet.lives(1).began == ["roaming-unexpected/network"]
    assert fleet.told(o.FINDING_BEGAN)[0]["severity"] == "low"
    fleet.lives(4)
    fleet.places.clear()
    assert fleet.lives(3).ended == ["roaming-unexpected/network"]


def test_fires_for_each_of_two_that_were_stolen() -> None:
    fleet = HeardFleet(10, FIXED).lives(9)
    fleet.lives(1, extra=lambda _: seen_in(fleet, ABROAD) + seen_in(fleet, ABROAD, member=4))
    assert fleet.began == ["roaming-unexpected/country"] * 2


@pytest.mark.parametrize("other", [ABROAD, NEIGHBOUR])
def test_stays_quiet_when_the_operator_steers_the_fleet(other: int) -> None:
    """All of them, within a day: at most the first few devices of a model across a border are told, and no more."""
    fleet = HeardFleet(40, FIXED).lives(9)
    fleet.places.update({one: {"plmn": other} for one in range(40)})
    assert len(fleet.lives(4).began) <= (5 if other == ABROAD else 0)


def test_stays_quiet_when_it_flaps_between_two_networks_of_two_countries() -> None:
    """Told once, at the most, whatever comes after."""
    fleet = HeardFleet(10, FIXED).lives(9)
    fleet.lives(60, extra=lambda day: seen_in(fleet, ABROAD, HOME, ABROAD) if day % 3 == 0 else [])
    assert fleet.began == ["roaming-unexpected/country"]
    fleet = HeardFleet(10, FIXED).lives(9)
    fleet.lives(60, extra=lambda day: seen_in(fleet, NEIGHBOUR, HOME, NEIGHBOUR, HOME) if day % 3 == 0 else [])
    assert fleet.began == []


def test_stays_quiet_about_networks_that_are_listed_and_those_who_go_anywhere() -> None:
    for said in ("networks: {plmn: ['00101', '99901']}", "mobility: free"):
        fleet = HeardFleet(10, said).lives(9)
        assert fleet.lives(2, extra=lambda _, fleet=fleet: seen_in(fleet, ABROAD)).began == []


def test_stays_quiet_in_its_first_week() -> None:
    fleet = HeardFleet(10, FIXED).lives(3)
    assert fleet.lives(3, extra=lambda _: seen_in(fleet, ABROAD)).began == []


def test_stays_quiet_where_a_network_is_not_reported() -> None:
    fleet = HeardFleet(10, FIXED).lives(9)
    assert fleet.lives(2, extra=lambda _: seen_in(fleet, 0)).began == []


def test_boundary_five_of_its_peers_are_few_and_six_are_not() -> None:
    fleet = HeardFleet(10, FIXED).lives(9)
    for member in range(7):
        fleet.lives(1, extra=lambda _, member=member: seen_in(fleet, ABROAD, member=member))
    assert fleet.began == ["roaming-unexpected/country"] * 5


def test_boundary_hardly_any_new_network_is_taken_for_a_known_one() -> None:
    """Two bits of 63 stand for each: of a device that knows one network of one country, one in some two hundred."""
    known = visit_bits(HOME) | visit_bits(1)
    taken = sum((known & int(visit_bits(plmn))) == int(visit_bits(plmn)) for plmn in range(120_000, 180_000))
    assert taken / 60_000 < 0.01
