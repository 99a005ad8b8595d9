"""Imports call detail records from the folders that operators' files come to: a thread of its own, beside the watch.

The watch, because what is found in records is found behind the gate; a thread, because a large file takes minutes and
findings cannot wait.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simward.engine.call_records import records_folder
from simward.errors import ConfigurationError, SimwardError, UsageError
from simward.logs import called
from simward.settings import Settings
from simward.wire.cdr.template import Template

if TYPE_CHECKING:  # what reads files needs Arrow, which a watch without such folders does not load
    from simward.inputs.record_files import RecordFile
    from simward.inputs.record_import import Known, Outcome, RecordImport

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
SETTLED_S = 10.0
"""A file that was written to within this may not be whole yet."""
EXPIRE_EVERY_S = 3600.0
BACKOFF_S, BACKOFF_MAX_S = 30.0, 3600.0
UNFINISHED = (".tmp", ".part", ".partial", ".filepart")
"""How file transfers call what is on its way."""
DONE_FOLDER = "imported"
COUNTED = ("records", "duplicates", "ignored", "rejected")

About = tuple[int, int, int]


class Stopped(Exception):
    """The watch stops; what was not imported yet will be."""


def whole_files(folder: Path, now_s: float) -> Iterator[Path]:
    """The files in a folder that nobody writes to any more, the oldest first."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                about = entry.stat()
            except OSError:  # it has gone meanwhile, or is a link to what is not there
                continue
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED) or not stat.S_ISREG(about.st_mode):
                continue
            if now_s - about.st_mtime >= SETTLED_S:
                found.append((about.st_mtime, entry.name))
    for _, name in sorted(found):
        yield folder / name


class Importing:
    """Looks now and then, imports what has come, and puts it into a folder `imported` beside."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: Known | None = None
        self._passed_over: dict[Path, About | None] = {}
        self._expired_at = 0.0
        self._told = threading.Event()
        self.counts = dict.fromkeys(COUNTED, 0)
        self.files = self.failed = 0
        self.reading: dict[str, Any] | None = None
        """The file at hand: its name, how many of its octets were read, of how many, and how many lines."""
        self.trouble = ""
        """Why the last look failed; empty while files are imported."""
        self._thread = threading.Thread(target=self._run, name="cdr", daemon=True)
        self._thread.start()

    def close(self, within_s: float = 5.0) -> None:
        """Stop after the batch at hand: the next process goes on with the file."""
        self._told.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        backoff_s = BACKOFF_S
        while not self._told.is_set():
            try:
                self.trouble = self.look(time.time())
                wait_s, backoff_s = LOOK_EVERY_S, BACKOFF_S
            except Stopped:
                return
            # A thread that ends says so nowhere, and files would pile up: nothing may end this one.
            except Exception as error:
                said = isinstance(error, (SimwardError, OSError))
                self.failed, self.trouble = self.failed + 1, str(error) if said else f"{type(error).__name__}: {error}"
                log.error(
                    "call detail records cannot be imported (%s); trying again in %.0f s", self.trouble, backoff_s,
                    exc_info=not said, extra=called("records-failed"),
                )  # fmt: skip
                wait_s, backoff_s = backoff_s, min(2 * backoff_s, BACKOFF_MAX_S)
            self._told.wait(wait_s)

    def look(self, now_s: float) -> str:
        """Import what has come, and remove what is too old; gives what is wrong with a folder or a file in it."""
        waiting: list[tuple[Path, Template]] = []
        troubles: list[str] = []
        for folder, name in self._settings.cdr_folders.items():
            try:
                template = Template.named(name, self._settings.dir)
                waiting += [(path, template) for path in whole_files(folder, now_s)]
            except (ConfigurationError, UsageError, OSError) as error:
                troubles.append(str(error))
        there = {path for path, _ in waiting}
        self._passed_over = {path: about for path, about in self._passed_over.items() if path in there}
        new = [one for one in waiting if self._passed_over.get(one[0]) != _about(one[0])]
        expires = now_s - self._expired_at >= EXPIRE_EVERY_S and records_folder(self._settings.data_dir).is_dir()
        if new or expires:
            from simward.inputs.record_import import Known, RecordImport

            self._known = self._known or Known()
            with closing(RecordImport(self._settings.data_dir, self._settings.cdr.keep_s, self._known)) as into:
                for path, template in new:
                    self._import(into, path, template, int(now_s * 1e6))
                into.expire(int(now_s * 1e6))
                self._expired_at = now_s
        if self._passed_over:
            first = min(self._passed_over)
            troubles.append(f"{len(self._passed_over)} files cannot be read or put away, the first {first}")
        return "; ".join(troubles)

    def _import(self, into: RecordImport, path: Path, template: Template, at: int) -> None:
        about = _about(path)
        self.reading = {"file": path.name, "octets": 0, "of": about[1] if about else 0, "lines": 0}
        try:
            outcome = into.run(path, template, at, self._go_on)
        except UsageError as error:
            self._leave(path, about, str(error))
            return
        finally:
            self.reading = None
        self._count(outcome)
        self._passed_over.pop(path, None)
        if _about(path) != about:
            return  # another one has taken its name meanwhile, which the next look imports
        try:
            _put_away(path)
        except OSError as error:
            self._leave(path, about, f"{path} is imported, and cannot be put away: {error.strerror}")

    def _leave(self, path: Path, about: About | None, why: str) -> None:
        """One file holds up no other."""
        log.error(
            "%s; it is left where it is, and read again once it changes", why,
            extra=called("records-file-left", file=path.name),
        )  # fmt: skip
        self.failed += 1
        self._passed_over[path] = about

    def _go_on(self, file: RecordFile) -> None:
        if self.reading is not None:
            self.reading = {**self.reading, "octets": file.octets_read, "lines": file.lines}
        if self._told.is_set():
            raise Stopped

    def _count(self, outcome: Outcome) -> None:
        self.files += 1
        for name in COUNTED:
            self.counts[name] += getattr(outcome, name)
        log.info(
            "%s: %s", outcome.file,
            "imported before" if outcome.known else ", ".join(f"{getattr(outcome, name)} {name}" for name in COUNTED),
            extra=called("records-imported", file=outcome.file, template=outcome.template),
        )  # fmt: skip


def _about(path: Path) -> About | None:
    """What changes with a file; None where there is none any more."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _put_away(path: Path) -> None:
    """Move a file to the folder of those that are done, where it gets a number if one of its name is there."""
    done = path.parent / DONE_FOLDER
    done.mkdir(exist_ok=True, mode=0o700)
    place, number = done / path.name, 1
    while place.exists():
        place, number = done / f"{number}-{path.name}", number + 1
    path.rename(place)
