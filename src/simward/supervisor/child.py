"""One process that is kept running: started, and started again with patience whenever it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

STEADY_S = 60.0
"""What ran for so long was well: the next start does not wait for the failures before it."""
LINE_OCTETS_MAX = 4096


@dataclass(frozen=True)
class Patience:
    """How long is waited before a start after an end: from `first_s`, doubling up to `most_s`."""

    first_s: float = 1.0
    most_s: float = 60.0


class Child:
    """Starts `command` again and again. Times are seconds of a monotonic clock, and passed in."""

    def __init__(self, name: str, command: Sequence[str], patience: Patience, *, heard: bool = False) -> None:
        """With `heard`, what it writes to standard output can be had from `lines`; else nobody reads that."""
        self.name = name
        self.restarts = 0
        """How often it ended by itself and was, or is, to be started again."""
        self.started_at: float | None = None
        self.not_before = self.pause_s = 0.0
        """When it may be started again, and how long that is after its end."""
        self.last_end = ""
        self.code: int | None = None
        """How it ended last; negative: by that signal."""
        self._command, self._patience, self._heard = list(command), patience, heard
        self._backoff_s = patience.first_s
        self._process: subprocess.Popen[bytes] | None = None
        self._output: int | None = None
        self._unread = bytearray()
        self._renew_by: float | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs; None where none does."""
        return None if self._process is None else self._process.pid

    @property
    def output(self) -> int | None:
        """The file number of its standard output, to wait for."""
        return self._output

    def step(self, now: float) -> bool:
        """Start it if it is time, or see whether it still runs; True where that has changed."""
        if self._process is None:
            if now < self.not_before:
                return False
            self._start(now)
            return True
        code = self._process.poll()
        if code is None:
            if self._renew_by is not None and now >= self._renew_by:
                self._process.kill()
            return False
        self._process, self.code = None, code
        if self._renew_by is not None:  # as it was told to: nothing to be patient about, and nothing to count
            self._start(now)
            return True
        self._ended(now, _how(code))
        return True

    def lines(self) -> list[str]:
        """The lines that it has written to standard output since."""
        if self._output is None:
            return []
        while True:
            try:
                octets = os.read(self._output, LINE_OCTETS_MAX)
            except BlockingIOError:
                break
            if not octets:
                os.close(self._output)
                self._output = None
                break
            self._unread += octets
        *whole, rest = self._unread.split(b"\n")
        self._unread = rest[:LINE_OCTETS_MAX]
        return [bytes(line).decode(errors="replace") for line in whole]

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, where it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def renew(self, by: float) -> None:
        """Have it stop, killed if it has not by then, and start anew at once; `step` sees to it. Where none runs, the
        next start is a new one anyway."""
        if self._process is not None:
            self._renew_by = by
            self._process.send_signal(signal.SIGTERM)

    def has_ended(self) -> bool:
        """Is it gone? For one that was told to stop: it is not started again."""
        if self._process is not None and self._process.poll() is not None:
            self.code, self._process = self._process.returncode, None
        return self._process is None

    def close(self) -> None:
        """Kill it, where it still runs."""
        if self._process is not None:
            self._process.kill()
            self.code, self._process = self._process.wait(), None
        if self._output is not None:
            os.close(self._output)
            self._output = None

    def _start(self, now: float) -> None:
        self.started_at, self._renew_by = now, None
        self._close_output()
        try:
            # Standard error is the supervisor's own: one log tells of all. A group of its own keeps Ctrl-C from it:
            # who stops when is for the supervisor to say.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, process_group=0,
                stdout=subprocess.PIPE if self._heard else subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            self._ended(now, str(error))
            return
        if self._process.stdout is not None:
            self._output = os.dup(self._process.stdout.fileno())
            self._process.stdout.close()
            os.set_blocking(self._output, False)

    def _close_output(self) -> None:
        self._unread.clear()
        if self._output is not None:
            with contextlib.suppress(OSError):
                os.close(self._output)
            self._output = None

    def _ended(self, now: float, how: str) -> None:
        if self.started_at is not None and now - self.started_at >= STEADY_S:
            self._backoff_s = self._patience.first_s
        self.started_at, self.last_end = None, how
        self.restarts += 1
        self.pause_s, self.not_before = self._backoff_s, now + self._backoff_s
        self._backoff_s = min(2 * self._backoff_s, self._patience.most_s)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
