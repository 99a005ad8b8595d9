"""When a snapshot is made, and what happens when it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from journalled import JournalledFleet, a_bad_day

from simward.engine.both_journals import watch_folder
from simward.engine.snapshot import Snapshot
from simward.engine.start import WATCH_PREFIX
from simward.engine.watching.behind import watch_state_of
from simward.engine.watching.layouts import USAGE, WATCH_META, WATCHED
from simward.engine.watching.state import EACH
from simward.history.keeping import Keeping
from simward.observing.watch import lag_of, metrics_text, read_status
from simward.settings import HistorySettings, Settings
from simward.watch import snapshots as module
from simward.watch.archiving import Archiving
from simward.watch.following import Follower
from simward.watch.importing import Importing
from simward.watch.report import POSITION_NAME, Report
from simward.watch.snapshots import BACKOFF_S, EVERY_S, Snapshots, newest_sequence


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    """Ten minutes of a fleet, followed to the end."""
    with closing(JournalledFleet(tmp_path / "data")) as fleet:
        day = a_bad_day(fleet)
        for _ in range(10):
            next(day)
    made = Follower(tmp_path / "data")
    made.catch_up()
    yield made
    made.close()


def test_made_after_five_minutes_or_many_inputs(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Snapshots(follower, now=0.0)
    made.step(EVERY_S - 1)
    assert made.made == 0
    made.step(EVERY_S)
    assert made.made == 1 and newest_sequence(follower.data_dir) == made.sequence == follower.followed
    made.step(10 * EVERY_S)
    assert made.made == 1, "nothing has happened since"
    again = Snapshots(follower, now=0.0)
    again._done = 0
    monkeypatch.setattr(module, "EVERY_INPUTS", 100)
    again.step(1.0)
    assert again.made == 1


def test_one_that_fails_is_tried_again_with_patience(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Snapshots(follower, now=0.0)

    def full(data_dir: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(follower.behind, "save", full)
        made.step(EVERY_S)
        made.step(EVERY_S + BACKOFF_S - 1)
        assert made.failed == 1
        made.step(EVERY_S + BACKOFF_S)
        assert made.failed == 2
    made.step(EVERY_S + BACKOFF_S + 2 * BACKOFF_S)
    assert (made.made, made.failed) == (1, 2)


def test_none_is_made_of_findings_that_are_not_journalled(follower: Follower) -> None:
    made = Snapshots(follower, now=0.0)
    follower._pending = follower.behind.watch.state.outputs[:1]
    made.step(EVERY_S)
    assert made.made == 0
    follower._pending = follower._pending[:0]


def test_it_reports_how_it_is_doing_and_what_others_may_remove(follower: Follower) -> None:
    made = Snapshots(follower, now=0.0)
    archiving = Archiving(Keeping(follower.data_dir, HistorySettings()))
    archiving.close()
    archiving.archived, archiving.failed, archiving.trouble = 2, 1, "no space left"
    importing = Importing(Settings(follower.data_dir.parent))
    importing.close()
    importing.files, importing.counts["records"] = 3, 7
    report = Report(follower, made, archiving, importing, now=0.0)
    report.step(0.0)
    said = read_status(follower.data_dir)
    assert said is not None and said["followed"] == follower.followed and said["durable"]
    assert lag_of(said, follower.followed, said["followed_at_us"] + 5) == (0, 0.0)
    assert lag_of(said, follower.followed + 7, said["followed_at_us"] + 2_500_000) == (7, 2.5)
    text = metrics_text(said, follower.followed + 7, said["followed_at_us"])
    assert "simward_watch_lag_events 7\n" in text and 'simward_watch_snapshots_total{result="made"} 0\n' in text
    assert 'simward_watch_history_steps_total{result="archived"} 2\n' in text
    assert 'simward_watch_cdr_files_total{result="imported"} 3\n' in text and "simward_watch_cdr_failing 0\n" in text
    assert 'simward_watch_cdr_lines_total{result="records"} 7\n' in text
    assert "simward_watch_history_failing 1\n" in text and said["history_failing_because"] == "no space left"
    position = json.loads((watch_folder(follower.data_dir) / POSITION_NAME).read_text())
    assert position == {"needed_after": 0}
    report.close()
    assert read_status(follower.data_dir) is None


def test_a_table_that_an_earlier_version_had_not_gets_a_row_for_each_subscription() -> None:
    members = 5000
    arrays = {"watched": WATCHED, "usage": USAGE, "watch_meta": WATCH_META}
    saved = {
        f"{WATCH_PREFIX}{name}": np.zeros(1 if name == "watch_meta" else members, dtype)
        for name, dtype in arrays.items()
    }
    state = watch_state_of(Snapshot(1, "0" * 32, saved, {"watch_detectors": []}))
    assert state is not None
    assert all(len(getattr(state, name)) >= members for name in EACH)
