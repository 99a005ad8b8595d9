"""The metrics of all processes of a working folder in one text: what `/metrics` and `simward metrics` give."""

from __future__ import annotations

import contextlib
import platform
import shutil
from pathlib import Path

from simward import __version__
from simward.observing import processes, watch
from simward.observing.exposition import Family, text_of

FAMILIES = (
    Family("simward_build_info", "Always 1: which version answers, on which Python.", ("version", "python")),
    Family("simward_up", "1 while the process answers, or (watch, supervisor) said lately how it is.", ("process",)),
    Family("simward_disk_free_bytes", "Room that is left where journal, history and registry are written."),
)


def whole_text(data_dir: Path, now_us: int, *, gate: str | None, last: int | None, control: str | None) -> str:
    """Everything that can be known now.

    `gate` and `control` are the texts of these processes, None where they do not answer; `last` is the last sequence
    of the gate's journal, None where nobody says. What cannot be known is not there: an old number would mislead.
    """
    said, kept = watch.read_status(data_dir), processes.read_processes(data_dir)
    up = {"gate": gate is not None, "watch": said is not None, "control": control is not None, "supervisor": bool(kept)}
    values: dict[str, dict[tuple[str, ...], float]] = {
        "simward_build_info": {(__version__, platform.python_version()): 1},
        "simward_up": {(name,): one for name, one in up.items()},
    }
    with contextlib.suppress(OSError):
        values["simward_disk_free_bytes"] = {(): shutil.disk_usage(data_dir).free}
    return "".join((
        text_of(FAMILIES, values), gate or "", watch.metrics_text(said, last, now_us) if said is not None else "",
        processes.metrics_text(kept), control or "",
    ))  # fmt: skip
