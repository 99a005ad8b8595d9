"""apn-not-permitted: a subscription asks for an APN that is not its segment's."""

from __future__ import annotations

from story import POLICY, Story


def test_fires_for_another_apn(story: Story) -> None:
    story.attaches(apn="internet")
    assert story.findings == ["apn-not-permitted/other-apn"]
    assert story.allowed, "the policy only observes"


def test_stays_quiet_in_its_own_apn(story: Story) -> None:
    story.attaches().starts().reports(duration_s=1)
    assert story.findings == []


def test_boundary_a_request_that_names_no_apn_cannot_be_judged(story: Story) -> None:
    story.attaches(apn="internet").attaches(apn="")
    assert story.open == ["apn-not-permitted/other-apn"]
    assert story.attaches().open == []


def test_boundary_refuse_lets_the_right_request_go_on() -> None:
    story = Story(POLICY.replace("binding:", "responses: {apn-not-permitted: refuse}\nbinding:"))
    assert story.attaches(apn="internet").refused
    assert story.attaches().allowed
