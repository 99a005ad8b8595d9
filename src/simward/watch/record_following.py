"""Follows the journal of call detail records beside the gate's: which of them are folded before which of its rows.

Both journals grow by themselves, so where they meet is a fact that only the watch can tell. It is told in the row of
findings that covers the place, one append with what was found: `notes["records"]`. Whoever folds again reads it there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simward.engine.call_records import RECORD, records_folder, row_records
from simward.engine.journal import EVENTS, Journal, JournalGapError, Row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.watching.behind import NO_FINDINGS, Behind
from simward.errors import JournalError
from simward.logs import called

log = logging.getLogger(__name__)

NOTED = "records"
STEP_RECORDS = 262_144
"""So many are folded at one place at most: some tenths of a second."""


class Place(NamedTuple):
    """Where records were folded: those from `first` to `last`, before the gate's input `before`, at `at` (us)."""

    before: int
    at: int
    first: int
    last: int

    @staticmethod
    def noted(said: dict[str, Any]) -> Place:
        """As a row's notes have it."""
        return Place(said["before"], said["at"], said["from"], said["to"])

    def as_note(self) -> dict[str, Any]:
        """The reverse."""
        return {NOTED: {"before": self.before, "at": self.at, "from": self.first, "to": self.last}}


class RecordFollowing:
    """Folds records where `own` says that they were, and beyond its end where they are found."""

    def __init__(self, data_dir: Path, own: Journal, behind: Behind) -> None:
        """JournalError where records are gone that were folded."""
        self._own, self._behind = own, behind
        self.journal = SqliteJournal.open(records_folder(data_dir), writer=False)
        self.missed = 0
        """Records that were removed, being too old, before they were followed."""
        if self.followed > self.journal.last:
            raise JournalError(
                f"the watch has followed call detail records to {self.followed}, but their journal ends at "
                f"{self.journal.last}: rows of it are missing, or {records_folder(data_dir)} is another journal's"
            )
        self._places = {place.before: place for place in self._recorded()}

    @property
    def followed(self) -> int:
        """The record folded last."""
        return int(self._behind.watch.state.watch_meta["records"][0])

    def is_place(self, sequence: int) -> bool:
        """Is it recorded that some were folded before this input of the gate's?"""
        return sequence in self._places

    def fold(self, row: Row) -> tuple[np.ndarray, dict[str, Any]]:
        """Fold what is to be folded before a row of the gate's; what was found, and what is to be noted of it."""
        if row.first <= self._own.last:
            place = self._places.pop(row.first, None)
            return (self._fold_again(place) if place else NO_FINDINGS), {}
        if row.kind != EVENTS:  # what a revision ends has indexes of its own
            return NO_FINDINGS, {}
        first = self._next()
        records = self._read(first, first + STEP_RECORDS - 1)
        if not len(records):
            return NO_FINDINGS, {}
        self._behind.watch.state.watch_meta["records"] = first - 1
        taken, found = self._behind.watch.records(records, row.first, row.at)
        return found, Place(row.first, row.at, first, first + taken - 1).as_note()

    def _fold_again(self, place: Place) -> np.ndarray:
        """Fold what was folded at a place: all of it, also where another kernel finds more than there is room for."""
        try:
            records = self._read(place.first, place.last)
        except JournalGapError:
            records = np.zeros(0, RECORD)
        if len(records) != place.last + 1 - place.first:
            raise JournalError(
                f"call detail records {place.first} to {place.last} were folded before sequence {place.before}, and "
                "are gone: folding needs a later snapshot"
            )
        self._behind.watch.state.watch_meta["records"] = place.first - 1
        parts = [NO_FINDINGS]
        while len(records):
            taken, found = self._behind.watch.records(records, place.before, place.at)
            records = records[taken:]
            parts.append(found)
        return np.concatenate(parts)

    def _next(self) -> int:
        """The record to be folded next: not those that were removed before anybody looked."""
        wanted, there = self.followed + 1, self.journal.first
        if wanted < there:
            if self.followed:
                self.missed += there - wanted
                log.warning(
                    "call detail records %d to %d were removed before they were followed", wanted, there - 1,
                    extra=called("records-missed"),
                )  # fmt: skip
            return there
        return wanted

    def _read(self, first: int, last: int) -> np.ndarray:
        """The records of these sequences, as many as there are."""
        parts, wanted = [np.zeros(0, RECORD)], first
        with closing(self.journal.rows(after=first - 1)) as rows:  # type: ignore[type-var]
            for row in rows:
                records = row_records(row, self.journal.layouts)[max(0, first - row.first) : last + 1 - row.first]
                parts.append(records)
                wanted += len(records)
                if wanted > last:
                    break
        return np.concatenate(parts)

    def _recorded(self) -> Iterator[Place]:
        """The places that are noted, as far as they are not folded yet."""
        sequence = self._behind.sequence
        if sequence >= self._own.last:
            return
        for row in self._own.rows(after=sequence):
            if NOTED in row.notes and row.notes[NOTED]["before"] > sequence:
                yield Place.noted(row.notes[NOTED])
