"""What every journal promises, held against each implementation: the fake in memory and SQLite on disk."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from simward.engine.events import EVENT, empty
from simward.engine.journal import (
    INVENTORY,
    POLICY,
    TODAY,
    TODAY_ID,
    Journal,
    JournalGapError,
    Layout,
    MemoryJournal,
    Row,
    events_row,
    row_events,
    row_outputs,
    row_texts,
)
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import JournalError, NotDurableError
from simward.history.keeping import archive, sealed_segments
from simward.history.whole import WholeJournal

KERNEL = "k" * 64


def row(first: int, count: int = 3, imsi: int = 7) -> Row:
    """A row of events that can be told from others."""
    events = empty(count)
    events["imsi"], events["received_at"] = imsi, np.arange(first, first + count)
    outputs = np.zeros(1, OUTPUT)
    outputs["sequence"] = first
    return events_row(first, first * 1000, KERNEL, events, outputs, [(2, b"iot\xff")], {"commands": {"1": "because"}})


Refuse = Callable[[], None]


class Subject:
    """A journal under test: how to open it, and how to make its disk refuse and accept."""

    def open(self) -> Journal:
        raise NotImplementedError

    def refuse(self) -> None:
        raise NotImplementedError

    def accept(self) -> None:
        raise NotImplementedError


class Memory(Subject):
    def __init__(self) -> None:
        self.journal = MemoryJournal()

    def open(self) -> Journal:
        return self.journal

    def refuse(self) -> None:
        self.journal.refusing = "disk full"

    def accept(self) -> None:
        self.journal.refusing = ""


class Sqlite(Subject):
    """With segments so small that the suite crosses several, in its second form."""

    def __init__(self, folder: Path, segment_octets: int) -> None:
        self.folder, self.segment_octets = folder, segment_octets
        self.journal: SqliteJournal | None = None

    def open(self) -> Journal:
        if self.journal is not None:
            self.journal.close()
        self.journal = SqliteJournal.open(
            self.folder, segment_octets=self.segment_octets, checkpoint_octets=64 << 10
        )
        return self.journal

    def refuse(self) -> None:
        self._pages(1)

    def accept(self) -> None:
        self._pages(1 << 30)

    def _pages(self, count: int) -> None:
        """SQLite's own limit of a file's size: SQLITE_FULL, as a full disk gives."""
        assert self.journal is not None and self.journal._writer is not None
        self.journal._writer._connection.execute(f"PRAGMA max_page_count={count}").fetchall()


class Moving:
    """A journal whose segments become history as soon as they are sealed, and which is read as a whole."""

    def __init__(self, written: SqliteJournal) -> None:
        self.written = written
        self.whole = WholeJournal(written.folder.parent, written)

    def append(self, row: Row) -> None:
        self.written.append(row)
        for one in sealed_segments(self.written.folder):
            archive(self.written.folder.parent, one.first)

    def register_kernel(self, kernel: str, manifest: Mapping[str, Any]) -> None:
        self.written.register_kernel(kernel, manifest)

    def register_layout(self, layout: Layout) -> None:
        self.written.register_layout(layout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


class History(Sqlite):
    """Nearly everything in Parquet."""

    def open(self) -> Journal:
        super().open()
        assert self.journal is not None
        return cast(Journal, Moving(self.journal))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: what a real disk does is shown in tests/faults/."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made) / "journal"


@pytest.fixture(params=["memory", "sqlite", "sqlite-small-segments", "history"])
def subject(request: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    if request.param == "memory":
        yield Memory()
        return
    kind = History if request.param == "history" else Sqlite
    found = kind(folder, 512 << 20 if request.param == "sqlite" else 100_000)
    yield found
    if found.journal is not None:
        found.journal.close()


@pytest.fixture
def journal(subject: Subject) -> Journal:
    return subject.open()


def fill(journal: Journal, rows: int, count: int = 3) -> list[Row]:
    written = []
    for _ in range(rows):
        written.append(row(journal.last + 1, count))
        journal.append(written[-1])
    return written


def test_an_empty_journal_has_nothing(journal: Journal) -> None:
    assert (journal.first, journal.last, list(journal.rows())) == (0, 0, [])
    assert journal.verify().wrong == 0


def test_rows_come_back_as_they_were_written(journal: Journal) -> None:
    written = fill(journal, 5)
    policy = Row(journal.last + 1, 1, POLICY, 5, KERNEL, b"tables", b"", {"revision": "abc"})
    inventory = Row(journal.last + 2, 1, INVENTORY, 6, KERNEL, b"delta", b"")
    journal.append(policy)
    journal.append(inventory)
    assert list(journal.rows()) == [*written, policy, inventory]
    assert (journal.first, journal.last) == (1, 17)


def test_events_outputs_and_texts_come_back(journal: Journal) -> None:
    journal.append(row(1, 4))
    found = next(journal.rows())
    events, outputs = row_events(found, journal.layouts), row_outputs(found, journal.layouts)
    assert events["received_at"].tolist() == [1, 2, 3, 4] and events.dtype == EVENT
    assert outputs["sequence"].tolist() == [1] and outputs.dtype == OUTPUT
    assert row_texts(found) == [(2, b"iot\xff")]
    events["imsi"] = 1  # writable


def test_reading_begins_after_any_sequence(journal: Journal) -> None:
    fill(journal, 40)
    assert [one.first for one in journal.rows(after=60)] == list(range(61, 121, 3))
    assert next(journal.rows(after=61)).first == 61  # the row that 62 is in
    assert next(journal.rows(after=63)).first == 64
    assert list(journal.rows(after=120)) == []
    assert list(journal.rows(after=999)) == []


def test_a_large_row_among_small_ones(journal: Journal) -> None:
    journal.append(row(1, 1))
    journal.append(row(2, 20_000))
    journal.append(row(20_002, 1))
    assert [one.count for one in journal.rows()] == [1, 20_000, 1]
    assert journal.verify().wrong == 0


@pytest.mark.parametrize("first", [0, 1, 6, 8])
def test_a_row_that_does_not_follow_on_is_refused(journal: Journal, first: int) -> None:
    fill(journal, 2)
    with pytest.raises(JournalError):
        journal.append(row(first))
    assert journal.last == 6


def test_a_row_of_no_events_or_unknown_kind_or_layout_is_refused(journal: Journal) -> None:
    for wrong in (replace(row(1), count=0), replace(row(1), kind="gossip"), replace(row(1), layout="unheard-of")):
        with pytest.raises(JournalError):
            journal.append(wrong)
    assert list(journal.rows()) == []


def test_a_refused_append_leaves_nothing_and_may_be_repeated(subject: Subject) -> None:
    journal = subject.open()
    written = fill(journal, 3)
    subject.refuse()
    wanted = row(10, 1000)
    for _ in range(3):
        with pytest.raises(NotDurableError):
            journal.append(wanted)
        assert journal.last == 9
        assert list(journal.rows()) == written
    subject.accept()
    journal.append(wanted)
    assert list(journal.rows()) == [*written, wanted]
    assert list(subject.open().rows()) == [*written, wanted]
    assert journal.verify().wrong == 0


def test_after_a_refused_append_another_row_may_come_instead(subject: Subject) -> None:
    journal = subject.open()
    fill(journal, 1)
    subject.refuse()
    with pytest.raises(NotDurableError):
        journal.append(row(4, 1000))
    subject.accept()
    journal.append(row(4, 2, imsi=9))
    assert [one.count for one in subject.open().rows()] == [3, 2]
    assert subject.open().verify().wrong == 0


def test_following_gets_each_row_once_it_is_there(journal: Journal) -> None:
    written = fill(journal, 2)
    seen: list[Row] = []
    enough = threading.Event()

    def follow() -> None:
        for one in journal.follow(poll_s=0.001, stop=lambda: len(seen) >= 60):
            seen.append(one)
        enough.set()

    thread = threading.Thread(target=follow)
    thread.start()
    written += fill(journal, 58, count=20)
    assert enough.wait(10)
    thread.join()
    assert seen == written


def test_following_ends_when_told_to(journal: Journal) -> None:
    fill(journal, 2)
    assert list(journal.follow(poll_s=0.001, stop=lambda: True))[1:] == []


def test_kernels_are_described(subject: Subject) -> None:
    journal = subject.open()
    assert journal.manifest(KERNEL) == {}
    journal.register_kernel(KERNEL, {"detectors": [{"id": "device-change"}]})
    journal.register_kernel(KERNEL, {"detectors": "registered once"})
    fill(journal, 60, count=20)
    assert journal.manifest(KERNEL) == {"detectors": [{"id": "device-change"}]}
    assert subject.open().manifest(KERNEL) == {"detectors": [{"id": "device-change"}]}


def test_an_older_layout_is_read_by_name(subject: Subject) -> None:
    journal = subject.open()
    then = Layout(
        np.dtype([("imsi", "i8"), ("retired_column", "i4"), ("session_id", "u1", (8,)), ("received_at", "i8")]),
        np.dtype([("sequence", "i8"), ("kind", "u2")]),
    )
    journal.register_layout(then)
    events = np.array([(5, 1, list(b"abcdefgh"), 77)], then.events)
    outputs = np.array([(1, 4)], then.outputs)
    journal.append(replace(row(1, 1), inputs=events.tobytes(), outputs=outputs.tobytes(), layout=then.id))
    fill(journal, 60, count=20)
    journal = subject.open()
    old = next(journal.rows())
    read = row_events(old, journal.layouts)[0]
    assert (read["imsi"], read["received_at"], bytes(read["session_id"])[:9]) == (5, 77, b"abcdefgh\0")
    assert (read["uplink_octets"], read["area"], read["software"], read["imei"]) == (-1, -1, -1, 0)
    assert row_outputs(old, journal.layouts)[0]["kind"] == 4
    with pytest.raises(JournalError, match="layout"):
        row_events(old, {})


def test_todays_layout_survives_its_description(journal: Journal) -> None:
    again = Layout.from_description(TODAY.description)
    assert (again.events, again.outputs, again.id) == (EVENT, OUTPUT, TODAY_ID)
    assert TODAY_ID in journal.layouts


def test_verification_names_what_it_covered(journal: Journal) -> None:
    fill(journal, 2)
    before = journal.verify()
    fill(journal, 40)
    after = journal.verify()
    assert (before.rows, before.first, before.last, before.wrong) == (2, 1, 6, 0)
    assert (after.rows, after.last, after.wrong) == (42, 126, 0)
    assert before.digest != after.digest


def test_closing_twice_is_once(journal: Journal) -> None:
    fill(journal, 1)
    journal.close()
    journal.close()


def test_the_fake_reports_gaps_as_the_disk_does() -> None:
    fake = MemoryJournal()
    fill(fake, 3)
    del fake._rows[1], fake._digests[1]
    with pytest.raises(JournalGapError) as caught:
        list(fake.rows())
    assert (caught.value.expected, caught.value.found) == (4, 7)
    assert fake.verify().wrong == 4
