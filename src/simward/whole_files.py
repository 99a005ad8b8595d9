"""Small files of JSON that a reader sees whole, or as they were before."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, document: dict[str, Any]) -> None:
    """Write JSON to a file beside it, then put that in its place; OSError."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document) + "\n")
    os.replace(temporary, path)


def read_whole(path: Path) -> dict[str, Any] | None:
    """What was written; None where there is no such file, or it holds something else."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
