"""What the watch says about itself, in two small files: `status.json` for people and metrics, `position.json` for
whoever removes old segments.

Files, not a socket: nobody has to be answered while it folds. Both appear whole or not at all.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from simward.engine.both_journals import watch_folder
from simward.observing.behaviour import stands
from simward.observing.watch import STATUS_NAME
from simward.whole_files import write_whole

if TYPE_CHECKING:
    from simward.watch.archiving import Archiving
    from simward.watch.following import Follower
    from simward.watch.importing import Importing
    from simward.watch.snapshots import Snapshots

POSITION_NAME = "position.json"
EVERY_S = 1.0


class Report:
    """Writes both files once a second."""

    def __init__(
        self, follower: Follower, snapshots: Snapshots, archiving: Archiving, importing: Importing, now: float
    ) -> None:
        self._follower, self._snapshots, self._archiving, self._importing = follower, snapshots, archiving, importing
        self._began, self._due = now, now
        self._rate_at, self._rate_events, self._rate = now, 0, 0.0
        self._position = -1

    def step(self, now: float) -> None:
        """Write them if it is time; a disk that is full costs the report and nothing else."""
        if now < self._due:
            return
        self._due = now + EVERY_S
        passed, events = now - self._rate_at, self._follower.events
        if passed > 0:
            self._rate = (events - self._rate_events) / passed
            self._rate_at, self._rate_events = now, events
        folder = watch_folder(self._follower.data_dir)
        try:
            write_whole(folder / STATUS_NAME, self.facts(now))
            needed_after = self._follower.needed_after()
            if needed_after != self._position:
                write_whole(folder / POSITION_NAME, {"needed_after": needed_after})
                self._position = needed_after
        except OSError:
            return

    def facts(self, now: float) -> dict[str, Any]:
        """How it is doing."""
        follower, snapshots, watch = self._follower, self._snapshots, self._follower.behind.watch
        meta = watch.state.watch_meta[0]
        return {
            "pid": os.getpid(),
            "at": time.time(),
            "uptime_s": round(now - self._began, 1),
            "followed": follower.followed,
            "followed_at_us": watch.now,
            "kernel": watch.kernel,
            "events": follower.events,
            "events_per_second": round(self._rate, 1),
            "findings": follower.findings,
            "findings_open": int(meta["findings_live"]) + int(meta["about_live"]),
            "findings_held": int(meta["findings_held"]),
            "sessions_forgotten": int(meta["counted_away"]),
            "groups": int(meta["groups"]),
            "groups_full": int(meta["groups_full"]),
            "visits_full": int(meta["visits_full"]),
            "durable": follower.durable,
            "not_durable_because": follower.trouble,
            "snapshots_made": snapshots.made,
            "snapshots_failed": snapshots.failed,
            "snapshot_sequence": snapshots.sequence,
            "snapshot_seconds": round(snapshots.seconds, 3),
            "history_archived": self._archiving.archived,
            "history_removed": self._archiving.removed,
            "history_failed": self._archiving.failed,
            "history_failing_because": self._archiving.trouble,
            "cdr_followed": follower.records.followed,
            "cdr_of_nobody": int(meta["records_unknown"]),
            "cdr_missed": follower.records.missed,
            "cdr_files": self._importing.files,
            "cdr_files_failed": self._importing.failed,
            "cdr_lines": dict(self._importing.counts),
            "cdr_reading": self._importing.reading,
            "cdr_failing_because": self._importing.trouble,
            "behaviour": stands(watch.last_day, follower.behaviour_facts()),
        }

    def close(self) -> None:
        """The watch stops cleanly: nobody shall take its last words for news."""
        (watch_folder(self._follower.data_dir) / STATUS_NAME).unlink(missing_ok=True)
