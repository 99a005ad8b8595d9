"""The processes that a supervisor says it keeps running (`data/processes`), and their numbers as metrics."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from simward.observing.exposition import Family, text_of
from simward.whole_files import read_whole

FOLDER = "processes"
GATE, WATCH, CONTROL = NAMES = ("gate", "watch", "control")
OVERDUE_S = 30.0
"""A file that is older than this is of a supervisor that hangs or was killed."""
PREFIX = "simward_process_"
HELP = {
    "running": "1 while the process runs, 0 while it is to be started again.",
    "restarts_total": "Times that the process ended by itself since its supervisor began.",
    "started_at_seconds": "When the process was started (Unix time); 0 while it does not run.",
    "cpu_seconds_total": "Processor time that the process has taken, in user and kernel mode.",
    "resident_memory_bytes": "Memory that the process has in RAM.",
    "open_files": "File descriptors that the process has open.",
}
FAMILIES = tuple(Family(PREFIX + name, about, ("process",)) for name, about in HELP.items())


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
    values: dict[str, dict[tuple[str, ...], float]] = {one.name: {} for one in FAMILIES}
    for name, said in processes.items():
        numbers = {
            "running": said["pid"] is not None, "restarts_total": said["restarts"],
            "started_at_seconds": said["since"] or 0, **(_taken(int(said["pid"])) if said["pid"] else {}),
        }  # fmt: skip
        for which, number in numbers.items():
            values[PREFIX + which][name,] = number
    return text_of(FAMILIES, values) if processes else ""


def _taken(pid: int) -> dict[str, float]:
    """What a process takes of the machine, by proc(5); nothing where that cannot be read."""
    numbers: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()  # fields 3 and on
        numbers["cpu_seconds_total"] = (int(after[11]) + int(after[12])) / os.sysconf("SC_CLK_TCK")
        numbers["resident_memory_bytes"] = int(after[21]) * os.sysconf("SC_PAGE_SIZE")
        numbers["open_files"] = len(os.listdir(f"/proc/{pid}/fd"))
    return numbers


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
