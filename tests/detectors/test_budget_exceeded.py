"""More used than the use case's budget for the hour, the day, the week or the month."""

from __future__ import annotations

import numpy as np
from calling import CallStory
from story import IMSI
from using import UsageStory

from simward.engine import call_records as c
from simward.engine import outputs as o
from simward.engine.chapters import finding_sentence
from simward.engine.tables import DECLARED, InventoryDelta


def test_fires_with_the_record_that_passes_the_day_and_ends_with_it() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(1_500_000, 400_000, lasted=6 * 3600)
    assert story.began == []
    story.at(14, 12.25).interim(1_500_000, 500_001, lasted=22_500)
    assert story.began == ["budget-exceeded/day"] and story.ended == []
    (told,) = story.told(o.FINDING_BEGAN)
    assert (told["now"], told["expected"], told["severity"]) == ("2.0 MB", "2.0 MB", "medium")
    assert told["imsi"] == "001010000000001" and told["scope"] == "subscription"
    assert told["apn"] is None and told["gateway"] == "pgw1" and told["changes"] is None
    story.at(14, 23.99)
    assert story.ended == []
    story.at(15, 0)
    assert story.ended == ["budget-exceeded/day"]


def test_fires_again_the_next_day_and_once_a_day() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(3_000_000, lasted=21_600)
    story.at(14, 13).interim(3_100_000, lasted=25_200).at(14, 14).interim(3_200_000, lasted=28_800)
    assert story.began == ["budget-exceeded/day"] and story.told(o.FINDING_UPDATED) == []
    story.at(15, 0.5).interim(3_300_000, lasted=66_600).at(15, 12).interim(6_000_000, lasted=108_000)
    assert story.began == ["budget-exceeded/day"] * 2


def test_is_told_again_where_the_use_has_doubled() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(2_500_000, lasted=21_600)
    story.at(14, 13).interim(4_900_000, lasted=25_200).at(14, 14).interim(5_000_000, lasted=28_800)
    assert [one["now"] for one in story.told(o.FINDING_UPDATED)] == ["5.0 MB"]


def test_quiet_within_the_budget_without_one_and_where_others_use_much() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(1_900_000, lasted=21_600)
    story.starts(member=1, session="t").at(14, 13).interim(90_000_000, member=1, session="t", lasted=3_600)
    assert [one["imsi"] for one in story.told(o.FINDING_BEGAN)] == ["001010000000002"]
    for said in ("unlimited", "none"):
        story = UsageStory(said).starts().at(14, 12).interim(900_000_000_000, lasted=21_600)
        assert "budget-exceeded/day" not in story.began


def test_stands_on_the_boundary_of_the_budget_and_of_the_period() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(2_000_000, lasted=21_600)
    assert story.began == [], "exactly the budget is within it"
    # An hour before and an hour after midnight, evenly: half of it is of either day.
    story = UsageStory("2 MB/day").at(14, 23).starts().at(15, 1).interim(4_000_000, lasted=7_200)
    assert story.began == [] and story.day == 2_000_000
    story.at(15, 2).interim(4_000_001, lasted=10_800)
    assert story.began == ["budget-exceeded/day"]


def test_a_burst_a_week_and_a_month_have_budgets_of_their_own() -> None:
    story = UsageStory("[1 MB/hour, 3 MB/day, 5 MB/week, 6 MB/month]").starts()
    story.at(14, 6.5).interim(1_100_000, lasted=1_800)
    assert story.began == ["budget-exceeded/burst"] and story.told(o.FINDING_BEGAN)[0]["severity"] == "high"
    story.at(14, 7)
    assert story.ended == ["budget-exceeded/burst"]
    story.at(14, 16).interim(3_100_000, lasted=36_000)
    assert story.began[1:] == ["budget-exceeded/day"]
    story.at(16, 10).interim(5_100_000, lasted=187_200)
    assert story.began[2:] == ["budget-exceeded/week"]
    story.at(19, 0)
    assert story.ended[-1] == "budget-exceeded/week", "Monday"
    story.at(20, 6).interim(6_100_000, lasted=518_400)
    assert story.began[3:] == ["budget-exceeded/month"]
    story.at(31, 23)
    assert "budget-exceeded/month" not in story.ended
    story.at(1, 0, month=11)
    assert story.ended[-1] == "budget-exceeded/month"


