"""The call detail records behind findings: those that were folded where a finding was told, and are about its
subscription.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from simward.engine.call_records import DATA, among_records, row_records
from simward.engine.journal import Journal, JournalGapError
from simward.engine.story import Subject
from simward.engine.watching.fold import RECORD_INDEX
from simward.watch.record_following import NOTED, Place

MOST = 50


def places_of(chapters: Iterable[dict[str, Any]], own: Journal) -> Iterator[Place]:
    """Where the records were folded that the findings of a story are about, in order."""
    told = {tuple(map(int, one["finding"]["id"].split("/")[1:])) for one in chapters if "finding" in one}
    for sequence in sorted({sequence for sequence, index in told if index >= RECORD_INDEX}):
        with closing(own.rows(after=sequence - 1)) as rows:  # type: ignore[type-var]
            row = next(rows, None)
        if row is not None and NOTED in row.notes and row.notes[NOTED]["before"] == sequence:
            yield Place.noted(row.notes[NOTED])


class Behind(NamedTuple):
    """A record, and when what it shows was told."""

    sequence: int
    record: Any
    told_at: int


def records_behind(
    chapters: Iterable[dict[str, Any]], subject: Subject, own: Journal, imported: Journal
) -> list[Behind]:
    """The calls and messages behind a story's findings, the newest `MOST`.

    Those that were removed since are left out.
    """
    found: list[Behind] = []
    for place in places_of(chapters, own):
        try:
            with closing(imported.rows(after=place.first - 1)) as rows:  # type: ignore[type-var]
                for row in rows:
                    if row.first > place.last:
                        break
                    records = row_records(row, imported.layouts)
                    sequences = row.first + np.arange(len(records))
                    mine = among_records(records, subject.imsis, subject.msisdns) & (records["kind"] != DATA)
                    mine &= (sequences >= place.first) & (sequences <= place.last)
                    here = np.flatnonzero(mine).tolist()
                    found += [Behind(int(sequences[at]), records[at], place.at) for at in here]
        except JournalGapError:
            continue
    return sorted(found, key=lambda one: (int(one.record["happened_at"]), one.sequence))[-MOST:]
