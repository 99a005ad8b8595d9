"""Findings of gate and watch are read as one: listed, followed, and named in the story of one subscription."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from journalled import CELL_SIZE, JournalledFleet, a_bad_day
from watched import CELL

from simward.cli import cli
from simward.engine import events as e
from simward.engine.both_journals import BothJournals, findings_folder
from simward.engine.events import EVENT
from simward.engine.journal import MemoryJournal, Row
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.standing import now_sentences
from simward.engine.story import read_story
from simward.identity import cell_text
from simward.watch.following import Follower
from simward.watch.snapshots import make_snapshot

PHONE = 35999999000001


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bad day, at the end of which one member of the dead cell begins a new session."""
    made = tmp_path_factory.mktemp("both") / "work"
    assert simward(made, "init").exit_code == 0
    with closing(JournalledFleet(made / "data")) as fleet:
        for number, _ in enumerate(a_bad_day(fleet)):
            if number == 46:  # its cell has been dead for twelve minutes
                fleet.happen([fleet.event(e.ACCOUNTING_START, 3, session="again")])
                fleet.happen([fleet.event(e.ACCOUNTING_START, 4, session="again", device=PHONE)])
        fleet.lasts(60, extra=[fleet.of_gateway(e.ACCOUNTING_ON)])
    make_snapshot(made / "data")
    yield made


def findings(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in simward(folder, "findings", "--json", *arguments).stdout.splitlines()]


def test_both_are_listed_in_order_with_ids_that_differ(folder: Path) -> None:
    listed = [one for one in findings(folder) if one["imsi"] is None]
    names = [f"{one['detector']}/{one['class']}" for one in listed]
    assert names == [
        "cell-silent/cell", "gateway-silent/stopped", "cell-silent/gateway", "cell-silent/cell",
        "gateway-restarted/accounting-on",
    ]  # fmt: skip
    assert [one["id"][:2] for one in listed] == ["w0", "w0", "w0", "w0", "0/"]
    first = listed[0]
    assert first["about"] == f"cell {cell_text(CELL)} in 00101" and first["was"] == first["now"] == CELL_SIZE
    assert first["scope"] == "group" and first["imsi"] is None and first["verdict"] is None
    assert first["ended_at"] is not None and first["response"] == "observe"
    assert set(first) == set(listed[-1]), "one shape"


def test_they_are_found_by_detector_and_shown_to_people(folder: Path) -> None:
    assert len(findings(folder, "--detector", "cell-silent/cell")) == 2
    shown = simward(folder, "findings").stdout
    assert "cell-silent/gateway" in shown and "gateway pgw1" in shown
    assert simward(folder, "findings", "--detector", "cell-silnt").exit_code == 2


def test_a_story_names_what_befell_many(folder: Path) -> None:
    told = json.loads(simward(folder, "explain", "001010000000004", "--json").stdout)
    away = [one for one in told["chapters"] if one["what"] == "absence"]
    assert f"It fell silent together with 9 others of cell {cell_text(CELL)} in 00101." in away[0]["text"]
    assert away[0]["because"].startswith("w0/")


def test_a_story_that_came_back_otherwise_says_both(folder: Path) -> None:
    told = json.loads(simward(folder, "explain", "001010000000005", "--json").stdout)
    away = next(one for one in told["chapters"] if one["what"] == "absence")
    assert "back with another device" in away["text"] and "together with 9 others" in away["text"]


def test_a_story_of_one_elsewhere_does_not(folder: Path) -> None:
    assert "together" not in simward(folder, "explain", "001010000000030").stdout


def test_one_that_is_silent_now_is_told_why(tmp_path: Path) -> None:
    with closing(JournalledFleet(tmp_path / "data")) as fleet:
        day = a_bad_day(fleet)
        for _ in range(46):
            next(day)
    make_snapshot(tmp_path / "data")
    with closing(SqliteJournal.open(tmp_path / "data" / "journal", writer=False)) as gate:
        both = BothJournals(gate, SqliteJournal.open(findings_folder(tmp_path / "data"), writer=False))
        told = read_story(both, "001010000000004").told()
    assert any("It fell silent together with 9 others" in one for one in now_sentences(told))


