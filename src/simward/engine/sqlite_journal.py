"""The journal on disk: SQLite, one file a segment, one row a batch, durable when `append` returns."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simward.engine import journal_reader as reader
from simward.engine.journal import Layout, Row, Stop, Verification
from simward.engine.journal_writer import CHECKPOINT_OCTETS, SEGMENT_OCTETS, Writer
from simward.errors import JournalError, NotDurableError


class SqliteJournal:
    """See Journal for the promises. Open it with `SqliteJournal.open`.

    One thread appends. An append that fails (disk full, I/O error) leaves the journal as it was; the same row may be
    appended again. One thing cannot be promised by any single disk: where the sync itself failed and the process is
    killed before it appends again, the row that nobody acknowledged may turn out to be there after all.
    """

    def __init__(self, folder: Path, writer: Writer | None) -> None:
        self.folder = folder
        self._writer = writer
        self._layouts: dict[str, Layout] = {}
        self._manifests: dict[str, str] = {}
        if writer is None:
            self._refresh()

    @staticmethod
    def open(
        folder: Path,
        writer: bool = True,
        *,
        segment_octets: int = SEGMENT_OCTETS,
        checkpoint_octets: int = CHECKPOINT_OCTETS,
    ) -> SqliteJournal:
        """Open the journal in `folder`, as its only writer (JournalError names the other one) or as a reader."""
        folder = Path(folder)
        if not writer:
            return SqliteJournal(folder, None)
        try:
            return SqliteJournal(folder, Writer(folder, segment_octets, checkpoint_octets))
        except (sqlite3.OperationalError, OSError) as error:
            raise NotDurableError(f"the journal in {folder} cannot be opened for writing: {error}") from error
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal in {folder} is damaged: {error}") from error

    @property
    def first(self) -> int:
        """See Journal."""
        return reader.head(self.folder)

    @property
    def last(self) -> int:
        """See Journal."""
        return self._writer.last if self._writer else reader.last(self.folder)

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """See Journal."""
        return self._writer.layouts if self._writer else self._layouts

    @property
    def trouble(self) -> str:
        """What last went wrong in the background (a checkpoint, the next segment); empty where nothing did."""
        return self._writer.keeper.trouble if self._writer else ""

    def append(self, row: Row) -> None:
        """See Journal."""
        self._writing().append(row)

    def rows(self, after: int = 0, *, checked: bool = False) -> Iterator[Row]:
        """See Journal."""
        return self._known(reader.walk(self.folder, after, checked=checked))

    def revisions(self, after: int = 0) -> Iterator[Row]:
        """The rows of policy and inventory alone, of those that `rows` gives: events are not read."""
        return self._known(reader.revisions(self.folder, after))

    def follow(self, after: int = 0, *, poll_s: float = 0.05, stop: Stop | None = None) -> Iterator[Row]:
        """See Journal."""
        pause = threading.Event()  # never set: a wait that needs no clock

        def wait() -> bool:
            if stop is not None and stop():
                return False
            pause.wait(poll_s)
            return True

        for row in self._known(reader.walk(self.folder, after, wait)):
            yield row
            if stop is not None and stop():
                return

    def register_kernel(self, kernel: str, manifest: Mapping[str, Any]) -> None:
        """See Journal."""
        self._writing().register_kernel(kernel, json.dumps(manifest, sort_keys=True, separators=(",", ":")))

    def manifest(self, kernel: str) -> dict[str, Any]:
        """See Journal."""
        manifests = self._writer.manifests if self._writer else self._manifests
        if kernel not in manifests and self._writer is None:
            manifests = self._refresh()
        found: dict[str, Any] = json.loads(manifests.get(kernel, "{}"))
        return found

    def register_layout(self, layout: Layout) -> None:
        """See Journal."""
        self._writing().register_layout(layout)

    def seal(self) -> None:
        """Let the next row begin a segment: whoever keeps rows for a time alone removes whole segments."""
        self._writing().seal()

    def verify(self) -> Verification:
        """See Journal."""
        return reader.verify(self.folder)

    def close(self) -> None:
        """See Journal."""
        if self._writer is not None:
            self._writer.close()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise JournalError("the journal was opened for reading")
        return self._writer

    def _known(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Hand on rows; by the time the caller has one, `layouts` describes it."""
        for row in rows:
            if row.layout not in self.layouts and self._writer is None:
                self._refresh()
            yield row

    def _refresh(self) -> dict[str, str]:
        manifests, layouts = reader.newest_names(self.folder)
        self._layouts.update(layouts)
        self._manifests.update(manifests)
        return self._manifests
