"""The thread that makes history outlives whatever a step raises, and says it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from simward.errors import JournalError
from simward.history.keeping import Keeping, Kept
from simward.settings import HistorySettings
from simward.watch import archiving


class Failing(Keeping):
    """Steps that go wrong, one error after the other, and then go well."""

    def __init__(self, folder: Path, errors: list[Exception]) -> None:
        super().__init__(folder, HistorySettings())
        self.errors, self.went_well = errors, 0

    def step(self, now_us: int) -> Kept | None:
        if self.errors:
            raise self.errors.pop(0)
        self.went_well += 1
        return super().step(now_us)


def test_no_error_ends_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(archiving, "BACKOFF_S", 0.001)
    errors = [ValueError("a column is missing"), JournalError("grew"), KeyError("layout"), MemoryError()]
    keeping = Failing(tmp_path, errors)
    with caplog.at_level(logging.ERROR):
        thread = archiving.Archiving(keeping)
        until = time.monotonic() + 10
        while not keeping.went_well and time.monotonic() < until:
            time.sleep(0.005)
        thread.close()
    assert keeping.went_well == 1 and thread.failed == 4
    said = [record.getMessage() for record in caplog.records]
    assert "ValueError: a column is missing" in said[0] and "(grew)" in said[1] and "KeyError" in said[2]
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False], "explained once"
    assert all("trying again in" in one for one in said)
