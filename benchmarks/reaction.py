"""How soon after a packet that shows the wrong device does the Disconnect-Request leave, at half of the maximum load?

The maximum of accounting is measured first; then half of it comes at its own pace while now and then an interim update
names a device that its subscription is not bound to. The time runs from just before that packet is sent to when the
kernel of the gateway's side received the Disconnect-Request (SO_TIMESTAMPNS), which is answered with an ACK. The gate
has journalled the finding before it asks.
"""

from __future__ import annotations

import hashlib
import os
import random
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.disk import spread
from benchmarks.gate import POLICY, Gate
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.paced import Kept, PacedLoad
from benchmarks.load.packets import INTERIM, START, Packets, accounting_requests
from benchmarks.load.sessions import Traffic
from benchmarks.report import Bar, save
from benchmarks.same_decision import InOtherDevices

NAME = "reaction"
QUESTION = "from the packet that shows the wrong device to the Disconnect-Request, at half of the maximum load"
SECRET = b"a-secret-only-for-benchmarks"
SOCKETS = 16
PROBES_PER_SECOND = 40
SO_TIMESTAMPNS = 35
DISCONNECT_REQUEST, DISCONNECT_ACK = 40, 41  # RFC 5176 2.1
PATIENCE_S = 5.0
STRETCH_S = 2.5
"""Of load in one piece: its packets are made beforehand, and lie in memory."""
# As usual, but every wrong device is acted on: the limits that protect a fleet from its automation are not in question.
ACTS = POLICY.replace("per_hour: 20, share_of_fleet: 0.5%", "per_hour: 1000000, share_of_fleet: 100%")


class Probes:
    """Subscriptions at the end of the fleet, each with a live session; each is found in the wrong device once."""

    def __init__(self, gate: Gate, fleet: Fleet, numbers: np.ndarray) -> None:
        self._numbers, self._at = numbers, 0
        step = np.zeros(len(numbers), np.int64)
        session = numbers * 64 + 1
        kind = np.full(len(numbers), START)
        self.starts = accounting_requests(fleet, numbers, kind, session, step, SECRET, 1)
        self._wrong = accounting_requests(
            InOtherDevices(fleet.count), numbers, np.full(len(numbers), INTERIM), session, step + 1, SECRET, 1
        )
        self._session_ids = [f"7F000001{number:08X}".encode() for number in session.tolist()]
        self._asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._asking.connect(("127.0.0.1", gate.accounting_port))
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._listening.bind(("127.0.0.1", gate.dynauth_port))
        self._listening.settimeout(PATIENCE_S)

    @property
    def left(self) -> int:
        """How many have not been used."""
        return len(self._numbers) - self._at

    def probe(self) -> float | None:
        """Show one device that is wrong; microseconds until the Disconnect-Request came, None where none came."""
        packet, wanted = self._wrong.packet(self._at), self._session_ids[self._at]
        self._at += 1
        before = time.time_ns()
        self._asking.send(packet)
        while True:
            try:
                request, notes, _, gate = self._listening.recvmsg(4096, 256)
            except TimeoutError:
                return None
            self._listening.sendto(acknowledged(request), gate)
            if request[0] == DISCONNECT_REQUEST and wanted in request:
                return (arrived_ns(notes) - before) / 1000

    def close(self) -> None:
        """Give the sockets back."""
        self._asking.close()
        self._listening.close()


def arrived_ns(notes: list[tuple[int, int, bytes]]) -> int:
    """When the kernel received it (CLOCK_REALTIME)."""
    for level, kind, octets in notes:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("=qq", octets[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


def acknowledged(request: bytes) -> bytes:
    """The Disconnect-ACK (RFC 5176 2.3): the authenticator is made as in answers to accounting."""
    head = bytes([DISCONNECT_ACK, request[1], 0, 20])
    return head + hashlib.md5(head + request[4:20] + SECRET).digest()


def maximum(gate: Gate, traffic: Traffic, count: int, rounds: int) -> float:
    """Accounting a second when as much is sent as is answered: the median of the better window."""
    load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, SOCKETS)
    try:
        rates = {
            window: statistics.median(
                load.run(traffic.accounting(count), outstanding=window).per_second for _ in range(rounds)
            )
            for window in (256, 1024)
        }
    finally:
        load.close()
    return max(rates.values())


def under_load(background: PacedLoad, packets: Packets, per_second: float, probes: Probes) -> tuple[Kept, list[float]]:
    """One stretch of the load, with probes in it."""
    kept: list[Kept] = []
    thread = threading.Thread(target=lambda: kept.append(background.run(packets, per_second)))
    thread.start()
    chance, found = random.Random(probes.left), []
    end = time.monotonic() + 0.95 * len(packets) / per_second
    while time.monotonic() < end and probes.left:
        time.sleep(chance.uniform(0.5, 1.5) / PROBES_PER_SECOND)
        took = probes.probe()
        found.append(PATIENCE_S * 1e6 if took is None else took)
    thread.join()
    return kept[0], found


def prepare(gate: Gate, traffic: Traffic, probes: Probes) -> None:
    """Everyone asks and starts; those to be probed, too, who are then bound and have a session."""
    load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, SOCKETS)
    for packets in traffic.everyone():
        load.run(packets, outstanding=256)
    traffic.scatter()
    load.close()
    load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, 1)
    if load.run(probes.starts, outstanding=64).completed != probes.left:
        raise RuntimeError("not every session to be probed could be started")
    load.close()


def measure(folder: Path, *, subscriptions: int, count: int, stretches: int, quick: bool) -> dict[str, object]:
    """The maximum, then stretches at half of it."""
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(subscriptions)
    whole = Fleet(subscriptions + (50 if quick else 4_000))
    gate = Gate(server_core, SECRET, whole, folder, ACTS)
    background_kept, took = [], []
    try:
        gate.apply()
        gate.start()
        traffic = Traffic(fleet, SECRET, SOCKETS, seed=1)
        probes = Probes(gate, whole, np.arange(subscriptions, whole.count))
        prepare(gate, traffic, probes)
        most = maximum(gate, traffic, count, 1 if quick else 3)
        background = PacedLoad("127.0.0.1", gate.accounting_port, SOCKETS)
        stretch = min(count, int(STRETCH_S * most / 2))
        for _ in range(stretches):
            kept, found = under_load(background, traffic.accounting(stretch), most / 2, probes)
            background_kept.append(kept)
            took += found
        background.close()
        probes.close()
    finally:
        gate.close()
    said = spread(took)
    silent = sum(one >= PATIENCE_S * 1e6 for one in took)
    figures = {
        "maximum_per_second": most, "load_per_second": statistics.median(one.per_second for one in background_kept),
        "reaction_us": {**said, "most": max(took), "least": min(took)}, "without_disconnect": silent,
        "load": [asdict(one) for one in background_kept],
    }  # fmt: skip
    bars = [Bar("wrong device to Disconnect-Request, p99", said["p99"] / 1000, 20, "ms", at_most=True)]
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    print(f"         {len(took)} times at {figures['load_per_second']:,.0f}/s (half of {most:,.0f}/s): p50 "
          f"{said['p50'] / 1000:.2f} ms, p99 {said['p99'] / 1000:.2f} ms, most {max(took) / 1000:.2f} ms")  # fmt: skip
    if silent:
        print(f"  only {len(took) - silent} of {len(took)} were disconnected", file=sys.stderr)
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=4_000, count=4_000, stretches=2, quick=True)
    return measure(here, subscriptions=200_000, count=200_000, stretches=12, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
