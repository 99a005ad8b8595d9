"""What the SQLite journal does beside the path of an answer: checkpoints, the next segment, the end of old ones."""

from __future__ import annotations

import contextlib
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
        self._thread = threading.Thread(target=self._run, name="journal-keeper", daemon=True)
        self._thread.start()

    def checkpoint(self, path: Path) -> None:
        """Copy what is in the log of a segment to its file."""
        if not self.checkpointing:
            self.checkpointing = True
            self._tasks.put(lambda: self._checkpoint(path))

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

    def retire(self, connection: sqlite3.Connection) -> None:
        """Close the writer's connection to a sealed segment, which empties and removes its log."""
        self._tasks.put(lambda: self._retire(connection))

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
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            self.checkpointing = False

    def _prepare(self) -> None:
        self._failure = None
        try:
            files.prepare_next(self.folder, self.wal_octets)
        except (sqlite3.Error, OSError) as error:
            self._failure = error
        finally:
            self._prepared.set()

    def _retire(self, connection: sqlite3.Connection) -> None:
        self._forget()
        # Explicitly, since closing copies nothing where a reader has the segment open at that moment.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        connection.close()

    def _tidy(self, paths: list[Path]) -> None:
        for path in paths:
            if files.wal_path(path).exists():
                self._retire(files.connect_writer(path))

    def _forget(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection, self._path = None, None
