"""cloned-subscription: one subscription is live in two devices, or in two places."""

from __future__ import annotations

from story import HOME, METER, PHONE, POLICY, Story

UNBOUND = POLICY.replace("first-use", "none")
OSLO, BERGEN = ((4 << 56) | number for number in (1, 2))
CELLS = [(HOME, OSLO, 59.91, 10.75), (HOME, BERGEN, 60.39, 5.32)]


def test_fires_when_two_devices_go_on_reporting() -> None:
    story = Story(UNBOUND).attaches().starts("a").after(hours=1)
    story.attaches(device=PHONE).starts("b", device=PHONE, gateway="pgw2").after(hours=1)
    story.reports("a", duration_s=7500).reports("b", device=PHONE, gateway="pgw2", duration_s=3600)
    assert story.findings == ["cloned-subscription/two-devices"]
    story.reports("a", duration_s=8000).reports("b", device=PHONE, gateway="pgw2", duration_s=4000)
    assert story.findings == ["cloned-subscription/two-devices"], "one condition is one finding"


PLACES = "cloned-subscription/two-places"


def test_fires_when_it_jumps_to_and_fro_and_there_again() -> None:
    story = Story(UNBOUND, cells=CELLS).attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2)
    assert PLACES not in story.attaches(cell=OSLO, area=1).findings, "one wrong cell is a way there and a way back"
    assert PLACES in story.after(hours=20).attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2).findings


def test_fires_when_it_is_back_from_another_device_elsewhere() -> None:
    story = Story(UNBOUND, cells=CELLS).attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2, device=PHONE)
    assert PLACES not in story.findings and PLACES in story.attaches(cell=OSLO, area=1).findings


def test_stays_quiet_when_a_cell_is_wrong_once_a_day() -> None:
    story = Story(UNBOUND, cells=CELLS)
    for _ in range(3):
        story.attaches(cell=OSLO, area=1).attaches(cell=BERGEN, area=2).attaches(cell=OSLO, area=1).after(hours=25)
    assert PLACES not in story.findings


def test_boundary_the_place_of_a_stop_is_no_jump() -> None:
    story = Story(UNBOUND, cells=CELLS).attaches(cell=OSLO, area=1).starts("a", cell=OSLO, area=1)
    story.attaches(cell=BERGEN, area=2).stops("a", cell=OSLO, area=1).attaches(cell=BERGEN, area=2)
    assert PLACES not in story.findings


def test_stays_quiet_when_the_device_was_exchanged_and_a_stop_was_lost() -> None:
    story = Story(UNBOUND).attaches().starts("a").after(hours=1).attaches(device=PHONE).starts("b", device=PHONE)
    for minute in range(5):
        story.reports("b", device=PHONE, duration_s=60 * (minute + 2))
    assert story.findings == []


def test_stays_quiet_with_two_connections_of_one_device_and_through_a_failover() -> None:
    story = Story(UNBOUND).attaches().starts("a").starts("b", gateway="pgw2").after(hours=1)
    for minute in range(3):
        story.reports("a", duration_s=3700 + 120 * minute, area=1)
        story.reports("b", duration_s=3700 + 120 * minute, area=2, gateway="pgw2")
    assert story.findings == []


def test_stays_quiet_when_devices_were_exchanged_to_and_fro_with_lost_stops() -> None:
    story = Story(UNBOUND).attaches().starts("a").after(hours=1).attaches(device=PHONE).starts("b", device=PHONE)
    story.reports("b", device=PHONE, duration_s=60).after(hours=1).attaches(device=METER).starts("c")
    assert story.reports("c", duration_s=60).reports("c", duration_s=3600).findings == []


def test_boundary_a_minute_of_overlap_is_a_handover() -> None:
    story = Story(UNBOUND).attaches().starts("a").starts("b", device=PHONE)
    story.tell(3, session="a", duration_s=60, happened_at=story.now + 30_000_000)
    assert story.reports("b", device=PHONE, duration_s=120).findings == []
