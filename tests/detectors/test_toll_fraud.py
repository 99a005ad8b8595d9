"""A subscription calls costly numbers again and again."""

from __future__ import annotations

import numpy as np
from calling import CallStory

from simward.engine import call_records as c
from simward.engine import outputs as o

FRAUD = "toll-fraud/premium"


def began(story: CallStory) -> list[str]:
    """What this detector found."""
    return [one for one in story.began if one.startswith("toll-fraud")]


def test_fires_at_the_second_premium_call_within_a_day() -> None:
    story = CallStory().at(14, 7.1).calls(c.PREMIUM, 20)
    assert began(story) == []
    story.calls(c.PREMIUM, 20)
    assert began(story) == [FRAUD]
    (told,) = [one for one in story.told(o.FINDING_BEGAN) if one["detector"] == "toll-fraud"]
    assert told["severity"] == "critical" and told["now"] == 2 and told["imsi"] == "001010000000001"


def test_fires_at_ten_minutes_of_one_call_and_at_messages() -> None:
    assert began(CallStory().calls(c.PREMIUM, 599)) == []
    assert began(CallStory().calls(c.PREMIUM, 600)) == [FRAUD]
    assert began(CallStory().writes(c.PREMIUM).calls(c.PREMIUM)) == [FRAUD]


def test_fires_at_many_international_calls_where_no_budget_says_more() -> None:
    story = CallStory().at(14, 7.5)
    for _ in range(9):
        story.calls(c.INTERNATIONAL)
    assert began(story) == []
    assert began(story.calls(c.INTERNATIONAL)) == ["toll-fraud/international"]
    story = CallStory("voice: 5h/day").at(14, 7.5)
    for _ in range(12):
        story.calls(c.INTERNATIONAL)
    assert story.began == []


def test_quiet_at_what_alarm_telephones_do() -> None:
    story = CallStory().at(14, 7.5)
    for _ in range(40):
        story.calls(c.HOME).calls(c.NATIONAL).writes(c.INTERNATIONAL)
    assert story.began == []
    assert CallStory("premium: unlimited").told_of(
        *[CallStory().record(c.VOICE, c.PREMIUM, lasted=900) for _ in range(9)]
    ).began == []  # fmt: skip


def test_stands_on_the_boundary_of_days_and_of_a_day_after_the_last() -> None:
    story = CallStory().at(14, 23.9).calls(c.PREMIUM, 9).at(15, 0.1).calls(c.PREMIUM, 9).calls(c.HOME, 9)
    assert began(story) == [], "one on each of two days"
    assert began(story.at(17, 12).calls(c.PREMIUM, 9)) == [FRAUD], "and the third of the month"
    story.calls(c.HOME, 9).at(18, 11.9)
    assert FRAUD not in story.ended
    assert FRAUD in story.calls(c.HOME, 9).at(18, 12.1).ended, "other calls do not make it last"


def test_it_is_told_again_when_it_has_doubled() -> None:
    story = CallStory().at(14, 7.1)
    for _ in range(9):
        story.calls(c.PREMIUM, 20)
    assert [one["now"] for one in story.told(o.FINDING_UPDATED)] == [4, 8]


def test_the_published_case_is_caught_within_minutes() -> None:
    """59 modules, 17,000 premium calls in three days: one each 15 seconds, whichever module's turn it is."""
    modules, rng = 59, np.random.default_rng(4)
    story = CallStory(members=modules).at(14, 7)
    began_at, first = story.now, 0
    while not began(story):
        story.now += 15_000_000
        story.calls(c.PREMIUM, 12, member=int(rng.integers(modules)))
        first = first or len(story.began)
    assert first == 1, "the very first call is told as a service that is not permitted"
    assert story.now - began_at <= 10 * 60_000_000
