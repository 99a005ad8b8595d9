"""Has snapshots made behind the gate: a process of its own now and then, which gives its memory back."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys

from simward.gate.metrics import Metrics
from simward.settings import Settings

log = logging.getLogger(__name__)

EVERY_S = 300.0
EVERY_INPUTS = 2_000_000
BACKOFF_S = 30.0
BACKOFF_MAX_S = 3600.0
STUCK_S = 1800.0


class Snapshots:
    """Starts `python -m simward.watch` when enough has happened; the gate never waits for it."""

    def __init__(self, settings: Settings, metrics: Metrics, *, sequence: int, now: float) -> None:
        self._settings, self._metrics = settings, metrics
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at, self._done_at = 0.0, now
        self._asked_for = self._done = sequence
        self._backoff_s = BACKOFF_S
        self._not_before = now

    def each_second(self, now: float, sequence: int) -> None:
        """See to the process that runs, or start one if it is time."""
        if self._process is not None:
            self._look_after(now)
        elif sequence > self._done and now >= self._not_before:
            if now - self._done_at >= EVERY_S or sequence - self._done >= EVERY_INPUTS:
                self.start(now, sequence)

    def start(self, now: float, sequence: int) -> None:
        """Make a snapshot of what is in the journal by now."""
        command = [sys.executable, "-m", "simward.watch", "--dir", str(self._settings.dir), "--once"]
        self._started_at, self._asked_for = now, sequence
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except OSError as error:
            self._failed(now, str(error))

    def close(self) -> None:
        """The gate stops: a snapshot under way is given up (the journal has everything)."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def _look_after(self, now: float) -> None:
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            if now - self._started_at > STUCK_S:
                self._process.kill()
            return
        self._process = None
        if code == 0:
            self._done, self._done_at, self._backoff_s = self._asked_for, now, BACKOFF_S
        else:
            self._failed(now, f"exit code {code}")

    def _failed(self, now: float, why: str) -> None:
        self._metrics.add("snapshot_failures_total")
        log.error("no snapshot could be made (%s); trying again in %.0f s", why, self._backoff_s)
        self._not_before = now + self._backoff_s
        self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)
