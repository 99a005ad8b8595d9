"""History in runs: neighbouring rows of events as one array, found by columns and never row by row.

A fleet of a hundred thousand sends thirty events a second, so that a journal row holds one or two: whoever folds a
month of them cannot look at each row by itself. What says where rows begin and end is read as columns, and the events
are slices of the row group that they stand in.
"""

from __future__ import annotations

import base64
import json
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from simward.engine.events import EVENT
from simward.engine.journal import EVENTS, Layout, Row, row_events, row_outputs, row_texts
from simward.engine.outputs import OUTPUT

RUN_EVENTS = 65_536
"""Events in a run at most, but for a row that is longer by itself."""
AHEAD = 3
"""Runs that wait, read and not yet taken: some fifty megabytes."""


@dataclass(frozen=True, slots=True)
class Run:
    """Events that one kernel decided, and what it decided, in today's layouts; the caller's own to write in."""

    first: int
    """The sequence of the first event; the others follow on without a gap."""
    kernel: str
    events: np.ndarray  # EVENT
    outputs: np.ndarray  # OUTPUT, as recorded
    texts: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The sequence of the last event."""
        return self.first + len(self.events) - 1

    def split(self, count: int) -> tuple[Run, Run]:
        """The first `count` events, and the others."""
        before = self.outputs["sequence"] < self.first + count
        return (
            Run(self.first, self.kernel, self.events[:count], self.outputs[before], self.texts),
            Run(self.first + count, self.kernel, self.events[count:], self.outputs[~before]),
        )

    def row(self) -> Row:
        """The same as one row of a journal in today's layout."""
        at = int(self.events["received_at"][-1])
        return Row(
            self.first, len(self.events), EVENTS, at, self.kernel, self.events.tobytes(), self.outputs.tobytes()
        )


Piece = Run | Row
"""Rows of policy and inventory come as they are."""


def unit_runs(unit: Any, after: int = 0) -> Iterator[Piece]:
    """A unit's rows that reach beyond the sequence `after`, in order, rows of events as runs."""
    import pyarrow.parquet as pq

    from simward.history.reading import Layers
    from simward.history.unit import ROWS_NAME

    with ExitStack() as closing:
        layers = Layers(unit, closing)
        file = closing.enter_context(pq.ParquetFile(unit.path(ROWS_NAME), page_checksum_verification=True))
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, use_threads=False)
            reaches = table.column("first").to_numpy() + table.column("count").to_numpy() > after + 1
            if reaches.any():
                yield from _group_runs(table.slice(int(np.argmax(reaches))), layers)


def _group_runs(table: Any, layers: Any) -> Iterator[Piece]:
    """The rows of one row group of rows.parquet: plain ones together, the others by themselves."""
    from simward.history.reading import row_of

    plain, starts = _stretches(table)
    names = table.schema.names
    for start, end in zip(starts, [*starts[1:], table.num_rows]):
        part = table.slice(start, end - start)
        if plain[start]:
            yield from _plain_runs(part, layers)
            continue
        for said in part.to_pylist():
            row = row_of({name: said[name] for name in names}, layers)
            if row.kind == EVENTS:
                yield as_run(row, layers.layouts)
            else:
                yield row


def _stretches(table: Any) -> tuple[np.ndarray, list[int]]:
    """Which rows are plain rows of events, and where a stretch of rows that are alike begins."""
    import pyarrow.compute as pc

    flags = pc.and_(pc.equal(table["kind"], EVENTS), pc.and_(table["inputs"].is_null(), table["raw_outputs"].is_null()))
    plain = flags.to_numpy() & (table["events"].to_numpy() > 0)
    differs = np.zeros(table.num_rows, bool)
    differs[1:] = plain[1:] != plain[:-1]
    for name in ("kernel", "layout"):
        codes = table[name].combine_chunks().dictionary_encode().indices.to_numpy()
        differs[1:] |= codes[1:] != codes[:-1]
    return plain, [0, *np.flatnonzero(differs).tolist()]


