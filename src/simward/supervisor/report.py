"""What a supervisor says of its processes, a small file each in `data/processes`, and their numbers as metrics."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simward.supervisor.child import Child
from simward.whole_files import read_whole, write_whole

FOLDER = "processes"
GATE, WATCH, CONTROL = NAMES = ("gate", "watch", "control")
EVERY_S = 5.0
OVERDUE_S = 30.0
"""A file that is older than this is of a supervisor that hangs or was killed."""
PREFIX = "simward_process_"
HELP = {
    "running": "1 while the process runs, 0 while it is to be started again.",
    "restarts_total": "Times that the process ended by itself since its supervisor began.",
    "started_at_seconds": "When the process was started (Unix time); 0 while it does not run.",
}


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


def read_processes(data_dir: Path) -> dict[str, dict[str, Any]]:
    """The processes that supervisors keep running in a folder, by name; none where there is no supervisor.

    Each has: pid (null while it is to be started again), since (Unix time, or null), restarts, last_end (how it ended
    last, in words), supervisor (the process that keeps it running).
    """
    found = {}
    for name in NAMES:
        said = read_whole(data_dir / FOLDER / f"{name}.json")
        if said is not None and time.time() - float(said.get("at", 0)) <= OVERDUE_S and _lives(said.get("supervisor")):
            said.pop("at")
            found[name] = said
    return found


def metrics_text(processes: dict[str, dict[str, Any]]) -> str:
    """Everything, as Prometheus reads it; `processes` as `read_processes` gives them."""
    values = {
        "running": lambda said: said["pid"] is not None,
        "restarts_total": lambda said: said["restarts"],
        "started_at_seconds": lambda said: said["since"] or 0,
    }
    lines: list[str] = []
    for name, about in HELP.items():
        full = PREFIX + name
        lines += [f"# HELP {full} {about}", f"# TYPE {full} {'counter' if name.endswith('_total') else 'gauge'}"]
        lines += [f'{full}{{process="{one}"}} {float(values[name](said)):.15g}' for one, said in processes.items()]
    return "\n".join(lines) + "\n" if processes else ""


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


def _lives(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
