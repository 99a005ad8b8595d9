"""The call detail records behind findings: those that were folded where a finding was told, and are about its
subscription.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

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


def records_behind(
    chapters: Iterable[dict[str, Any]], subject: Subject, own: Journal, imported: Journal
) -> list[tuple[int, Any]]:
    """(sequence, RECORD row) of the calls and messages behind a story's findings, the newest `MOST`.

    Those that were removed since are left out.
    """
    found: list[tuple[int, Any]] = []
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
                    found += [(int(sequences[at]), records[at]) for at in np.flatnonzero(mine).tolist()]
        except JournalGapError:
            continue
    return sorted(found, key=lambda one: (int(one[1]["happened_at"]), one[0]))[-MOST:]
