"""The gate under test: a working folder of its own, applied and served as an operator would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.load.fleet import Fleet
from benchmarks.processes import free_ports, stop, wait_until_answering

SETTINGS = """
[gate]
auth = "127.0.0.1:{auth}"
accounting = "127.0.0.1:{accounting}"
unknown_subscription = "reject"
when_not_durable = "refuse"
[[gateway]]
name = "pgw1"
address = "127.0.0.1"
secret = "{secret}"
dynauth = "127.0.0.1:{dynauth}"
require_message_authenticator = true
"""
POLICY = """
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
networks: {plmn: ["00101"], rat: [nb-iot, lte-m, lte]}
responses: {default: observe, device-change: lock, device-change/software: observe}
release_when: bound-device-returns
limits: {lock: {per_hour: 20, share_of_fleet: 0.5%}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""


def write_folder(
    folder: Path, fleet: Fleet, secret: bytes, ports: tuple[int, int, int], policy: str = POLICY
) -> None:
    """Settings, one policy and the inventory of a fleet; `ports` are auth, accounting and dynauth."""
    (folder / "policies").mkdir()
    (folder / "policies" / "fleet.yaml").write_text(policy)
    auth, accounting, dynauth = ports
    (folder / "simward.toml").write_text(
        SETTINGS.format(auth=auth, accounting=accounting, dynauth=dynauth, secret=secret.decode())
    )
    fleet.write_inventory(folder / "inventory.csv")


class Gate:
    """A folder with settings, policy and inventory; `start` and `stop` may alternate."""

    def __init__(
        self, core: int, secret: bytes, fleet: Fleet, folder: Path | None = None, policy: str = POLICY
    ) -> None:
        self.core, self.secret = core, secret
        self.folder = Path(tempfile.mkdtemp(prefix="simward-bench-gate-", dir=folder))
        self.folder.chmod(0o700)
        self.auth_port, self.accounting_port, self.dynauth_port = free_ports(3)
        write_folder(self.folder, fleet, secret, (self.auth_port, self.accounting_port, self.dynauth_port), policy)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running gate."""
        assert self._process is not None
        return self._process.pid

    def apply(self) -> float:
        """`simward apply --yes`; returns how long it took (seconds)."""
        before = time.monotonic()
        done = subprocess.run(
            [*self._command(), "apply", "--yes"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"apply ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
        return time.monotonic() - before

    def snapshot(self) -> float:
        """Have a snapshot made behind the running gate; returns the seconds it took."""
        before = time.monotonic()
        command = [sys.executable, "-m", "simward.watch", "--dir", str(self.folder), "--once"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the snapshot ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
        return time.monotonic() - before

    def start(self, patience: float = 120, cores: Iterable[int] | None = None) -> float:
        """The gate without a watch, pinned to its core or to `cores`; returns the seconds from the call to the first
        answer.
        """
        before = time.monotonic()
        said = self.folder / "said"
        allowed = {self.core} if cores is None else set(cores)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simward.gate", "--dir", str(self.folder)],
            stdin=subprocess.DEVNULL, stdout=said.open("ab"), stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )  # fmt: skip
        wait_until_answering(self._process, self.auth_port, self.secret, said, patience)
        return time.monotonic() - before

    def stop(self) -> None:
        """SIGTERM: the gate drains and ends."""
        if self._process is not None:
            stop(self._process, 60)
            self._process = None

    def kill(self) -> None:
        """SIGKILL: nothing is drained, no last snapshot is made."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def metrics(self) -> str:
        """`simward metrics`."""
        done = subprocess.run([*self._command(), "metrics"], capture_output=True, text=True, check=True)
        return done.stdout

    def said(self) -> str:
        """What it has printed."""
        return (self.folder / "said").read_text(errors="replace")

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "simward", "--dir", str(self.folder)]


def metric(gate: Gate, name: str) -> dict[str, float]:
    """One metric of a running gate: value by labels as written ("" = none)."""
    wanted = re.compile(rf"^simward_gate_{name}(?:{{(.*)}})? (\S+)$", re.MULTILINE)
    return {labels or "": float(value) for labels, value in wanted.findall(gate.metrics())}