def test_verify_walks_both_journals(folder: Path) -> None:
    shown = simward(folder, "verify")
    assert shown.exit_code == 0 and "The watch's journal: " in shown.stdout
    told = json.loads(simward(folder, "verify", "--json").stdout)
    assert told["wrong"] is None and told["watch"]["wrong"] is None and 0 < told["watch"]["last"] <= told["last"]


def test_following_shows_what_the_watch_finds_later(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    assert simward(folder, "init").exit_code == 0
    fleet = JournalledFleet(folder / "data")
    day = a_bad_day(fleet)
    for _ in range(40):
        next(day)
    follower = Follower(folder / "data")
    follower.catch_up()
    command = [sys.executable, "-m", "simward", "--dir", str(folder), "findings", "--json", "--follow"]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    try:
        for _ in day:
            follower.step()
        follower.catch_up()
        assert following.stdout is not None
        seen = []
        while sum(one["ended_at"] is not None for one in seen) < 4:
            assert select.select([following.stdout], [], [], 20)[0], seen
            seen.append(json.loads(following.stdout.readline()))
    finally:
        following.kill()
        following.wait()
        assert following.stdout is not None
        following.stdout.close()
        follower.close()
        fleet.close()
    assert len({one["id"] for one in seen}) == 4, "each as it begins and as it ends"


def test_without_a_watch_the_gates_are_read_as_ever(folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert simward(work, "init").exit_code == 0
    (work / "data").rmdir()
    (work / "data").mkdir()
    (work / "data" / "journal").symlink_to(folder / "data" / "journal")
    assert [one["detector"] for one in findings(work)] == ["cloned-subscription", "gateway-restarted"]


def test_beside_some_of_the_gates_rows_every_finding_is_in_its_place(folder: Path) -> None:
    """As for the story of one subscription: findings stand before the next row that is there, not behind it."""
    with (
        closing(SqliteJournal.open(folder / "data" / "journal", writer=False)) as gate,
        closing(SqliteJournal.open(findings_folder(folder / "data"), writer=False)) as watch,
    ):
        whole = [row.last for row in watch.rows() if row.outputs]
        some = [row for number, row in enumerate(gate.rows()) if number % 10 == 0 or row.last == gate.last]
        read = list(BothJournals(gate, watch).rows(iter(some)))
    assert len(read) > len(some) and whole
    for place, row in enumerate(read):
        if row not in some:
            assert all(after.last > row.last for after in read[place + 1 :] if after in some)
            assert all(before.first <= row.last for before in read[:place] if before in some)


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_a_row_comes_in_parts_cut_always_at_the_same_inputs(most: int) -> None:
    """What is read of a row does not depend on where a reader stopped: the parts after any of them are those parts."""
    events, outputs = np.zeros(10, EVENT), np.zeros(12, OUTPUT)
    events["imsi"] = np.arange(10)
    outputs["sequence"] = [100, 100, 100, 100, 103, 104, 104, 105, 109, 108, 109, 109]
    outputs["index"] = np.arange(12)
    notes = {"texts": [[1, "YQ=="]], "commands": {"104": {"actor": "somebody"}}}
    row = Row(100, 10, "events", 5, "k", events.tobytes(), outputs.tobytes(), notes)
    journal = MemoryJournal()
    for one in (Row(1, 99, "events", 1, "k", events[:1].tobytes() * 99, b""), row):
        journal.append(one)
    watch = MemoryJournal()
    parts = list(BothJournals(journal, watch, 99, outputs_max=most).more())
    assert [one.first for one in parts] == [100, *(one.last + 1 for one in parts[:-1])]
    assert parts[-1].last == row.last
    assert b"".join(one.inputs for one in parts) == row.inputs
    read = [output for one in parts for output in np.frombuffer(one.outputs, OUTPUT)]
    assert sorted(int(one["index"]) for one in read) == list(range(12))
    for part in parts:
        about = np.frombuffer(part.outputs, OUTPUT)["sequence"]
        assert ((part.first <= about) & (about <= part.last)).all()
    assert max(len(part.outputs) // OUTPUT.itemsize for part in parts) <= max(4, 2 * most)
    assert [bool(part.notes.get("texts")) for part in parts] == [True] + [False] * (len(parts) - 1)
    assert all(part.notes["commands"] == notes["commands"] for part in parts)
    for place, part in enumerate(parts):
        both = BothJournals(journal, watch, part.last, outputs_max=most)
        assert list(both.more()) == parts[place + 1 :]
        assert both.told[0] == row.last
