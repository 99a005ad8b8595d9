"""Reading the SQLite journal: across segments, live, without holding a transaction open between chunks."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from simward.engine import journal_files as files
from simward.engine.journal import NO_DIGEST, JournalGapError, Layout, Row, Verification, row_digest
from simward.errors import JournalError

CHUNK_ROWS = 64
_COLUMNS = "first, count, kind, at, kernel, inputs, outputs, notes, layout"
_CHUNK = f"""
SELECT {_COLUMNS}, digest FROM rows
WHERE first >= coalesce((SELECT max(first) FROM rows WHERE first <= ?1), 0) AND first + count > ?1
ORDER BY first LIMIT {CHUNK_ROWS}
"""
_REVISIONS = f"SELECT {_COLUMNS} FROM rows WHERE kind <> 'events' AND first > ? ORDER BY first"
_DIGESTS = f"SELECT {_COLUMNS}, digest FROM rows WHERE first > ? ORDER BY first LIMIT {CHUNK_ROWS}"
_BEFORE = """
SELECT digest FROM rows WHERE first < (SELECT max(first) FROM rows WHERE first <= ?) ORDER BY first DESC LIMIT 1
"""
_TAIL = "SELECT first + count - 1, digest FROM rows ORDER BY first DESC LIMIT 1"

Wait = Callable[[], bool]
"""Waits a little for more rows; False ends the reading."""


def walk(folder: Path, after: int, wait: Wait | None = None, *, checked: bool = False) -> Iterator[Row]:
    """Rows above `after` (0: from the oldest on); where no more are there yet, `wait` decides (None: the end).

    With `checked`, JournalError in place of the first row whose digest is not that of what it says.
    """
    wanted = after + 1
    first = _segment_of(folder, wanted)
    while first is None:
        if wait is None or not wait():
            return
        first = _segment_of(folder, wanted)
    if after == 0:
        wanted = first
    if first > wanted:
        raise JournalGapError(wanted, first)
    chain = Chain() if checked else None
    while True:
        following = 0
        with opened(folder, first) as connection:
            while True:
                chunk = connection.execute(_CHUNK, (wanted,)).fetchall()
                for stored in chunk:
                    if stored[0] > wanted:
                        raise JournalGapError(wanted, stored[0])
                    if chain is not None:
                        chain.follow(connection, first, wanted, stored)
                    row = _row(stored)
                    wanted = row.last + 1
                    yield row
                if chunk:
                    continue
                if following:
                    break
                # A sealed segment got its last row before the next one got its name: having seen that, ask again.
                following = _segment_after(folder, first)
                if not following and (wait is None or not wait()):
                    return
        if following != wanted:
            raise JournalGapError(wanted, following)
        first = following


def revisions(folder: Path, after: int) -> Iterator[Row]:
    """Rows above `after` that hold no events; what stands behind their first columns is read of those alone."""
    for first in files.segments(folder):
        if 0 < _segment_after(folder, first) <= after + 1:
            continue
        with opened(folder, first) as connection:
            found = connection.execute(_REVISIONS, (after,)).fetchall()
        yield from map(_row, found)


@contextmanager
def opened(folder: Path, first: int) -> Iterator[sqlite3.Connection]:
    """A connection to a segment; what SQLite says about a file that it cannot read becomes a JournalError."""
    path = files.segment_path(folder, first)
    try:
        with closing(files.connect_reader(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error


def _row(stored: tuple[Any, ...]) -> Row:
    """A row of `_COLUMNS`, which are Row's fields in their order: mypy cannot know."""
    return Row(*stored[:7], json.loads(stored[7]) if stored[7] else {}, stored[8])  # type: ignore[call-arg]


def _segment_of(folder: Path, sequence: int) -> int | None:
    """The segment that a sequence is in: the last one to begin at or before it, else the oldest, None if none."""
    known = files.segments(folder)
    return max((one for one in known if one <= sequence), default=known[0] if known else None)


def _segment_after(folder: Path, first: int) -> int:
    return min((one for one in files.segments(folder) if one > first), default=0)


def tail(connection: sqlite3.Connection) -> tuple[int, bytes] | None:
    """The last sequence in a segment and the digest there; None where it has no rows."""
    found = connection.execute(_TAIL).fetchone()
    if found is None:
        return None
    if not isinstance(found[0], int) or not isinstance(found[1], bytes):
        raise JournalError("the last row of the journal is damaged")
    return found[0], found[1]


def is_headed(connection: sqlite3.Connection) -> bool:
    """Whether a segment says what it follows."""
    return connection.execute("SELECT 1 FROM segment").fetchone() is not None


def tail_of(folder: Path, first: int) -> tuple[int, bytes] | None:
    """`tail` of one segment."""
    with opened(folder, first) as connection:
        return tail(connection)


def head(folder: Path) -> int:
    """The oldest sequence kept; 0 where there is no row."""
    known = files.segments(folder)
    if not known:
        return 0
    with opened(folder, known[0]) as connection:
        found = connection.execute("SELECT min(first) FROM rows").fetchone()
    return int(found[0] or 0)


def last(folder: Path) -> int:
    """The newest sequence; 0 where there is no row."""
    for first in reversed(files.segments(folder)):
        found = tail_of(folder, first)
        if found:
            return found[0]
    return 0


