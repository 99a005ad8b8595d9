"""The process under the fault layer: appends rows, and says in the record which it was told are durable."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import numpy as np

from simward.engine import journal_files as files
from simward.engine.events import empty
from simward.engine.journal import Row, events_row
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import NotDurableError

SMALL = {"segment_octets": 200_000, "checkpoint_octets": 64 << 10}


def row(first: int) -> Row:
    """The row that begins with a sequence: always the same one."""
    count = 1 + (first * 7919) % 60
    events = empty(count)
    events["imsi"] = np.arange(first, first + count) * 1_000_003
    return events_row(first, first, "k" * 64, events, np.zeros(0, OUTPUT), notes={"first": first})


def write(folder: Path, rows: int, seed: int) -> None:
    """Append rows; after each, write its last sequence to the file that the record takes for a promise."""
    chance = random.Random(seed)
    promises = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT, 0o600)
    journal = SqliteJournal.open(folder, **SMALL)
    for _ in range(rows):
        try:
            journal.append(row(journal.last + 1))
        except NotDurableError:
            if chance.random() < 0.3:
                os._exit(9)  # killed: nothing is closed, and the page cache lives on
            continue
        os.pwrite(promises, b"%20d" % journal.last, 0)
    if chance.random() < 0.5:
        journal.close()
    os._exit(0)


if __name__ == "__main__":
    if "--without-sync" in sys.argv:
        connect = files.connect_writer

        def careless(path: Path):  # type: ignore[no-untyped-def]
            connection = connect(path)
            connection.execute("PRAGMA synchronous=OFF")
            return connection

        files.connect_writer = careless
    try:
        write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    except NotDurableError:
        os._exit(8)
