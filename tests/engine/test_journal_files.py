"""The SQLite journal as files: one writer, rotation, live readers, tampering, failures, kill -9."""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simward.engine import journal_files as files
from simward.engine.events import empty
from simward.engine.journal import JournalGapError, Row, events_row
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import JournalError, NotDurableError

SMALL = {"checkpoint_octets": 64 << 10}


def row(first: int, count: int = 1) -> Row:
    return events_row(first, first, "k" * 64, empty(count), np.zeros(0, OUTPUT))


def fill(journal: SqliteJournal, rows: int, count: int = 1) -> None:
    for _ in range(rows):
        journal.append(row(journal.last + 1, count))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: what a real disk does is shown in tests/faults/."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made) / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal.open(folder, **SMALL)
    yield opened
    opened.close()


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that has this file's names; it prints, and ends with its standard input."""
    text = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom test_journal_files import *\n"
    words = [str(one) for one in arguments]
    command = [sys.executable, "-c", text + textwrap.dedent(code), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_writer_is_told_who_the_first_is(journal: SqliteJournal, folder: Path) -> None:
    other = python("try: SqliteJournal.open(Path(sys.argv[1]))\nexcept JournalError as error: print(error)", folder)
    assert f"is being written by process {os.getpid()}" in line(other)
    other.communicate()
    with pytest.raises(JournalError, match="is being written"):
        SqliteJournal.open(folder)
    fill(journal, 1)


def test_a_reader_does_not_write(journal: SqliteJournal, folder: Path) -> None:
    reader = SqliteJournal.open(folder, writer=False)
    for attempt in (lambda: reader.append(row(1)), lambda: reader.register_kernel("k", {})):
        with pytest.raises(JournalError, match="for reading"):
            attempt()


def test_a_journal_that_is_not_there_reads_as_empty(folder: Path) -> None:
    reader = SqliteJournal.open(folder, writer=False)
    assert (reader.first, reader.last, list(reader.rows()), reader.manifest("k")) == (0, 0, [], {})
    assert not folder.exists()


def test_another_process_follows_live_across_segments(folder: Path) -> None:
    with_small_segments = SqliteJournal.open(folder, segment_octets=150_000, **SMALL)
    follower = python(
        """
        journal = SqliteJournal.open(Path(sys.argv[1]), writer=False)
        for one in journal.follow(poll_s=0.002):
            print(one.first, one.count, flush=True)
        """,
        folder,
    )
    try:
        fill(with_small_segments, 120, count=20)
        assert [line(follower) for _ in range(120)] == [f"{1 + 20 * number} 20" for number in range(120)]
        assert len(files.segments(folder)) >= 3
        fill(with_small_segments, 1)
        assert line(follower) == "2401 1"
    finally:
        follower.kill()
        follower.communicate()
        with_small_segments.close()


def test_segments_are_named_after_their_first_sequence(folder: Path) -> None:
    journal = SqliteJournal.open(folder, segment_octets=100_000, **SMALL)
    fill(journal, 100, count=20)
    assert not journal.trouble
    journal.close()
    firsts = files.segments(folder)
    assert firsts[0] == 1 and len(firsts) > 3
    assert all(first % 20 == 1 for first in firsts)
    left = {path.name for path in folder.iterdir() if path.suffix != ".sqlite"}
    assert left <= {"writer.lock"} or left == {"writer.lock", "next.wal"}, "sealed segments have no log"
    again = SqliteJournal.open(folder, **SMALL)
    assert again.last == 2000
    fill(again, 1)
    assert again.verify().rows == 101
    again.close()


def test_a_missing_segment_is_a_gap(folder: Path) -> None:
    journal = SqliteJournal.open(folder, segment_octets=100_000, **SMALL)
    fill(journal, 100, count=20)
    journal.close()
    firsts = files.segments(folder)
    files.segment_path(folder, firsts[1]).unlink()
    reader = SqliteJournal.open(folder, writer=False)
    with pytest.raises(JournalGapError) as caught:
        list(reader.rows())
    assert (caught.value.expected, caught.value.found) == (firsts[1], firsts[2])
    assert reader.verify().wrong == firsts[1]


def test_a_reader_that_asks_for_what_was_moved_to_history_is_told(folder: Path) -> None:
    journal = SqliteJournal.open(folder, segment_octets=100_000, **SMALL)
    fill(journal, 100, count=20)
    journal.close()
    firsts = files.segments(folder)
    files.segment_path(folder, firsts[0]).unlink()
    reader = SqliteJournal.open(folder, writer=False)
    assert reader.first == firsts[1]
    assert sum(one.count for one in reader.rows(after=firsts[1] - 1)) == 2000 - firsts[1] + 1
    assert next(reader.rows()).first == firsts[1], "from the oldest that there is"
    with pytest.raises(JournalGapError):
        list(reader.rows(after=1))
    assert reader.verify().wrong == 0


def test_a_file_that_is_no_journal_is_said_to_be_unreadable(folder: Path) -> None:
    folder.mkdir()
    files.segment_path(folder, 1).write_bytes(b"no database " * 1000)
    with pytest.raises(JournalError, match="cannot be read"):
        SqliteJournal.open(folder, writer=False)
    with pytest.raises(JournalError, match="damaged"):
        SqliteJournal.open(folder)


TAMPERING = {
    "an event": "UPDATE rows SET inputs = zeroblob(length(inputs)) WHERE first = 5",
    "an output": "UPDATE rows SET outputs = x'00' WHERE first = 5",
    "a note": "UPDATE rows SET notes = '{}' WHERE first = 5",
    "the time": "UPDATE rows SET at = at + 1 WHERE first = 5",
    "the kernel": "UPDATE rows SET kernel = 'other' WHERE first = 5",
    "the digest": "UPDATE rows SET digest = zeroblob(32) WHERE first = 5",
    "removal": "DELETE FROM rows WHERE first = 5",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_verification_names_the_first_row_that_is_wrong(journal: SqliteJournal, folder: Path, what: str) -> None:
    fill(journal, 9)
    assert journal.verify().wrong == 0
    journal.close()
    with sqlite3.connect(files.segment_path(folder, 1)) as connection:
        connection.execute(TAMPERING[what])
    connection.close()
    found = SqliteJournal.open(folder, writer=False).verify()
    assert (found.wrong, found.last, found.rows) == (5, 4, 4)
    assert found.reason


WRONG_TYPES = {
    "a time of words": "UPDATE rows SET at = 'noon' WHERE first = 5",
    "words for events": "UPDATE rows SET inputs = 'words' WHERE first = 5",
    "a number for notes": "UPDATE rows SET notes = 7 WHERE first = 5",
}


@pytest.mark.parametrize("what", TAMPERING | WRONG_TYPES)
@pytest.mark.parametrize("after", [0, 3, 4])
def test_a_checked_reading_ends_before_the_row_that_is_wrong(
    journal: SqliteJournal, folder: Path, what: str, after: int
) -> None:
    """What a start folds: it begins anywhere, and never goes past a row that is not as it was written."""
    fill(journal, 9)
    journal.close()
    with sqlite3.connect(files.segment_path(folder, 1)) as connection:
        connection.execute((TAMPERING | WRONG_TYPES)[what])
    connection.close()
    reader, read = SqliteJournal.open(folder, writer=False), []
    assert reader.verify().wrong == 5
    with pytest.raises(JournalError, match="5"):
        read += [one.first for one in reader.rows(after=after, checked=True)]
    read += [one.first for one in itertools.islice(reader.rows(after=after, checked=True), 4 - after)]
    assert read == list(range(after + 1, 5))


def test_a_checked_reading_relies_on_no_row_before_it(folder: Path) -> None:
    journal = SqliteJournal.open(folder, segment_octets=60_000, **SMALL)
    fill(journal, 200, count=10)
    journal.close()
    assert len(files.segments(folder)) > 3
    reader = SqliteJournal.open(folder, writer=False)
    written = [one.first for one in reader.rows()]
    for after in (0, 7, 10, *(first - 1 for first in files.segments(folder)), 1993, 2000):
        assert [one.first for one in reader.rows(after, checked=True)] == [one for one in written if one + 9 > after]
    _, second, third, *_ = files.segments(folder)
    with sqlite3.connect(files.segment_path(folder, second)) as connection:
        connection.execute("UPDATE segment SET previous = zeroblob(32)")
    connection.close()
    with pytest.raises(JournalError, match=f"sequence {second} of the journal .* does not follow"):
        list(reader.rows(checked=True))
    assert next(reader.rows(after=third, checked=True)).first == third


def test_verification_finds_a_damaged_page(journal: SqliteJournal, folder: Path) -> None:
    fill(journal, 30, count=100)
    journal.close()
    path = files.segment_path(folder, 1)
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 300)
    found = SqliteJournal.open(folder, writer=False).verify()
    assert 1 < found.wrong < 3000


def test_removing_the_newest_rows_shows_against_an_earlier_digest(journal: SqliteJournal, folder: Path) -> None:
    fill(journal, 9)
    kept = journal.verify()
    journal.close()
    with sqlite3.connect(files.segment_path(folder, 1)) as connection:
        connection.execute("DELETE FROM rows WHERE first > 7")
    connection.close()
    found = SqliteJournal.open(folder, writer=False).verify()
    assert found.wrong == 0 and found.last < kept.last, "the chain alone cannot know"


def test_a_removed_file_is_noticed_before_the_next_answer(journal: SqliteJournal, folder: Path) -> None:
    fill(journal, 1)
    files.segment_path(folder, 1).unlink()
    for _ in range(2):
        with pytest.raises(NotDurableError, match="removed"):
            journal.append(row(2))
    assert journal.last == 1


def test_a_folder_that_cannot_be_made_is_our_trouble_to_tell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotDurableError, match="cannot be opened"):
        SqliteJournal.open(tmp_path / "file" / "journal")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=4m") != 0:
        pytest.skip(f"cannot mount a small tmpfs: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


def test_a_full_disk_refuses_and_recovers(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    journal = SqliteJournal.open(small_disk / "journal", **SMALL)
    with pytest.raises(NotDurableError, match=r"full|I/O"):
        fill(journal, 1000, count=100)
    acknowledged = journal.last
    assert acknowledged >= 1000
    for _ in range(3):
        with pytest.raises(NotDurableError):
            journal.append(row(acknowledged + 1, 100))
    assert sum(one.count for one in journal.rows()) == acknowledged
    ballast.unlink()
    journal.append(row(acknowledged + 1, 100))
    assert journal.verify().wrong == 0
    journal.close()
    reader = SqliteJournal.open(small_disk / "journal", writer=False)
    assert [one.last for one in reader.rows()] == list(range(100, acknowledged + 200, 100))


def test_a_full_disk_at_a_change_of_segments(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    journal = SqliteJournal.open(small_disk / "journal", segment_octets=300_000, **SMALL)
    refused = 0
    while refused < 3:
        try:
            fill(journal, 1, count=50)
        except NotDurableError:
            refused += 1
    ballast.unlink()
    fill(journal, 10, count=50)
    assert journal.verify() == SqliteJournal.open(small_disk / "journal", writer=False).verify()
    assert (journal.verify().wrong, journal.verify().last) == (0, journal.last)
    journal.close()


def test_a_file_that_may_not_grow_refuses_and_recovers(folder: Path) -> None:
    journal = SqliteJournal.open(folder, checkpoint_octets=8 << 20)  # the log only grows: no checkpoint interferes
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(NotDurableError):
            fill(journal, 100, count=20)
        acknowledged = journal.last
        assert acknowledged > 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fill(journal, 1, count=20)
    assert journal.verify().last == acknowledged + 20
    journal.close()


def test_a_log_under_steady_load_stays_short(journal: SqliteJournal, folder: Path) -> None:
    """It can only begin again when it was copied whole, which nobody else does between two appends."""
    fill(journal, 400, count=100)
    wal = files.wal_path(files.segment_path(folder, 1))
    assert wal.stat().st_size < 6 << 20, "more than 7 MB were appended"
    assert not journal.trouble


def test_a_reader_in_the_middle_of_a_chunk_holds_nobody_up(journal: SqliteJournal) -> None:
    fill(journal, 200)
    reading = journal.rows()
    next(reading)
    fill(journal, 400, count=100)
    wal = files.wal_path(files.segment_path(journal.folder, 1))
    assert wal.stat().st_size < 6 << 20
    assert sum(1 for _ in reading) == 599


def test_opening_does_not_depend_on_how_much_there_is(folder: Path) -> None:
    journal = SqliteJournal.open(folder)

    def opens() -> float:
        started = time.perf_counter()
        opened = SqliteJournal.open(folder)
        seconds = time.perf_counter() - started
        assert opened.last == journal.last
        opened.close()
        return seconds

    fill(journal, 1)
    journal.close()
    few = min(opens() for _ in range(3))
    journal = SqliteJournal.open(folder)
    connection = journal._writer._connection  # type: ignore[union-attr]
    connection.execute("PRAGMA synchronous=OFF")
    fill(journal, 500, count=512)
    journal.close()
    many = min(opens() for _ in range(3))
    assert many < 3 * few + 0.05, f"{few:.3f} s with one row, {many:.3f} s with 45 MB"


def test_kill_9_at_random_moments_keeps_every_acknowledged_row(folder: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(4):
        writer = python(
            """
            journal = SqliteJournal.open(Path(sys.argv[1]), segment_octets=2_000_000, checkpoint_octets=256 << 10)
            while True:
                journal.append(row(journal.last + 1, 1 + journal.last % 300))
                print(journal.last, flush=True)
            """,
            folder,
        )
        line(writer)
        time.sleep(chance.uniform(0, 0.25))
        writer.send_signal(signal.SIGKILL)
        printed = writer.communicate()[0].split()
        acknowledged = max(acknowledged, int(printed[-1]) if printed else 0)
        reader = SqliteJournal.open(folder, writer=False)
        assert reader.last >= acknowledged, "before any writer recovered it"
        journal = SqliteJournal.open(folder, segment_octets=2_000_000)
        rows = list(journal.rows())
        assert journal.last >= acknowledged
        assert [one.first for one in rows] == [1, *(one.last + 1 for one in rows[:-1])]
        assert (journal.verify().wrong, journal.verify().last) == (0, journal.last)
        journal.close()
