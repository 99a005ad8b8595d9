"""Keeps the watch running behind the gate: a process of its own, started again with patience whenever it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path

from simward.gate.metrics import Metrics

log = logging.getLogger(__name__)

BACKOFF_S, BACKOFF_MAX_S = 1.0, 60.0
STEADY_S = 60.0
"""A watch that ran for so long was well: the next start does not wait for the failures before it."""
STOP_WITHIN_S = 5.0


class WatchProcess:
    """Starts `python -m simward.watch`, again and again. The gate never waits for it, nor needs it to decide."""

    def __init__(self, folder: Path, metrics: Metrics, command: list[str] | None = None) -> None:
        self._command = command or [
            sys.executable, "-m", "simward.watch", "--dir", str(folder), "--parent", str(os.getpid()),
        ]  # fmt: skip
        self._metrics = metrics
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._not_before = 0.0
        self._backoff_s = BACKOFF_S
        metrics.set("watch_running", 0)

    def each_second(self, now: float) -> None:
        """Start it if it is time, or see whether it still runs."""
        if self._process is None:
            if now >= self._not_before:
                self._start(now)
            return
        code = self._process.poll()
        if code is not None:
            self._process = None
            self._ended(now, f"exit code {code}")

    def close(self) -> None:
        """The gate stops, and the watch with it: what it has not folded yet is in the journal."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_WITHIN_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self, now: float) -> None:
        self._started_at = now
        try:
            # Standard error is the gate's own: one log tells of both.
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except OSError as error:
            self._ended(now, str(error))
        else:
            self._metrics.set("watch_running", 1)

    def _ended(self, now: float, why: str) -> None:
        if now - self._started_at >= STEADY_S:
            self._backoff_s = BACKOFF_S
        self._metrics.set("watch_running", 0)
        self._metrics.add("watch_restarts_total")
        log.error("the watch has ended (%s); it is started again in %.0f s", why, self._backoff_s)
        self._not_before = now + self._backoff_s
        self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)
