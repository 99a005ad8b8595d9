"""It fires once where a model changes as a whole, stays quiet where it does not, and names who and what."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from behaving_story import MEMBERS, Weeks, a_fleet, words_of

from simward.engine import outputs as o
from simward.engine.behaviour.layouts import HIGHER, LOWER, UP
from simward.engine.behaviour.revision import ANY, CohortFinding
from simward.engine.watching.cohort_findings import settle_cohorts


@pytest.fixture(scope="module")
def roll_out() -> Weeks:
    """All devices of one model send four times as much from one day on."""
    return Weeks({(day, member): 4.0 for day in range(3) for member in range(1, MEMBERS, 2)}, more_days=4)


def test_fires_once_for_all_of_a_model(roll_out: Weeks) -> None:
    (found,) = roll_out.began("cohort-shift")
    assert found["class"] == "more" and found["imsi"] is None
    assert found["about"] == "use case meter, model 35000001, eutran" and found["use_case"] == "meter"
    assert {one["channel"] for one in found["channels"]} <= {"up", "down"}
    first = found["channels"][0]
    assert first["value"] > first["usual"]["high"] and first["peers"] is None


def test_its_members_are_not_told_one_by_one(roll_out: Weeks) -> None:
    assert len(roll_out.began("unusual-behaviour")) <= 1


def test_stays_quiet_where_nothing_is_in_common() -> None:
    weeks = Weeks({}, more_days=1)
    assert weeks.began("cohort-shift") == []
    assert [one for one in weeks.told(o.FINDING_ENDED) if one["detector"] == "cohort-shift"] == []


def test_what_swings_from_more_to_less_is_one_finding() -> None:
    """An outage and what was put off because of it."""
    behind = a_fleet(4)
    told = []
    for day, sides in enumerate(((HIGHER,), (LOWER,), ())):
        found = tuple(
            CohortFinding((0, 0, ANY, ANY), UP, side, 0, day, 300, 1.0, 900, 0, 20, "shift") for side in sides
        )
        memory = {"nodes": np.array([(ANY, ANY, ANY, ANY)])}
        arrays = {"peer_centre": np.zeros((1, 7)), "shifts": np.zeros((1, 7)), "peer_spread": np.ones((1, 7))}
        said = SimpleNamespace(findings=found, day=day, memory=memory, arrays=arrays)
        outputs = settle_cohorts(behind.watch, said, 0, 100 + day, 1, 1024)  # type: ignore[arg-type]
        told += [(int(one["kind"]), int(one["class"])) for one in outputs]
    assert told == [(o.FINDING_BEGAN, 1), (o.FINDING_ENDED, 1)]


def test_stands_on_the_boundary_of_the_budget_and_tells_what_is_beyond_as_one() -> None:
    """As a day's fit says that seventy, then eighty, then nobody had to be told together."""
    behind = a_fleet(4)
    told: list[tuple[int, int, int]] = []
    for day, rolled_up in enumerate((70, 80, 0)):
        nothing = SimpleNamespace(findings=(), day=day)
        outputs = settle_cohorts(behind.watch, nothing, rolled_up, 100 + day, 1, 1024)  # type: ignore[arg-type]
        told += [(int(one["kind"]), int(one["now"]), int(one["opened_sequence"])) for one in outputs]
        if day == 0:
            (one,) = words_of(behind, outputs)
            assert (one["class"], one["about"], one["now"]) == ("many", "many of the fleet", 70)
    assert told == [(o.FINDING_BEGAN, 70, 100), (o.FINDING_UPDATED, 80, 100), (o.FINDING_ENDED, 80, 100)]
    assert not behind.watch.state.cohort_findings["opened_sequence"].any()
