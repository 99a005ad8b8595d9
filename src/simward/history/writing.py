"""Writes one sealed segment of the journal as a unit of history, a row group at a time, and reads it back as proof."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simward.engine.journal import EVENTS, Layout, Row
from simward.engine.journal_reader import Chain
from simward.errors import JournalError
from simward.history import columns, index
from simward.history.reading import check_unit
from simward.history.unit import (
    INDEX_NAME,
    ROWS_NAME,
    Unit,
    begin_unit,
    events_name,
    file_said,
    install_unit,
    outputs_name,
)

GROUP_EVENTS = 65_536
"""Events in a row group: 12 MB in memory, and ten milliseconds to read with every column."""
ROWS_GROUP = 16_384
ROWS_GROUP_OCTETS = 16 << 20
DICTIONARY_OCTETS = 64 << 10
"""A column of more different values in a row group than fit here is not worth a dictionary."""

ROWS_SCHEMA = pa.schema([
    ("first", pa.int64()), ("count", pa.int64()), ("kind", pa.string()), ("at", pa.int64()), ("kernel", pa.string()),
    ("layout", pa.string()), ("digest", pa.binary(32)), ("notes", pa.string()),
    ("event_at", pa.int64()), ("events", pa.int64()), ("output_at", pa.int64()), ("outputs", pa.int64()),
    ("inputs", pa.large_binary()), ("raw_outputs", pa.large_binary()),
])  # fmt: skip
"""`event_at` and `events`: where a row's events are in the file of its layout. `inputs`: what is no event (policy,
inventory), and events whose octets the columns cannot give back."""


class Recorded(NamedTuple):
    """A row as the journal keeps it: with its digest, and its notes as text."""

    row: Row
    notes: str | None
    digest: bytes


class Segment(NamedTuple):
    """A sealed segment: what it follows, what its rows need to be read, and the rows."""

    first: int
    previous: bytes
    kernels: dict[str, str]
    layouts: dict[str, Layout]
    rows: Iterable[Recorded]


def write_unit(folder: Path, segment: Segment) -> Unit:
    """Make a segment a unit of the history in `folder`; the segment may be removed when this returns.

    Killed anywhere, it leaves what was there before. JournalError where what was read back is not what was written.
    """
    unfinished = begin_unit(folder, segment.first)
    unit = _write(unfinished, segment)
    chain = Chain(segment.first, segment.previous)
    wrong = check_unit(Unit.read(unfinished), chain)
    if wrong:
        raise JournalError(f"{unfinished} does not read back as written, at sequence {chain.expected}: {wrong}")
    return replace(unit, folder=install_unit(folder, segment.first))


def write_columns(folder: Path, segment: Segment) -> Unit:
    """Write the files of a unit into an empty folder, neither synced nor proved: for a copy that nobody keeps."""
    return _write(folder, segment)


def _write(folder: Path, segment: Segment) -> Unit:
    writing = _Writing(folder, segment)
    try:
        for one in segment.rows:
            writing.take(one)
    finally:
        writing.close()
    if not writing.rows:
        raise JournalError(f"the segment of sequence {segment.first} holds no row")
    unit = writing.unit()
    for path in folder.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        unit.files[path.name] = file_said(path)
    unit.write_description()
    return unit


class _Table:
    """One Parquet file of one layout: whole journal rows gather until they make a row group."""

    def __init__(self, path: Path, dtype: np.dtype, number: int) -> None:
        self.dtype, self.number = dtype, number
        self.written = 0
        self.entries: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._gathered: list[np.ndarray] = []
        self._waiting = 0
        self._is_events = number % 2 == index.EVENTS_FILE
        self._sequences: list[np.ndarray] = []
        extra = ((columns.SEQUENCE, pa.int64()),) if self._is_events else ()
        self._schema = columns.schema(dtype, extra)
        self._file = open_writer(path, self._schema)

    @property
    def count(self) -> int:
        """How many rows it has been given."""
        return self.written + self._waiting

    def take(self, rows: np.ndarray, first: int) -> None:
        self._gathered.append(rows)
        if self._is_events:
            self._sequences.append(np.arange(first, first + len(rows), dtype=np.int64))
        self._waiting += len(rows)
        if self._waiting >= GROUP_EVENTS:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._gathered)
        made = columns.arrays(rows)
        if self._is_events:
            made = [pa.array(np.concatenate(self._sequences)), *made]
        self._file.write_table(pa.Table.from_arrays(made, schema=self._schema), row_group_size=len(rows))
        entries = index.event_entries if self._is_events else index.output_entries
        self.entries.append((self.number, *entries(rows, self.written)))
        self.written += len(rows)
        self._gathered, self._sequences, self._waiting = [], [], 0

    def close(self) -> None:
        self.flush()
        self._file.close()


class _Writing:
    """The files of a unit while they are being written."""

    def __init__(self, folder: Path, segment: Segment) -> None:
        self.rows = self.events = self.outputs = 0
        self._folder, self._segment = folder, segment
        self._numbers = {name: number for number, name in enumerate(sorted(segment.layouts))}
        self._tables: dict[tuple[str, int], _Table] = {}
        self._file = open_writer(folder / ROWS_NAME, ROWS_SCHEMA)
        self._waiting: list[tuple[Any, ...]] = []
        self._octets = 0
        self._kinds: Counter[int] = Counter()
        self._last = self._at_first = self._at_last = 0
        self._digest = segment.previous

    def take(self, one: Recorded) -> None:
        """Add one journal row."""
        row, inputs, raw_outputs = one.row, None, None
        layout = self._segment.layouts.get(row.layout)
        if layout is None:
            raise JournalError(f"row {row.first} is in the layout {row.layout}, which its segment does not describe")
        made = _as_rows(row.outputs, layout.outputs)
        found = _as_rows(row.inputs, layout.events) if row.kind == EVENTS else None
        if made is None or (row.kind == EVENTS and (found is None or len(found) != row.count)):
            made = found = None
            raw_outputs = row.outputs
        event_at = output_at = events = outputs = 0
        if found is None:
            inputs = row.inputs
        else:
            event_at, events = self._put(row, index.EVENTS_FILE, layout.events, found)
            self._kinds.update(index.column_of(found, "kind").tolist())
        if made is not None and len(made):
            output_at, outputs = self._put(row, index.OUTPUTS_FILE, layout.outputs, made)
        self._waiting.append((
            row.first, row.count, row.kind, row.at, row.kernel, row.layout, one.digest, one.notes,
            event_at, events, output_at, outputs, inputs, raw_outputs,
        ))  # fmt: skip
        self._count(one, events, outputs)
        self._octets += len(inputs or b"") + len(raw_outputs or b"") + len(one.notes or "")
        if len(self._waiting) >= ROWS_GROUP or self._octets >= ROWS_GROUP_OCTETS:
            self._flush()

    def _count(self, one: Recorded, events: int, outputs: int) -> None:
        self._at_first = self._at_first if self.rows else one.row.at
        self.rows, self.events, self.outputs = self.rows + 1, self.events + events, self.outputs + outputs
        self._last, self._at_last, self._digest = one.row.last, one.row.at, one.digest

    def _put(self, row: Row, which: int, dtype: np.dtype, rows: np.ndarray) -> tuple[int, int]:
        """Add the events or outputs of a row to their file; where they stand there, and how many they are."""
        key = (row.layout, which)
        if key not in self._tables:
            name = outputs_name(row.layout) if which else events_name(row.layout)
            self._tables[key] = _Table(self._folder / name, dtype, 2 * self._numbers[row.layout] + which)
        at = self._tables[key].count
        self._tables[key].take(rows, row.first)
        return at, len(rows)

    def _flush(self) -> None:
        if self._waiting:
            made = [pa.array(column, kind) for column, kind in zip(zip(*self._waiting), ROWS_SCHEMA.types)]
            self._file.write_table(pa.Table.from_arrays(made, schema=ROWS_SCHEMA), row_group_size=len(self._waiting))
            self._waiting, self._octets = [], 0

    def close(self) -> None:
        """Write what waits, and the index."""
        self._flush()
        self._file.close()
        entries = []
        for table in self._tables.values():
            table.close()
            entries += table.entries
        index.write_index(self._folder / INDEX_NAME, entries)

    def unit(self) -> Unit:
        """What was written."""
        segment = self._segment
        return Unit(
            self._folder, segment.first, self._last, self._at_first, self._at_last,
            self.rows, self.events, self.outputs, segment.previous.hex(), self._digest.hex(), dict(segment.kernels),
            {name: layout.description for name, layout in segment.layouts.items()},
            kinds={str(kind): count for kind, count in sorted(self._kinds.items())},
        )  # fmt: skip


def open_writer(path: Path, schema: Any) -> Any:
    """A Parquet file as all of history is written: zstd, checksums on pages, statistics on every column chunk."""
    return pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, write_page_checksum=True,
        dictionary_pagesize_limit=DICTIONARY_OCTETS, version="2.6",
    )  # fmt: skip


def _as_rows(octets: bytes, dtype: np.dtype) -> np.ndarray | None:
    """Octets as rows of a layout; None where columns would not give back every one of them."""
    if len(octets) % dtype.itemsize:
        return None
    rows = np.frombuffer(octets, dtype)
    return None if columns.has_gaps(dtype) and not columns.given_back(rows) else rows
