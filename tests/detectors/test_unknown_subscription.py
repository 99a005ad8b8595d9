"""unknown-subscription: a request for a subscription that is not in the inventory."""

from __future__ import annotations

from story import IMSI, Story


def test_fires_and_refuses_by_default(story: Story) -> None:
    assert story.attaches(member=99).refused
    assert story.findings == ["unknown-subscription/not-in-inventory"]


def test_fires_for_a_request_that_names_nobody(story: Story) -> None:
    story.attaches(imsi=0)
    assert story.findings == ["unknown-subscription/no-identity"]


def test_stays_quiet_for_whom_the_inventory_knows_by_number(story: Story) -> None:
    story.attaches(imsi=0, msisdn=1_883000000000001)
    assert story.findings == [] and story.allowed
    story.attaches(imsi=0, user=IMSI)
    assert story.findings == [] and story.allowed


def test_boundary_allow_is_one_finding_and_no_refusal() -> None:
    story = Story(unknown_subscription="allow")
    assert story.attaches(member=99).attaches(member=99).allowed
    assert story.findings == ["unknown-subscription/not-in-inventory"]


def test_boundary_ends_when_the_stranger_falls_silent(story: Story) -> None:
    story.attaches(member=99)
    for _ in range(130):
        story.after(hours=0.02)
    assert story.open == []
