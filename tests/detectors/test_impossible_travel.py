"""impossible-travel: a subscription is heard in two places between which nothing travels so fast."""

from __future__ import annotations

import pytest
from story import HOME, POLICY, Story

OSLO, BERGEN, DRAMMEN = ((4 << 56) | number for number in (1, 2, 3))
CELLS = [(HOME, OSLO, 59.91, 10.75), (HOME, BERGEN, 60.39, 5.32), (HOME, DRAMMEN, 59.74, 10.2)]
ANYWHERE = POLICY.replace('networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}\n', "mobility: free\n")
FAR_COUNTRY, NEXT_COUNTRY, THIRD_COUNTRY = 172499, 124099, 124499
"""Only real countries have a place; no network of theirs has the MNC 99."""


def test_fires_when_a_city_300_km_away_is_minutes_away() -> None:
    story = Story(ANYWHERE, cells=CELLS).attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2)
    assert story.findings == ["impossible-travel/too-fast"]


def test_fires_once_for_one_who_jumps_to_and_fro() -> None:
    story = Story(ANYWHERE, cells=CELLS)
    for _ in range(4):
        story.attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2)
    assert [one for one in story.findings if one.startswith("impossible")] == ["impossible-travel/too-fast"]


def test_fires_between_countries_where_the_cells_are_unknown() -> None:
    story = Story(ANYWHERE).attaches(plmn=THIRD_COUNTRY, area=1).attaches(plmn=FAR_COUNTRY, area=1)
    assert story.findings == ["impossible-travel/too-fast"]


def test_ends_after_an_hour_in_one_place() -> None:
    story = Story(ANYWHERE, cells=CELLS).attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2)
    assert story.after(hours=1.1).attaches(cell=BERGEN, area=2).open == []


def test_stays_quiet_at_the_speed_of_an_aeroplane() -> None:
    story = Story(ANYWHERE, cells=CELLS).attaches(cell=OSLO, area=1).after(seconds=2700).attaches(cell=BERGEN, area=2)
    assert story.findings == []


def test_stays_quiet_at_a_border() -> None:
    story = Story(ANYWHERE)
    for _ in range(5):
        story.attaches(plmn=NEXT_COUNTRY, area=1).attaches(plmn=THIRD_COUNTRY, area=1)
    assert story.findings == []


def test_stays_quiet_within_50_km_and_about_unlisted_cells() -> None:
    story = Story(ANYWHERE, cells=CELLS).attaches(cell=OSLO, area=1).attaches(cell=DRAMMEN, area=2)
    assert story.attaches(cell=(4 << 56) | 99, area=3).findings == []


def test_stays_quiet_about_records_that_come_late() -> None:
    story = Story(ANYWHERE, cells=CELLS).attaches(cell=OSLO, area=1)
    story.after(hours=5).attaches(cell=BERGEN, area=2)
    late = story.now - 4 * 3_600_000_000
    assert story.reports(cell=OSLO, area=1, happened_at=late).attaches(cell=BERGEN, area=2).findings == []


@pytest.mark.parametrize(("mobility", "fires"), [("free", False), ("fixed", True)])
def test_boundary_what_is_believable_depends_on_the_fleet(mobility: str, fires: bool) -> None:
    policy = ANYWHERE.replace("mobility: free", f"mobility: {mobility}")
    story = Story(policy, cells=CELLS).attaches(cell=OSLO, area=1).after(hours=1).attaches(cell=BERGEN, area=2)
    assert ("impossible-travel/too-fast" in story.findings) is fires
