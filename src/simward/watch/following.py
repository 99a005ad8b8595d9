"""Follows the gate's journal: folds what is new with both folds, and journals what the watch found, exactly once.

A row of the watch's journal has the sequences of the gate's that it is about, and rows follow on without a gap. So its
last sequence says up to where every finding is recorded: whatever folding again finds below that is already there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from simward.behaviour_settings import BehaviourSettings
from simward.engine import outputs as out
from simward.engine.both_journals import findings_folder, watch_folder
from simward.engine.journal import Row, behaviour_row, findings_row, row_outputs
from simward.engine.snapshot import snapshot_paths
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import snapshots_folder
from simward.engine.watching.behind import NO_FINDINGS, reconcile, restore_behind
from simward.engine.watching.own_inputs import OwnInput, newest_fit
from simward.errors import JournalError, NotDurableError
from simward.fitting.daily import fit_copied
from simward.fitting.day_fits import DayFits, Fit
from simward.history.whole import WholeJournal
from simward.logs import called
from simward.watch.record_following import RecordFollowing
from simward.watch.verdicts import Verdicts

log = logging.getLogger(__name__)

SEGMENT_OCTETS, CHECKPOINT_OCTETS = 64 << 20, 1 << 20
STEP_EVENTS = 32_768
"""What is folded before findings are journalled and anything else gets its turn: some hundredths of a second."""


class Follower:
    """One follower a working folder: the lock of the watch's journal sees to it."""

    def __init__(
        self, data_dir: Path, settings: BehaviourSettings | None = None, *, fit: Fit = fit_copied, beside: bool = False
    ) -> None:
        """Restore from the newest snapshot. Raises JournalError and NotDurableError where it cannot begin.

        Days are fitted by `fit`: in step with the fold, or `beside` it in a thread while it keeps up.
        """
        self.data_dir = data_dir
        self._settings, self._fit, self._beside = settings or BehaviourSettings(), fit, beside
        watch_folder(data_dir).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.own = SqliteJournal.open(
            findings_folder(data_dir), segment_octets=SEGMENT_OCTETS, checkpoint_octets=CHECKPOINT_OCTETS
        )
        try:
            self.journal = WholeJournal.open(data_dir)
            self.behind = restore_behind(data_dir, self.journal)
            self._begin()
            self.records = RecordFollowing(data_dir, self.own, self.behind)
        except BaseException:
            self.own.close()
            raise
        self._pending = self._over = NO_FINDINGS
        self._notes: dict[str, Any] = {}
        self.events = self.findings = 0
        self.trouble = ""

    def _begin(self) -> None:
        watch = self.behind.watch
        if self.own.last > self.journal.last:
            raise JournalError(
                f"the watch has followed to sequence {self.own.last}, but the gate's journal ends at "
                f"{self.journal.last}: rows of it are missing, or {findings_folder(self.data_dir)} is another journal's"
            )
        self.own.register_kernel(watch.kernel, watch.manifest())
        watch.awaited.load(self.own.rows(after=max(0, self.behind.sequence - 1)), self.own)
        self.fits = DayFits(watch, self._settings, self._fit, lambda: newest_fit(watch, self.own), beside=self._beside)
        self.verdicts = Verdicts(self.data_dir, watch, self.own, self._settings.benign_for_s)
        # After an upgrade, what another kernel recorded is settled with what this one finds in the same rows.
        self._settle_at = self.own.last if self._last_kernel() not in ("", watch.kernel) else 0

    @property
    def followed(self) -> int:
        """The last sequence of the gate's journal that is folded."""
        return self.behind.sequence

    @property
    def durable(self) -> bool:
        """Is every finding journalled?"""
        return not len(self._pending) and not self._notes

    def step(self) -> int:
        """Fold what is new, up to some thousand events, and journal what was found; returns how many rows there were.

        Where the findings cannot be written they wait, and nothing further is folded.
        """
        if not self.durable and not self._record(self._pending):
            return 0
        if not self._behave():
            return 0
        rows = list(self._rows())
        if rows:
            shown, notes = self.records.fold(rows[0])
            found = np.concatenate([shown, self.behind.rows(rows, self.journal.layouts)])
            self.events += sum(row.count for row in rows)
            if len(self._over):  # told with the first rows after those that another kernel's findings are about
                self._over["sequence"] = rows[0].first
                found, self._over = np.concatenate([self._over, found]), NO_FINDINGS
            if self._settle_at and self.followed >= self._settle_at:
                self._over = self._settle()
            self._notes = notes
            self._record(found[found["sequence"] > self.own.last])
        return len(rows)

    def catch_up(self) -> None:
        """Step to the end of the journal."""
        while self.step():
            pass
        if not self.durable:
            raise NotDurableError(self.trouble)

    def needed_after(self) -> int:
        """Rows up to here are needed no more: both snapshots that are kept hold them, and their findings are told."""
        kept = [int(path.stem) for path in snapshot_paths(snapshots_folder(self.data_dir))]
        return min(kept, default=0) if len(kept) > 1 else 0

    def behaviour_facts(self) -> dict[str, Any]:
        """How the fitting of days is doing, for observing/behaviour.py."""
        meta = self.behind.watch.state.watch_meta[0]
        return {
            **self.fits.facts(), "verdicts": self.verdicts.taken, "verdicts_dropped": self.verdicts.dropped,
            "late_records": int(meta["counted_late"]),
        }  # fmt: skip

    def close(self) -> None:
        """Give both journals back."""
        self.fits.close()
        self.journal.close()
        self.own.close()

    def _behave(self) -> bool:
        """Journal what was fitted of a day, for the fold to take before the next input; False where it cannot be."""
        if len(self.behind.watch.awaited):
            return True  # one thing at a time: what is journalled is to be taken first
        lagging = self.journal.last - self.followed > STEP_EVENTS
        # A row of the journal has sequences of its own: where findings took the last one, the next row is waited for.
        has_room = self.own.last < self.followed
        verdict = self.verdicts.next(time.monotonic()) if has_room else None
        made = verdict or self.fits.step(wait=lagging or not self._beside)
        if made is None or not has_room:
            return True
        if not self._take_input(made):
            return False
        (self.fits.taken if verdict is None else self.verdicts.done)()
        return True

    def _take_input(self, one: OwnInput) -> bool:
        """Journal an input of the watch's own; the fold takes it before the next of the gate's. False: not durable."""
        watch, octets, after = self.behind.watch, one.to_bytes(), self.followed
        row = behaviour_row(self.own.last + 1, after, watch.now, watch.kernel, octets)
        if not self._append(row):
            return False
        watch.awaited.add(after, lambda: octets)
        return True

    def _rows(self) -> Iterator[Row]:
        events, stops_at = 0, 0
        with closing(self.journal.rows(after=self.followed)) as rows:  # type: ignore[type-var]
            for row in rows:
                yield row
                events += row.count
                stops_at = stops_at or self.fits.stops_at(row.at)
                if events >= STEP_EVENTS or row.last == self._settle_at or self.records.is_place(row.last + 1):
                    return
                if row.at >= stops_at or self.fits.is_made:
                    return

    def _record(self, found: np.ndarray) -> bool:
        self._pending = found
        if not len(found) and not self._notes:
            return True
        watch = self.behind.watch
        row = findings_row(self.own.last + 1, self.followed, watch.now, watch.kernel, found, self._notes)
        if not self._append(row):
            return False
        self.findings += int(np.count_nonzero(found["kind"] == out.FINDING_BEGAN))
        self._pending, self._notes = NO_FINDINGS, {}
        return True

    def _append(self, row: Row) -> bool:
        try:
            self.own.append(row)
        except NotDurableError as error:
            if str(error) != self.trouble:
                log.error("findings cannot be journalled, and wait: %s", error, extra=called("findings-not-durable"))
            self.trouble = str(error)
            return False
        self.trouble = ""
        return True

    def _last_kernel(self) -> str:
        for row in self.own.rows(after=max(0, self.own.last - 1)):
            return row.kernel
        return ""

    def _settle(self) -> np.ndarray:
        self._settle_at = 0
        recorded: dict[tuple[int, int], Any] = {}
        numbers = {one["id"]: number for number, one in enumerate(self.behind.watch.manifest()["detectors"])}
        for row in self.own.rows():
            names = [one["id"] for one in self.own.manifest(row.kernel).get("detectors", ())]
            for output in row_outputs(row, self.own.layouts):
                name = int(output["opened_sequence"]), int(output["opened_index"])
                if output["kind"] == out.FINDING_ENDED:
                    recorded.pop(name, None)
                else:
                    output["detector"] = numbers.get(names[int(output["detector"])], 0)
                    recorded[name] = output
        return reconcile(self.behind.watch, recorded)
