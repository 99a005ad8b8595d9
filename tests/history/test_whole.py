"""What was journalled is the same before and after it became history: to the byte, to the digest, to the story."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from history.recorded import MEMBERS, archive_all, member, record
from simward.cli import cli
from simward.engine.fold import Fold
from simward.engine.replay import fold_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import restore
from simward.engine.story import Subject, numbers_of
from simward.history.unit import Unit, history_folder, unit_folder, unit_numbers
from simward.history.whole import WholeJournal, restored_from


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The same recording twice: all in the journal, and nearly all in the history; and the digest of its state."""
    before = tmp_path_factory.mktemp("before") / "work"
    digest = record(before)
    after = tmp_path_factory.mktemp("after") / "work"
    shutil.copytree(before, after)
    assert archive_all(after) >= 4
    return before, after, digest


def simward(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.stdout


def test_every_row_comes_back_as_it_was(made: tuple[Path, Path, str]) -> None:
    before, after, _ = made
    with closing(SqliteJournal.open(before / "data" / "journal", writer=False)) as journal:
        with closing(WholeJournal.open(after / "data")) as whole:
            assert list(whole.rows()) == list(journal.rows())
            assert (whole.first, whole.last) == (journal.first, journal.last)
            for after_sequence in (1, 77, 500, journal.last - 1, journal.last):
                assert list(whole.rows(after_sequence)) == list(journal.rows(after_sequence))


@pytest.mark.parametrize("batches", [False, True])
def test_folding_from_the_start_gives_the_bytes_of_the_live_state(made: tuple[Path, Path, str], batches: bool) -> None:
    _, after, digest = made
    fold = Fold.new()
    with closing(WholeJournal.open(after / "data")) as whole:
        rows = 0
        for row in whole.rows(batches=batches):
            fold_row(fold, row, whole.layouts)
            rows += 1
    assert fold.state.digest() == digest
    assert (rows < 250) == batches


def test_a_start_needs_history_only_where_no_snapshot_is_left(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, after, digest = made
    folder = tmp_path / "work"
    shutil.copytree(after, folder)
    for _ in range(2):
        with closing(SqliteJournal.open(folder / "data" / "journal", writer=False)) as journal:
            assert journal.first > 1
            assert restore(folder / "data", restored_from(folder / "data", journal)).state.digest() == digest
        shutil.rmtree(folder / "data" / "snapshots", ignore_errors=True)


def test_the_chain_of_digests_goes_through_both(made: tuple[Path, Path, str]) -> None:
    before, after, _ = made
    assert simward(after, "verify") == simward(before, "verify")


@pytest.mark.parametrize("name", ["rows.parquet", "subscriptions.parquet", "events", "outputs"])
def test_a_changed_file_is_found(made: tuple[Path, Path, str], tmp_path: Path, name: str) -> None:
    _, after, _ = made
    folder = tmp_path / "work"
    shutil.copytree(after, folder)
    path = min(history_folder(folder / "data").glob(f"*/{name}*"))
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 3] ^= 1
    path.write_bytes(octets)
    assert json.loads(simward(folder, "verify", "--json"))["wrong"] == int(path.parent.name)


def test_a_rewritten_event_is_found_whatever_the_description_says(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    """Somebody who knows the format writes the file again and its digest as well: the chain still tells."""
    _, after, _ = made
    folder = tmp_path / "work"
    shutil.copytree(after, folder)
    first = unit_folder(history_folder(folder / "data"), 1)
    (path,) = first.glob("events-*")
    table = pq.read_table(path)
    at = table.schema.get_field_index("imei")
    pq.write_table(table.set_column(at, "imei", table.column("imei").take(list(range(1, table.num_rows)) + [0])), path)
    from simward.history.unit import file_said

    unit = Unit.read(first)
    unit.files[path.name] = file_said(path)
    unit.write_description()
    said = json.loads(simward(folder, "verify", "--json"))
    assert said["wrong"] and said["reason"] == "changed since it was written"


def test_a_missing_unit_is_found(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, after, _ = made
    for number in (0, 1):
        folder = tmp_path / f"work{number}"
        shutil.copytree(after, folder)
        units = unit_numbers(history_folder(folder / "data"))
        shutil.rmtree(unit_folder(history_folder(folder / "data"), units[number]))
        assert json.loads(simward(folder, "verify", "--json"))["wrong"] == units[number]
        if number:
            result = CliRunner().invoke(cli, ["--dir", str(folder), "findings"])
            assert result.exit_code == 3 and "missing from the journal" in result.stderr


@pytest.mark.parametrize("command", [
    ["findings", "--json"], ["events", "--json"], ["events", "--json", "--ticks", "--since", "2026-11-25T12:00Z"],
    ["events", "--count"], ["who", "10.64.0.3", "--at", "2026-11-23T00:06:30Z", "--json"],
    ["replay", "journal"],
])  # fmt: skip
def test_commands_say_the_same(made: tuple[Path, Path, str], command: list[str]) -> None:
    before, after, _ = made
    assert simward(after, *command) == simward(before, *command) != ""


@pytest.mark.parametrize("number", range(MEMBERS))
def test_one_subscription_is_found_by_the_index(made: tuple[Path, Path, str], number: int) -> None:
    before, after, _ = made
    who = member(number)
    for name in ("imsi", "iccid", "msisdn"):
        for command in (["explain", who[name], "--json", "--all"], ["events", "--json", "--imsi", who[name]]):
            assert simward(after, *command) == simward(before, *command) != ""


def test_the_index_gives_nobody_elses_events(made: tuple[Path, Path, str]) -> None:
    _, after, _ = made
    with closing(WholeJournal.open(after / "data")) as whole:
        numbers = numbers_of(member(1)["imsi"], whole.revisions())
        assert len(numbers) == 3
        subject = Subject.parse(member(1)["imsi"])
        mine: list[Any] = []
        last = whole.units()[-1].last
        for row in whole.rows_about(numbers):
            if row.kind == "events" and row.last <= last and row.inputs:
                from simward.engine.journal import row_events

                events = row_events(row, whole.layouts)
                mine += [row.first] if len(subject.among_events(events)) else []
                assert len(events) == 1 and (events["imsi"][0] or events["user"][0] or events["kind"][0] in (5, 20))
        assert len(mine) > 50


def test_a_subscription_that_nobody_knows_is_not_found(made: tuple[Path, Path, str]) -> None:
    _, after, _ = made
    result = CliRunner().invoke(cli, ["--dir", str(after), "explain", "001010000099999"])
    assert result.exit_code == 1