def _plain_runs(table: Any, layers: Any) -> Iterator[Run]:
    """Rows of events of one kernel and layout, cut where a row group of their events ends."""
    from simward.history import index

    kernel, layout = table["kernel"][0].as_py(), table["layout"][0].as_py()
    first, at = table["first"].to_numpy(), table["event_at"].to_numpy()
    made, made_at = table["outputs"].to_numpy(), table["output_at"].to_numpy()
    layer = layers.of(layout, index.EVENTS_FILE)
    group = layer.groups_of(at)
    cuts = [0, *(np.flatnonzero(group[1:] != group[:-1]) + 1).tolist(), len(at)]
    for start, end in pairwise(cuts):
        count = int(table["events"].slice(start, end - start).to_numpy().sum())
        outputs = int(made[start:end].sum())
        taken = np.zeros(0, OUTPUT)
        if outputs:
            begins = int(made_at[start:end][np.argmax(made[start:end] > 0)])
            taken = layers.of(layout, index.OUTPUTS_FILE).stretch(begins, outputs)
        events = layer.slice(int(at[start]), count)
        texts = [text for note in table["notes"].slice(start, end - start).drop_null().to_pylist()
                 for text in _texts_in(note)]  # fmt: skip
        yield Run(int(first[start]), kernel, _today(events, EVENT), _today(taken, OUTPUT), texts)


def unit_texts(unit: Any) -> Iterator[tuple[int, bytes]]:
    """Every text that a unit's rows bring, with its number."""
    import pyarrow.parquet as pq

    from simward.history.unit import ROWS_NAME

    with pq.ParquetFile(unit.path(ROWS_NAME), page_checksum_verification=True) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, columns=["notes"], use_threads=False)
            for note in table["notes"].drop_null().to_pylist():
                yield from _texts_in(note)


def _texts_in(note: str) -> list[tuple[int, bytes]]:
    said: Mapping[str, Any] = json.loads(note)
    return [(int(number), base64.b64decode(text)) for number, text in said.get("texts", ())]


def _today(rows: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rows in today's layout: themselves where they are."""
    from simward.engine.events import empty
    from simward.engine.snapshot import convert

    if rows.dtype == dtype:
        return rows
    wanted = empty(len(rows)) if dtype == EVENT else np.zeros(len(rows), dtype)
    return convert(rows, dtype, into=wanted)


def as_run(row: Row, layouts: Mapping[str, Layout]) -> Run:
    """A journal row of events as a run."""
    return Run(row.first, row.kernel, row_events(row, layouts), row_outputs(row, layouts), row_texts(row))


def gathered(rows: Iterable[Row], layouts: Mapping[str, Layout]) -> Iterator[Piece]:
    """A journal's rows, neighbouring ones of events together."""
    waiting: list[Row] = []
    events = 0
    for row in rows:
        first = waiting[0] if waiting else row
        if row.kind != EVENTS or (row.kernel, row.layout) != (first.kernel, first.layout) or events >= RUN_EVENTS:
            yield from _together(waiting, layouts)
            waiting, events = [], 0
        if row.kind != EVENTS:
            yield row
            continue
        waiting.append(row)
        events += row.count
    yield from _together(waiting, layouts)


def _together(rows: list[Row], layouts: Mapping[str, Layout]) -> Iterator[Run]:
    if not rows:
        return
    first, last = rows[0], rows[-1]
    whole = Row(
        first.first, last.last - first.first + 1, EVENTS, last.at, first.kernel, b"".join(one.inputs for one in rows),
        b"".join(one.outputs for one in rows), {}, first.layout,
    )  # fmt: skip
    texts = [text for row in rows for text in row_texts(row)]
    run = as_run(whole, layouts)
    yield Run(run.first, run.kernel, run.events, run.outputs, texts)


T = TypeVar("T")


def ahead(items: Iterator[T], most: int = AHEAD) -> Generator[T, None, None]:
    """The same items, made by a thread of its own while the caller works on those before.

    Reading Parquet and folding both let go of the interpreter's lock, so that two cores serve. What the thread raises
    is raised here, in its turn; where the caller stops early, so does the thread.
    """
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(most)
    stopping = threading.Event()

    def put(one: tuple[T | None, BaseException | None]) -> bool:
        while not stopping.is_set():
            try:
                waiting.put(one, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((None, None))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            put((None, error))

    thread = threading.Thread(target=make, name="reading-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopping.set()
        thread.join()
