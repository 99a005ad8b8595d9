"""network-not-permitted: a network or radio technology that the use case does not permit."""

from __future__ import annotations

from story import ABROAD, LTE, PARTNER, POLICY, Story

from simward.engine import outputs as o


def test_fires_abroad(story: Story) -> None:
    story.attaches().attaches(plmn=ABROAD)
    assert story.findings == ["network-not-permitted/plmn"]
    assert int(story.of(o.FINDING_BEGAN)[0]["now"]) == ABROAD


def test_fires_on_another_radio_technology(story: Story) -> None:
    story.attaches(rat=LTE)
    assert story.findings == ["network-not-permitted/rat"]


def test_stays_quiet_in_every_permitted_network(story: Story) -> None:
    story.attaches().attaches(plmn=PARTNER, rat=9)
    assert story.findings == []


def test_stays_quiet_where_the_use_case_lists_nothing() -> None:
    story = Story(POLICY.replace('networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}\n', ""))
    story.attaches(plmn=ABROAD, rat=LTE)
    assert story.findings == []


def test_boundary_silence_about_the_network_ends_nothing(story: Story) -> None:
    story.attaches(plmn=ABROAD).attaches(plmn=0)
    assert story.open == ["network-not-permitted/plmn"]
    assert story.attaches().open == []


def test_boundary_another_network_is_another_finding(story: Story) -> None:
    story.attaches(plmn=ABROAD).attaches(plmn=ABROAD + 1)
    assert story.findings == ["network-not-permitted/plmn"] * 2
    assert len(story.open) == 1
