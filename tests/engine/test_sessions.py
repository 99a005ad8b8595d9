"""Sessions: what opens, follows and ends them, in whatever order records come."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import METER, Story

from simward.engine.events import FLAG_TIMESTAMP


def test_a_late_interim_is_recorded_once_and_opens_nothing() -> None:
    """Reordered on the way: it was never recorded, so it is; sent again, it is not."""
    story = Story().starts("s").reports("s", duration_s=60).stops("s", duration_s=120)
    assert story.reports("s", duration_s=90).kept
    assert int(story.row().session_count) == 0
    assert not story.reports("s", duration_s=90).kept
    assert not story.reports("s", duration_s=60).kept, "it came before the Stop already"


def test_a_late_start_is_recorded_once_and_opens_nothing() -> None:
    story = Story().stops("s")
    assert story.starts("s").kept
    assert not story.starts("s").kept
    assert int(story.row().session_count) == 0


def test_an_interim_whose_start_was_lost_opens_its_session() -> None:
    story = Story().reports("s", duration_s=60)
    assert int(story.row().session_count) == 1
    assert story.starts("s").kept, "the Start itself is new"
    assert int(story.row().session_count) == 1


def test_interims_without_a_session_time_are_told_by_their_timestamp() -> None:
    story = Story().starts("s").reports("s", flags=FLAG_TIMESTAMP)
    happened = story.now
    assert not story.reports("s", flags=FLAG_TIMESTAMP, happened_at=happened).kept
    assert story.reports("s", flags=FLAG_TIMESTAMP).kept


def test_bearers_of_one_connection_share_an_address() -> None:
    story = Story().starts("a", address=0x0A400001).starts("b", address=0x0A400001)
    assert int(story.row().session_count) == 2


def test_an_ended_session_knows_its_last_interims_exactly() -> None:
    """Thirty-one bits, not a few: 1800 s and 2028 s once looked alike."""
    story = Story().starts("s").reports("s", duration_s=1800).stops("s", duration_s=2029)
    assert story.reports("s", duration_s=2028).kept


def test_sessions_of_one_subscription_are_bounded() -> None:
    story = Story()
    for number in range(20):
        story.starts(f"s{number}", address=0x0A400001 + number)
    assert int(story.row().session_count) == 8
    assert int(story.fold.state.meta["sessions_live"][0]) == 8


def test_when_a_session_was_heard_only_grows() -> None:
    story = Story().starts("s").reports("s", duration_s=120)
    heard_s = story.now // 1_000_000
    story.reports("s", duration_s=60, happened_at=story.now - 30_000_000)
    session = story.fold.state.sessions[int(story.row().session_head)]
    assert int(session["heard_s"]) == heard_s
    assert heard_s - int(session["began_s"]) == 60


def test_rows_of_ended_sessions_are_used_again() -> None:
    story = Story()
    for number in range(10):
        story.starts(f"s{number}", device=METER).stops(f"s{number}")
    assert int(story.fold.state.meta["sessions"][0]) == 1
