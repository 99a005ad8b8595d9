"""Verdicts on their way to the watch: small files in a folder of its own, each whole or not there.

Who judges (a person at the control plane, or at the command line) leaves one; the watch journals it as an input of its
fold and removes it, in the order in which they were said. One that is left twice is taken twice, which changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from simward.engine.both_journals import watch_folder
from simward.whole_files import read_whole, write_whole

FOLDER = "verdicts"
WAITING_MOST = 10_000
"""More are not left: nobody takes them away."""
FINDING = re.compile(r"w\d+/(\d{1,18})/(\d{1,5})")


@dataclass(frozen=True)
class Verdict:
    """A finding of behaviour is `benign`, or (`for_s` 0) no longer is."""

    finding: str
    for_s: int | None
    """How long that holds, s; None = as long as the settings say."""
    because: str
    by: str
    at: int
    """When it was said, us UTC, by the clock of whoever left it."""

    @property
    def place(self) -> tuple[int, int]:
        """Sequence and index of the finding's first output; ValueError where it is no finding of the watch."""
        found = FINDING.fullmatch(self.finding)
        if found is None:
            raise ValueError(f"{self.finding!r} is no finding of the watch (w0/SEQUENCE/INDEX)")
        return int(found[1]), int(found[2])


def leave(data_dir: Path, verdict: Verdict) -> bool:
    """Leave one for the watch; False where too many wait. OSError; ValueError: it names no finding of the watch."""
    sequence, index = verdict.place
    folder = watch_folder(data_dir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{verdict.at:020d}-{sequence:018d}-{index:05d}.json"
    if not path.exists() and sum(1 for _ in folder.iterdir()) >= WAITING_MOST:
        return False
    write_whole(path, asdict(verdict))
    return True


def waiting(data_dir: Path) -> Iterator[tuple[Path, Verdict | None]]:
    """Those that wait, as they were said; None for a file that holds something else."""
    folder = watch_folder(data_dir) / FOLDER
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("*.json")):
        said = read_whole(path)
        try:
            yield path, Verdict(
                str(said["finding"]), None if said["for_s"] is None else int(said["for_s"]), str(said["because"]),
                str(said["by"]), int(said["at"]),
            ) if said is not None else None  # fmt: skip
        except (KeyError, TypeError, ValueError):
            yield path, None
