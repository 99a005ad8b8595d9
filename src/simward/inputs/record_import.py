"""Imports files of call detail records into their journal: each record once, however often its file comes.

What is known of earlier imports is read from the journal itself, so there is nothing beside it that could disagree.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from simward.engine import journal_files as files
from simward.engine.call_records import FILE, LAYOUT, records_folder, records_row, rejects_folder, row_records
from simward.engine.journal_reader import opened
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import UsageError
from simward.history.keeping import unlink_segment
from simward.inputs.known_ids import KnownIds
from simward.inputs.record_files import RecordFile, Rejected
from simward.wire.cdr.template import Template

SEGMENT_OCTETS = 64 << 20
DAY_US = 86_400_000_000
AHEAD_US = DAY_US
"""How far in the future a record may be: operators' clocks, and time zones that were not told."""
SEGMENT_US = DAY_US
"""A segment takes what is imported within this, so that what is too old can be removed in time."""
REJECTS_MOST = 1_000_000
"""Rejected lines of one file that are written down; more are counted."""
REJECTED_TEXT_MOST = 4_096

NOTED = ("file", "template", "mapping", "digest", "records", "duplicates", "ignored", "rejected")
FILE_NAME_MOST = 100
"""Octets of a file's name that its rejected lines are kept under."""

Told = Callable[[RecordFile], None]
Write = Callable[[Rejected], None]


@dataclass
class Outcome:
    """What came of one file."""

    file: str
    template: str
    digest: str
    """SHA-256 of the file as it is."""
    mapping: str = ""
    """What the template said: the same file under a template that was corrected may say more."""
    records: int = 0
    duplicates: int = 0
    """Records that were imported before, or came twice in this file."""
    ignored: int = 0
    rejected: int = 0
    known: bool = False
    """All of the file was imported before, by the same template, and nothing was rejected: it was not read."""
    rejects: str = ""
    """Where rejected lines are; empty where there are none."""


class Known:
    """What was imported, as far as it was read from the journal. It may be kept from one import to the next."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Read it all again."""
        self.ids, self.sequence = KnownIds(), 0
        self.files: set[tuple[str, str]] = set()  # (mapping, digest): read to their end, with nothing rejected

    def learn(self, journal: SqliteJournal) -> None:
        """Read on: which records and whole files the journal has."""
        if self.sequence and self.sequence + 1 < journal.first:
            self.forget()  # another process has removed what this one has not read
        with closing(journal.rows(after=self.sequence)) as rows:  # type: ignore[type-var]
            for row in rows:
                self.ids.add(row_records(row, journal.layouts)["record_id"])
                whole = row.notes.get(FILE)
                if whole and not whole["rejected"]:
                    self.files.add((whole.get("mapping", ""), whole["digest"]))
                self.sequence = row.last


