"""The files of the SQLite journal: segments, their names, schema and connections, and the writer's lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from pathlib import Path

from simward.errors import JournalError

PAGE_OCTETS = 4096
"""What the row of one event costs in the log. Larger pages help only rows of hundreds of events, smaller ones none
(docs/decisions/0002). A segment keeps the size that it was made with."""

BUSY_S = 10.0
LOCK_NAME = "writer.lock"
SEGMENT_NAME = re.compile(r"\d{20}\.sqlite")
NEXT_NAME = "next.sqlite"
NEXT_WAL_NAME = "next.wal"

# `digest` and `notes` stand before the blobs: reading them does not walk the pages that a long blob overflows to.
SCHEMA = """
CREATE TABLE segment (first INTEGER PRIMARY KEY, previous BLOB NOT NULL);
CREATE TABLE kernels (hash TEXT PRIMARY KEY, manifest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE layouts (id TEXT PRIMARY KEY, description TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, kernel TEXT NOT NULL,
    layout TEXT NOT NULL, digest BLOB NOT NULL, notes TEXT, inputs BLOB NOT NULL, outputs BLOB NOT NULL
);
"""


def segment_path(folder: Path, first: int) -> Path:
    """The file of the segment whose first row begins with the sequence `first`."""
    return folder / f"{first:020d}.sqlite"


def segments(folder: Path) -> list[int]:
    """The first sequence of each segment, ascending; empty where there is no journal."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name[:20]) for name in names if SEGMENT_NAME.fullmatch(name))


def wal_path(path: Path) -> Path:
    """Where SQLite keeps the write-ahead log of a file."""
    return path.with_name(path.name + "-wal")


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection whose every statement is one transaction, durable when it returns (WAL with synchronous=FULL)."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "mmap_size=0", "cache_size=-8000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection; where not even the folder may be written, the file counts as one that nobody changes."""
    mode = "mode=ro"
    if not os.access(path.parent, os.W_OK) and not wal_path(path).exists():
        mode = "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False)


def sync_folder(folder: Path) -> None:
    """Make names that were created, renamed or removed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prepare_next(folder: Path, wal_octets: int) -> None:
    """Make an empty segment, and a log for it, under names that no reader looks at."""
    remove_next(folder)
    path = folder / NEXT_NAME
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_OCTETS}")
        connection.executescript(f"PRAGMA synchronous=FULL; BEGIN; {SCHEMA} COMMIT;")
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
    finally:
        connection.close()
    extend(folder / NEXT_WAL_NAME, wal_octets)


def install_next(folder: Path, first: int) -> Path:
    """Give the prepared segment its name; the log first, so that nobody can open the segment with another one."""
    path = segment_path(folder, first)
    os.replace(folder / NEXT_WAL_NAME, wal_path(path))
    os.replace(folder / NEXT_NAME, path)
    sync_folder(folder)
    return path


def remove_next(folder: Path) -> None:
    """Remove what a writer that is gone had prepared."""
    for stem in (NEXT_NAME, NEXT_WAL_NAME):
        for tail in ("", "-wal", "-shm", "-journal"):
            (folder / f"{stem}{tail}").unlink(missing_ok=True)


def remove_stray_logs(folder: Path) -> None:
    """Remove logs whose segment never got its name."""
    for wal in folder.glob("*.sqlite-wal"):
        if not wal.with_name(wal.name.removesuffix("-wal")).exists():
            wal.unlink()


def extend(wal: Path, octets: int) -> None:
    """Fill a log with zeros up to a size, before anyone writes to it.

    Overwriting blocks that a file already has costs less than half of what appending does, since the sync has no
    metadata to write. SQLite takes zeros for the end of the log. Where there is no room the log stays as it was.
    """
    descriptor = os.open(wal, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        zeros = bytes(min(1 << 20, max(0, octets - size)))
        try:
            for start in range(size, octets, 1 << 20):
                os.pwrite(descriptor, zeros[: octets - start], start)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)


def write_again(wal: Path) -> None:
    """Write a log over itself and sync it: what reads well from memory is on the disk then. OSError where it is not.

    After a failed sync Linux counts pages as clean that were never written (so another sync does nothing), and a log
    of which the end is missing on the disk must not be copied to its segment: after a power cut SQLite would read old
    pages from the log above new ones in the segment.
    """
    try:
        descriptor = os.open(wal, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        write_over(descriptor)
    finally:
        os.close(descriptor)


def write_over(descriptor: int) -> None:
    """Write what an open file holds over itself, and sync it."""
    for start in range(0, os.fstat(descriptor).st_size, 1 << 20):
        octets = os.pread(descriptor, 1 << 20, start)
        if octets.count(0) < len(octets):  # the rest was made ahead and is not written yet
            os.pwrite(descriptor, octets, start)
    os.fsync(descriptor)


class WriterLock:
    """Only one process at a time may append. The lock goes when its holder ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "(unknown)"
            self.release()
            raise JournalError(f"the journal in {folder} is being written by process {holder}") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others write. Idempotent."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1
