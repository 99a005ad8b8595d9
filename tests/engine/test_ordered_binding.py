"""Binding by a command: to the device seen last, or to the area of the use case; and free of either."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import HOME, METER, PHONE, Story

from simward.engine import events as e
from simward.engine import layouts
from simward.engine import outputs as o
from simward.engine.start import put_fact

OBSERVING = """
use_case: meter
segment: metering
binding: {mode: MODE}
responses: {default: observe}
---
segment: metering
apn: meters.iot
"""
FIRST_USE, UNBOUND_USE = OBSERVING.replace("MODE", "first-use"), OBSERVING.replace("MODE", "none")
LOCKING = FIRST_USE.replace("default: observe", "device-change: lock")


def answer(story: Story) -> str:
    return o.ANSWER_NAMES[int(story.of(o.COMMAND_ANSWER)[-1]["result"])]


@pytest.mark.parametrize("policy", [FIRST_USE, UNBOUND_USE], ids=["first-use", "none"])
def test_another_device_is_refused_from_then_on(policy: str) -> None:
    story = Story(policy).attaches(device=METER)
    assert story.attaches(device=PHONE).allowed, "policy observes"
    story.attaches(device=METER).says(e.COMMAND_BIND)
    assert answer(story) == "applied"
    assert story.attaches(device=PHONE).refused
    assert story.attaches(device=METER).allowed


def test_the_device_seen_last_is_bound_and_the_generation_counts() -> None:
    story = Story(FIRST_USE).attaches(device=METER).attaches(device=PHONE)
    before = int(story.row().generation)
    story.says(e.COMMAND_BIND)
    bound = story.of(o.BOUND)[-1]
    assert int(bound["now"]) // 1000 == int(story.row().bound_imei) == int(story.row().last_imei)
    assert int(story.row().generation) == before + 1
    story.says(e.COMMAND_BIND)
    assert answer(story) == "applied" and len(story.of(o.BOUND)) == 2, "it is bound so already"


def test_where_no_device_was_ever_seen_there_is_none_to_bind() -> None:
    story = Story(FIRST_USE)
    story.says(e.COMMAND_BIND)
    assert answer(story) == "unfit" and story.of(o.BOUND) == []


def test_what_is_unbound_is_free_until_it_is_bound_again() -> None:
    story = Story(LOCKING).attaches(device=METER)
    story.says(e.COMMAND_UNBIND)
    assert len(story.of(o.UNBOUND)) == 1
    assert story.attaches(device=PHONE).allowed and story.attaches(device=METER).allowed
    assert int(story.row().bound_imei) == 0, "no first use binds what a command unbound"
    story.says(e.COMMAND_UNBIND)
    assert answer(story) == "applied" and len(story.of(o.UNBOUND)) == 1
    story.says(e.COMMAND_BIND)
    assert story.attaches(device=PHONE).refused


def test_a_release_with_rebind_gives_it_back_to_its_use_case() -> None:
    story = Story(FIRST_USE).attaches(device=METER)
    story.says(e.COMMAND_BIND).says(e.COMMAND_RELEASE, flags=e.FLAG_REBIND)
    assert story.attaches(device=PHONE).allowed
    assert int(story.row().bound_imei) == int(story.row().last_imei)
    assert story.attaches(device=METER).allowed, "policy observes again"


def test_unbinding_ends_the_lock_that_only_the_device_was_the_reason_of() -> None:
    story = Story(LOCKING).attaches(device=METER)
    assert story.attaches(device=PHONE).refused and int(story.row().locked)
    story.says(e.COMMAND_UNBIND)
    assert not int(story.row().locked) and len(story.of(o.RELEASED)) == 1
    assert story.attaches(device=PHONE).allowed
    by_person = Story(LOCKING).attaches(device=METER)
    by_person.says(e.COMMAND_LOCK).says(e.COMMAND_UNBIND)
    assert int(by_person.row().locked) == layouts.LOCKED_BY_PERSON


def test_an_area_needs_a_use_case_that_names_one() -> None:
    story = Story(FIRST_USE).attaches(device=METER)
    story.says(e.COMMAND_BIND, flags=e.FLAG_AREA)
    assert answer(story) == "unfit" and story.of(o.RESTRICTED) == []


AREA = OBSERVING.replace("MODE", "none").replace("binding:", "mobility: {area: north}\nbinding:")
AREA += "\n---\narea: north\ncircle: {latitude: 59.9, longitude: 10.7, radius: 30 km}\n"
INSIDE, OUTSIDE = (4 << 56) | 1, (4 << 56) | 2
CELLS = [(HOME, INSIDE, 59.9, 10.7), (HOME, OUTSIDE, 60.39, 5.32)]


def test_one_that_is_limited_to_its_area_is_refused_outside_and_let_in_when_it_is_back() -> None:
    story = Story(AREA, cells=CELLS)
    assert story.attaches(cell=OUTSIDE, area=2).allowed, "policy observes"
    story.says(e.COMMAND_BIND, flags=e.FLAG_AREA).says(e.COMMAND_BIND, flags=e.FLAG_AREA)
    assert answer(story) == "applied" and len(story.of(o.RESTRICTED)) == 1
    assert story.attaches(cell=OUTSIDE, area=2).refused
    assert story.attaches(cell=INSIDE, area=1).allowed
    story.says(e.COMMAND_UNBIND, flags=e.FLAG_AREA)
    assert len(story.of(o.UNRESTRICTED)) == 1
    assert story.attaches(cell=OUTSIDE, area=2).allowed


def test_each_device_is_told_once_and_not_by_a_late_stop() -> None:
    story = Story(FIRST_USE).attaches(device=METER).attaches(device=METER).attaches(device=PHONE)
    seen = [(int(one["was"]), int(one["now"])) for one in story.of(o.DEVICE_SEEN)]
    assert [was != 0 for was, _ in seen] == [False, True] and seen[1][0] == seen[0][1]


def test_marks_survive_another_kernel() -> None:
    story = Story(FIRST_USE).attaches(device=METER)
    table = np.zeros(1, layouts.SUBSCRIPTION)
    for kind, of in ((e.COMMAND_BIND, o.BOUND), (e.COMMAND_UNBIND, o.UNBOUND)):
        story.says(kind)
        put_fact(table, 0, story.of(of)[-1])
        for name in ("bound_imei", "generation", "marks"):
            assert table[name][0] == story.row()[name], (kind, name)
    limited = Story(AREA, cells=CELLS).says(e.COMMAND_BIND, flags=e.FLAG_AREA)
    put_fact(table, 0, limited.of(o.RESTRICTED)[-1])
    assert table["marks"][0] & layouts.MARK_AREA
