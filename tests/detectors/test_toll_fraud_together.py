"""Many subscriptions of one model or use case call premium numbers at once."""

from __future__ import annotations

import numpy as np
from calling import CallStory

from simward.engine import call_records as c
from simward.engine import outputs as o

MODELS = {one: {"device": (35000001 + one % 2) * 1_000_000 + one} for one in range(80)}


def together(story: CallStory, *kinds: int) -> list[tuple[str, str, int]]:
    """What this detector found: class, what it is about, and `now`."""
    return [
        (one["class"], str(one["about"]), one["now"])
        for one in story.told(*(kinds or (o.FINDING_BEGAN,))) if one["detector"] == "toll-fraud-together"
    ]  # fmt: skip


def fleet(members: int = 20, said: str = "") -> CallStory:
    """Members of one use case, each other one of another model; all have been heard."""
    story = CallStory(said, members)
    story.places = MODELS
    for member in range(members):
        story.starts(member=member)
    return story.at(14, 8.1)


def test_fires_at_the_fifth_of_a_use_case_within_two_hours() -> None:
    story = fleet()
    for member in range(4):
        story.calls(c.PREMIUM, member=member, ago=3600 if member == 0 else 0)
    assert together(story.at(14, 8.11)) == []
    story.writes(c.PREMIUM, member=4).at(14, 8.12)

    (told,) = together(story)
    assert told[0] == "use-case" and "use case" in told[1] and told[2] == 5


def test_the_model_explains_it_where_it_has_four_fifths() -> None:
    story = fleet()
    for member in range(0, 10, 2):
        story.calls(c.PREMIUM, member=member)
    (told,) = together(story.at(14, 8.2))
    assert told[0] == "model" and "35000001" in told[1] and told[2] == 5


def test_the_use_case_explains_it_once_the_model_no_longer_does() -> None:
    story = fleet(40)
    for member in (0, 2, 4, 6, 8, 10, 1):
        story.calls(c.PREMIUM, member=member)
    assert [one[::2] for one in together(story.at(14, 8.2))] == [("model", 6)], "another one's call changes nothing"
    for member in (3, 5, 7):
        story.calls(c.PREMIUM, member=member)
    assert [one[::2] for one in together(story.at(14, 8.3))][1:] == [("use-case", 10)]
    assert [one[0] for one in together(story, o.FINDING_ENDED)] == ["model"]


def test_quiet_at_one_that_calls_often_at_four_and_where_it_is_permitted() -> None:
    story = fleet()
    for member in (0, 1, 2, 3, 0, 1, 2, 3, 0, 0):
        story.calls(c.PREMIUM, member=member)
    assert together(story.at(14, 8.2)) == []
    story = fleet(said="premium: unlimited")
    for member in range(12):
        story.calls(c.PREMIUM, member=member)
    assert together(story.at(14, 8.2)) == []


def test_one_that_goes_on_calling_is_one() -> None:
    story = fleet()
    for hour in (9, 10, 11):
        story.at(14, hour + 0.1)
        for member in (0, 1, 2, 3):
            story.calls(c.PREMIUM, member=member).writes(c.PREMIUM, member=member, ago=2400)
    assert together(story.at(14, 11.2)) == [], "four, who called in this hour and the one before"
    for member in (0, 1, 4, 5):
        story.calls(c.PREMIUM, member=member, ago=3600)
    (told,) = together(story.at(14, 11.3))
    assert told[2] == 6


def test_a_day_that_is_told_at_once_tells_of_its_worst_hours() -> None:
    """As operators do who give their records once a day, of one model and of many."""
    for step in (1, 2):
        story = fleet()
        story.at(14, 23)
        many = [story.record(c.VOICE, c.PREMIUM, member=one, ago=15 * 3600) for one in range(0, 7 * step, step)]
        story.told_of(*many, story.record(c.VOICE, c.PREMIUM, member=19, ago=3600))
        (told,) = together(story.at(14, 23.01))
        assert (told[0], told[2]) == ("model" if step == 2 else "use-case", 7)


def test_stands_on_the_boundary_of_two_hours_and_of_a_day() -> None:
    story = fleet()
    for member in range(4):
        story.calls(c.PREMIUM, member=member)
    story.at(14, 10.01)
    assert together(story.calls(c.PREMIUM, member=4).at(14, 10.02)) == [], "two hours later"
    story = fleet()
    for member in range(5):
        story.calls(c.PREMIUM, member=member)
    story.at(15, 8.09)
    assert len(together(story)) == 1 and together(story, o.FINDING_ENDED) == []
    assert len(together(story.at(15, 8.2), o.FINDING_ENDED)) == 1


def test_those_that_were_never_heard_have_a_use_case_too() -> None:
    story = CallStory(members=9).at(14, 8.1)
    for member in range(9):
        story.calls(c.PREMIUM, member=member)
    (told,) = together(story.at(14, 8.2))
    assert told[0] == "use-case" and told[2] == 9


def test_the_published_case_is_one_finding_within_minutes() -> None:
    """59 modules of one model, 17,000 premium calls in three days: one each 15 seconds, at random."""
    story, rng = fleet(59), np.random.default_rng(4)
    story.places = {one: {"device": 35000001 * 1_000_000 + one} for one in range(59)}
    for member in range(59):
        story.starts(member=member, session="t")
    began_at = story.now
    for call in range(240):
        story.now += 15_000_000
        story.calls(c.PREMIUM, 12, member=int(rng.integers(59)))
        if call % 4 == 3:
            story.at(14, (story.now // 1_000_000 % 86_400) / 3600)
        if together(story) and not call % 4:
            break
    assert story.now - began_at <= 3 * 60_000_000
    (told,) = together(story)
    assert told[0] == "model"
