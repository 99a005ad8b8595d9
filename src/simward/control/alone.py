"""One control process a folder: two would each deliver what waits, and each move the cursor."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simward.errors import PeerError

LOCK_NAME = "control.lock"


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Nobody else is, in this folder, until it ends, however it ends. PeerError where somebody is.

    A socket that answers is no proof: of two that start at once each finds none, and one whose backlog is full, or
    that a debugger holds, does not answer.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "(unknown)"
            raise PeerError(f"another control process ({holder}) is already running in {data_dir}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
