"""The control process dies between a receiver's 2xx and the commit of it: the same comes again, and nothing else.

The moment is not hit by chance: before the receiver answers, the test takes the registry's write lock as any program
could, so that what came of the attempt cannot be committed; then the process is killed, and the lock given back.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import RunningGate, until
from scenarios.parties import System
from simward.registry import tables as t
from simward.registry.database import FILE_NAME, Registry, sqlite_url
from simward.response.announcing import Announcement, Announcing
from simward.settings import Settings

REACHES_S = 0.1
"""For a 2xx on loopback to be read: whether it was makes no difference to what is promised, and both are cut."""
TOO_LONG_S = 30.0


class Cut:
    """A control process, a receiver, and the hand that holds the registry while it answers."""

    def __init__(self, folder: Path) -> None:
        self.app = System("app", self._answers)
        self.folder = RunningGate(folder, 1, more=self.app.settings(), control="none").folder
        self._settings = Settings.load(self.folder)
        self._settings.data_dir.mkdir(exist_ok=True)
        self.registry = Registry.open(sqlite_url(self._settings.data_dir))
        self.registry.migrate()
        path = self._settings.data_dir / FILE_NAME
        self._lock = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
        self._at: set[str] = set()
        self._held = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.app.up()

    def say(self, subjects: str) -> list[str]:
        """An announcement about each letter; gives their ids."""
        now = time.time_ns() // 1000
        announcing = Announcing(self._settings.endpoints, lambda: now, self._settings.parties)
        ids = [f"policy.applied:0/{number}/0" for number in range(1, len(subjects) + 1)]
        with self.registry.writing() as connection:
            for name, subject in zip(ids, subjects, strict=True):
                announcing.say(connection, Announcement("policy.applied", name, now, subject, data={"what": "policy"}))
        return ids

    def delivers(self, cut_at: set[str]) -> None:
        """Run until all is delivered; a process that is taken one of these for the first time does not survive it."""
        self._at = set(cut_at)
        self._start()
        for _ in cut_at:
            assert self._held.wait(TOO_LONG_S), "it never came"
            time.sleep(REACHES_S)
            self._stop()
            self._held.clear()
            self._lock.execute("ROLLBACK")
            self._start()
        until(lambda: self._states() == {"delivered"})

    def close(self) -> None:
        self._stop()
        self._lock.close()
        self.registry.close()
        self.app.__exit__(None, None, None)

    def rows(self) -> dict[str, list[Any]]:
        """What the registry holds of what is said."""
        with self.registry.reading() as connection:
            return {one.name: list(connection.execute(sa.select(one))) for one in (t.announcement, t.delivery)}

    def _answers(self, event: dict[str, Any]) -> int:
        if event["id"] in self._at and not self._held.is_set():
            self._at.discard(event["id"])
            self._lock.execute("BEGIN IMMEDIATE")
            self._held.set()
        return 204

    def _start(self) -> None:
        command = [sys.executable, "-m", "simward.control", "--dir", str(self.folder)]
        with (self.folder / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _states(self) -> set[str]:
        return {one.state for one in self.rows()["delivery"]}


@pytest.fixture
def cut(tmp_path: Path) -> Iterator[Cut]:
    with closing(Cut(tmp_path / "net")) as made:
        yield made


def test_each_of_a_subject_comes_twice_where_each_is_cut(cut: Cut) -> None:
    first, second, third = cut.say("aaa")
    before = cut.rows()["announcement"]
    cut.delivers({first, second, third})
    assert cut.app.ids == [first, first, second, second, third, third]
    assert cut.app.broken_promises(gapless=True) == []
    rows = cut.rows()
    assert rows["announcement"] == before, "nothing else is said"
    assert [(one.state, one.attempts) for one in rows["delivery"]] == [("delivered", 1)] * 3


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_cut_among_many_subjects_comes_again_in_order(cut: Cut, seed: int) -> None:
    dice = random.Random(seed)
    said = cut.say("".join(dice.choice("abc") for _ in range(30)))
    before = cut.rows()["announcement"]
    chosen = set(dice.sample(said, 2))
    cut.delivers(chosen)
    came = Counter(cut.app.ids)
    assert set(came) == set(said) and all(came[one] >= 2 for one in chosen)
    again = sum(came.values()) - len(said)
    assert again <= 3 * len(chosen), "what was on its way to each of three subjects, and no more"
    assert cut.app.broken_promises(gapless=True) == []
    assert cut.rows()["announcement"] == before
