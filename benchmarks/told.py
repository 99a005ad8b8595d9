"""How soon is a wrong device known to both parties, where a hundred are found a second?

A gate, a control process and two receivers over loopback, as `simward serve` runs them. Each second a hundred interim
updates name a device that their subscription is not bound to; each is found, locked, disconnected, made part of an
incident and told to the two parties. The time runs from just before the packet is sent to when a receiver has verified
and noted `binding.broken`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.disk import spread
from benchmarks.gate import Gate
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import IMSI_FIRST, Fleet
from benchmarks.load.packets import INTERIM, START, access_requests, accounting_requests
from benchmarks.processes import cpu_seconds, stop
from benchmarks.reaction import ACTS, SECRET, acknowledged
from benchmarks.report import Bar, save
from benchmarks.same_decision import InOtherDevices
from benchmarks.webhooks import SECRET as WEBHOOK_SECRET

NAME = "told"
QUESTION = "from the packet that shows the wrong device to a webhook at both parties, at 100 findings a second"
PER_SECOND = 100
SECONDS, QUICK = 30, 1
PATIENCE_S = 60.0
OUTWARD = """
[control]
http = "none"
[[endpoint]]
name = "{name}"
kind = "webhook"
url = "http://127.0.0.1:{port}/hook"
secret = "{secret}"
events = ["policy.*"]
allow_private = true
[[party]]
name = "{name}"
endpoint = "{name}"
"""


class Receiver:
    """One party."""

    def __init__(self, folder: Path, name: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as opened:
            self.port = opened.getsockname()[1]
        self.name, self.notes = name, folder / f"{name}.jsonl"
        self.notes.touch()
        command = [sys.executable, "-m", "benchmarks.load.webhook_receiver", str(self.port), str(self.notes)]
        self.process = subprocess.Popen([*command, WEBHOOK_SECRET, "0", "1"], stdout=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"ready\n"

    def broken(self) -> dict[str, float]:
        """IMSI -> when `binding.broken` of it was taken first."""
        taken: dict[str, float] = {}
        for line in self.notes.read_text().splitlines():
            id_, subject, _, at = json.loads(line)
            if id_.startswith("binding.broken:"):
                taken.setdefault(subject, at)
        return taken


def disconnect_all(port: int, over: threading.Event) -> None:
    """The gateway's side: every Disconnect-Request is acknowledged."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", port))
        listening.settimeout(0.2)
        while not over.is_set():
            try:
                request, gate = listening.recvfrom(4096)
            except TimeoutError:
                continue
            listening.sendto(acknowledged(request), gate)


def everyone_connects(gate: Gate, fleet: Fleet, numbers: np.ndarray) -> None:
    """Each is bound to its device, and has a session."""
    step = np.zeros(len(numbers), np.int64)
    starts = accounting_requests(
        fleet, numbers, np.full(len(numbers), START), numbers * 64 + 1, step, SECRET, 1
    )
    load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, 1)
    load.run(access_requests(fleet, numbers, SECRET, 1, 1), outstanding=64)
    if load.run(starts, outstanding=64).completed != len(numbers):
        raise RuntimeError("not every session could be started")
    load.close()


def show_wrong_devices(gate: Gate, fleet: Fleet, numbers: np.ndarray) -> list[float]:
    """When each was shown."""
    wrong = accounting_requests(
        InOtherDevices(fleet.count), numbers, np.full(len(numbers), INTERIM), numbers * 64 + 1,
        np.ones(len(numbers), np.int64), SECRET, 1,
    )  # fmt: skip
    shown = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", gate.accounting_port))
        began = time.monotonic()
        for number in range(len(numbers)):
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            shown.append(time.time())
            asking.send(wrong.packet(number))
    return shown


def measure(folder: Path, seconds: int, *, quick: bool) -> dict[str, object]:
    """Set up, show, wait, compare."""
    server_core, _ = cores()
    fleet = Fleet(seconds * PER_SECOND)
    numbers = np.arange(fleet.count)
    gate = Gate(server_core, SECRET, fleet, folder, ACTS)
    receivers = [Receiver(folder, "dm"), Receiver(folder, "app")]
    settings = gate.folder / "simward.toml"
    outward = [OUTWARD.format(name=one.name, port=one.port, secret=WEBHOOK_SECRET) for one in receivers]
    outward[1] = outward[1].replace('[control]\nhttp = "none"\n', "")
    settings.write_text(settings.read_text() + "".join(outward))
    over = threading.Event()
    gateway = threading.Thread(target=disconnect_all, args=(gate.dynauth_port, over))
    gateway.start()
    control: subprocess.Popen[bytes] | None = None
    try:
        gate.apply()
        gate.start()
        everyone_connects(gate, fleet, numbers)
        said = (gate.folder / "control.log").open("ab")
        command = [sys.executable, "-m", "simward.control", "--dir", str(gate.folder)]
        control = subprocess.Popen(command, stdout=said, stderr=said)
        _until_followed(receivers, control, gate)
        used = cpu_seconds(control.pid)
        shown = show_wrong_devices(gate, fleet, numbers)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and any(len(one.broken()) < len(numbers) for one in receivers):
            time.sleep(0.2)
        used = cpu_seconds(control.pid) - used
    finally:
        over.set()
        if control is not None:
            stop(control)
        gate.close()
        for one in receivers:
            one.process.send_signal(signal.SIGKILL)
            one.process.wait()
        gateway.join()
    return _told(folder, numbers, shown, used, receivers, quick=quick)


def _until_followed(receivers: list[Receiver], control: subprocess.Popen[bytes], gate: Gate) -> None:
    """Until the control process has told what came before: the policy, by which the way is warm too."""
    end = time.monotonic() + PATIENCE_S
    while any(not one.notes.stat().st_size for one in receivers):
        if control.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"control tells nothing: {(gate.folder / 'control.log').read_text()[-2000:]}")
        time.sleep(0.1)
    time.sleep(3)


def _told(
    folder: Path, numbers: np.ndarray, shown: list[float], used_s: float, receivers: list[Receiver], *, quick: bool
) -> dict[str, object]:
    taken = [one.broken() for one in receivers]
    imsis = [f"{IMSI_FIRST + int(number):015d}" for number in numbers]
    waits, missing = [], 0
    for imsi, at in zip(imsis, shown):
        both = [one.get(imsi) for one in taken]
        if None in both:
            missing += 1
            waits.append(PATIENCE_S * 1e3)
        else:
            waits.append((max(one for one in both if one is not None) - at) * 1e3)
    said = spread(waits)
    figures = {
        "findings": len(waits), "per_second": PER_SECOND, "told_to_both_ms": {**said, "most": max(waits)},
        "not_told_to_both": missing, "cores": os.cpu_count(),
        "control_cpu_ms_a_finding": used_s * 1e3 / len(waits),
    }  # fmt: skip
    bars = [
        Bar("wrong device to a webhook received by both parties, p99, at 100 findings/s", said["p99"] / 1e3, 1, "s",
            at_most=True),
        Bar("findings not told to both", missing, 0, "", at_most=True),
    ]  # fmt: skip
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    print(f"         p50 {said['p50']:.0f} ms, p99 {said['p99']:.0f} ms, most {max(waits):.0f} ms")
    return result


def main() -> None:
    """Answer the question."""
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="simward-bench-told-") as name:
        measure(Path(name), QUICK if quick else SECONDS, quick=quick)


if __name__ == "__main__":
    main()
