"""Days are fitted as they end, and what a fit says is an input of the fold: journalled first, and honoured for ever."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from behaving import DAY_US, FIRST_DAY, IMSI, a_fleet, days_of, journal_of
from journalled import recorded

from simward.behaviour_settings import BehaviourSettings, budget_of
from simward.engine import outputs as o
from simward.engine.both_journals import findings_folder
from simward.engine.journal import BEHAVIOUR
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.watching.own_inputs import OwnInput
from simward.errors import NotDurableError
from simward.fitting.daily import fit_copied
from simward.fitting.day_fits import Copied, InStep
from simward.watch.following import Follower

MEMBERS, DAYS = 300, 14
THIEF = 3
LEAP = {(day, THIEF): 1000.0 for day in (11, 12)}
SETTINGS = BehaviourSettings()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of two weeks, on two days of which one sends a thousand times as much."""
    data_dir = tmp_path_factory.mktemp("weeks") / "data"
    journal_of(data_dir, MEMBERS, days_of(MEMBERS, DAYS, LEAP))
    return data_dir


def beside(weeks: Path, data_dir: Path) -> Path:
    data_dir.mkdir(parents=True)
    (data_dir / "journal").symlink_to(weeks / "journal")
    return data_dir


@pytest.fixture
def data_dir(weeks: Path, tmp_path: Path) -> Path:
    return beside(weeks, tmp_path / "data")


@pytest.fixture(scope="module")
def truth(weeks: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, str, list[int]]:
    """What a watch that nothing befalls records, its state in the end, and after which sequences days were settled."""
    data_dir = beside(weeks, tmp_path_factory.mktemp("truth") / "data")
    follower = Follower(data_dir, SETTINGS)
    follower.catch_up()
    digest = follower.behind.watch.digest()
    follower.close()
    return recorded(data_dir), digest, [after for after, _ in own_inputs(data_dir)]


def own_inputs(data_dir: Path) -> list[tuple[int, OwnInput]]:
    with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as own:
        return [(row.last, OwnInput.from_bytes(row.inputs)) for row in own.rows() if row.kind == BEHAVIOUR]


def test_each_day_is_fitted_once_in_order_and_the_thief_is_told(weeks: Path, data_dir: Path, truth) -> None:  # type: ignore[no-untyped-def]
    outputs, _, _ = truth
    began = outputs[(outputs["kind"] == o.FINDING_BEGAN) & (outputs["imsi"] == IMSI + THIEF)]
    assert len(began) == 1
    follower = Follower(data_dir, SETTINGS)
    follower.catch_up()
    assert follower.fits.fitted == DAYS - 1 and not follower.fits.trouble
    assert follower.behind.watch.last_day["day"] == FIRST_DAY + DAYS - 2
    follower.close()
    days = [one.kind for _, one in own_inputs(data_dir)]
    assert days == ["settled"] * (DAYS - 1)


def test_the_budget_follows_who_was_heard_and_is_journalled(data_dir: Path, truth) -> None:  # type: ignore[no-untyped-def]
    follower = Follower(data_dir, SETTINGS)
    follower.catch_up()
    heard = follower.behind.watch.last_day["figures"]["heard"]
    follower.close()
    (*_, (_, last)) = own_inputs(data_dir)
    assert last.said["budget"] == budget_of(heard) == heard / 4000 and last.said["budget_is_derived"]
    assert budget_of(1_000_000) == 5.0


def test_a_budget_that_is_set_holds_to_the_digit(data_dir: Path) -> None:
    follower = Follower(data_dir, BehaviourSettings(findings_a_day=0.123))
    follower.catch_up()
    follower.close()
    assert {(one.said["budget"], one.said["budget_is_derived"]) for _, one in own_inputs(data_dir)} == {(0.123, False)}


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere_it_settles_the_same_days_at_the_same_places(
    data_dir: Path, truth, seed: int, monkeypatch: pytest.MonkeyPatch  # type: ignore[no-untyped-def]
) -> None:
    """It is gone at random moments: before a fit is journalled, after it and before it is taken, and with snapshots."""
    chosen = random.Random(seed)
    monkeypatch.setattr("simward.watch.following.STEP_EVENTS", 400)
    for _ in range(20):
        follower = Follower(data_dir, SETTINGS)
        for _ in range(chosen.randrange(6)):
            follower.step()
        if chosen.random() < 0.4:
            follower.behind.save(data_dir)
        if chosen.random() < 0.3:  # folded, and gone before it was recorded
            follower.behind.rows(list(follower._rows()), follower.journal.layouts)
        follower.close()
    follower = Follower(data_dir, SETTINGS)
    follower.catch_up()
    assert follower.behind.watch.digest() == truth[1]
    follower.close()
    assert recorded(data_dir).tobytes() == truth[0].tobytes()
    assert [after for after, _ in own_inputs(data_dir)] == truth[2]


