"""Segments become history when nothing needs them any more; what is too old goes; a kill anywhere harms nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from history.recorded import MEMBERS, archive_all, member, record
from simward.cli import cli
from simward.engine import journal_files as files
from simward.engine.journal import INVENTORY, JournalGapError, Row
from simward.engine.snapshot import snapshot_paths
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import snapshots_folder
from simward.engine.tables import DECLARED, InventoryDelta
from simward.errors import JournalError, UsageError
from simward.history.base import Base
from simward.history.followers import FOLLOWERS_MAX, forget, note_read, read_up_to
from simward.history.keeping import EVERY_US, Keeping, archive, sealed_segments
from simward.history.unit import history_folder, unit_numbers
from simward.history.whole import WholeJournal
from simward.settings import HistorySettings

ENDED_AT = 1_795_392_000_000_000 + 6 * 86_400_000_000
"""Soon after the recording."""
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "work"
    record(folder)
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    """A copy, all of it still in the journal."""
    return Path(shutil.copytree(recorded, tmp_path / "work"))


@pytest.fixture(scope="module")
def rows(recorded: Path) -> list[Row]:
    with closing(SqliteJournal.open(recorded / "data" / "journal", writer=False)) as journal:
        return list(journal.rows())


def run(keeping: Keeping, at: int) -> list[str]:
    """Step until nothing is due; what was done."""
    done = []
    while (kept := keeping.step(at)) is not None:
        done.append("archived" if kept.archived else "removed")
    return done


def whole(folder: Path) -> list[Row]:
    with closing(WholeJournal.open(folder / "data")) as journal:
        return list(journal.rows())


def simward(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.stdout


def test_sealed_segments_become_history_once_they_are_old(folder: Path, rows: list[Row]) -> None:
    data = folder / "data"
    sealed = sealed_segments(data / "journal")
    keeping = Keeping(data, HistorySettings(journal_keep_s=7 * 86_400))
    assert run(keeping, ENDED_AT) == []
    assert keeping.step(ENDED_AT + EVERY_US // 2 + 8 * DAY_US) is not None
    assert run(keeping, ENDED_AT + 9 * DAY_US) == ["archived"] * (len(sealed) - 1)
    assert unit_numbers(history_folder(data)) == [one.first for one in sealed]
    assert len(files.segments(data / "journal")) == 1
    assert whole(folder) == rows


def test_what_no_snapshot_covers_stays(folder: Path) -> None:
    (snapshot,) = snapshot_paths(snapshots_folder(folder / "data"))
    second = sealed_segments(folder / "data" / "journal")[1]
    snapshot.rename(snapshot.with_name(f"{second.last - 1:020d}.snapshot"))
    keeping = Keeping(folder / "data", HistorySettings())
    assert run(keeping, ENDED_AT + 9 * DAY_US) == ["archived"]
    snapshot.with_name(f"{second.last - 1:020d}.snapshot").unlink()
    assert run(Keeping(folder / "data", HistorySettings()), ENDED_AT + 9 * DAY_US) == []


def test_segments_wait_for_followers_until_there_is_too_much_journal(folder: Path) -> None:
    data = folder / "data"
    sealed = sealed_segments(data / "journal")
    note_read(data, "control", sealed[0].last)
    note_read(data, "watch", sealed[3].last)
    at = ENDED_AT + 9 * DAY_US
    assert run(Keeping(data, HistorySettings()), at) == ["archived"]
    limit = sum(one.octets for one in sealed_segments(data / "journal")) - 1
    kept = Keeping(data, HistorySettings(journal_keep_at_most_octets=limit)).step(at)
    assert kept is not None and kept.archived is not None and kept.cut_off == ("control",)
    assert "control had not read them" in str(kept)
    assert run(Keeping(data, HistorySettings(journal_keep_at_most_octets=limit)), at) == []
    forget(data, "control")
    assert run(Keeping(data, HistorySettings()), at) == ["archived"] * 2


def test_marks_of_followers_are_bounded_and_named(folder: Path) -> None:
    data = folder / "data"
    for number in range(FOLLOWERS_MAX):
        note_read(data, f"f{number}", 5)
    note_read(data, "f0", 7)
    assert read_up_to(data)["f0"] == 7
    for name in ("one-too-many", "../etc"):
        with pytest.raises(UsageError):
            note_read(data, name, 1)


def test_a_newest_segment_without_a_row_keeps_the_one_before(folder: Path) -> None:
    """The writer looks for the last row in the one before, where the newest has none yet."""
    journal = folder / "data" / "journal"
    known = files.segments(journal)
    with closing(SqliteJournal.open(journal, writer=False)) as reading:
        last = reading.last
    files.prepare_next(journal, 0)
    files.install_next(journal, last + 1)
    assert [one.first for one in sealed_segments(journal)] == known[:-1]


def test_history_that_is_too_old_is_removed_and_the_rest_still_read(folder: Path, rows: list[Row]) -> None:
    archive_all(folder)
    data = folder / "data"
    story = json.loads(simward(folder, "explain", member(4)["imsi"], "--json", "--all"))
    units = unit_numbers(history_folder(data))
    old = rows[next(number for number, row in enumerate(rows) if row.first == units[3])].at - DAY_US // 24
    keep_s = 100 * 86_400
    done = run(Keeping(data, HistorySettings(keep_s=keep_s)), old + keep_s * 1_000_000)
    assert done == ["removed"] * 2
    kept = whole(folder)
    base = Base.read(history_folder(data))
    assert base.last == units[2] - 1
    assert kept[2:] == [row for row in rows if row.first > base.last]
    assert sorted(InventoryDelta.from_bytes(kept[1].inputs).upserts["imsi"] % 1000) == list(range(1, MEMBERS + 1))
    assert json.loads(simward(folder, "verify", "--json"))["wrong"] is None
    assert json.loads(simward(folder, "verify", "--json"))["first"] == units[2]
    later = json.loads(simward(folder, "explain", member(4)["imsi"], "--json", "--all"))
    assert later["subscription"] == story["subscription"]
    assert later["chapters"][-1] == story["chapters"][-1]
    assert "meters.iot" in simward(folder, "events", "--json")
    with closing(WholeJournal.open(data)) as journal, pytest.raises(JournalGapError):
        list(journal.rows(after=5))


def test_history_that_takes_too_much_room_is_removed(folder: Path) -> None:
    archive_all(folder)
    data = folder / "data"
    with closing(WholeJournal.open(data)) as journal:
        octets = [unit.octets for unit in journal.units()]
    done = run(Keeping(data, HistorySettings(keep_s=0, keep_at_most_octets=sum(octets[-2:]))), ENDED_AT)
    assert done == ["removed"] * (len(octets) - 2)
    assert run(Keeping(data, HistorySettings(keep_s=0, keep_at_most_octets=0)), ENDED_AT + 10**18) == []


def test_history_that_no_snapshot_covers_stays(folder: Path) -> None:
    """A start without a snapshot folds all of it again."""
    archive_all(folder)
    data = folder / "data"
    (snapshot,) = snapshot_paths(snapshots_folder(data))
    units = unit_numbers(history_folder(data))
    shorter = snapshot.with_name(f"{units[2] - 1:020d}.snapshot")
    snapshot.rename(shorter)
    at = ENDED_AT + DAY_US
    assert run(Keeping(data, HistorySettings(keep_s=1)), at) == ["removed"] * 2
    shorter.unlink()
    assert run(Keeping(data, HistorySettings(keep_s=1)), at) == []
    assert unit_numbers(history_folder(data)) == units[2:]


def test_a_base_merges_what_was_declared() -> None:
    def delta(number: int, imsis: list[int], removed: list[int], use_cases: list[str]) -> Row:
        lines = np.zeros(len(imsis), DECLARED)
        lines["imsi"] = imsis
        lines["use_case"] = len(use_cases) - 1
        made = InventoryDelta(lines, np.array(removed), use_cases)
        return Row(number, 1, INVENTORY, number, "k", made.to_bytes(), b"")

    rows = [delta(1, [11, 12, 13], [], ["meter"]), delta(2, [12, 14], [13], ["tracker", "sensor"])]
    rows.append(delta(3, [], [14], []))
    base = Base().and_then(rows, 3, 3, bytes(32), {})
    assert base.inventory is not None
    merged = InventoryDelta.from_bytes(base.inventory.inputs)
    said = {int(row["imsi"]): merged.use_cases[row["use_case"]] for row in merged.upserts}
    assert said == {11: "meter", 12: "sensor"}


def test_reading_goes_on_while_segments_become_history(folder: Path, rows: list[Row]) -> None:
    """A reader in the middle of the journal, from which segment after segment goes away."""
    data = folder / "data"
    seen = []
    with closing(WholeJournal.open(data)) as journal:
        for row in journal.rows():
            seen.append(row)
            if len(seen) % 40 == 0 and (sealed := sealed_segments(data / "journal")):
                archive(data, sealed[0].first)
    assert seen == rows


def test_a_segment_that_is_not_as_written_stays(folder: Path) -> None:
    import sqlite3

    journal = folder / "data" / "journal"
    first = sealed_segments(journal)[0].first
    with closing(sqlite3.connect(files.segment_path(journal, first))) as database:
        database.execute("UPDATE rows SET at = at + 1 WHERE first = 40")
        database.commit()
    with pytest.raises(JournalError, match="at sequence 40"):
        archive(folder / "data", first)
    assert files.segment_path(journal, first).exists() and not unit_numbers(history_folder(folder / "data"))


def test_a_segment_goes_only_when_its_unit_holds_the_same(folder: Path, tmp_path: Path) -> None:
    """Killed between the two: the segment is there, and so is its unit."""
    data = folder / "data"
    before = Path(shutil.copytree(data / "journal", tmp_path / "before"))
    first = sealed_segments(data / "journal")[0].first
    unit = archive(data, first)
    name = files.segment_path(data / "journal", first).name
    shutil.copy(before / name, data / "journal" / name)
    kept = Keeping(data, HistorySettings()).step(ENDED_AT)
    assert kept is not None and kept.archived == unit
    assert not files.segment_path(data / "journal", first).exists()


@pytest.mark.parametrize("damaged", ["unit.json", "rows.parquet"])
def test_a_segment_stays_beside_a_damaged_unit(folder: Path, tmp_path: Path, damaged: str) -> None:
    data = folder / "data"
    before = Path(shutil.copytree(data / "journal", tmp_path / "before"))
    first = sealed_segments(data / "journal")[0].first
    unit = archive(data, first)
    path = files.segment_path(data / "journal", first)
    shutil.copy(before / path.name, path)
    octets = bytearray(unit.path(damaged).read_bytes())
    octets[len(octets) // 2] ^= 0xFF
    unit.path(damaged).write_bytes(octets)
    with pytest.raises(JournalError, match="is damaged") as caught:
        Keeping(data, HistorySettings()).step(ENDED_AT)
    assert str(path) in str(caught.value) and str(unit.folder) in str(caught.value) and path.exists()
    shutil.move(unit.folder, tmp_path / "away")
    assert archive(data, first).digest == unit.digest, "what it says to do helps"


@pytest.mark.parametrize("kept_units", [True, False], ids=["units", "removed"])
def test_a_journal_that_was_started_over_beside_an_old_history_stays(
    folder: Path, tmp_path: Path, kept_units: bool
) -> None:
    """Its sequences begin again with 1: not one row of it is in the history."""
    data = folder / "data"
    archive_all(folder)
    if not kept_units:
        run(Keeping(data, HistorySettings(keep_s=1)), ENDED_AT + DAY_US)
    shutil.rmtree(data / "journal")
    record(tmp_path / "other", days=4)
    shutil.copytree(tmp_path / "other" / "data" / "journal", data / "journal")
    known = files.segments(data / "journal")
    with pytest.raises(JournalError, match="Nothing was removed; ") as caught:
        Keeping(data, HistorySettings()).step(ENDED_AT + 9 * DAY_US)
    assert str(history_folder(data)) in str(caught.value) and str(data / "journal") in str(caught.value)
    assert files.segments(data / "journal") == known


def test_an_older_journal_that_was_put_back_stays_where_it_went_on_differently(folder: Path, tmp_path: Path) -> None:
    """The same segments up to a backup, then others: those go that are history, the first that differs stays."""
    data = folder / "data"
    before = Path(shutil.copytree(data / "journal", tmp_path / "before"))
    archive_all(folder)
    units = unit_numbers(history_folder(data))
    with closing(WholeJournal.open(data)) as journal:
        second = list(journal.units())[1]
    shutil.rmtree(data / "journal")
    shutil.copytree(before, data / "journal")
    import sqlite3

    path = files.segment_path(data / "journal", units[1])
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM rows WHERE first = (SELECT max(first) FROM rows)")
        database.commit()
    keeping = Keeping(data, HistorySettings())
    assert keeping.step(ENDED_AT) is not None
    with pytest.raises(JournalError, match="do not hold the same") as caught:
        keeping.step(ENDED_AT)
    assert str(path) in str(caught.value) and str(second.folder) in str(caught.value) and path.exists()


TESTS = Path(__file__).parents[1]
KILLED = """
import shutil, sys
from pathlib import Path
from killing import at_each_change
from simward.history import about, keeping, writing
from simward.settings import HistorySettings

