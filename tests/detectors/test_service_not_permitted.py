"""A subscription uses a service that its use case does not have."""

from __future__ import annotations

from calling import CallStory
from using import UsageStory

from simward.engine import call_records as c
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


def test_fires_at_a_call_and_at_a_message_of_a_sim_that_has_none() -> None:
    story = CallStory("voice: none, sms: none").calls(lasted=90, ago=3600)
    assert story.began == ["service-not-permitted/voice"]
    (told,) = story.told(o.FINDING_BEGAN)
    assert told["now"] == "1 min 30 s" and told["severity"] == "high"
    story.calls(lasted=5).writes().writes()
    assert story.began == ["service-not-permitted/voice", "service-not-permitted/sms"], "each is told once"
    assert story.told(o.FINDING_UPDATED) == []


def test_quiet_at_calls_and_messages_that_are_meant() -> None:
    for said in ("", "voice: unlimited, sms: unlimited", "voice: 1h/day, sms: 100/day"):
        assert CallStory(said).calls().writes().calls(c.INTERNATIONAL).began == []


def test_a_call_of_yesterday_is_told_for_a_day_from_now() -> None:
    story = CallStory("voice: none").at(15, 8).calls(ago=30 * 3600).at(16, 7.9)
    assert story.began == ["service-not-permitted/voice"] and story.ended == []
    assert story.at(16, 8.1).ended == ["service-not-permitted/voice"]


def test_the_first_premium_call_is_told_whatever_is_permitted() -> None:
    for said in ("", "voice: unlimited", "voice: none"):
        story = CallStory(said).calls(c.PREMIUM, 30)
        assert story.began == ["service-not-permitted/premium"]
        story.calls(c.PREMIUM, 30).calls(c.HOME, 30)
        assert story.began == ["service-not-permitted/premium", "toll-fraud/premium"], "the next is another finding"
        assert story.told(o.FINDING_BEGAN)[0]["severity"] == "critical"
    assert CallStory("premium: unlimited").calls(c.PREMIUM).writes(c.PREMIUM).began == []
    assert CallStory().writes(c.PREMIUM).began == ["service-not-permitted/premium"]


def test_a_premium_call_after_another_is_the_graver_of_two() -> None:
    story = CallStory("voice: none").calls().calls(c.PREMIUM)
    assert story.began == ["service-not-permitted/voice", "service-not-permitted/premium"]
    assert story.ended == ["service-not-permitted/voice"]


def test_the_first_use_ever_is_told_where_it_is_not_said_what_is_meant() -> None:
    story = CallStory(members=3).calls(member=0).writes(member=1).at(14, 6, month=12).calls(member=1).calls(member=2)
    assert story.began == ["service-not-permitted/first-use"], "the third is known for no time"
    (told,) = story.told(o.FINDING_BEGAN)
    assert (told["severity"], told["response"], told["imsi"]) == ("low", "observe", "001010000000002")
    story.calls(member=1).at(15, 5.9, month=12)
    assert len(story.began) == 1 and story.ended == []
    assert story.at(15, 6.1, month=12).ended == ["service-not-permitted/first-use"]


def test_the_first_records_ever_make_no_use_a_first_one() -> None:
    story = CallStory().starts().at(14, 6, month=12).calls().at(20, 6, month=12).writes()
    assert story.began == []
    assert CallStory("voice: 1h/day").writes().at(14, 6, month=12).calls().began == [], "it says what is meant"


def test_what_is_older_than_a_week_is_counted_and_not_told() -> None:
    story = CallStory("voice: none").at(20, 6).calls(ago=7 * 86_400 + 1)
    assert story.began == []
    assert story.calls(ago=7 * 86_400).began == ["service-not-permitted/voice"]
