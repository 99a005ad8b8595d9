"""location-change: a device that is declared to stay where it is has moved."""

from __future__ import annotations

import pytest
from story import HOME, POLICY, Story

from simward.engine import events as e

FIXED = POLICY.replace("binding:", "mobility: {mode: fixed, learn: 2d}\nbinding:")
NEAR, FAR = (4 << 56) | 1, (4 << 56) | 2
CELLS = [(HOME, NEAR, 59.91, 10.75), (HOME, FAR, 60.39, 5.32)]


@pytest.fixture
def meter() -> Story:
    """A fixed meter that has been heard at home, in area 7, for three days."""
    story = Story(FIXED, cells=CELLS)
    for _ in range(4):
        story.attaches(area=7).after(hours=20)
    return story


def test_fires_when_it_stays_in_another_area(meter: Story) -> None:
    for _ in range(4):
        meter.attaches(area=9).after(hours=7)
    assert meter.findings == ["location-change/moved"]


def test_fires_after_a_week_where_it_is_rarely_heard(meter: Story) -> None:
    meter.attaches(area=9).after(hours=24 * 7).attaches(area=9)
    assert "location-change/moved" in meter.findings


def test_fires_at_once_when_the_cells_are_far_apart() -> None:
    story = Story(FIXED, cells=CELLS)
    for _ in range(4):
        story.attaches(area=7, cell=NEAR).after(hours=20)
    story.attaches(area=9, cell=FAR)
    assert story.findings == ["location-change/far"]
    story.after(hours=8).attaches(area=9, cell=FAR)
    assert story.findings == ["location-change/far"], "one move is one finding"
    assert story.after(hours=8).attaches(area=7, cell=NEAR).open == []


def test_fires_once_however_far_it_is_carried(meter: Story) -> None:
    meter.attaches(area=9).after(hours=7)
    for area in range(10, 20):
        meter.attaches(area=area).after(hours=1)
    assert meter.findings == ["location-change/moved"]


def test_stays_quiet_within_the_home_area(meter: Story) -> None:
    for cell in range(1, 6):
        meter.attaches(area=7, cell=(4 << 56) | cell).after(hours=20)
    assert meter.findings == []


def test_stays_quiet_about_what_was_heard_while_learning() -> None:
    story = Story(FIXED)
    for area in (7, 8, 7, 8):
        story.attaches(area=area).after(hours=20)
    for _ in range(5):
        story.attaches(area=8).after(hours=20)
    assert story.findings == []


def test_stays_quiet_for_fleets_that_move() -> None:
    story = Story(POLICY)
    for area in range(1, 9):
        story.attaches(area=area).after(hours=24)
    assert story.findings == []


def test_stays_quiet_about_reports_without_a_place(meter: Story) -> None:
    meter.attaches(area=-1).after(hours=24).attaches(area=-1)
    assert meter.findings == []


def test_boundary_a_neighbour_is_learnt_after_three_returns(meter: Story) -> None:
    for _ in range(3):
        meter.attaches(area=9).after(hours=1).attaches(area=7).after(hours=1)
    for _ in range(5):
        meter.attaches(area=9).after(hours=20)
    assert meter.findings == []


def test_boundary_three_occasions_are_not_yet_a_move(meter: Story) -> None:
    for _ in range(3):
        meter.attaches(area=9).attaches(area=9).after(hours=20)
    assert meter.findings == []
    assert meter.attaches(area=9).findings == ["location-change/moved"]


def test_boundary_occasions_before_it_came_home_do_not_count(meter: Story) -> None:
    for area in (9, 9, 7, 9, 9, 9):
        meter.attaches(area=area).after(hours=20)
    assert meter.findings == []


def test_boundary_five_hours_away_are_not_yet_a_move(meter: Story) -> None:
    for _ in range(4):
        meter.attaches(area=9).after(hours=1.6)
    assert meter.findings == []
    assert meter.after(hours=1).attaches(area=9).findings == ["location-change/moved"]


def test_boundary_a_report_from_before_says_nothing_about_now(meter: Story) -> None:
    meter.attaches(area=9)
    late = meter.now - 3_600_000_000
    meter.after(hours=7).reports(area=9, happened_at=late)
    assert meter.findings == []


def test_a_release_with_rebind_begins_to_learn_anew(meter: Story) -> None:
    for _ in range(4):
        meter.attaches(area=9).after(hours=7)
    meter.says(e.COMMAND_RELEASE, flags=e.FLAG_REBIND)
    assert meter.attaches(area=9).after(hours=7).attaches(area=9).open == []
