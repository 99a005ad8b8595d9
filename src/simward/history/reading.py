"""Reads a unit of history: its journal rows as they were, those about some subscriptions alone, and the proof."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simward.engine.journal import EVENTS, Row
from simward.engine.journal_reader import Chain
from simward.errors import JournalError
from simward.history import columns, index
from simward.history.unit import ROWS_NAME, Unit, events_name, outputs_name

BATCH_EVENTS = 65_536


class _Layer:
    """The rows of one file of a unit by position; the row group last read stays at hand."""

    def __init__(self, unit: Unit, name: str, dtype: np.dtype, closing: ExitStack) -> None:
        self._file = closing.enter_context(pq.ParquetFile(unit.path(name), page_checksum_verification=True))
        self._dtype = dtype
        starts = [0]
        for number in range(self._file.num_row_groups):
            starts.append(starts[-1] + self._file.metadata.row_group(number).num_rows)
        self._starts = starts
        self._group = -1
        self._rows = np.zeros(0, dtype)
        self._sequences = np.zeros(0, np.int64)

    def slice(self, at: int, count: int) -> np.ndarray:
        """`count` rows from position `at` on, valid until the next call. They stand in one row group."""
        start = self._read(at)
        return self._rows[at - start : at - start + count]

    def stretch(self, at: int, count: int) -> np.ndarray:
        """`count` rows from position `at` on, in whichever row groups they stand: the caller's own."""
        rows, taken = np.empty(count, self._dtype), 0
        while taken < count:
            start = self._read(at + taken)
            part = self._rows[at + taken - start :][: count - taken]
            rows[taken : taken + len(part)] = part
            taken += len(part)
        return rows

    def groups_of(self, positions: np.ndarray) -> np.ndarray:
        """The row group that each position stands in."""
        return np.searchsorted(np.array(self._starts), positions, "right")

    def together(self, one: int, other: int) -> bool:
        """Do two positions stand in one row group?"""
        return bisect_right(self._starts, one) == bisect_right(self._starts, other)

    def pick(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows at ascending positions, and their sequence numbers."""
        rows, sequences = [np.zeros(0, self._dtype)], [np.zeros(0, np.int64)]
        at = 0
        while at < len(positions):
            start = self._read(int(positions[at]))
            end = int(np.searchsorted(positions, self._starts[self._group + 1]))
            inside = positions[at:end].astype(np.int64) - start
            rows.append(self._rows[inside])
            sequences.append(self._sequences[inside])
            at = end
        return np.concatenate(rows), np.concatenate(sequences)

    def _read(self, position: int) -> int:
        """Have the row group of a position at hand; where it starts."""
        group = bisect_right(self._starts, position) - 1
        if group != self._group:
            table = self._file.read_row_group(group, use_threads=False)
            self._rows, self._group = columns.restored(self._dtype, table), group
            self._sequences = table.column(columns.SEQUENCE).to_numpy()
        return self._starts[group]


class Layers:
    """The files of events and outputs of a unit, opened when they are first asked for."""

    def __init__(self, unit: Unit, closing: ExitStack) -> None:
        self._unit, self._closing = unit, closing
        self._open: dict[tuple[str, int], _Layer] = {}
        self.layouts = {name: unit.layout(name) for name in unit.layouts}

    def of(self, layout: str, which: int) -> _Layer:
        """The events (index.EVENTS_FILE) or outputs of a layout."""
        if (layout, which) not in self._open:
            described = self.layouts[layout]
            dtype = described.outputs if which else described.events
            name = outputs_name(layout) if which else events_name(layout)
            self._open[layout, which] = _Layer(self._unit, name, dtype, self._closing)
        return self._open[layout, which]

    def octets(self, layout: str, which: int, at: int, count: int) -> bytes:
        """Rows as the journal had them."""
        return self.of(layout, which).slice(at, count).tobytes() if count else b""


def unit_rows(unit: Unit, after: int = 0, *, batches: bool = False, events: bool = True) -> Iterator[Row]:
    """The journal rows of a unit that hold any sequence above `after`, as they were written.

    With `batches`, neighbours that one kernel decided are handed on as one row: the fold makes the same of any cut.
    Without `events`, rows of events come with their outputs and notes alone.
    """
    with ExitStack() as closing:
        layers = Layers(unit, closing)
        gathered = _Gathered(layers)
        for said in rows_said(unit, after, closing):
            if batches and gathered.takes(said):
                continue
            yield from gathered.row()
            if not (batches and gathered.takes(said)):
                yield row_of(said, layers, events=events)
        yield from gathered.row()


class _Gathered:
    """Neighbouring rows of events on their way to being one."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._said: list[dict[str, Any]] = []

    def takes(self, said: dict[str, Any]) -> bool:
        """Take a row that may be one with those taken before."""
        if said["kind"] != EVENTS or not said["events"] or said["raw_outputs"] is not None:
            return False
        if self._said:
            first, last = self._said[0], self._said[-1]
            if (first["kernel"], first["layout"]) != (said["kernel"], said["layout"]):
                return False
            if last["first"] + last["count"] != said["first"] or said["first"] - first["first"] >= BATCH_EVENTS:
                return False
        self._said.append(said)
        return True

    def row(self) -> Iterator[Row]:
        """What was taken, as one row."""
        if not self._said:
            return
        said, self._said = self._said, []
        first, last = said[0], said[-1]
        count = last["first"] + last["count"] - first["first"]
        yield Row(
            first["first"], count, EVENTS, last["at"], first["kernel"], self._octets(said, index.EVENTS_FILE),
            self._octets(said, index.OUTPUTS_FILE), _merged([one["notes"] for one in said if one["notes"]]),
            first["layout"],
        )  # fmt: skip

    def _octets(self, said: Sequence[dict[str, Any]], which: int) -> bytes:
        at, count = ("output_at", "outputs") if which else ("event_at", "events")
        parts = [(one[at], one[count]) for one in said if one[count]]
        if not parts:
            return b""
        layer = self._layers.of(said[0]["layout"], which)
        # Rows stand one behind the other; only where a row group ends does a slice.
        runs: list[list[int]] = []
        for start, length in parts:
            if runs and runs[-1][0] + runs[-1][1] == start and layer.together(runs[-1][0], start):
                runs[-1][1] += length
            else:
                runs.append([start, length])
        return b"".join([layer.slice(start, length).tobytes() for start, length in runs])


def _merged(notes: list[str]) -> dict[str, Any]:
    """The notes of several rows as those of one: lists behind each other, what is named together."""
    merged: dict[str, Any] = {}
    for text in notes:
        for key, value in json.loads(text).items():
            if isinstance(value, list):
                merged.setdefault(key, []).extend(value)
            elif isinstance(value, dict):
                merged.setdefault(key, {}).update(value)
            else:
                merged[key] = value
    return merged


def rows_said(unit: Unit, after: int, closing: ExitStack, until: int = 0) -> Iterator[dict[str, Any]]:
    """What rows.parquet says of each row that reaches beyond `after`, and begins at or before `until` (0: of all)."""
    file = closing.enter_context(pq.ParquetFile(unit.path(ROWS_NAME), page_checksum_verification=True))
    names = file.schema_arrow.names
    for number in range(file.num_row_groups):
        if number + 1 < file.num_row_groups and _first_of(file, number + 1) <= after + 1:
            continue
        if until and _first_of(file, number) > until:
            return
        table = file.read_row_group(number, use_threads=False)
        for values in zip(*(table.column(name).to_pylist() for name in names), strict=True):
            said = dict(zip(names, values))
            if until and said["first"] > until:
                return
            if said["first"] + said["count"] > after + 1:
                yield said


def _first_of(file: Any, group: int) -> int:
    return int(file.metadata.row_group(group).column(0).statistics.min)


def row_of(said: dict[str, Any], layers: Layers, *, notes: bool = True, events: bool = True) -> Row:
    """A row as it was written; without its notes or events where those are not wanted."""
    inputs, outputs = said["inputs"], said["raw_outputs"]
    if not events and said["kind"] == EVENTS:
        inputs = b""
    elif inputs is None:
        inputs = layers.octets(said["layout"], index.EVENTS_FILE, said["event_at"], said["events"])
    if outputs is None:
        outputs = layers.octets(said["layout"], index.OUTPUTS_FILE, said["output_at"], said["outputs"])
    parsed = json.loads(said["notes"]) if notes and said["notes"] else {}
    return Row(
        said["first"], said["count"], said["kind"], said["at"], said["kernel"], inputs, outputs, parsed, said["layout"]
    )


def check_unit(unit: Unit, chain: Chain) -> str:
    """Go on with the chain of digests over a unit, and compare the digests of its files; what is wrong, or nothing."""
    if unit.previous != chain.digest.hex() or unit.first != chain.expected:
        return "the unit does not follow on what is before it"
    damaged = unit.damaged_file()
    if damaged:
        return f"{damaged} was changed since it was written"
    try:
        said = _walk(unit, chain)
    except (pa.ArrowException, OSError, ValueError, KeyError, JournalError) as error:
        return f"unreadable: {error}"
    if said or (chain.expected == unit.last + 1 and chain.digest.hex() == unit.digest):
        return said
    return "its last rows are missing"


def _walk(unit: Unit, chain: Chain) -> str:
    for name, text in unit.layouts.items():
        if unit.layout(name).description != text or unit.layout(name).id != name:
            return "the description of a layout was changed"
    with ExitStack() as closing:
        layers = Layers(unit, closing)
        for said in rows_said(unit, 0, closing):
            row = row_of(said, layers, notes=False)
            wrong = chain.take((
                row.first, row.count, row.kind, row.at, row.kernel, row.inputs, row.outputs, said["notes"], row.layout,
                said["digest"],
            ))  # fmt: skip
            if wrong:
                return wrong
    return ""
