"""`simward serve`: gate, watch and control as processes of their own; what dies is started again, a signal stops all.

The gate comes first: until it is ready nothing else is started, and where it cannot start, nothing goes on. SIGHUP has
the settings read again, for which watch and control are started anew; nobody is cut off for it, so the gate goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from simward.logs import called
from simward.observing.processes import CONTROL, GATE, NAMES, WATCH
from simward.supervisor.child import Child, Patience
from simward.supervisor.report import Report

log = logging.getLogger(__name__)

PATIENCE = {GATE: Patience(0.1, 5.0), WATCH: Patience(1.0, 60.0), CONTROL: Patience(0.5, 30.0)}
"""Nobody is let in while no gate runs; the others can be waited for."""
STOP_WITHIN_S = 10.0
"""The gate drains for at most three seconds; what has not ended by then is killed."""
LOOK_EVERY_S = 1.0
COULD_NOT = 3
Say = Callable[[str], None]


class Supervisor:
    """Keeps the processes of one folder running. It opens nothing of theirs, and decides nothing."""

    def __init__(
        self, folder: Path, data_dir: Path, names: Sequence[str] = NAMES, *, say: Say = print,
        reread: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`names`: which of gate, watch and control; `say` is given the line with `ready`. `reread` is called at
        SIGHUP, and says whether watch and control are to be started anew."""
        self._children = {name: Child(name, command(name, folder), PATIENCE[name], heard=name in (GATE, CONTROL))
                          for name in NAMES if name in names}  # fmt: skip
        self._report = Report(data_dir, self._children.values())
        self._say, self._reread = say, reread
        self._hung_up = False
        self._at_terminal = os.isatty(0)
        self._ready = GATE not in self._children
        self._signals = 0
        self._wake_read, self._wake_write = os.pipe()
        for number in (self._wake_read, self._wake_write):
            os.set_blocking(number, False)

    def run(self) -> int:
        """Until SIGTERM or SIGINT; gives the exit code: 0, or that of a gate that could not start or stop."""
        os.umask(0o077)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means it
            signal.signal(signal.SIGHUP, self._on_hang_up)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # wakes the loop up: an end is seen at once
        try:
            while not self._signals:
                self._take_settings()
                code = self._round()
                if code is not None:
                    return code
                self._wait(self._patience())
            return self._stop()
        finally:
            for child in self._children.values():
                child.close()
            if self._ready:  # else the files may be of another supervisor, whose gate kept ours from starting
                self._report.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _on_hang_up(self, number: int, frame: FrameType | None) -> None:
        if self._at_terminal and not _terminal_is_there():
            self._signals += 1  # whoever started it there has gone
        self._hung_up = True

    def _take_settings(self) -> None:
        """After SIGHUP: those that nobody waits for in-line are started anew. Not before the gate is ready: until then
        nothing else runs."""
        if self._hung_up and self._ready and not self._signals:
            self._hung_up = False
            if self._reread():
                for child in self._children.values():
                    if child.name != GATE:
                        child.renew(time.monotonic() + STOP_WITHIN_S)

    def _round(self) -> int | None:
        """Start and reap; the exit code where the gate could not be started."""
        now, changed = time.monotonic(), False
        for child in self._children.values():
            if child.name != GATE and not self._ready:
                continue
            stepped = child.step(now)
            changed |= self._hear(child) or stepped
            if not self._ready and child.code is not None and child.code >= 0:
                return child.code if child.code in (2, COULD_NOT) else COULD_NOT
            if stepped and child.pid is None:
                how, pause_s = child.last_end, child.pause_s
                log.error(
                    "the %s has ended (%s); it is started again in %g s", child.name, how, pause_s,
                    extra=called("process-ended", child=child.name, how=how),
                )
        if self._ready:
            self._report.step(now, changed=changed)
        return None

    def _hear(self, child: Child) -> bool:
        """Pass on what gate and control say; True where the gate has become ready for the first time."""
        lines, first = child.lines(), False
        for line in lines:
            if child.name == GATE and "ready" in line and not self._ready:
                self._ready = first = True
                now = time.monotonic()
                for other in self._children.values():
                    if other is not child:
                        other.step(now)
                self._report.step(now, changed=True)  # before the line: who waits for it may ask who runs
            with contextlib.suppress(OSError):  # whoever waited for it has gone
                self._say(line)
        return first

    def _patience(self) -> float:
        now = time.monotonic()
        due = [child.not_before - now for child in self._children.values() if child.pid is None]
        return max(0.0, min([LOOK_EVERY_S, *due])) if self._ready else LOOK_EVERY_S

    def _wait(self, seconds: float) -> None:
        """Until a signal, a line of the gate, or so many seconds."""
        numbers = [child.output for child in self._children.values() if child.output is not None]
        readable, _, _ = select.select([self._wake_read, *numbers], [], [], seconds)
        if self._wake_read in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 512)

    def _stop(self) -> int:
        """Tell all to stop, and wait; kill what does not, at a second signal at once."""
        until = time.monotonic() + STOP_WITHIN_S
        gate_ran = GATE in self._children and self._children[GATE].pid is not None
        for child in reversed(self._children.values()):
            child.tell(signal.SIGTERM)
        while self._signals == 1 and (now := time.monotonic()) < until:
            for child in self._children.values():
                child.lines()
            if all(child.has_ended() for child in self._children.values()):
                break
            self._wait(min(LOOK_EVERY_S, until - now))
        for child in self._children.values():
            if not child.has_ended():
                log.error(
                    "the %s did not stop when it was told to; it is killed", child.name,
                    extra=called("process-killed", child=child.name),
                )
        if not gate_ran:
            return 0
        gate = self._children[GATE]
        gate.close()
        if gate.code in (0, -signal.SIGTERM):  # by the signal itself: before it was ready, with nothing to drain
            return 0
        return gate.code if gate.code in (2, COULD_NOT) else COULD_NOT


def _terminal_is_there() -> bool:
    try:
        os.tcgetpgrp(0)
    except OSError:
        return False
    return True


def command(name: str, folder: Path) -> list[str]:
    """What starts a process of a folder; it ends with the one that calls this."""
    return [sys.executable, "-m", f"simward.{name}", "--dir", str(folder), "--parent", str(os.getpid())]
