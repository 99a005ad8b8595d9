"""A gate as a process of its own, started and stopped by the lab, and what can be asked of it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simward.errors import PeerError

READY_WITHIN_S = 600.0
"""The first start on a machine compiles the kernel."""
STOP_WITHIN_S = 30.0
LOG_NAME = "gate.log"

_DROPPED = re.compile(r'^simward_gate_packets_total\{reason="([^"]+)"\} (\d+)', re.MULTILINE)


def simward(folder: Path, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
    """Run `simward --dir FOLDER ...` as a user would and give what it printed."""
    command = [sys.executable, "-m", "simward", "--dir", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=READY_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        raise PeerError(f"`simward {' '.join(arguments)}` did not end within {READY_WITHIN_S:g} s") from None
    if done.returncode not in accept:
        said = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise PeerError(f"`simward {' '.join(arguments)}` ended with {done.returncode}:\n" + "\n".join(said))
    return done.stdout


class GateProcess:
    """`simward serve` on a folder. Its output goes to gate.log there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = (folder / LOG_NAME).open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simward", "--dir", str(folder), "serve"],
            stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

    def wait_until_ready(self, waiting: Callable[[float], None] = lambda _: None) -> float:
        """Wait for the line that says so; gives how long it took. `waiting` is called meanwhile."""
        begun = time.monotonic()
        while (took := time.monotonic() - begun) < READY_WITHIN_S:
            if b"ready" in (self.folder / LOG_NAME).read_bytes():
                return took
            if self._process.poll() is not None:
                raise PeerError(f"the gate ended with {self._process.returncode} before it was ready:\n{self.tail()}")
            waiting(took)
            time.sleep(0.05)
        raise PeerError(f"the gate was not ready within {READY_WITHIN_S:g} s:\n{self.tail()}")

    def wait(self) -> None:
        """Until it ends, or Ctrl-C, which it gets too."""
        with contextlib.suppress(KeyboardInterrupt):
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM, which drains and stops; gives the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        return int(self._process.returncode)

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join((self.folder / LOG_NAME).read_text(errors="replace").splitlines()[-12:])

    def packets(self) -> dict[str, int]:
        """Packets that the gate received, by what became of them."""
        return {reason: int(count) for reason, count in _DROPPED.findall(simward(self.folder, "metrics"))}


def findings(folder: Path) -> list[dict[str, Any]]:
    """What `simward findings --json` lists."""
    return [json.loads(line) for line in simward(folder, "findings", "--json", "--exit-zero").splitlines()]
