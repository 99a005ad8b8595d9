"""History in runs holds the same events and outputs as history in rows, whatever the rows were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from history.recorded import archive_all, record
from simward.engine.journal import EVENTS, row_events, row_outputs, row_texts
from simward.history.runs import Run, ahead
from simward.history.whole import WholeJournal


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeJournal]:
    folder = tmp_path_factory.mktemp("runs") / "work"
    record(folder, days=6)
    assert archive_all(folder) > 2
    with closing(WholeJournal.open(folder / "data")) as made:
        yield made


def flat(whole: WholeJournal, after: int) -> tuple[bytes, bytes, list[int]]:
    """Events, outputs and revisions of rows."""
    events, outputs, revisions = b"", b"", []
    for row in whole.rows(after):
        if row.kind == EVENTS:
            events += row_events(row, whole.layouts).tobytes()
            outputs += row_outputs(row, whole.layouts).tobytes()
        else:
            revisions.append(row.first)
    return events, outputs, revisions


@pytest.mark.parametrize("after", [0, 1, 100, 300])
def test_runs_hold_what_rows_hold(whole: WholeJournal, after: int) -> None:
    events, outputs, revisions, at = b"", b"", [], 0
    for piece in whole.runs(after):
        assert not at or piece.first == at + 1
        at = piece.last
        if isinstance(piece, Run):
            events, outputs = events + piece.events.tobytes(), outputs + piece.outputs.tobytes()
        else:
            revisions.append(piece.first)
    assert (events, outputs, revisions) == flat(whole, after)


def test_there_are_few_runs_of_many_rows(whole: WholeJournal) -> None:
    runs = [piece for piece in whole.runs() if isinstance(piece, Run)]
    rows = [row for row in whole.rows() if row.kind == EVENTS]
    assert len(runs) < len(rows) / 10
    texts = {one for row in whole.rows() for one in row_texts(row)}
    assert {one for run in runs for one in run.texts} <= texts == set(whole.texts())


def test_a_run_can_be_split(whole: WholeJournal) -> None:
    run = max((piece for piece in whole.runs() if isinstance(piece, Run)), key=lambda one: len(one.outputs))
    one, other = run.split(7)
    assert (one.first, one.last, other.first, other.last) == (run.first, run.first + 6, run.first + 7, run.last)
    assert np.concatenate([one.outputs, other.outputs]).tobytes() == run.outputs.tobytes()
    assert other.outputs["sequence"].min() >= other.first


def test_reading_ahead_gives_the_same_and_raises_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield from range(100)
        raise ValueError("after a hundred")

    taken = []
    with pytest.raises(ValueError, match="after a hundred"):
        for one in ahead(items()):
            taken.append(one)
    assert taken == list(range(100))


def test_whoever_stops_reading_stops_the_thread() -> None:
    before = threading.active_count()
    items = ahead(iter(range(10**9)))
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before
