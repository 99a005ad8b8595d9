"""Several groups struck at once by causes of their own: each is told in time, and none that is only where they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from storming import MINUTE, MODEL, ConnectingFleet, again_and_again
from story import METER
from watched import CELL

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.watching import layouts, struck

MEMBERS, OF_CELL, MODELS, GATEWAYS = 240, 12, 4, 4
EVERY = 20.0
KNOWABLE = 2 * EVERY
"""A third time in a row is a sign, and none before."""


def where(members: int = MEMBERS) -> dict[int, dict[str, Any]]:
    """Cells of twelve, each with members of several models, at all gateways."""
    return {
        one: {
            "cell": CELL + one // OF_CELL, "gateway": f"pgw{1 + one % GATEWAYS}",
            "device": METER + MODEL * (one // GATEWAYS % MODELS) + one,
        }
        for one in range(members)
    }  # fmt: skip


@pytest.fixture
def fleet() -> ConnectingFleet:
    return ConnectingFleet(MEMBERS, at=where())


def of_cell(number: int) -> list[int]:
    return list(range(number * OF_CELL, (number + 1) * OF_CELL))


def of_model(number: int) -> list[int]:
    return [one for one in range(MEMBERS) if one // GATEWAYS % MODELS == number]


def of_gateway(number: int) -> list[int]:
    return list(range(number - 1, MEMBERS, GATEWAYS))


def storm(fleet: ConnectingFleet, *groups: Iterable[int], times: int = 9, over: float = 8.4) -> int:
    """Each of the groups storms from now on, its members one after the other; returns when that began."""
    since = fleet.now
    for group in groups:
        who = list(group)
        again_and_again(fleet, who, every=EVERY, times=times, step=over / len(who))
    fleet.passes(times * EVERY)
    return since


def seconds(fleet: ConnectingFleet, since: int) -> list[float]:
    """How long after that each was told."""
    return [(int(one["at"]) - since) / 1e6 for one in fleet.found if int(one["kind"]) == o.FINDING_BEGAN]


def test_fires_for_each_of_eight_cells_within_a_minute_and_for_none_of_the_groups_that_they_are_part_of(
    fleet: ConnectingFleet,
) -> None:
    """Two fifths of the fleet, and more than half of two of its models: these are bystanders."""
    cells = range(0, 16, 2)
    since = storm(fleet, *(of_cell(one) for one in cells))
    assert fleet.storms == ["signalling-storm/cell"] * 8
    assert len({one["about"] for one in fleet.told(o.FINDING_BEGAN)}) == 8
    assert max(seconds(fleet, since)) - KNOWABLE < 60
    fleet.passes(20 * MINUTE, every=5)
    assert fleet.over == ["signalling-storm/cell"] * 8 and len(fleet.storms) == 8


def test_each_ends_on_its_own(fleet: ConnectingFleet) -> None:
    storm(fleet, of_cell(1), of_cell(5))
    for _ in range(20):
        storm(fleet, of_cell(5), times=3)
    assert fleet.storms == ["signalling-storm/cell"] * 2
    assert [one["about"] for one in fleet.told(o.FINDING_ENDED)] == [fleet.told(o.FINDING_BEGAN)[0]["about"]]


def test_fires_for_the_second_although_it_is_struck_when_the_first_was_told_long_ago(fleet: ConnectingFleet) -> None:
    storm(fleet, of_cell(1), times=30)
    since = storm(fleet, of_cell(1), of_cell(3))
    assert fleet.storms == ["signalling-storm/cell"] * 2
    assert seconds(fleet, since)[1] - KNOWABLE < 60


def test_fires_for_each_of_eight_cells_whose_members_show_wrong_credentials(fleet: ConnectingFleet) -> None:
    since = fleet.now
    for cell in range(0, 16, 2):
        for place, member in enumerate(of_cell(cell)):
            fleet.fails(member, place * 0.7, credentials=e.CREDENTIALS_WRONG)
    fleet.passes(MINUTE)
    assert fleet.storms == ["authentication-failures/cell"] * 8
    assert max(seconds(fleet, since)) < 60


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ((of_model(1), of_model(2)), ["model", "model"]),
        ((of_gateway(1), of_gateway(3)), ["gateway", "gateway"]),
        ((of_model(1), of_gateway(2)), ["gateway", "model"]),
    ],
    ids=["two-models", "two-gateways", "a-model-and-a-gateway"],
)
def test_fires_for_each_of_two_wide_groups_that_storm_in_step(
    fleet: ConnectingFleet, groups: tuple[list[int], ...], told: list[str]
) -> None:
    since = storm(fleet, *groups)
    assert sorted(fleet.storms) == [f"synchronised-reconnect/{one}" for one in told]
    assert max(seconds(fleet, since)) < 60


@pytest.mark.parametrize("wide", [of_model(0), of_gateway(2)], ids=["a-model", "a-gateway"])
def test_fires_for_a_cell_besides_a_wide_group_of_which_it_is_no_part(fleet: ConnectingFleet, wide: list[int]) -> None:
    since = storm(fleet, wide, set(of_cell(3)) - set(wide), over=16)
    assert [one.partition("/")[2] for one in fleet.storms][1:] == ["cell"] and len(fleet.storms) == 2
    assert max(seconds(fleet, since)) - KNOWABLE < 60


@pytest.mark.parametrize(("share", "step"), [(25, 0.5), (40, 0.2)])
def test_fires_once_for_what_befalls_a_share_of_all_wherever_they_are(
    fleet: ConnectingFleet, share: int, step: float
) -> None:
    """In many cells and models more than a fifth storm, in none far more than anywhere."""
    some = np.random.default_rng(5).permutation(MEMBERS)[: MEMBERS * share // 100]
    storm(fleet, some.tolist(), over=step * len(some))
    assert fleet.storms == ["signalling-storm/use-case"]


def test_fires_for_a_model_across_its_cells_although_some_of_them_are_struck_first(fleet: ConnectingFleet) -> None:
    some = [one for one in of_model(1) if one % 5 < 2]
    storm(fleet, some, over=15)
    assert fleet.storms == ["signalling-storm/model"]


def test_fires_once_where_most_of_all_are_struck(fleet: ConnectingFleet) -> None:
    storm(fleet, *(of_cell(one) for one in range(16)), over=16)
    assert len(fleet.storms) == 1 and fleet.storms[0].endswith("/use-case")


def test_what_is_told_of_a_wide_group_is_not_taken_apart_while_it_fades(fleet: ConnectingFleet) -> None:
    """Two thirds storm; those of every other cell stop first."""
    storm(fleet, *(of_cell(one) for one in range(13)), over=60)
    assert [one.partition("/")[2] for one in fleet.storms][-1] == "use-case"
    before = list(fleet.storms)
    storm(fleet, *(of_cell(one) for one in range(0, 13, 2)), times=60)
    assert fleet.storms == before


def test_names_each_of_two_gateways_when_their_members_come_back(fleet: ConnectingFleet) -> None:
    since = fleet.now
    for number in (1, 2):
        fleet.waiting.append(fleet.of_gateway(e.ACCOUNTING_ON, f"pgw{number}", 1))
        again_and_again(fleet, of_gateway(number), every=0, times=1, step=0.3)
    fleet.passes(4 * MINUTE)
    assert fleet.storms == ["synchronised-reconnect/after-outage"] * 2 == fleet.over
    assert {one["gateway"] for one in fleet.told(o.FINDING_BEGAN)} == {"pgw1", "pgw2"}
    assert max(seconds(fleet, since)) < 60


def line(fleet: ConnectingFleet, kind: int) -> list[int]:
    """Rows + 1 of the groups of a kind that stand in line."""
    meta, groups = fleet.watch.state.watch_meta[0], fleet.watch.state.groups
    found, number = [], int(meta["struck_first"][kind - 1])
    for _ in range(int(meta["struck_count"][kind - 1])):
        found.append(number)
        number = int(groups["struck_next"][number - 1])
    return found


def test_a_group_stands_in_line_once_and_leaves_it(fleet: ConnectingFleet) -> None:
    storm(fleet, *(of_cell(one) for one in range(0, 16, 2)), times=3)
    assert len(line(fleet, layouts.CELL)) == len(set(line(fleet, layouts.CELL))) == 8
    fleet.passes(30 + struck.STRUCK_S)
    assert not line(fleet, layouts.CELL)
    assert not fleet.watch.state.groups["struck_s"].any() and not fleet.watch.state.groups["struck_next"].any()


def test_a_group_in_line_that_all_have_left_is_given_up_when_it_leaves(fleet: ConnectingFleet) -> None:
    storm(fleet, of_cell(1), times=3)
    (number,) = line(fleet, layouts.CELL)
    for place, member in enumerate(of_cell(1)):
        fleet.connects(member, place * 0.2, cell=CELL + 500)
    fleet.passes(10)
    assert int(fleet.watch.state.groups["members"][number - 1]) == 0
    assert int(fleet.watch.state.groups["kind"][number - 1]) == layouts.CELL
    fleet.passes(struck.STRUCK_S + 60)
    assert int(fleet.watch.state.groups["kind"][number - 1]) == 0
