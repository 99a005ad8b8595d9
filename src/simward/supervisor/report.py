"""What a supervisor says of its processes, a small file each in `data/processes`."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simward.observing.processes import FOLDER
from simward.supervisor.child import Child
from simward.whole_files import write_whole

EVERY_S = 5.0


class Report:
    """Writes the files when something has changed, and every few seconds. A full disk costs the report alone."""

    def __init__(self, data_dir: Path, children: Iterable[Child]) -> None:
        self._folder, self._children = data_dir / FOLDER, list(children)
        self._due = 0.0

    def step(self, now: float, *, changed: bool) -> None:
        """Write them if it is time; `now` is monotonic, in seconds."""
        if not changed and now < self._due:
            return
        self._due = now + EVERY_S
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for child in self._children:
                write_whole(self._folder / f"{child.name}.json", _facts(child, now))

    def close(self) -> None:
        """Nothing runs any more."""
        for child in self._children:
            with contextlib.suppress(OSError):
                (self._folder / f"{child.name}.json").unlink(missing_ok=True)


def _facts(child: Child, now: float) -> dict[str, Any]:
    running = child.pid is not None and child.started_at is not None
    since = time.time() - (now - child.started_at) if child.started_at is not None and running else None
    return {
        "pid": child.pid,
        "since": None if since is None else round(since, 3),
        "restarts": child.restarts,
        "last_end": child.last_end,
        "supervisor": os.getpid(),
        "at": time.time(),
    }
