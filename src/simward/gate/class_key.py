"""The key that our Class attributes are written with: eight octets in `data/class.key`, made once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from simward.engine.journal_files import sync_folder
from simward.errors import ConfigurationError, Problem
from simward.wire.radius.class_token import KEY_OCTETS

FILE_NAME = "class.key"
UNFINISHED = ".unfinished"


def class_key_of(data_dir: Path) -> bytes:
    """The key of a working folder, a new one where it has none yet.

    Without the old key nothing is lost but that sessions which began before are no longer tied to their decisions.
    An empty file counts as none: it held no key that could be lost, and a file system may leave one where power failed
    (so did earlier versions on a full disk). ConfigurationError where the file holds something else: that was a key, or
    is somebody's file. OSError where a new one cannot be written; the next start finds nothing half done.
    """
    path = data_dir / FILE_NAME
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if not key:
        key = secrets.token_bytes(KEY_OCTETS)
        _write(path, key)
    if len(key) != KEY_OCTETS:
        what = f"should hold {KEY_OCTETS} octets, and holds {len(key)}"
        instead = "put the right one back, or remove it: the gate makes a new one"
        raise ConfigurationError([Problem(str(path), 1, "", what, instead)])
    return key


def _write(path: Path, key: bytes) -> None:
    """Write the key beside and give it its name when it is whole on the disk; the one gate of a folder does."""
    beside = path.with_name(path.name + UNFINISHED)
    beside.unlink(missing_ok=True)  # of a gate that was killed here; a new file has this mode from the first octet on
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    sync_folder(path.parent)