def prepare(number):
    return shutil.copytree(sys.argv[1], Path(sys.argv[2]) / f"{number:04d}")

def work(folder):
    one = keeping.Keeping(folder / "data", HistorySettings(keep_s=86400))
    for _ in range(3):
        one.step(1_795_392_000_000_000 + 9 * 86_400_000_000)

at_each_change(prepare, work, ("fsync", "replace", "unlink", "rmdir", "mkdir", "open"))
"""


def test_killed_at_any_change_of_the_disk_nothing_is_lost(tmp_path: Path) -> None:
    """Two units made and one removed, killed with signal 9 before each single change; then all of it done again."""
    record(tmp_path / "work", days=5)
    with closing(SqliteJournal.open(tmp_path / "work" / "data" / "journal", writer=False)) as journal:
        rows = list(journal.rows())
    left = tmp_path / "left"
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "work"), str(left)], check=True, cwd=TESTS)
    folders = sorted(left.iterdir())
    assert len(folders) > 40
    for folder in folders:
        base = Base.read(history_folder(folder / "data"))
        assert [row for row in whole(folder) if row.first > base.last] == [row for row in rows if row.first > base.last]
        run(Keeping(folder / "data", HistorySettings(keep_s=0)), ENDED_AT + 9 * DAY_US)
        names = [path.name for path in history_folder(folder / "data").iterdir()]
        assert not [name for name in names if name.endswith((".unfinished", ".removed"))], folder.name
        with closing(WholeJournal.open(folder / "data")) as journal:
            assert journal.verify().wrong == 0
