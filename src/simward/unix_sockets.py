"""Unix sockets that only their owner may open, in folders however deep."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

NAME_OCTETS_MAX = 100
"""sockaddr_un has room for 108 octets (unix(7))."""


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name of the socket that fits in sockaddr_un however deep its folder is."""
    if len(os.fsencode(path)) < NAME_OCTETS_MAX or not Path("/proc/self/fd").exists():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path, backlog: int) -> socket.socket:
    """A listening socket that does not block, with mode 0600, in place of what a killed process left; OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    earlier = os.umask(0o177)
    try:
        with short_name(path) as name:
            listening.bind(name)
        listening.setblocking(False)
        listening.listen(backlog)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(earlier)
    return listening


def connect(path: Path, timeout_s: float) -> socket.socket:
    """A connection to who listens there; FileNotFoundError or ConnectionRefusedError where nobody does."""
    connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connecting.settimeout(timeout_s)
    try:
        with short_name(path) as name:
            connecting.connect(name)
    except OSError:
        connecting.close()
        raise
    return connecting


def somebody_listens(path: Path) -> bool:
    """Is a process behind this socket?"""
    try:
        connect(path, 5.0).close()
    except OSError:
        return False
    return True
