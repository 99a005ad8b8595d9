"""Call detail records as the engine keeps them: one fixed row each, in a journal of their own beside the gate's.

A record says that a subscription made a call, sent a message or had a session, as its operator tells it hours later. It
is no part of what the gate decides on, so it is not in the gate's journal: that one stays as narrow as a request is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine.journal import RECORDS, Layout, Row
from simward.engine.outputs import OUTPUT
from simward.engine.snapshot import convert

VOICE, SHORT_MESSAGE, DATA = 1, 2, 3
KIND_NAMES = ("", "voice", "sms", "data")

NOT_SAID, HOME, NATIONAL, INTERNATIONAL, PREMIUM = range(5)
DESTINATION_NAMES = ("", "home", "national", "international", "premium")

RECORD = np.dtype(
    [
        ("record_id", "i8"),  # a hash of the operator's own id of it and the template's name, never 0
        ("happened_at", "i8"),  # us UTC, as reported: when it began
        ("imsi", "i8"),  # prefix-1 decimal, 0 = not given
        ("msisdn", "i8"),  # prefix-1 decimal, 0 = not given
        ("uplink_octets", "i8"),  # -1 = not said
        ("downlink_octets", "i8"),
        ("duration_s", "i4"),  # -1 = not said
        ("plmn", "i4"),  # visited network, prefix-1 decimal of MCC and MNC, 0 = not said
        ("kind", "u1"),  # VOICE, SHORT_MESSAGE, DATA
        ("destination", "u1"),  # the class of who was called; the number itself is not kept
    ]
)
LAYOUT = Layout(RECORD, OUTPUT)
CDR_FOLDER, JOURNAL_FOLDER, REJECTS_FOLDER = "cdr", "journal", "rejects"
FILE = "file"
"""Key of a row's notes: the file that the row is the last one of, and what came of it."""


def records_folder(data_dir: Path) -> Path:
    """Where their journal is."""
    return data_dir / CDR_FOLDER / JOURNAL_FOLDER


def rejects_folder(data_dir: Path) -> Path:
    """Where lines are kept that could not be read."""
    return data_dir / CDR_FOLDER / REJECTS_FOLDER


def records_row(first: int, at: int, records: np.ndarray, notes: Mapping[str, Any] | None = None) -> Row:
    """A row of their journal: RECORD rows, the first of which has the sequence `first`, imported at `at` (us UTC).

    Nothing is decided on them here: no kernel, no outputs.
    """
    return Row(first, len(records), RECORDS, at, "", records.tobytes(), b"", dict(notes or {}), LAYOUT.id)


def row_records(row: Row, layouts: Mapping[str, Layout]) -> np.ndarray:
    """The records of a row in today's layout, read-only where it was written in that."""
    written = np.frombuffer(row.inputs, layouts[row.layout].events)
    return written if written.dtype == RECORD else convert(written, RECORD)


def among_records(records: np.ndarray, imsis: Collection[int], msisdns: Collection[int]) -> np.ndarray:
    """Which records are about a subscription: by IMSI, or by telephone number where no IMSI is given."""
    by_number = (records["imsi"] == 0) & np.isin(records["msisdn"], list(msisdns))
    return np.isin(records["imsi"], list(imsis)) | by_number


def numbers_in(rows: Iterable[Row], layouts: Mapping[str, Layout], imsis: set[int], msisdns: set[int]) -> None:
    """Add what records alone know: the IMSI of a telephone number nobody else had heard of, then the numbers of it."""
    wanted = list(imsis)
    for row in rows:
        records = row_records(row, layouts)
        if not wanted:
            imsis.update(records["imsi"][np.isin(records["msisdn"], list(msisdns))].tolist())
        msisdns.update(records["msisdn"][np.isin(records["imsi"], list(imsis))].tolist())
    imsis.discard(0)
    msisdns.discard(0)
