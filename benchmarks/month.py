"""A month of a fleet as history, written by the real writer of units as it is made: nothing grows but the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.folded import BEGAN_AT, Traffic, inventory
from benchmarks.load.fleet import Fleet
from simward.engine import events as ev
from simward.engine.apply import revision_row
from simward.engine.fold import Fold
from simward.engine.journal import (
    NO_DIGEST,
    TODAY,
    TODAY_ID,
    Row,
    events_row,
    notes_bytes,
    row_digest,
)
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import PolicyTables
from simward.history.unit import history_folder
from simward.history.writing import Recorded, Segment, write_unit

HOUR_US, SECOND_US = 3_600_000_000, 1_000_000
UNIT_EVENTS = 1_700_000
"""What half a gigabyte of journal holds."""
PHONE_FIRST = 35_900_000_000_000
SWAPPED_PPM, ABROAD_PPM = 10_000, 5_000
"""Subscriptions whose SIM is in another device for a day, and those that are in another network for six hours."""


class Month(Traffic):
    """Each subscription reports once an hour, at another moment each time; a tick a second, as the gate journals it."""

    def __init__(self, fold: Fold, fleet: Fleet, hours: int) -> None:
        super().__init__(fold, fleet, seed=27)
        luck = np.random.default_rng(28)
        self._swapped, self._abroad = (
            np.where(luck.integers(0, 10**6, fleet.count) < share, luck.integers(1, hours, fleet.count), hours)
            for share in (SWAPPED_PPM, ABROAD_PPM)
        )
        self._phones = PHONE_FIRST + np.arange(fleet.count)

    def hour(self, number: int) -> np.ndarray:
        """All events of one hour, ticks among them, in the order of time."""
        order = self.everyone()
        rows = self.next(order)
        at = BEGAN_AT + number * HOUR_US + np.arange(len(order)) * HOUR_US // len(order) + 1
        rows["received_at"] = rows["happened_at"] = at
        reported = rows["duration_s"] > 0
        rows["duration_s"][reported] *= 4  # hours where Traffic has quarters of them
        swapped = (self._swapped[order] <= number) & (number < self._swapped[order] + 24)
        rows["imei"][swapped] = self._phones[order][swapped]
        abroad = (self._abroad[order] <= number) & (number < self._abroad[order] + 6)
        rows["plmn"][abroad] = 100102
        ticks = ev.empty(HOUR_US // SECOND_US)
        ticks["kind"] = ev.TICK
        ticks["received_at"] = ticks["happened_at"] = BEGAN_AT + number * HOUR_US + np.arange(len(ticks)) * SECOND_US
        whole = np.concatenate([rows, ticks])
        return whole[np.argsort(whole["received_at"], kind="stable")]


class Recorder:
    """A fold whose rows are chained as a journal chains them, and never all in memory."""

    def __init__(self, fleet: Fleet, policy: PolicyTables, hours: int, row_events: int) -> None:
        self.fold = Fold.new()
        self.digest = NO_DIGEST
        self.rows = 0
        self._fleet, self._policy, self._hours, self._row_events = fleet, policy, hours, row_events

    def recorded(self) -> Iterator[Recorded]:
        """Every row, in order."""
        yield self._chained(revision_row(self.fold, self._policy, BEGAN_AT))
        yield self._chained(revision_row(self.fold, inventory(self._fleet), BEGAN_AT))
        month = Month(self.fold, self._fleet, self._hours)
        for number in range(self._hours):
            events = month.hour(number)
            for at in range(0, len(events), 4096):
                yield from self._batch(events[at : at + 4096])

    def _batch(self, events: np.ndarray) -> Iterator[Recorded]:
        first = self.fold.sequence + 1
        folded = self.fold.events(events)
        assert folded.consumed == len(events) and folded.kept.all()
        outputs = np.array(folded.outputs.view(np.ndarray))
        position = outputs["sequence"] - first
        outputs["event"] = position % self._row_events
        texts = self.fold.state.texts.take_new()
        for at in range(0, len(events), self._row_events):
            batch = events[at : at + self._row_events]
            low, high = np.searchsorted(position, (at, at + len(batch)))
            when = int(batch["received_at"][-1])
            row = events_row(first + at, when, self.fold.kernel, batch, outputs[low:high], texts)
            texts = []
            yield self._chained(row)

    def _chained(self, row: Row) -> Recorded:
        notes = notes_bytes(row)
        self.digest = row_digest(self.digest, row, notes)
        self.rows += 1
        return Recorded(row, notes.decode() or None, self.digest)


def write_month(work: Path, fleet: Fleet, policy: PolicyTables, *, hours: int, row_events: int) -> Recorder:
    """Write so many hours of the fleet as the history of a working folder, beside an empty journal."""
    with closing(SqliteJournal.open(work / "data" / "journal")):
        pass
    recorder = Recorder(fleet, policy, hours, row_events)
    rows = recorder.recorded()
    kernels = {recorder.fold.kernel: json.dumps(recorder.fold.manifest())}
    previous = NO_DIGEST
    for begun in rows:
        segment = Segment(begun.row.first, previous, kernels, {TODAY_ID: TODAY}, _some(begun, rows))
        previous = bytes.fromhex(write_unit(history_folder(work / "data"), segment).digest)
    return recorder


def _some(first: Recorded, rows: Iterator[Recorded]) -> Iterator[Recorded]:
    """The rows of one unit: `first`, and those after it until there are enough events."""
    yield first
    events = first.row.count
    for one in rows:
        yield one
        events += one.row.count
        if events >= UNIT_EVENTS:
            return
