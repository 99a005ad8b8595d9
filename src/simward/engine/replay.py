"""Folding journal rows: the same code after a restart, behind the gate, and to try another policy on history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, POLICY, Journal, Layout, Row, row_events, row_texts, row_whole_ids
from simward.engine.outputs import OUTPUT
from simward.engine.tables import InventoryDelta, PolicyTables

NO_OUTPUTS = np.zeros(0, OUTPUT)


class Replayed(NamedTuple):
    """A row as it was recorded, and what folding it now decides."""

    row: Row
    outputs: np.ndarray


def fold_events(fold: Fold, events: np.ndarray) -> np.ndarray:
    """Fold all of `events`, however much room for outputs the fold has at a time; returns a copy of the outputs."""
    parts = [np.array(part) for part in folded_parts(fold, events)]
    return np.concatenate(parts) if parts else NO_OUTPUTS


def folded_parts(fold: Fold, events: np.ndarray) -> Iterator[np.ndarray]:
    """The same part by part, uncopied: outputs that hold until the next part is asked for; empty ones are left out."""
    at = 0
    while at < len(events):
        folded = fold.events(events[at:])
        at += folded.consumed
        if len(folded.outputs):
            yield folded.outputs.view(np.ndarray)


def fold_row(fold: Fold, row: Row, layouts: Mapping[str, Layout]) -> np.ndarray:
    """Fold one journal row; texts first, so that numbers mean what they meant when it was written."""
    fold.state.texts.load(row_texts(row))
    fold.state.texts.whole_ids.load(row_whole_ids(row))
    if row.kind == EVENTS:
        outputs = fold_events(fold, row_events(row, layouts))
    elif row.kind == POLICY:
        outputs = fold.policy(PolicyTables.from_bytes(row.inputs), row.at)
    else:
        outputs = fold.inventory(InventoryDelta.from_bytes(row.inputs), row.at)
    fold.state.texts.take_new()
    return outputs


def replay(journal: Journal, fold: Fold | None = None, tables: PolicyTables | None = None) -> Iterator[Replayed]:
    """Fold the whole journal again, from the start or on top of `fold`.

    With `tables`, that policy takes the place of every policy revision in the journal ("what would it have found?").
    The loop is open: traffic is judged as it came, also where an earlier cut would have prevented it.
    """
    fold = fold or Fold.new()
    if tables is not None:
        # The journal's texts first: those of the other policy must not take the numbers that its rows mean.
        for row in journal.rows():
            fold.state.texts.load(row_texts(row))
        fold.policy(tables, 0)
    for row in journal.rows(after=fold.sequence if tables is None else 0):
        if tables is not None:
            if row.kind == POLICY:
                continue
            fold.state.meta["sequence"] = row.first - 1  # what is found keeps the sequence of the event it is about
        yield Replayed(row, fold_row(fold, row, journal.layouts))
