"""How far each follower of the journal has read: segments wait for the slowest, until there are too many of them.

A follower that reads history and journal as one loses nothing when a segment becomes history; these marks are for those
that read the journal alone.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from simward.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
FOLLOWERS_MAX = 64


def followers_folder(data_dir: Path) -> Path:
    """Where the marks are: one small file a follower."""
    return data_dir / "followers"


def note_read(data_dir: Path, name: str, sequence: int) -> None:
    """Say that the follower `name` needs nothing up to and including `sequence` any more. Replaced as a whole."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a follower: small letters, digits and dashes")
    folder = followers_folder(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / name).exists() and len(read_up_to(data_dir)) >= FOLLOWERS_MAX:
        raise UsageError(f"{folder} has {FOLLOWERS_MAX} followers: forget those that are gone")
    path = folder / f"{name}.new"
    path.write_text(f"{sequence}\n", encoding="ascii")
    os.replace(path, folder / name)


def forget(data_dir: Path, name: str) -> None:
    """A follower is gone for good: nothing waits for it."""
    (followers_folder(data_dir) / name).unlink(missing_ok=True)


def read_up_to(data_dir: Path) -> dict[str, int]:
    """Name -> sequence of every follower; a mark that cannot be read counts as nothing read."""
    folder, found = followers_folder(data_dir), {}
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if _NAME.fullmatch(path.name):
                text = path.read_text(encoding="ascii", errors="replace").strip()
                found[path.name] = int(text) if text.isdigit() else 0
    return found
