"""What the SQLite journal does beside the path of an answer: checkpoints, the next segment, the end of old ones."""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from simward.engine import journal_files as files


class Keeper:
    """One background thread of a writer. SQLite releases the interpreter's lock, so the writer goes on meanwhile.

    At most one checkpoint, one preparation and a few retirements are ever asked for at once. `trouble` says what last
    went wrong here: none of it loses a row, since the writer does for itself whatever was not done for it.
    """

    def __init__(self, folder: Path, wal_octets: int) -> None:
        self.folder = folder
        self.wal_octets = wal_octets
        self.trouble = ""
        self.checkpointing = False
        self.preparing = False
        self._prepared = threading.Event()
        self._failure: Exception | None = None
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._suspects: set[Path] = set()
        self._descriptors: dict[Path, int] = {}
        self._left_open: list[sqlite3.Connection] = []
        self._thread = threading.Thread(target=self._run, name="journal-keeper", daemon=True)
        self._thread.start()

    def checkpoint(self, path: Path) -> None:
        """Copy what is in the log of a segment to its file."""
        if not self.checkpointing:
            self.checkpointing = True
            self._tasks.put(lambda: self._checkpoint(path))

    def suspect(self, path: Path) -> None:
        """A checkpoint of a segment has failed: nothing that was copied to it since it was last synced is sure.

        SQLite syncs a segment only once all of its log is copied, counts what earlier passes copied as done, and does
        not copy it again. After a failed sync Linux counts those pages as clean. So the segment is written over itself
        before any of its log may be copied, or go.
        """
        self._suspects.add(path)

    def is_suspect(self, path: Path) -> bool:
        """Is it to be written over itself first?"""
        return path in self._suspects

    def prepare(self) -> None:
        """Make the next segment's file ahead of its time."""
        if not self.preparing:
            self.preparing = True
            self._tasks.put(self._prepare)

    def next_segment(self, first: int) -> Path:
        """Install what `prepare` made (waiting for it, if need be) as the segment that begins with `first`.

        What could not be made ahead of its time is tried again: there may be room by now.
        """
        if self._await_prepared() is not None and (failure := self._await_prepared()) is not None:
            raise failure
        return files.install_next(self.folder, first)

    def _await_prepared(self) -> Exception | None:
        """Wait until a segment's file is made, or cannot be."""
        self.prepare()
        self._prepared.wait()
        self._prepared.clear()
        self.preparing = False
        return self._failure

    def retire(self, connection: sqlite3.Connection, path: Path) -> None:
        """Close the writer's connection to a sealed segment, which empties and removes its log."""
        self._tasks.put(lambda: self._retire(connection, path))

    def tidy(self, paths: list[Path]) -> None:
        """Empty the logs of sealed segments that a writer left behind when it was killed."""
        self._tasks.put(lambda: self._tidy(paths))

    def stop(self) -> None:
        """Do what was asked for, then end."""
        self._tasks.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except (sqlite3.Error, OSError) as error:
                self.trouble = str(error)
                self._forget()
        self._forget()

    def _checkpoint(self, path: Path) -> None:
        try:
            if self._path != path:
                self._forget()
                self._connection, self._path = files.connect_writer(path), path
            assert self._connection is not None
            self._copy(self._connection, path)
        finally:
            self.checkpointing = False

    def _copy(self, connection: sqlite3.Connection, path: Path) -> None:
        """Copy what is in the log of a segment to it."""
        self.make_sure(path)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error:
            self.suspect(path)
            raise

    def make_sure(self, path: Path) -> None:
        """Write a segment over itself if it is suspect; OSError where that fails. One thread at a time."""
        if path not in self._suspects:
            return
        if path not in self._descriptors:
            # It stays open: closing it would let go of the locks that SQLite has on the file in this process
            # (POSIX: any close of a file drops all of a process's locks on it).
            self._descriptors[path] = os.open(path, os.O_RDWR)
        files.write_over(self._descriptors[path])
        self._suspects.discard(path)

    def _prepare(self) -> None:
        self._failure = None
        try:
            files.prepare_next(self.folder, self.wal_octets)
        except (sqlite3.Error, OSError) as error:
            self._failure = error
        finally:
            self._prepared.set()

    def _retire(self, connection: sqlite3.Connection, path: Path) -> None:
        """Where it fails the connection stays open, and the log stays: closing would copy and remove it."""
        self._forget()
        self._left_open.append(connection)
        # Explicitly, since closing copies nothing where a reader has the segment open at that moment.
        self._copy(connection, path)
        self._left_open.pop()
        connection.close()
        self._let_go(path)

    def _let_go(self, path: Path) -> None:
        descriptor = self._descriptors.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def _tidy(self, paths: list[Path]) -> None:
        for path in paths:
            if files.wal_path(path).exists():
                files.write_again(files.wal_path(path))
                self._retire(files.connect_writer(path), path)

    def _forget(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection, self._path = None, None
