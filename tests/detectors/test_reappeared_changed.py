"""reappeared-changed: a subscription was silent for long, and something that matters is different since."""

from __future__ import annotations

from story import HOME, METER, PARTNER, PHONE, POLICY, Story

from simward.engine import events as e

WATCHED = POLICY.replace("binding:", "cadence: {every: 24h, silent_after: 49h}\nbinding:")
FIXED = WATCHED.replace("binding:", "mobility: {mode: fixed, learn: 1d}\nbinding:")


HERE = (4 << 56) | 9


def reappeared(story: Story) -> list[str]:
    return [one for one in story.findings if one.startswith("reappeared")]


def test_fires_and_says_everything_that_differs() -> None:
    story = Story(WATCHED).attaches(area=1, software=3).after(hours=50)
    story.attaches(device=PHONE, software=7, area=2, gateway="pgw2", rat=9)
    assert reappeared(story) == ["reappeared-changed/changed"]
    assert story.changes["device"] == (METER * 1000 + 4, PHONE * 1000 + 8)
    assert story.changes["area"] == (2, 3)
    assert set(story.changes) == {"device", "area", "gateway", "rat"}
    assert "reappeared-changed/changed" not in story.open, "it is over as soon as it is said"


def test_fires_for_a_fixed_device_that_comes_back_elsewhere() -> None:
    there = (4 << 56) | 3
    story = Story(FIXED, cells=[(HOME, HERE, 59.91, 10.75), (HOME, there, 60.39, 5.32)])
    story.attaches(area=1, cell=HERE).after(hours=25).attaches(area=1, cell=HERE).after(hours=50)
    assert reappeared(story.attaches(area=2, cell=there)) == ["reappeared-changed/changed"]
    assert set(story.changes) == {"area", "cell"}


def test_tells_another_network_along_with_what_matters() -> None:
    story = Story(WATCHED).attaches().after(hours=50).attaches(device=PHONE, plmn=PARTNER)
    assert reappeared(story) and story.changes["network"] == (HOME, PARTNER)
    assert not reappeared(Story(WATCHED).attaches().after(hours=50).attaches(plmn=PARTNER)), "no finding alone"


def test_fires_for_an_address_that_is_not_the_one_given() -> None:
    story = Story(WATCHED).attaches().after(hours=50)
    given = int(story.row().address)
    assert reappeared(story.starts(address=given + 7)) == ["reappeared-changed/changed"]
    assert story.changes == {"address": (given, given + 7)}
    assert not reappeared(Story(WATCHED).attaches().after(hours=50).starts(address=given))


def test_fires_for_another_apn() -> None:
    assert reappeared(Story(WATCHED).attaches().after(hours=50).attaches(apn="internet"))


def test_stays_quiet_when_nothing_that_matters_differs() -> None:
    story = Story(WATCHED).attaches(area=1, software=3, gateway="pgw1").after(hours=50)
    assert not reappeared(story.attaches(area=2, software=4, gateway="pgw2", rat=9))


def test_stays_quiet_about_what_is_not_reported() -> None:
    assert not reappeared(Story(WATCHED).attaches().after(hours=50).starts(device=0, apn=""))


def test_boundary_less_than_an_absence_is_none() -> None:
    assert not reappeared(Story(WATCHED).attaches().after(hours=48.9).attaches(device=PHONE))
    assert reappeared(Story(WATCHED).attaches().after(hours=49).attaches(device=PHONE))


def test_stays_quiet_about_another_area_where_nobody_knows_how_far() -> None:
    story = Story(FIXED).attaches(area=1).after(hours=25).attaches(area=1).after(hours=50).attaches(area=2)
    assert not reappeared(story)


def test_boundary_a_neighbouring_cell_is_where_it_was() -> None:
    near, far = (4 << 56) | 1, (4 << 56) | 2
    cells = [(HOME, HERE, 59.91, 10.75), (HOME, near, 59.99, 10.75), (HOME, far, 60.01, 10.75)]  # 9 and 11 km

    def back(cell: int) -> list[str]:
        story = Story(FIXED, cells=cells).attaches(area=1, cell=HERE).after(hours=25).attaches(area=1, cell=HERE)
        return reappeared(story.after(hours=50).attaches(area=2, cell=cell))

    assert back(near) == []
    assert back(far) == ["reappeared-changed/changed"]


def test_stays_quiet_about_an_announced_exchange() -> None:
    story = Story(WATCHED).attaches().says(e.COMMAND_RELEASE, flags=e.FLAG_REBIND).after(hours=50)
    assert not reappeared(story.attaches(device=PHONE))
    assert reappeared(story.after(hours=50).attaches(device=METER)), "the next one was not announced"
