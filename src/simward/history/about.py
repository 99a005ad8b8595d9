"""The rows of a unit that are about some subscriptions alone: found by the index, read from a few row groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from simward.engine.events import ACCESS_REQUEST
from simward.engine.journal import EVENTS, Row
from simward.history import index
from simward.history.reading import Layers, row_of, rows_said
from simward.history.unit import INDEX_NAME, ROWS_NAME, Unit

_LIGHT = ("first", "count", "kind", "at", "kernel", "layout", "notes", "events")


def rows_about(
    unit: Unit, keys: Iterable[int], decisions: set[int] | None = None, *, quietly: bool = False
) -> Iterator[Row]:
    """What the unit holds about the subscriptions with these numbers, in the order of the journal.

    `decisions` are the sequences of their requests in units before; those of this one are added. By them events are
    found that name their subscription by a Class alone. `quietly`: only that, and what readers need of the unit.

    Each event stands in a row of its own, with the outputs on it, under the sequence that it has in the journal. Rows
    of policy and inventory come whole, and rows that bring texts without their events: so readers understand the rest.
    What concerns everybody comes too. There may be a little too much, never too little.
    """
    with ExitStack() as closing:
        layers = Layers(unit, closing)
        events, outputs = _found(unit, layers, keys, set() if decisions is None else decisions)
        if quietly:
            events, outputs = _Picked(), _Picked()
        sequences = np.union1d(events.sequences, outputs.sequences)
        for said in _rows_of_interest(unit, sequences):
            if said["kind"] != EVENTS or not said["events"]:
                (whole,) = (one for one in rows_said(unit, said["first"] - 1, closing, said["first"]))
                yield row_of(whole, layers)
                continue
            notes = json.loads(said["notes"]) if said["notes"] else {}
            low, high = np.searchsorted(sequences, (said["first"], said["first"] + said["count"]))
            if low == high:
                yield _thin(said, said["first"], b"", b"", notes)
            for sequence in sequences[low:high].tolist():
                yield _thin(said, sequence, events.at(sequence), outputs.at(sequence), notes)


def _thin(said: dict[str, Any], sequence: int, events: bytes, outputs: bytes, notes: dict[str, Any]) -> Row:
    return Row(sequence, 1, EVENTS, said["at"], said["kernel"], events, outputs, notes, said["layout"])


class _Picked:
    """Rows of one kind, in whatever layouts, by their sequence number."""

    def __init__(self) -> None:
        self.sequences = np.zeros(0, np.int64)
        self._octets: dict[int, list[bytes]] = {}

    def add(self, rows: np.ndarray, sequences: np.ndarray) -> None:
        """Add rows; one sequence may have several."""
        self.sequences = np.union1d(self.sequences, sequences)
        for row, sequence in zip(rows, sequences.tolist()):
            self._octets.setdefault(sequence, []).append(row.tobytes())

    def at(self, sequence: int) -> bytes:
        """The rows of a sequence as the journal has them."""
        return b"".join(self._octets.get(sequence, ()))


def _found(unit: Unit, layers: Layers, keys: Iterable[int], decisions: set[int]) -> tuple[_Picked, _Picked]:
    picked = (_Picked(), _Picked())
    for layout, which, positions in _entries(unit, keys):
        rows, sequences = layers.of(layout, which).pick(positions)
        picked[which].add(rows, sequences)
        if which == index.EVENTS_FILE:
            decisions.update(sequences[index.column_of(rows, "kind") == ACCESS_REQUEST].tolist())
    for layout, which, positions in _entries(unit, index.decision_keys(decisions)):
        picked[which].add(*layers.of(layout, which).pick(positions))
    return picked


def _entries(unit: Unit, keys: Iterable[int]) -> Iterator[tuple[str, int, np.ndarray]]:
    """Layout, which of its files, and positions in it, of what is under these keys."""
    names = sorted(unit.layouts)
    for number, positions in index.find_entries(unit.path(INDEX_NAME), keys).items():
        yield names[number // 2], number % 2, positions


def _rows_of_interest(unit: Unit, sequences: np.ndarray) -> Iterator[dict[str, Any]]:
    """Rows that hold one of the sequences, bring texts, or are no events; without what makes them large."""
    with pq.ParquetFile(unit.path(ROWS_NAME)) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, columns=list(_LIGHT), use_threads=False)
            first, count = table.column("first").to_numpy(), table.column("count").to_numpy()
            wanted = np.searchsorted(sequences, first) < np.searchsorted(sequences, first + count)
            wanted |= np.asarray(table.column("notes").is_valid().to_numpy())
            wanted |= table.column("events").to_numpy() == 0  # octets that no column could hold
            wanted |= np.asarray([kind != EVENTS for kind in table.column("kind").to_pylist()], np.bool_)
            yield from table.take(np.flatnonzero(wanted)).to_pylist()
