"""A backtest that does not begin at the beginning still knows what was bound, locked and given by then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.trying import LOCKING, OBSERVED, days, recorded, run, tried
from engine.recording import METER, PHONE, Recording
from history.recorded import member
from simward.backtest.beginning import begin
from simward.engine import events as ev
from simward.engine.fold import Fold
from simward.engine.replay import fold_row
from simward.engine.start import FACTS, save
from simward.history.base import Base
from simward.history.keeping import Keeping
from simward.history.unit import history_folder
from simward.history.whole import WholeJournal
from simward.settings import HistorySettings

DAY_US = 86_400_000_000


def told(folder: Path) -> Path:
    """Fourteen days under a policy that locks, and a snapshot of their end. Early and late there are swaps, locks,
    releases and a binding that was given up. The first unit of history holds revisions alone."""

    def story(recording: Recording) -> None:
        days(recording, 0, 4, {1: 2})
        recording.command(ev.COMMAND_RELEASE, "sold on", iccid=member(0)["iccid"], flags=ev.FLAG_REBIND)
        recording.asks(imsi=member(0)["imsi"], imei=METER + 9)
        days(recording, 4, 6, {1: 2})
        recording.asks(imsi=member(3)["imsi"], imei=PHONE)
        recording.event(ev.COMMAND_RELEASE, imsi=member(1)["imsi"], gateway=0)
        days(recording, 10, 4, {1: 12}, members=3)
        save(recording.fold, folder / "data")

    return recorded(folder, story, LOCKING, segment_octets=40_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told(tmp_path_factory.mktemp("beginning") / "work")


def facts(fold: Fold) -> dict[int, tuple[Any, ...]]:
    """What is a fact of each subscription."""
    used = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])]
    return {int(one["imsi"]): tuple(np.asarray(one[name]).tolist() for name in FACTS) for one in used}


@pytest.mark.parametrize("day", range(1, 14))
def test_facts_are_those_of_the_fold(folder: Path, day: int) -> None:
    """At every beginning: bound, locked and addressed as the fold of everything before has it."""
    record = WholeJournal.open(folder / "data")
    first = min(unit.at_first for unit in record.units())
    beginning = begin(record, folder / "data", first + day * DAY_US, 0)
    whole = Fold.new()
    for row in record.rows():
        if row.last > beginning.fold.sequence:
            break
        fold_row(whole, row, record.layouts)
    record.close()
    assert beginning.facts and beginning.fold.sequence == whole.sequence
    assert facts(beginning.fold) == facts(whole)
    assert beginning.fold.sequence > 0 or day < 4


def test_a_short_warm_up_finds_what_a_long_one_does(folder: Path) -> None:
    for policies in (LOCKING, OBSERVED):
        one, other = (
            tried(folder, policies, "--since", "2026-12-01", *more) for more in ((), ("--warm-up", "2d"))
        )
        assert one == other


def test_what_retention_removed_is_known_from_a_snapshot(tmp_path: Path) -> None:
    folder = told(tmp_path / "work")
    whole = tried(folder, LOCKING, "--since", "2026-12-02")
    keeping = Keeping(folder / "data", HistorySettings(keep_s=5 * 86_400))
    now = 1_795_392_000_000_000 + 14 * DAY_US
    while kept := keeping.step(now):
        assert kept.removed
    assert Base.read(history_folder(folder / "data")).last > 0
    assert tried(folder, LOCKING, "--since", "2026-12-02") == whole
    for path in (folder / "data" / "snapshots").iterdir():
        path.unlink()
    assert "no snapshot can tell" in run(folder, LOCKING, "--since", "2026-12-02").stdout