class RecordImport:
    """The only writer of the journal in its folder while it is open: JournalError names another one."""

    def __init__(self, data_dir: Path, keep_s: int, known: Known | None = None) -> None:
        """`keep_s` is how long records are kept, 0 = for ever: an older one is rejected, since nobody could tell any
        more whether it was imported before. `known` is what an earlier import of this process has read."""
        self.data_dir, self._keep_us = data_dir, keep_s * 1_000_000
        self.journal = SqliteJournal.open(records_folder(data_dir), segment_octets=SEGMENT_OCTETS)
        self.journal.register_layout(LAYOUT)
        self._known = known if known is not None else Known()

    def close(self) -> None:
        """Give the journal back."""
        self.journal.close()

    def run(self, path: Path, template: Template, at: int, told: Told | None = None) -> Outcome:
        """Import one file at `at` (us UTC); `told` is called after each batch.

        UsageError where it is no such file, ends before its end or changes while it is read: what was read until then
        is imported, and the whole file may be imported later. NotDurableError where the journal cannot be written.
        """
        outcome = Outcome(path.name.encode(errors="replace").decode(), template.name, _digest(path), template.mapping)
        self._known.learn(self.journal)
        if (template.mapping, outcome.digest) in self._known.files:
            outcome.known = True
            return outcome
        self._seal(at)
        file = RecordFile(path, template, at - self._keep_us if self._keep_us else 0, at + AHEAD_US)
        name = outcome.file.encode()[:FILE_NAME_MOST].decode(errors="ignore")  # a name has 255 octets at most
        rejects = rejects_folder(self.data_dir) / f"{name}-{outcome.digest[:12]}.jsonl"
        try:
            with _written(rejects) as write:
                waiting = self._all_of(file, outcome, write, at, told)
            outcome.rejects = str(rejects) if outcome.rejected else ""
            # The last row says that the file came to its end: after a kill there is none that says so.
            self._append(waiting, at, {FILE: {name: getattr(outcome, name) for name in NOTED}})
        except BaseException:
            self._known.forget()  # ids may be known by now whose records are not journalled
            raise
        if not outcome.rejected:
            self._known.files.add((template.mapping, outcome.digest))
        return outcome

    def _all_of(
        self, file: RecordFile, outcome: Outcome, write: Write, at: int, told: Told | None
    ) -> np.ndarray | None:
        """Journal what a file says but for the last records, which are returned: with them it is said to be whole."""
        waiting: np.ndarray | None = None
        try:
            for batch in file.batches():
                fresh = self._known.ids.add(batch.records["record_id"])
                new = int(np.count_nonzero(fresh))
                outcome.records += new
                outcome.duplicates += len(fresh) - new
                outcome.ignored += batch.ignored
                for one in batch.rejected:
                    outcome.rejected += 1
                    if outcome.rejected <= REJECTS_MOST:
                        write(one)
                if new:
                    self._append(waiting, at)
                    waiting = batch.records[fresh]
                if told is not None:
                    told(file)
            if file.digest_read != outcome.digest:
                raise UsageError(f"{file.path} changed while it was read: import it again")
        except UsageError:
            self._append(waiting, at)
            raise
        return waiting

    def expire(self, at: int) -> int:
        """Remove what is older than records are kept for, segment by segment; how many segments went.

        Two days later than a record of that age would be rejected, whichever came last: so whatever is removed can
        never come again. The newest segment stays, since sequences go on from it.
        """
        if not self._keep_us:
            return 0
        folder, oldest, gone = records_folder(self.data_dir), at - self._keep_us - 2 * AHEAD_US, 0
        for first in files.segments(folder)[:-1]:
            with opened(folder, first) as connection:
                newest = connection.execute("SELECT max(at) FROM rows").fetchone()[0]
            if newest is not None and newest >= oldest:
                break
            unlink_segment(folder, first)
            gone += 1
        if rejects_folder(self.data_dir).is_dir():
            for path in rejects_folder(self.data_dir).iterdir():
                if path.stat().st_mtime * 1_000_000 < oldest:
                    path.unlink()
        if gone:
            files.sync_folder(folder)
            self._known.forget()
        return gone

    def _seal(self, at: int) -> None:
        """Begin another segment where the newest one began a day ago."""
        folder = records_folder(self.data_dir)
        with opened(folder, files.segments(folder)[-1]) as connection:
            began = connection.execute("SELECT min(at) FROM rows").fetchone()[0]
        if began is not None and at - began >= SEGMENT_US:
            self.journal.seal()

    def _append(self, records: np.ndarray | None, at: int, notes: dict[str, Any] | None = None) -> None:
        if records is not None:
            self.journal.append(records_row(self.journal.last + 1, at, records, notes))
            self._known.sequence = self.journal.last


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _written(path: Path) -> Iterator[Write]:
    """What writes rejected lines to a file that is there only once there is one; a file of an earlier try goes."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    opened_file: list[TextIO] = []

    def write(one: Rejected) -> None:
        if not opened_file:
            opened_file.append(open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"))
        said = {"line": one.line, "reason": one.reason, "text": one.text[:REJECTED_TEXT_MOST]}
        opened_file[0].write(json.dumps(said, ensure_ascii=False) + "\n")

    try:
        yield write
    finally:
        for file in opened_file:
            file.close()