def test_says_how_much_it_will_be_and_when_the_month_is_used_up() -> None:
    story = UsageStory("[2 MB/day, 30 MB/month]").starts().at(14, 12).interim(3_000_000, lasted=21_600)
    (told,) = story.told(o.FINDING_BEGAN)
    # 3 MB in twelve hours: 6 MB a day; 27 MB are left, for four days and a half.
    assert told["projection"] == {"period_ends_with": "6.0 MB", "month_used_up_at": "2026-10-19T00:00:00.000000Z"}
    story = UsageStory("[2 MB/day, 90 MB/month]").starts().at(31, 12).interim(200_000_000, lasted=100)
    assert story.told(o.FINDING_BEGAN)[0]["projection"]["month_used_up_at"] is None, "it is used up already"


def test_a_record_that_is_late_for_its_day_tells_nothing_of_the_next() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 23.9).interim(1_900_000, lasted=64_440)
    story.at(15, 0.1).stops(9_000_000, lasted=64_700, ago=460)
    assert story.began == [] and story.month == 9_000_000


def test_explain_says_it_in_a_sentence() -> None:
    story = UsageStory("[2 MB/day, 30 MB/month]").starts().at(14, 12).interim(3_000_000, lasted=21_600)
    assert finding_sentence(story.told(o.FINDING_BEGAN)[0]).startswith(
        "Finding budget-exceeded/day (medium): now 3.0 MB, expected 2.0 MB; at this rate 6.0 MB by the end of the "
        "period, and the month's budget is used up by 2026-10-19 00:00. Response: observe. It lasts."
    )


def test_ends_with_its_subscription() -> None:
    story = UsageStory("2 MB/day").starts().at(14, 12).interim(3_000_000, lasted=21_600)
    delta = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI]), [])
    story.found += list(story.watch.before_inventory(delta))
    assert story.told(o.FINDING_ENDED)[0]["imsi"] == "001010000000001"
    assert story.watch.state.watch_meta["about_live"][0] == 0 and not story.watch.state.usage[0].tobytes().strip(b"\0")


def test_fires_when_messages_or_calls_pass_their_budget() -> None:
    story = CallStory("sms: 2/day, voice: [5m/hour, 10m/month]").at(14, 9.5).writes().writes().calls(lasted=300)
    assert story.began == []
    story.writes().calls(lasted=1)
    assert story.began == ["budget-exceeded/day", "budget-exceeded/burst"]
    messages, calls = story.told(o.FINDING_BEGAN)
    assert (messages["now"], messages["expected"]) == ("3 messages", "2 messages")
    assert (calls["now"], calls["expected"]) == ("5 min 1 s", "5 min")
    assert calls["projection"]["period_ends_with"] == "10 min 2 s" and calls["projection"]["month_used_up_at"]
    story.calls(lasted=299)
    assert story.began == ["budget-exceeded/day", "budget-exceeded/burst"], "600 s: the month's budget is used up"
    story.calls(lasted=1)
    assert story.began[2:] == ["budget-exceeded/month"]


def test_records_that_come_late_pass_a_budget_once() -> None:
    story = CallStory("sms: 2/day").at(14, 20).writes().writes(ago=5 * 3600).writes(ago=9 * 3600)
    assert story.began == ["budget-exceeded/day"]
    story.writes(ago=30 * 3600)
    assert story.began == ["budget-exceeded/day"] and story.ended == [], "of the day before: over"
    assert story.at(15, 0.1).ended == ["budget-exceeded/day"]


def test_a_day_that_is_over_when_its_records_come_is_told_and_ends() -> None:
    story = CallStory("voice: 1m/day").at(15, 8).calls(lasted=61, ago=20 * 3600)
    assert story.began == ["budget-exceeded/day"]
    assert story.at(15, 8.001).ended == ["budget-exceeded/day"]


def test_budgets_of_services_are_apart() -> None:
    story = UsageStory("2 MB/day, sms: 1/day").starts().at(14, 7).interim(2_000_001, lasted=3_600)
    record = CallStory("sms: 1/day").record(c.SHORT_MESSAGE, c.HOME)
    record["happened_at"] = story.now
    for _ in range(2):
        story.found += list(story.watch.records(record, story.fold.sequence + 1, story.now)[1])
    assert story.began == ["budget-exceeded/day"] * 2
    assert {one["now"] for one in story.told(o.FINDING_BEGAN)} == {"2.0 MB", "2 messages"}
