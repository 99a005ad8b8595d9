"""What counts as a subscription's day: by when it happened, spread evenly, added to until it is settled."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from using import UsageStory

from simward.engine import events as e
from simward.engine.behaviour.counting import amount_of
from simward.engine.behaviour.layouts import BEHAVIOUR, DOWN, FAILED, HOURS, SESSION_TIME, SESSIONS, UP
from simward.engine.behaviour.logarithm import log2_q10

WEDNESDAY = 20_740
"""2026-10-14, on which the stories begin, at six in the morning."""
HOUR = 3600


@pytest.fixture
def story() -> UsageStory:
    return UsageStory()


def row_of(story: UsageStory) -> np.ndarray:
    one: np.ndarray = story.watch.state.behaviour[0]
    return one


def finished(story: UsageStory, channel: int) -> int:
    """An amount of the day that has ended."""
    return int(amount_of(int(row_of(story)["features"][channel])))


def test_a_row_has_at_most_152_octets_and_what_an_event_touches_is_one_line() -> None:
    assert BEHAVIOUR.itemsize <= 152
    touched = ("up_low", "down_low", "session_s", "hours", "tac", "up_high", "down_high", "day", "sessions", "failed")
    fields = BEHAVIOUR.fields or {}
    assert max(fields[name][1] + fields[name][0].itemsize for name in (*touched, "rat")) <= 32


def test_octets_sessions_time_and_hours_are_counted_as_accounting_newly_tells(story: UsageStory) -> None:
    story.starts().at(14, 7).interim(1000, 300, lasted=HOUR).at(14, 9).stops(5000, 900, lasted=3 * HOUR)
    row = row_of(story)
    assert (row["day"], row["up_low"], row["down_low"], row["sessions"]) == (WEDNESDAY, 5000, 900, 1)
    assert row["session_s"] == pytest.approx(3 * HOUR, abs=2)
    assert row["hours"] == 1 << 6 | 1 << 7 | 1 << 9
    assert row["tac"] != 0 and row["rat"] != 0


def test_what_comes_twice_adds_nothing(story: UsageStory) -> None:
    story.starts().at(14, 7).interim(1000, 300, lasted=HOUR).interim(1000, 300, lasted=HOUR)
    assert row_of(story)["up_low"] == 1000 and row_of(story)["sessions"] == 1


def test_a_request_has_failed_until_a_session_begins(story: UsageStory) -> None:
    story.says(e.ACCESS_REQUEST).says(e.ACCESS_REQUEST)
    assert row_of(story)["failed"] == 2
    story.starts()
    assert row_of(story)["failed"] == 1


def test_a_day_ends_with_the_first_record_of_another(story: UsageStory) -> None:
    story.starts().at(14, 12).stops(4000, 1000, lasted=6 * HOUR).at(15, 8).starts(session="t")
    row = row_of(story)
    assert (row["features_day"], row["day"], row["up_low"], row["sessions"]) == (WEDNESDAY, WEDNESDAY + 1, 0, 1)
    assert finished(story, UP) == pytest.approx(4000, rel=0.002) and finished(story, SESSIONS) == 1
    assert finished(story, DOWN) == pytest.approx(1000, rel=0.002) and finished(story, HOURS) == 2
    assert finished(story, SESSION_TIME) == pytest.approx(6 * HOUR, rel=0.002) and finished(story, FAILED) == 0


def test_what_was_used_over_midnight_is_shared(story: UsageStory) -> None:
    """18 hours of it were on Wednesday, six on Thursday."""
    story.starts().at(15, 6).interim(24_000, 0, lasted=24 * HOUR)
    assert row_of(story)["up_low"] == pytest.approx(6_000, abs=2)
    assert finished(story, UP) == pytest.approx(18_000, rel=0.002)
    assert row_of(story)["session_s"] == pytest.approx(6 * HOUR, abs=2)


def test_a_late_record_is_added_to_the_day_that_waits(story: UsageStory) -> None:
    story.starts().at(14, 20).interim(1000, 0, lasted=14 * HOUR).at(15, 1).starts(session="t")
    story.stops(3000, 0, lasted=15 * HOUR, ago=4 * HOUR)
    assert finished(story, UP) == pytest.approx(3000, rel=0.002) and row_of(story)["up_low"] == 0


def test_what_comes_after_a_day_is_settled_is_counted_as_late(story: UsageStory) -> None:
    story.starts().at(14, 20).interim(1000, 0, lasted=14 * HOUR).at(15, 5).starts(session="t")
    story.watch.state.watch_meta["settled_day"] = WEDNESDAY
    story.stops(3000, 0, lasted=15 * HOUR, ago=8 * HOUR)
    assert finished(story, UP) == pytest.approx(1000, rel=0.002)
    assert story.watch.state.watch_meta["counted_late"][0] == 1


def test_the_end_of_a_day_that_is_settled_counts_on_the_next(story: UsageStory) -> None:
    """Whose interims come each six hours has days of 24 hours, whenever in the day its session began."""
    story.starts().at(14, 20).interim(1000, 0, lasted=14 * HOUR).at(15, 1).says(e.ACCESS_REQUEST)
    story.watch.state.watch_meta["settled_day"] = WEDNESDAY
    story.at(15, 2).interim(7000, 0, lasted=20 * HOUR)
    assert row_of(story)["up_low"] == pytest.approx(6000, abs=2)
    assert row_of(story)["session_s"] == pytest.approx(6 * HOUR, abs=2)
    assert finished(story, UP) == pytest.approx(1000, rel=0.002)
    assert story.watch.state.watch_meta["counted_late"][0] == 0


def test_of_days_before_that_nothing_counts(story: UsageStory) -> None:
    """What a week's session tells in its end is not what was used on a day."""
    story.starts().at(20, 1).says(e.ACCESS_REQUEST)
    story.watch.state.watch_meta["settled_day"] = WEDNESDAY + 5
    story.at(20, 6).stops(6000, 0, lasted=6 * 24 * HOUR)
    assert row_of(story)["up_low"] == pytest.approx(1000 + 250, abs=2)


def test_hours_of_the_week_are_remembered(story: UsageStory) -> None:
    story.starts().at(15, 8).starts(session="t")
    marked = np.flatnonzero(np.unpackbits(row_of(story)["presence"], bitorder="little"))
    assert marked.tolist() == [2 * 24 + 6], "Wednesday, six to seven"


@pytest.mark.parametrize("amount", [0, 1, 2, 9, 1000, 123_456, 10**9, 2**47])
def test_an_amount_comes_back_from_its_logarithm(amount: int) -> None:
    assert amount_of(log2_q10(amount)) == pytest.approx(amount, rel=0.0015, abs=0.6)
