"""network-not-permitted: a network or radio technology that the use case does not permit."""

from __future__ import annotations

import json

from story import ABROAD, LTE, PARTNER, POLICY, Story

from simward.engine import outputs as o
from simward.policy.schema import NETWORKS_MOST


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


def test_boundary_every_one_of_the_most_networks_that_may_be_listed() -> None:
    codes = [f"{mcc}{mnc:02d}" for mcc in range(901, 917) for mnc in range(0, 32, 2)]
    assert len(codes) == NETWORKS_MOST
    story = Story(POLICY.replace('["00101", "00102"]', json.dumps(codes)))
    for code in codes:
        assert story.attaches(plmn=int(f"1{code}")).open == [], code
    for code in ("90001", "90101", "90800", "90831", "91631", "99901"):
        listed = code in codes
        assert (story.attaches(plmn=int(f"1{code}")).open == []) == listed, code
