"""The watch follows the gate's journal: whatever befalls it, each finding is recorded once; its state is the fold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from journalled import JournalledFleet, a_bad_day, names, recorded

from simward.engine import outputs as o
from simward.engine.watching import compose
from simward.errors import JournalError, NotDurableError
from simward.watch.following import Follower
from simward.watch.snapshots import make_snapshot


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a bad day, followed by nobody yet."""
    data_dir = tmp_path_factory.mktemp("day") / "data"
    fleet = JournalledFleet(data_dir)
    for _ in a_bad_day(fleet):
        pass
    fleet.close()
    return data_dir


@pytest.fixture(scope="module")
def truth(day: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, str]:
    """What a watch that nothing befalls records of it, and its state in the end."""
    data_dir = beside(day, tmp_path_factory.mktemp("truth") / "data")
    follower = Follower(data_dir)
    follower.catch_up()
    digest = follower.behind.watch.digest()
    follower.close()
    return recorded(data_dir), digest


def beside(day: Path, data_dir: Path) -> Path:
    """Another folder with the same journal of the gate."""
    data_dir.mkdir(parents=True)
    (data_dir / "journal").symlink_to(day / "journal")
    return data_dir


@pytest.fixture
def data_dir(day: Path, tmp_path: Path) -> Path:
    return beside(day, tmp_path / "data")


def test_a_bad_day_is_told(truth: tuple[np.ndarray, str]) -> None:
    outputs, _ = truth
    began = outputs[outputs["kind"] == o.FINDING_BEGAN]
    named = [compose.manifest()["detectors"][one["detector"]]["classes"][one["class"]] for one in began]
    assert named == ["cell", "stopped", "gateway", "cell"]
    assert int(np.count_nonzero(outputs["kind"] == o.FINDING_ENDED)) == 4


def test_live_is_what_folding_again_gives(tmp_path: Path, truth: tuple[np.ndarray, str]) -> None:
    """Followed minute by minute, as it comes."""
    fleet = JournalledFleet(tmp_path / "data")
    follower = Follower(tmp_path / "data")
    for _ in a_bad_day(fleet):
        follower.step()
    follower.catch_up()
    assert follower.behind.watch.digest() == truth[1]
    follower.close()
    fleet.close()
    assert recorded(tmp_path / "data").tobytes() == truth[0].tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_missed_or_told_twice_wherever_it_is_started_again(
    data_dir: Path, truth: tuple[np.ndarray, str], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone at random moments, with a snapshot made now and then; also between folding and recording."""
    chosen = random.Random(seed)
    monkeypatch.setattr("simward.watch.following.STEP_EVENTS", 300)
    for _ in range(25):
        follower = Follower(data_dir)
        for _ in range(chosen.randrange(8)):
            follower.step()
        if chosen.random() < 0.3:
            follower.behind.save(data_dir)
        if chosen.random() < 0.3:  # folded, and gone before it was recorded
            follower.behind.rows(list(follower._rows()), follower.journal.layouts)
        follower.close()
    follower = Follower(data_dir)
    follower.catch_up()
    assert follower.behind.watch.digest() == truth[1]
    follower.close()
    assert recorded(data_dir).tobytes() == truth[0].tobytes()


def test_findings_that_cannot_be_written_wait(
    data_dir: Path, truth: tuple[np.ndarray, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(data_dir)

    def full(row: object) -> None:
        raise NotDurableError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(follower.own, "append", full)
        for _ in range(5):
            follower.step()
        assert not follower.durable and follower.trouble == "disk full"
        assert follower.followed < follower.journal.last or follower.step() == 0
    follower.catch_up()
    assert follower.durable
    follower.close()
    assert recorded(data_dir).tobytes() == truth[0].tobytes()


def test_only_one_watch_follows_a_folder(data_dir: Path) -> None:
    follower = Follower(data_dir)
    with pytest.raises(JournalError, match="being written by process"):
        make_snapshot(data_dir)
    follower.close()
    assert make_snapshot(data_dir).path is not None


def test_a_watch_that_is_ahead_of_its_gate_says_so(data_dir: Path, tmp_path: Path) -> None:
    make_snapshot(data_dir)
    restored = tmp_path / "restored"
    JournalledFleet(restored).close()
    (restored / "watch").symlink_to(data_dir / "watch")
    with pytest.raises(JournalError, match="the watch has followed to sequence"):
        Follower(restored)


def test_old_segments_are_needed_until_two_snapshots_hold_them(day: Path, data_dir: Path) -> None:
    follower = Follower(data_dir)
    follower.step()
    assert follower.needed_after() == 0
    follower.behind.save(data_dir)
    assert follower.needed_after() == 0, "were this one damaged, all would have to be folded again"
    first = follower.followed
    follower.step()
    follower.behind.save(data_dir)
    assert follower.needed_after() == first or follower.followed == first
    follower.close()


@pytest.fixture
def upgraded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Half of the day was followed by a kernel that went by another name, in whose last rows a finding is open."""
    monkeypatch.setattr("simward.watch.following.STEP_EVENTS", 300)
    monkeypatch.setattr(compose, "kernel_hash", lambda: "0" * 32)
    follower = Follower(data_dir)
    while not follower.behind.watch.state.watch_meta["findings_live"][0]:
        follower.step()
    follower.close()
    monkeypatch.undo()
    yield data_dir


def test_after_an_upgrade_what_was_told_is_not_told_again(upgraded: Path, truth: tuple[np.ndarray, str]) -> None:
    follower = Follower(upgraded)
    follower.catch_up()
    follower.close()
    assert names(recorded(upgraded)) == names(truth[0])


def test_after_an_upgrade_what_only_the_journal_has_open_ends(
    upgraded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new kernel would not have found it: its end is recorded, under the id that it had."""
    before = recorded(upgraded)[-1]
    follower = Follower(upgraded)
    while follower._settle_at:
        with monkeypatch.context() as patched:
            patched.setattr("simward.engine.watching.behind.open_findings", lambda watch: {})
            follower.step()
    for row in range(int(follower.behind.watch.state.watch_meta["findings"][0])):
        follower.behind.watch.state.drop_finding(row)
    follower.catch_up()
    follower.close()
    after = [one for one in recorded(upgraded) if one["kind"] == o.FINDING_ENDED]
    assert [(one["opened_sequence"], one["opened_index"]) for one in after][:1] == [
        (before["opened_sequence"], before["opened_index"])
    ]
    assert sum(one["kind"] == o.FINDING_BEGAN for one in recorded(upgraded)) in (4, 5), "the rest is told as ever"
