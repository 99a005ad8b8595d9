"""outside-area: a device is outside the area that its use case names."""

from __future__ import annotations

from story import HOME, POLICY, Story

from simward.engine import outputs as o

AREA = POLICY.replace("binding:", "mobility: {area: north}\nbinding:")
AREA += "\n---\narea: north\ncircle: {latitude: 59.9, longitude: 10.7, radius: 30 km}\n"
INSIDE, EDGE, OUTSIDE, UNLISTED = ((4 << 56) | number for number in (1, 2, 3, 4))
CELLS = [(HOME, INSIDE, 59.9, 10.7), (HOME, EDGE, 60.18, 10.7), (HOME, OUTSIDE, 60.39, 5.32)]


def test_fires_outside_and_says_how_far() -> None:
    story = Story(AREA, cells=CELLS).attaches(cell=INSIDE, area=1).after(hours=9).attaches(cell=OUTSIDE, area=2)
    assert story.findings == ["outside-area/outside"]
    finding = story.of(o.FINDING_BEGAN)[0]
    assert abs(int(finding["now"]) - 304_000) < 2_000
    assert int(finding["expected"]) == 30_000


def test_ends_when_it_is_back() -> None:
    story = Story(AREA, cells=CELLS).attaches(cell=OUTSIDE, area=2).after(hours=9).attaches(cell=INSIDE, area=1)
    assert story.findings == ["outside-area/outside"]
    assert story.open == []


def test_stays_quiet_inside_and_about_cells_that_are_not_listed() -> None:
    story = Story(AREA, cells=CELLS).attaches(cell=INSIDE, area=1).after(hours=9).attaches(cell=UNLISTED, area=2)
    assert story.findings == []


def test_boundary_a_cell_just_beyond_the_radius_reaches_in() -> None:
    assert Story(AREA, cells=CELLS).attaches(cell=EDGE, area=1).findings == []


def test_a_whole_tracking_area_may_be_listed() -> None:
    story = Story(AREA, cells=[(HOME, (15 << 56) | 77, 60.39, 5.32)])
    assert story.attaches(cell=UNLISTED, area=77).findings == ["outside-area/outside"]
