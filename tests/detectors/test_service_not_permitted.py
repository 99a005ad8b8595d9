"""A subscription uses a service that its use case does not have."""

from __future__ import annotations

from using import UsageStory

from simward.engine import outputs as o


def test_fires_when_a_sim_without_data_begins_a_session() -> None:
    story = UsageStory("none").starts()
    assert story.began == ["service-not-permitted/data"]
    (told,) = story.told(o.FINDING_BEGAN)
    assert told["severity"] == "high" and told["imsi"] == "001010000000001" and told["projection"] is None
    story.at(14, 8).interim(5_000, lasted=7_200).stops(9_000, lasted=7_300)
    assert story.began == ["service-not-permitted/data"] and story.told(o.FINDING_UPDATED) == []


def test_quiet_where_the_use_case_has_data() -> None:
    for said in ("unlimited", "2 MB/day"):
        assert UsageStory(said).starts().interim(9, lasted=1).stops(9, lasted=2).began == []


def test_stands_on_the_boundary_of_a_day_after_the_last_use() -> None:
    story = UsageStory("none").starts().at(14, 7).stops(9_000, lasted=3_600)
    story.at(15, 6.999)
    assert story.ended == []
    story.at(15, 7.001)
    assert story.ended == ["service-not-permitted/data"]
    story.at(15, 8).starts(session="t")
    assert story.began == ["service-not-permitted/data"] * 2
