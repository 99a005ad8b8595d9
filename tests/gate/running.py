"""A gate in a process of its own, with a folder, a fleet, and the tools that talk to it."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from simward import gate_socket
from simward.observing.processes import read_processes

SECRET = "a-secret-of-the-tests"
READY_S = 120.0
"""The first start on a machine compiles."""

POLICY = """\
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
networks: {plmn: ["00101"]}
responses: {default: observe, device-change: lock, device-change/software: observe}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
quarantine_pool: 10.127.0.0/24
"""

needs_radclient = pytest.mark.skipif(not shutil.which("radclient"), reason="radclient (freeradius-utils) is not there")


def luhn(digits: str) -> str:
    """`digits` with their check digit."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    total = sum(sum(divmod(one, 10)) for one in doubled)
    return digits + str(-total % 10)


def imsi(number: int) -> str:
    """The IMSI of one subscription of the fleet."""
    return f"00101{number:010d}"


def iccid(number: int) -> str:
    """Its ICCID."""
    return luhn(f"890101{number:012d}")


def imeisv(number: int, tac: str = "35000001", software: str = "01") -> str:
    """The device that it is in."""
    return f"{tac}{number:06d}{software}"


class RunningGate:
    """`simward serve` in `folder`, on ports that the system chose."""

    def __init__(
        self, folder: Path, fleet: int = 20, *, gate: str = "", dynauth: str = "", policy: str = POLICY,
        more: str = "", control: str = "none",
    ) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.said = ""
        self.auth = self.accounting = ("", 0)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "policies").mkdir()
        (folder / "policies" / "meters.yaml").write_text(policy)
        lines = ["iccid,imsi,use_case", *(f"{iccid(one)},{imsi(one)},water-meter" for one in range(1, fleet + 1))]
        (folder / "inventory.csv").write_text("\n".join(lines) + "\n")
        reachable = f'dynauth = "{dynauth}"\n' if dynauth else ""
        (folder / "simward.toml").write_text(
            f'[gate]\nauth = "127.0.0.1:0"\naccounting = "127.0.0.1:0"\n{gate}\n'
            f'[control]\nhttp = "{control}"\n'
            f'[[gateway]]\nname = "pgw1"\naddress = "127.0.0.1"\nsecret = "{SECRET}"\n{reachable}{more}'
        )

    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "simward.gate", "--dir", str(self.folder)]

    def start(self, **environment: str) -> Self:
        """Start, and wait for the line that contains `ready`."""
        log = (self.folder / "stderr.log").open("a")
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **environment}
        )
        log.close()
        assert self.process.stdout is not None
        until = time.monotonic() + READY_S
        while "ready" not in self.said.rpartition("\n")[0].rpartition("\n")[2]:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            line = self.process.stdout.readline() if readable else ""
            if not line:
                self.process.kill()
                raise AssertionError(f"the gate did not start: {self.said}\n{self.errors()}")
            self.said += line
        ports = re.findall(r"127\.0\.0\.1:(\d+)", self.said.strip().rpartition("\n")[2])
        self.auth, self.accounting = ("127.0.0.1", int(ports[0])), ("127.0.0.1", int(ports[1]))
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop, and the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process, self.said = None, ""
        return code

    def close(self) -> None:
        """Kill what still runs."""
        if self.process is not None:
            self.stop(signal.SIGKILL)

    def errors(self) -> str:
        """What it has written to stderr."""
        return (self.folder / "stderr.log").read_text()

    def ask(self, do: str, **payload: Any) -> dict[str, Any]:
        """One command."""
        return gate_socket.ask(self.folder / "data", {"do": do, **payload}, timeout_s=20)

    def metric(self, name: str, label: str = "") -> float:
        """One number from the metrics command."""
        for line in self.ask("metrics")["text"].splitlines():
            if line.startswith(f"simward_gate_{name}") and label in line and not line.startswith("#"):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


class Served(RunningGate):
    """As people start it: with watch and control beside it, under a supervisor."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "simward", "--dir", str(self.folder), "serve"]

    def processes(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its processes."""
        return read_processes(self.folder / "data")

    def pid(self, name: str, *, other_than: int = 0) -> int:
        """The process of that name, once one runs that is another than that."""
        found = until(lambda: self.processes().get(name, {}).get("pid") or 0, lambda pid: pid not in (0, other_than))
        return int(found)


def until(look: Callable[[], Any], right: Callable[[Any], bool] = bool, within_s: float = 30.0) -> Any:
    """What `look` gives as soon as it is right; AssertionError with what it gave last where it never is."""
    end = time.monotonic() + within_s
    while not right(found := look()):
        assert time.monotonic() < end, f"still {found!r} after {within_s:g} s"
        time.sleep(0.05)
    return found


def access_request(number: int, *, signed: bool = True, **more: str) -> str:
    """radclient's words for one honest request."""
    attributes = {
        "User-Name": f'"{imsi(number)}"', "3GPP-IMSI": f'"{imsi(number)}"', "3GPP-IMEISV": f'"{imeisv(number)}"',
        "Called-Station-Id": '"meters.iot"', "NAS-Identifier": '"pgw1"', "3GPP-SGSN-MCC-MNC": '"00101"',
        "3GPP-RAT-Type": "0x06", **more,
    }
    if signed:
        attributes["Message-Authenticator"] = "0x00"
    return ",".join(f"{key}={value}" for key, value in attributes.items())


def accounting_request(number: int, status: str, session: str = "", **more: str) -> str:
    """radclient's words for one honest record."""
    of_session = {"Acct-Status-Type": status, "Acct-Session-Id": f'"{session or f"S{number:08d}"}"'}
    return access_request(number, signed=False, **{**of_session, **more})


def radclient(
    to: tuple[str, int], kind: str, words: str, *, secret: str = SECRET, tries: int = 1, wait_s: int = 2
) -> str:
    """Ask with radclient; everything that it printed, decoded answer included."""
    done = subprocess.run(
        ["radclient", "-x", "-r", str(tries), "-t", str(wait_s), f"{to[0]}:{to[1]}", kind, secret],
        input=words, capture_output=True, text=True, timeout=60, check=False,
    )
    return done.stdout + done.stderr


def udp(host: str = "127.0.0.1") -> socket.socket:
    """A socket of the test's own."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.settimeout(5)
    return made
