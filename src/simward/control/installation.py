"""The name of this installation, in every event that leaves it: made once, kept in `data/installation`."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from simward import errors

FILE_NAME = "installation"


def installation_of(data_dir: Path) -> str:
    """The name; a new one where there is none. Raises ConfigurationError where the file holds something else."""
    path = data_dir / FILE_NAME
    if not path.exists() or not path.stat().st_size:
        beside = path.with_name(f"{FILE_NAME}.unfinished")
        with beside.open("w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        return str(uuid.UUID(text))
    except ValueError:
        what = "should hold the UUID of this installation"
        instead = "put the right one back, or remove it: receivers then see a new source"
        raise errors.ConfigurationError([errors.Problem(str(path), 1, "", what, instead)]) from None
