"""When a snapshot is made: now and then, from memory, so that neither process has much to fold after a restart."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import NamedTuple

from simward.behaviour_settings import BehaviourSettings
from simward.engine.both_journals import watch_folder
from simward.engine.snapshot import snapshot_paths
from simward.engine.start import snapshots_folder
from simward.engine.watching.behind import Behind
from simward.engine.watching.service_use import of_use_cases
from simward.logs import called
from simward.observing.services import DAY_S, SERVICES_NAME, UNUSED_FOR_DAYS, services_told
from simward.watch.following import Follower
from simward.whole_files import write_whole

log = logging.getLogger(__name__)

EVERY_S = 300.0
EVERY_INPUTS = 2_000_000
BACKOFF_S, BACKOFF_MAX_S = 30.0, 3600.0


class Made(NamedTuple):
    """What came of it."""

    sequence: int
    path: Path | None
    """None where nothing has happened since the newest snapshot."""
    seconds: float


def make_snapshot(data_dir: Path, settings: BehaviourSettings | None = None) -> Made:
    """Follow the journal to its end, journal what is found, and write it all down. For a folder without a watch.

    Raises JournalError where the journal is not what it should be or a watch is running, OSError where the disk cannot
    be written.
    """
    began = time.monotonic()
    follower = Follower(data_dir, settings)
    try:
        follower.catch_up()
        newest = newest_sequence(data_dir)
        path = follower.behind.save(data_dir) if follower.followed > newest else None
        write_services(follower.behind, data_dir)
    finally:
        follower.close()
    return Made(follower.followed, path, time.monotonic() - began)


def write_services(behind: Behind, data_dir: Path) -> None:
    """Write down which services nobody needs: what others show of it costs them no snapshot to read."""
    state = behind.watch.state
    found = of_use_cases(behind.gate, state, UNUSED_FOR_DAYS * DAY_S)
    write_whole(watch_folder(data_dir) / SERVICES_NAME, services_told(found, int(state.watch_meta["now"][0])))


def newest_sequence(data_dir: Path) -> int:
    """The sequence of the newest snapshot, 0 where there is none."""
    newest = snapshot_paths(snapshots_folder(data_dir))
    return int(newest[0].stem) if newest else 0


class Snapshots:
    """Makes them while the journal is followed; what is written meanwhile is followed afterwards."""

    def __init__(self, follower: Follower, now: float) -> None:
        self._follower = follower
        self._done, self._done_at = newest_sequence(follower.data_dir), now
        self._not_before, self._backoff_s = now, BACKOFF_S
        self.made = self.failed = 0
        self.seconds = 0.0

    @property
    def sequence(self) -> int:
        """Of the newest one."""
        return self._done

    def step(self, now: float) -> None:
        """Make one if it is time."""
        behind = self._follower.followed - self._done
        if behind <= 0 or now < self._not_before or not self._follower.durable:
            return
        if now - self._done_at < EVERY_S and behind < EVERY_INPUTS:
            return
        began = time.monotonic()
        try:
            self._follower.behind.save(self._follower.data_dir)
            write_services(self._follower.behind, self._follower.data_dir)
        except OSError as error:
            self.failed += 1
            log.error(
                "no snapshot could be made (%s); trying again in %.0f s", error, self._backoff_s,
                extra=called("snapshot-failed"),
            )
            self._not_before = now + self._backoff_s
            self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)
            return
        self.made += 1
        self.seconds = time.monotonic() - began
        self._done, self._done_at, self._backoff_s = self._follower.followed, now, BACKOFF_S
        log.info(
            "snapshot of sequence %d, %.1f s", self._done, self.seconds,
            extra=called("snapshot-made", sequence=self._done, seconds=round(self.seconds, 3)),
        )