def names(connection: sqlite3.Connection) -> tuple[dict[str, str], dict[str, Layout]]:
    """What a segment says about kernels (hash -> manifest as JSON) and layouts (id -> layout)."""
    manifests = dict(connection.execute("SELECT hash, manifest FROM kernels").fetchall())
    described = connection.execute("SELECT id, description FROM layouts").fetchall()
    return manifests, {name: Layout.from_description(text) for name, text in described}


def newest_names(folder: Path) -> tuple[dict[str, str], dict[str, Layout]]:
    """`names` of the newest segment that has any: each begins with all that the one before it knew."""
    for first in reversed(files.segments(folder)):
        with opened(folder, first) as connection:
            found = names(connection)
        if found[1]:
            return found
    return {}, {}


def verify(folder: Path, chain: Chain | None = None) -> Verification:
    """Compute the chain of digests again, over every segment; stop at the first thing that is not as it was written.

    With `chain`, go on where that has come to; segments before are passed over.
    """
    state = chain or Chain()
    begin = state.expected
    for first in files.segments(folder):
        if first < begin:
            continue
        if state.expected and first != state.expected:
            return state.wrong(state.expected, f"the segment that begins with {state.expected} is missing")
        try:
            with opened(folder, first) as connection:
                said = state.walk(connection, first)
        except (ValueError, JournalError) as error:
            said = f"unreadable: {error}"
        if said:
            return state.wrong(state.expected, said)
    return state.found()


def previous_of(connection: sqlite3.Connection, first: int) -> bytes | None:
    """The digest that a segment says it follows; None where it does not say."""
    found = connection.execute("SELECT previous FROM segment WHERE first = ?", (first,)).fetchone()
    return None if found is None else bytes(found[0])


def recorded(connection: sqlite3.Connection) -> Iterator[tuple[Row, str | None, bytes]]:
    """Every row of a segment (without its notes), its notes as they are kept, and its digest."""
    after, more = 0, True
    while more:
        more = False
        for *columns, notes, layout, written in connection.execute(_DIGESTS, (after,)).fetchall():
            yield Row(*columns, {}, layout), notes, written  # type: ignore[call-arg]
            after, more = columns[0], True


def _wrong_layout(connection: sqlite3.Connection) -> str:
    """What is wrong with the layouts of a segment, or nothing: one whose description was changed has another id."""
    layouts = connection.execute("SELECT id, description FROM layouts").fetchall()
    changed = any(Layout.from_description(text).id != name for name, text in layouts)
    return "the description of a layout was changed" if changed else ""


class Chain:
    """How far a walk along the digests has come. `expected` is the sequence of the row to come next, 0 = any."""

    def __init__(self, expected: int = 0, digest: bytes = NO_DIGEST) -> None:
        self.segment = 0
        self.rows = 0
        self.first = 0
        self.expected = expected
        self.digest = digest

    def walk(self, connection: sqlite3.Connection, first: int) -> str:
        """Go over one segment; what is wrong with the row `expected`, or nothing."""
        previous = previous_of(connection, first)
        if not self.expected:
            self.expected, self.digest = first, previous or NO_DIGEST
        if previous is None:
            return "" if tail(connection) is None else "the segment does not say what it follows"
        if previous != self.digest:
            return "the segment does not follow on the one before"
        if said := _wrong_layout(connection):
            return said
        after, more = 0, True
        while more:
            more = False
            # Row by row: where a page cannot be read, the row behind it is named and not the whole chunk.
            for stored in connection.execute(_DIGESTS, (after,)):
                if said := self.take(stored):
                    return said
                after, more = stored[0], True
        return ""

    def follow(self, connection: sqlite3.Connection, segment: int, wanted: int, stored: tuple[Any, ...]) -> None:
        """Check one row of a walk that may begin anywhere; what stands before it is taken at its word."""
        said = ""
        if segment != self.segment:
            said = _wrong_layout(connection)
            if not self.rows:
                before = connection.execute(_BEFORE, (wanted,)).fetchone()
                digest = before[0] if before else previous_of(connection, segment)
                self.expected, self.digest = stored[0], digest or NO_DIGEST
            elif previous_of(connection, segment) != self.digest:
                said = "the segment does not follow on the one before"
            self.segment = segment
        if said := said or self.take(stored):
            raise JournalError(f"sequence {stored[0]} of the journal cannot be relied on: {said} (see simward verify)")

    def take(self, stored: tuple[Any, ...]) -> str:
        """Compute one digest of a row as `_DIGESTS` has it; what is wrong with it, or nothing."""
        *columns, notes, layout, written = stored
        row = Row(*columns, {}, layout)  # type: ignore[call-arg]
        if row.first != self.expected:
            return f"missing: the next row begins with {row.first}"
        try:
            digest = row_digest(self.digest, row, (notes or "").encode())
        except (struct.error, TypeError, AttributeError):  # a column of another type than was written
            digest = b""
        if digest != written:
            return "changed since it was written"
        self.digest, self.expected = digest, row.last + 1
        self.rows += 1
        self.first = self.first or row.first
        return ""

    def found(self) -> Verification:
        """Where nothing is wrong."""
        return Verification(self.rows, self.first, self.expected - 1 if self.rows else 0, self.digest)

    def wrong(self, sequence: int, reason: str) -> Verification:
        """Where something is."""
        return Verification(self.rows, self.first, sequence - 1, self.digest, sequence, reason)
