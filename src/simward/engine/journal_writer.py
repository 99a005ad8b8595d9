"""The writing end of the SQLite journal: the lock, the newest segment, the chain of digests, rotation."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from simward.engine import journal_files as files
from simward.engine import journal_reader as reader
from simward.engine.journal import NO_DIGEST, TODAY, Layout, Row, notes_bytes, refuse_unless_next, row_digest
from simward.engine.journal_keeper import Keeper
from simward.errors import JournalError, NotDurableError

SEGMENT_OCTETS = 512 << 20
CHECKPOINT_OCTETS = 8 << 20
"""How much of the log may wait before it is copied to the segment: what a start after a kill has to read again."""

_CATCH_UP_OCTETS = 1 << 20
"""What the writer itself copies at the end of a checkpoint, so that the log can begin again: a few milliseconds."""

_ROW_OCTETS = 256
_FRAMES_OCTETS = 2 * files.PAGE_OCTETS
_INSERT = """
INSERT INTO rows (first, count, kind, at, kernel, layout, digest, notes, inputs, outputs)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_KERNEL = "INSERT OR IGNORE INTO kernels VALUES (?, ?)"
_LAYOUT = "INSERT OR IGNORE INTO layouts VALUES (?, ?)"


class Writer:
    """One thread appends; a keeper beside it copies the log, prepares segments and ends them."""

    def __init__(self, folder: Path, segment_octets: int, checkpoint_octets: int) -> None:
        self.folder = folder
        self.last = 0
        self.layouts: dict[str, Layout] = {}
        self.manifests: dict[str, str] = {}
        self._digest = NO_DIGEST
        self._segment_octets = segment_octets
        self._checkpoint_octets = checkpoint_octets
        self._octets = 0  # in this segment, about
        self._waiting = 0  # in the log since it last began, about
        self._asked_at = 0  # what was waiting when the keeper was last asked to copy it, 0 = it was not
        self._headed = False  # whether the segment says what it follows, and which kernels and layouts are known
        self._broken = ""
        self._closed = False
        _make_folder(folder)
        self._lock = files.WriterLock(folder)
        self.keeper = Keeper(folder, 2 * checkpoint_octets)
        try:
            self._open_newest()
        except BaseException:
            self.keeper.stop()
            self._lock.release()
            raise

    def append(self, row: Row) -> None:
        """Insert one row: one statement, so one transaction, so one sync."""
        refuse_unless_next(row, self.last, self.layouts)
        if self._broken:
            raise NotDurableError(self._broken)
        notes = notes_bytes(row)
        digest = row_digest(self._digest, row, notes)
        said = notes.decode() if notes else None
        values = (
            row.first, row.count, row.kind, row.at, row.kernel, row.layout, digest, said, row.inputs, row.outputs,
        )  # fmt: skip
        try:
            if self._octets >= self._segment_octets:
                self._begin_segment(row.first)
            if self._headed:
                self._connection.execute(_INSERT, values)
            else:
                self._head(row.first, values)
        except (sqlite3.Error, OSError) as error:
            self._roll_back()
            raise NotDurableError(f"sequence {row.first} cannot be journalled: {error}") from error
        self._check_still_there()
        self.last, self._digest = row.last, digest
        self._count(len(row.inputs) + len(row.outputs) + len(notes))

    def register_kernel(self, kernel: str, manifest: str) -> None:
        """Keep a manifest, in this segment and all to come."""
        if kernel not in self.manifests:
            self._register(_KERNEL, kernel, manifest)
            self.manifests[kernel] = manifest

    def register_layout(self, layout: Layout) -> None:
        """Keep a layout, in this segment and all to come."""
        if layout.id not in self.layouts:
            self._register(_LAYOUT, layout.id, layout.description)
            self.layouts[layout.id] = layout

    def seal(self) -> None:
        """Let the next row begin a segment, whatever room there is in this one."""
        self._octets = max(self._octets, self._segment_octets)

    def close(self) -> None:
        """Empty the log into the segment and let others write. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._broken = self._broken or "the journal is closed"
        self.keeper.stop()
        with contextlib.suppress(sqlite3.Error, OSError):
            # Closing copies the log and removes it: only where what was copied before is sure. Else both stay.
            self.keeper.make_sure(self._path)
            self._connection.close()
        self._lock.release()

    def _open_newest(self) -> None:
        """Find the last row (in the newest segment, by its key), and make what was recovered durable."""
        files.remove_next(self.folder)
        files.remove_stray_logs(self.folder)
        known = files.segments(self.folder)
        if not known:
            self.keeper.next_segment(1)
            known = [1]
        path = files.segment_path(self.folder, known[-1])
        self._connection = files.connect_writer(path)
        found = reader.tail(self._connection)
        if found is None and len(known) > 1:
            found = reader.tail_of(self.folder, known[-2])
        if found is not None:
            self.last, self._digest = found
        if known[-1] > self.last + 1:
            raise JournalError(f"{path.name} does not follow on sequence {self.last}, the last before it")
        _make_durable(self._connection, path)
        files.extend(files.wal_path(path), 2 * self._checkpoint_octets)
        files.sync_folder(self.folder)  # a writer that was killed may have renamed without doing this
        self._take(path)
        said, layouts = reader.names(self._connection) if len(known) == 1 else reader.newest_names(self.folder)
        self.manifests.update(said)
        self.layouts.update(layouts)
        self._headed = reader.is_headed(self._connection)
        if not self._headed:
            self._head(known[-1])
        self.register_layout(TODAY)
        self.keeper.tidy([files.segment_path(self.folder, first) for first in known[:-1]])

    def _begin_segment(self, first: int) -> None:
        """Go on in the next file; if this is cut short anywhere, doing it again finishes it."""
        path = files.segment_path(self.folder, first)
        if path.exists():
            files.sync_folder(self.folder)  # it has its name from an attempt that failed, perhaps before this
        else:
            path = self.keeper.next_segment(first)
        connection = files.connect_writer(path)
        self.keeper.retire(self._connection, self._path)
        self._connection, self._headed = connection, False
        self._take(path)

    def _take(self, path: Path) -> None:
        """Note which files are being written."""
        self._path, self._names = path, (os.fsencode(path), os.fsencode(files.wal_path(path)))
        self._octets, self._waiting, self._asked_at = os.stat(path).st_size, 0, 0

    def _head(self, first: int, values: tuple[object, ...] | None = None) -> None:
        """Write what a segment begins with: what it follows, every kernel and layout; its first row, if that is why."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute("INSERT OR REPLACE INTO segment VALUES (?, ?)", (first, self._digest))
        self._connection.executemany(_KERNEL, list(self.manifests.items()))
        self._connection.executemany(_LAYOUT, [(one.id, one.description) for one in self.layouts.values()])
        if values is not None:
            execute(_INSERT, values)
        execute("COMMIT")
        self._headed = True

    def _register(self, statement: str, name: str, text: str) -> None:
        if self._broken:
            raise NotDurableError(self._broken)
        try:
            self._connection.execute(statement, (name, text))
        except sqlite3.Error as error:
            self._roll_back()
            raise NotDurableError(f"{name} cannot be registered: {error}") from error

    def _roll_back(self) -> None:
        """Leave no transaction open after a failure; SQLite has usually rolled back by itself."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _check_still_there(self) -> None:
        """A commit to a file that somebody removed is durable nowhere; from then on nothing is accepted.

        Not os.stat: since Linux 6.13 (multigrain timestamps) a file whose times were asked for gets its inode
        written with the next write, which makes each sync half as long again.
        """
        if not (os.access(self._names[0], os.F_OK) and os.access(self._names[1], os.F_OK)):
            self._broken = f"{self._path} was removed while it was being written"
            raise NotDurableError(self._broken)

    def _count(self, octets: int) -> None:
        """After a durable row: have the log copied when it is long, and the next segment made before it is needed."""
        self._octets += octets + _ROW_OCTETS
        self._waiting += octets + _FRAMES_OCTETS
        if 4 * self._octets > 3 * self._segment_octets:
            self.keeper.prepare()
        if self._waiting < self._checkpoint_octets or self.keeper.checkpointing:
            return
        suspect = self.keeper.is_suspect(self._path)
        if self._asked_at and self._waiting - self._asked_at < _CATCH_UP_OCTETS and not suspect:
            self._catch_up()
        else:
            self._asked_at = self._waiting
            self.keeper.checkpoint(self._path)

    def _catch_up(self) -> None:
        """Copy the little that came during the keeper's pass: a log that is copied whole begins again at its start.

        Otherwise it would grow without end under steady load, and growing costs more than overwriting.
        """
        try:
            _, frames, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            self.keeper.trouble = str(error)
            self.keeper.suspect(self._path)
            frames, copied = 1, 0
        self._asked_at = 0
        self._waiting = 0 if frames == copied else self._checkpoint_octets // 2


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, mode=0o700)
        files.sync_folder(folder.parent)


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure of the log, then copy all that was recovered from it into the segment and sync that.

    After a failed sync the log may read well from memory and not be on the disk: rows on top of it would be lost
    with it when the power goes. Writing it again is the only way to know.
    """
    files.write_again(files.wal_path(path))
    busy, frames, copied = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    if busy or frames != copied:
        raise JournalError(f"a reader keeps the log of {path.name} from being copied; {copied} of {frames} pages were")
