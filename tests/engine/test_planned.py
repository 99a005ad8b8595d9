"""Work orders in the fold: what was announced is no finding, and whatever else happens beside it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.story import HOME, METER, OTHER_METER, PHONE, POLICY, Story
from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.layouts import PLANS_EACH
from simward.engine.tables import InventoryDelta

LOCKING = POLICY.replace(
    "binding:", "responses: {device-change: lock}\nrelease_when: bound-device-returns\nbinding:"
)
FIXED = POLICY.replace("binding:", "mobility: {mode: fixed, learn: 1h, confirm: 30m}\nbinding:")
DECLARED = LOCKING.replace("first-use", "declared")
SPARE = 35111111000001


@pytest.fixture
def story() -> Story:
    """Four meters, each bound to the first device that it comes in."""
    return Story()


@pytest.fixture
def moved() -> Story:
    """A SIM that was bound to one meter, is planned into another, and has come up there."""
    return Story(LOCKING).attaches(device=METER).plans(SPARE, order=7).attaches(device=SPARE)


def planned(story: Story) -> list[tuple[int, int, int, int]]:
    """(what, was, now, order) of all that happened as planned."""
    return [tuple(int(one[name]) for name in ("result", "was", "now", "expected")) for one in story.of(o.PLANNED)]


def ended(story: Story) -> list[tuple[str, int]]:
    """(why, order) of the plans that came to nothing."""
    return [(o.ENDED_NAMES[int(one["result"])], int(one["expected"])) for one in story.of(o.PLAN_ENDED)]


def answer(story: Story) -> str:
    """To the last command."""
    return o.ANSWER_NAMES[int(story.of(o.COMMAND_ANSWER)[-1]["result"])]


def test_the_planned_device_is_no_finding_and_becomes_the_bound_one(moved: Story) -> None:
    assert moved.findings == []
    assert moved.allowed
    assert planned(moved) == [(o.PLAN_DEVICE, METER, SPARE, 7)]
    assert (int(moved.row().bound_imei), int(moved.row().generation)) == (SPARE, 2)
    assert [int(one["now"]) // 1000 for one in moved.of(o.BOUND)] == [METER, SPARE]


def test_the_plan_is_used_up(moved: Story) -> None:
    moved.attaches(device=METER)
    assert moved.findings == ["device-change/other-model"]
    assert moved.refused


def test_another_device_in_that_time_is_found_with_the_planned_one_expected() -> None:
    story = Story(LOCKING).attaches(device=METER).plans(SPARE).attaches(device=PHONE)
    assert story.findings == ["device-change/other-model"]
    finding = story.of(o.FINDING_BEGAN)[0]
    assert (finding["was"], finding["now"], finding["expected"]) == (METER, PHONE, SPARE)


def test_the_planned_device_ends_the_lock_that_a_wrong_one_set() -> None:
    story = Story(LOCKING).attaches(device=METER).plans(SPARE).attaches(device=PHONE).attaches(device=SPARE)
    assert story.allowed
    assert [int(one["result"]) for one in story.of(o.RELEASED)] == [o.RELEASE_RETURNED]
    assert story.open == []


def test_a_sim_that_was_in_no_device_yet_does_not_bind_to_a_wrong_one() -> None:
    story = Story().plans(SPARE).attaches(device=PHONE)
    assert story.findings == ["device-change/other-model"]
    assert story.of(o.BOUND) == []
    story.attaches(device=SPARE)
    assert (story.open, int(story.row().bound_imei)) == ([], SPARE)


def test_a_declared_device_is_declared_anew() -> None:
    story = Story(DECLARED, imeis={0: METER}).attaches(device=METER).plans(SPARE).attaches(device=SPARE)
    story.fold.inventory(InventoryDelta(np.zeros(0), np.zeros(0, np.int64), []), story.now)
    assert story.attaches(device=SPARE).allowed
    assert story.findings == []


@pytest.mark.parametrize(("minutes", "found"), [(0, []), (1, ["device-change/other-model"])])
def test_boundary_the_last_moment(minutes: int, found: list[str]) -> None:
    story = Story().attaches(device=METER).plans(SPARE, hours=1)
    story.now = int(story.of(o.COMMAND_ANSWER)[0]["at"]) - 60_000_000 + (59 + minutes) * 60_000_000
    assert story.attaches(device=SPARE).findings == found


def test_boundary_before_its_time(story: Story) -> None:
    story.attaches(device=METER).plans(SPARE, begins=1).attaches(device=SPARE)
    assert story.findings == ["device-change/other-model"]
    assert planned(story) == []


def test_what_else_is_wrong_is_found_and_the_plan_waits_on() -> None:
    policy = POLICY.replace("binding:", "responses: {network-not-permitted: refuse}\nbinding:")
    story = Story(policy).attaches(device=METER).plans(SPARE).attaches(device=SPARE, plmn=199999)
    assert story.findings == ["network-not-permitted/network"] or story.refused
    assert planned(story) == []
    assert int(story.row().bound_imei) == METER
    story.attaches(device=SPARE)
    assert len(planned(story)) == 1


def test_late_records_of_the_old_session_say_nothing_of_the_device() -> None:
    story = Story(LOCKING).attaches(device=METER).starts("old", device=METER, duration_s=0).plans(SPARE)
    story.attaches(device=SPARE).starts("new", device=SPARE)
    story.reports("old", device=METER, duration_s=600).stops("old", device=METER, duration_s=700)
    story.attaches(device=SPARE)
    assert story.findings == []
    assert int(story.row().last_imei) == SPARE


def test_a_new_session_of_the_old_device_is_found() -> None:
    story = Story(LOCKING).attaches(device=METER).plans(SPARE).attaches(device=SPARE)
    story.after(hours=1).starts("again", device=METER, duration_s=0)
    assert story.findings == ["device-change/other-model"]


def test_two_sims_swap_their_devices() -> None:
    story = Story(LOCKING).attaches(device=METER).attaches(device=SPARE, member=1)
    story.starts("a", device=METER).starts("b", device=SPARE, member=1)
    story.plans(SPARE).plans(METER, member=1)
    story.attaches(device=SPARE).starts("c", device=SPARE).reports("b", device=SPARE, member=1, duration_s=900)
    story.stops("a", device=METER).stops("b", device=SPARE, member=1)
    story.attaches(device=METER, member=1).starts("d", device=METER, member=1)
    assert story.findings == []
    assert len(planned(story)) == 2


def test_the_same_plan_again_is_a_duplicate_also_after_it_was_carried_out(moved: Story) -> None:
    first = int(moved.of(o.COMMAND_ANSWER)[0]["at"]) - 60_000_000
    again = {"prefix_high": first, "prefix_low": first + 24 * 3_600_000_000}
    moved.plans(SPARE, order=7, **again)
    assert not moved.kept


def test_a_plan_takes_the_place_of_the_one_before_of_its_order() -> None:
    story = Story().attaches(device=METER).plans(SPARE).plans(OTHER_METER).attaches(device=SPARE)
    assert story.findings == ["device-change/other-model"]
    assert int(story.fold.state.meta["plans_live"][0]) == 1


@pytest.mark.parametrize("said", [{"hours": 0}, {"begins": -3, "hours": 2}, {"flags": 0}])
def test_a_plan_whose_time_is_over_or_that_changes_nothing_is_stale(story: Story, said: dict[str, Any]) -> None:
    assert answer(story.attaches().plans(SPARE, **said)) == "stale"


def test_boundary_so_many_plans_of_one_subscription(story: Story) -> None:
    for order in range(1, PLANS_EACH + 1):
        assert answer(story.plans(SPARE, order=order)) == "applied"
    assert answer(story.plans(SPARE, order=PLANS_EACH + 1)) == "limited"
    assert int(story.fold.state.meta["plans_not_kept"][0]) == 1


def test_boundary_one_that_was_carried_out_gives_way(moved: Story) -> None:
    for order in range(10, 10 + PLANS_EACH):
        assert answer(moved.plans(PHONE, order=order)) == "applied"
    assert int(moved.fold.state.meta["plans_live"][0]) == PLANS_EACH


def test_one_that_nobody_carried_out_expires_and_says_so(story: Story) -> None:
    story.attaches().plans(SPARE, order=9, hours=2).after(hours=3)
    assert ended(story) == [("expired", 9)]
    assert int(story.fold.state.meta["plans_live"][0]) == 0
    assert int(story.row().plans) == 0


def test_one_that_was_carried_out_goes_quietly(moved: Story) -> None:
    moved.after(hours=25)
    assert ended(moved) == []
    assert int(moved.fold.state.meta["plans_live"][0]) == 0


def test_one_that_is_cancelled_says_so_and_is_over(story: Story) -> None:
    story.attaches(device=METER).plans(SPARE).says(e.COMMAND_UNPLAN, delegated_high=1).attaches(device=SPARE)
    assert ended(story) == [("cancelled", 1)]
    assert story.findings == ["device-change/other-model"]


def test_a_removed_subscription_takes_its_plans_with_it(story: Story) -> None:
    story.attaches().plans(SPARE, order=5).plans(PHONE, order=6)
    gone = np.array([int(story.row().imsi)], np.int64)
    outputs = story.fold.inventory(InventoryDelta(np.zeros(0), gone, []), story.now)
    said = outputs[outputs["kind"] == o.PLAN_ENDED]
    assert sorted((o.ENDED_NAMES[int(one["result"])], int(one["expected"])) for one in said) == [
        ("removed", 5), ("removed", 6),
    ]  # fmt: skip
    assert int(story.fold.state.meta["plans_live"][0]) == 0


def test_a_refit_lets_any_device_in_once(story: Story) -> None:
    story.attaches(device=METER).plans(0, place=True, flags=e.FLAG_PLAN_DEVICE | e.FLAG_PLAN_PLACE)
    story.attaches(device=METER)
    assert planned(story) == []
    story.attaches(device=SPARE).attaches(device=PHONE)
    assert planned(story) == [(o.PLAN_DEVICE, METER, SPARE, 1)]
    assert story.findings == ["device-change/other-model"]


def at_home(story: Story) -> Story:
    """Learnt at area 5."""
    return story.attaches(area=5).after(hours=2).attaches(area=5)


def away(story: Story) -> Story:
    """Heard at area 9, on enough occasions to have moved."""
    for _ in range(6):
        story.after(hours=2).attaches(area=9)
    return story


def test_a_planned_move_is_no_finding_and_its_new_place_is_learnt() -> None:
    story = away(at_home(Story(FIXED)).plans(place=True, order=3, hours=4))
    assert story.findings == []
    told = story.of(o.PLANNED)
    assert [(int(one["result"]), int(one["expected"])) for one in told] == [(o.PLAN_PLACE, 3)]
    assert (told[0]["before"][2], told[0]["after"][2]) == (6, 10)
    for _ in range(6):
        story.after(hours=2).attaches(area=5)
    assert story.findings == ["location-change/moved"]


def test_a_move_that_nobody_planned_is_found() -> None:
    assert away(at_home(Story(FIXED)).plans(SPARE, hours=40)).findings == ["location-change/moved"]


def test_a_move_and_another_device_at_once() -> None:
    story = at_home(Story(FIXED)).plans(SPARE, place=True)
    story.after(hours=2).attaches(device=SPARE, area=9)
    assert story.findings == []
    assert [int(one["result"]) for one in story.of(o.PLANNED)] == [o.PLAN_DEVICE | o.PLAN_PLACE]


def test_another_device_at_the_new_place_is_found() -> None:
    story = at_home(Story(FIXED)).plans(place=True)
    story.after(hours=2).attaches(device=PHONE, area=9)
    assert story.findings == ["device-change/other-model"]


def test_outside_its_area_only_for_as_long_as_was_planned() -> None:
    policy = (
        POLICY.replace("binding:", "mobility: {area: north}\nbinding:")
        + "---\narea: north\ncircle: {latitude: 59.9, longitude: 10.7, radius: 30 km}\n"
    )
    here, there = (4 << 56) | 1, (4 << 56) | 2
    story = Story(policy, cells=[(HOME, here, 59.9, 10.7), (HOME, there, 60.39, 5.32)])
    story.attaches(cell=here).plans(place=True, hours=24).after(hours=8).attaches(cell=there)
    story.after(hours=1).attaches(cell=there)
    assert story.findings == []
    assert len(story.of(o.PLANNED)) == 1
    story.after(hours=24).attaches(cell=there)
    assert story.findings == ["outside-area/outside"]