def test_folding_again_from_the_start_takes_what_was_fitted_then(weeks: Path, data_dir: Path) -> None:
    """Fits of a thread that takes its time come later, and differ; the state is theirs, without fitting again."""
    slow = threading.Event()

    def in_its_time(copied: Copied) -> bytes:
        slow.wait(0.05)
        return fit_copied(copied)

    live = Follower(data_dir, SETTINGS, fit=in_its_time, beside=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("simward.watch.following.STEP_EVENTS", 300)
        patched.setattr(live.journal.__class__, "last", property(lambda self: live.followed + 1))
        while live.step() or (live.fits.is_running and not live.fits.is_made):
            pass
        live.step()  # what was made last is journalled as well
    assert live.fits.fitted == DAYS - 1
    digest, found = live.behind.watch.digest(), recorded(data_dir)
    live.close()

    def never(copied: Copied) -> bytes:
        raise AssertionError("it was fitted already")

    again = Follower(data_dir, SETTINGS, fit=never)
    again.catch_up()
    assert again.behind.watch.digest() == digest and not again.fits.failed
    again.close()
    assert recorded(data_dir).tobytes() == found.tobytes()


def test_any_cut_and_no_journal_at_all_give_the_same(truth) -> None:  # type: ignore[no-untyped-def]
    events = days_of(MEMBERS, DAYS, LEAP)
    told = []
    for size in (len(events), 1000, 77):
        behind = a_fleet(MEMBERS)
        step = InStep(behind.watch, SETTINGS, fit_copied)
        first = behind.gate.sequence + 1
        parts = [step.events(events[at : at + size], first + at) for at in range(0, len(events), size)]
        outputs = np.concatenate(parts)
        outputs["event"] = 0
        told.append((outputs.tobytes(), behind.watch.digest()))
    assert told[0] == told[1] == told[2]


def test_a_day_that_cannot_be_fitted_passes_unjudged_and_is_told(data_dir: Path) -> None:
    broken = FIRST_DAY + 3

    def failing(copied: Copied) -> bytes:
        if copied.day == broken:
            raise MemoryError("no memory")
        return fit_copied(copied)

    follower = Follower(data_dir, SETTINGS, fit=failing)
    follower.catch_up()
    assert follower.fits.unfitted == 1 and follower.fits.failed == 3
    follower.close()
    kinds = {one.said.get("day", 0): one.kind for _, one in own_inputs(data_dir) if one.kind == "unfitted"}
    assert kinds == {broken: "unfitted"} and len(own_inputs(data_dir)) == DAYS - 1


def test_a_fit_that_cannot_be_journalled_waits(data_dir: Path, truth, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    follower = Follower(data_dir, SETTINGS)
    append, refused = follower.own.append, []

    def full_at_first(row) -> None:  # type: ignore[no-untyped-def]
        if row.kind == BEHAVIOUR and len(refused) < 3:
            refused.append(row)
            raise NotDurableError("disk full")
        append(row)

    monkeypatch.setattr(follower.own, "append", full_at_first)
    for _ in range(40):
        follower.step()
    monkeypatch.undo()
    follower.catch_up()
    assert len(refused) == 3 and follower.behind.watch.digest() == truth[1]
    follower.close()


@pytest.fixture
def gap(tmp_path: Path) -> Iterator[Path]:
    """Four days, five days without a word from the gate, and two more."""
    events = np.concatenate([days_of(MEMBERS, 4, {}), days_of(MEMBERS, 2, {}, first=9)])
    journal_of(tmp_path / "data", MEMBERS, events)
    yield tmp_path / "data"


def test_days_on_which_nothing_was_heard_are_settled_too(gap: Path) -> None:
    follower = Follower(gap, SETTINGS)
    follower.catch_up()
    settled = int(follower.behind.watch.state.watch_meta["settled_day"][0])
    assert settled == FIRST_DAY + 9 and follower.fits.fitted == 10
    assert int(follower.behind.watch.state.watch_meta["findings_live"][0]) == 0
    follower.close()
    assert DAY_US
