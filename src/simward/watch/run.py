"""The watch's life: follow, make snapshots, report, until it is told to stop or the process that started it is gone."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from simward.errors import JournalError
from simward.history.keeping import Keeping
from simward.logs import called
from simward.parentage import is_orphan
from simward.resident import give_back, return_freed_memory
from simward.settings import Settings
from simward.watch.archiving import Archiving
from simward.watch.following import Follower
from simward.watch.importing import Importing
from simward.watch.report import Report
from simward.watch.snapshots import Snapshots

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How long nothing is looked for where nothing was found: the delay of a finding when little happens."""


def watch(settings: Settings, stopping: Callable[[], bool], pause: Callable[[float], None]) -> None:
    """Follow the journal of a working folder until `stopping()`. `pause(seconds)` waits, and returns early on a signal.

    Raises JournalError where the journal cannot be followed, NotDurableError where findings cannot be written at all.
    """
    return_freed_memory()
    follower = Follower(settings.data_dir, settings.behaviour, beside=True)
    now = time.monotonic()
    snapshots = Snapshots(follower, now)
    archiving = Archiving(Keeping(settings.data_dir, settings.history))
    importing = Importing(settings)
    report = Report(follower, snapshots, archiving, importing, now)
    log.info("watching from sequence %d on", follower.followed, extra=called("watch-began", sequence=follower.followed))
    caught_up_at = -1
    try:
        while not stopping():
            rows = follower.step()
            now = time.monotonic()
            snapshots.step(now)
            report.step(now)
            if not rows:
                if caught_up_at < 0:
                    caught_up_at = follower.followed
                    give_back()
                refuse_another_kernel(follower, caught_up_at)
                pause(POLL_S)
    finally:
        importing.close()
        archiving.close()
        report.close()
        follower.close()


def refuse_another_kernel(follower: Follower, caught_up_at: int) -> None:
    """What comes live and was decided by another kernel is of a gate of another version than this."""
    if follower.behind.foreign and follower.followed > caught_up_at:
        raise JournalError("the gate that writes this journal is of another version: start the watch again")


class Signals:
    """SIGTERM and SIGINT end the watch, and so does the end of the process that started it, if it is to look out."""

    def __init__(self, parent: int = 0) -> None:
        self._parent = parent
        self._told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def stopping(self) -> bool:
        """Is it to stop?"""
        return self._told.is_set() or is_orphan(self._parent)

    def pause(self, seconds: float) -> None:
        """Wait, unless told to stop."""
        self._told.wait(seconds)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._told.set()
