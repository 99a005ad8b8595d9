"""copied-device: one device is live in two subscriptions at once."""

from __future__ import annotations

from story import IMSI, METER, POLICY, Story

from simward.engine import outputs as o

UNBOUND = POLICY.replace("first-use", "none")


def both_live(story: Story) -> Story:
    """Member 0 has a session in a device; then member 1 begins one in the same device."""
    story.attaches(member=0).starts("a", member=0, duration_s=0).after(hours=1)
    return story.attaches(member=1).starts("b", member=1).after(hours=1)


def test_fires_when_the_first_goes_on_reporting() -> None:
    story = both_live(Story(UNBOUND)).reports("a", member=0, duration_s=7500)
    assert story.findings == ["copied-device/two-subscriptions"]
    finding = story.of(o.FINDING_BEGAN)[0]
    assert (int(finding["imsi"]), int(finding["now"])) == (IMSI, IMSI + 1)


def test_fires_also_where_interims_leave_the_device_out() -> None:
    story = both_live(Story(UNBOUND)).reports("a", member=0, duration_s=7500, device=0)
    assert story.findings == ["copied-device/two-subscriptions"]


def test_is_one_finding_and_ends_with_the_copy() -> None:
    story = both_live(Story(UNBOUND))
    for minute in range(5):
        story.reports("a", member=0, duration_s=7500 + 60 * minute)
        story.reports("b", member=1, duration_s=3700 + 60 * minute)
    assert story.findings == ["copied-device/two-subscriptions"]
    assert story.stops("b", member=1).reports("a", member=0, duration_s=9000).open == []


def test_stays_quiet_when_the_sim_was_exchanged_and_a_stop_was_lost() -> None:
    story = both_live(Story(UNBOUND))
    for minute in range(5):
        story.reports("b", member=1, duration_s=3700 + 60 * minute)
    assert story.findings == []


def test_stays_quiet_when_the_first_sim_came_back_and_the_seconds_stop_was_lost() -> None:
    story = both_live(Story(UNBOUND)).attaches(member=0).starts("c", member=0)
    assert story.reports("c", member=0, duration_s=60).reports("c", member=0, duration_s=3600).findings == []


def test_boundary_two_subscriptions_in_two_devices_are_no_copy() -> None:
    story = Story(UNBOUND).attaches(member=0).starts("a", member=0).attaches(member=1, device=METER + 5)
    story.starts("b", member=1, device=METER + 5).after(hours=1)
    assert story.reports("a", member=0, duration_s=3700).findings == []
