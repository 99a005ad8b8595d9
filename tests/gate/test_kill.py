"""kill -9 at fifty random moments under load: what was acknowledged is in the journal, once, and the state is the fold.

The gates are forked from a process that has the compiled code loaded: fifty starts take seconds, not minutes.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import select
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest

from gate.forking import serve_in
from gate.running import READY_S, SECRET, RunningGate, imeisv, imsi, udp
from simward.engine.fold import Fold
from simward.engine.journal import row_events, row_outputs
from simward.engine.outputs import BOUND
from simward.engine.replay import fold_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import restore
from simward.watch.snapshots import make_snapshot
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

MOMENTS = 50
SNAPSHOT_AFTER = 20
WINDOW = 100
FLEET = 50
"""Members that account; each of those behind them asks to connect once, and is bound by that."""
ASKING, ASKS_EACH = 6_000, 25
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["gate.forking"])


@pytest.fixture(scope="module", autouse=True)
def fork_server() -> None:
    """Start it where it finds what it is to load: CPython 3.11 does not tell it where these modules are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        forkserver.ensure_running()


class Forked:
    """A gate in a child of the fork server."""

    def __init__(self, folder: Path) -> None:
        hears, tells = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=serve_in, args=(folder, tells), daemon=True)
        self._process.start()
        tells.close()
        assert hears.poll(READY_S), "not ready within two minutes"
        ports = re.findall(r"127\.0\.0\.1:(\d+)", hears.recv())
        hears.close()
        self.auth, self.accounting = ("127.0.0.1", int(ports[0])), ("127.0.0.1", int(ports[1]))

    def end(self, how: signal.Signals) -> int | None:
        """Kill or stop it; its exit status."""
        assert self._process.pid is not None
        os.kill(self._process.pid, how)
        self._process.join(READY_S)
        return self._process.exitcode


class Load:
    """A gateway that keeps a window of records and requests unanswered, and sends again what was not."""

    def __init__(self) -> None:
        self.acknowledged: Counter[bytes] = Counter()
        self.refused: list[bytes] = []
        self.made = self.asked = 0
        self.waiting: dict[int, tuple[bytes, Packet, bytes]] = {}
        self.socket = udp()
        self.socket.setblocking(False)

    def record(self, identifier: int) -> tuple[bytes, Packet, bytes]:
        """A new record; the session's name tells it from all others."""
        self.made += 1
        name = b"K%07d" % self.made
        packet = Packet(Code.ACCOUNTING_REQUEST, identifier).add_all(
            [("3GPP-IMSI", imsi(1 + self.made % FLEET)), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", name),
             ("NAS-Identifier", "pgw1")]
        )  # fmt: skip
        return name, packet, packet.sign_accounting_request(SECRET.encode())

    def request(self, identifier: int) -> tuple[bytes, Packet, bytes]:
        """A request of a subscription that was never heard of; its session's name tells it from all others."""
        self.asked += 1
        number, name = FLEET + self.asked, b"Q%07d" % self.asked
        packet = Packet(Code.ACCESS_REQUEST, identifier, os.urandom(16)).add_all(
            [("3GPP-IMSI", imsi(number)), ("3GPP-IMEISV", imeisv(number)), ("Called-Station-Id", "meters.iot"),
             ("NAS-Identifier", "pgw1"), ("Acct-Session-Id", name)]
        )  # fmt: skip
        return name, packet, packet.sign_access_request(SECRET.encode())

    def send(self, gate: Forked, identifier: int) -> None:
        """Send what waits for an answer under that identifier."""
        _, packet, octets = self.waiting[identifier]
        self.socket.sendto(octets, gate.auth if packet.code == Code.ACCESS_REQUEST else gate.accounting)

    def run(self, gate: Forked, until: float) -> None:
        """Keep the window full until then; everything that was not answered is sent once more first."""
        asked_until = self.asked + ASKING // (MOMENTS + 1)  # no gate of all that are killed goes unasked
        for identifier in self.waiting:
            self.send(gate, identifier)
        while time.monotonic() < until:
            for identifier in range(WINDOW):
                if identifier not in self.waiting:
                    asks = identifier % ASKS_EACH == 0 and self.asked < asked_until
                    self.waiting[identifier] = self.request(identifier) if asks else self.record(identifier)
                    self.send(gate, identifier)
            select.select([self.socket], [], [], 0.002)
            self.hear()

    def hear(self) -> None:
        """Take the answers that have come."""
        while True:
            try:
                packet = Packet.decode(self.socket.recv(4096))
            except BlockingIOError:
                return
            waiting = self.waiting.get(packet.identifier)
            if waiting and packet.verify_response(waiting[1].authenticator, SECRET.encode()):
                self.acknowledged[waiting[0]] += 1
                if packet.code == Code.ACCESS_REJECT:
                    self.refused.append(waiting[0])
                del self.waiting[packet.identifier]


@pytest.fixture
def load() -> Iterator[Load]:
    made = Load()
    yield made
    made.socket.close()


def test_what_was_acknowledged_is_there_once_whenever_it_is_killed(tmp_path: Path, load: Load) -> None:
    folder = RunningGate(tmp_path / "net", FLEET + ASKING).folder
    chosen = random.Random(20_270)
    for moment in range(MOMENTS):
        gate = Forked(folder)
        load.run(gate, time.monotonic() + chosen.uniform(0.0, 0.12))
        gate.end(signal.SIGKILL)
        load.hear()
        if moment == SNAPSHOT_AFTER:
            make_snapshot(folder / "data")
    gate = Forked(folder)
    load.run(gate, time.monotonic() + 0.5)
    assert gate.end(signal.SIGTERM) == 0
    load.hear()
    check(folder, load)


def check(folder: Path, load: Load) -> None:
    """Count every record in the journal, and fold it from its start."""
    journal = SqliteJournal.open(folder / "data" / "journal", writer=False)
    found: Counter[bytes] = Counter()
    bound: Counter[tuple[int, int]] = Counter()
    whole = Fold.new()
    for row in journal.rows():
        fold_row(whole, row, journal.layouts)
        if row.kind == "events":
            for event in row_events(row):
                found[event["session_id"][: int(event["session_id_octets"])].tobytes()] += 1
            outputs = row_outputs(row)
            bindings = outputs[outputs["kind"] == BOUND]
            bound.update((int(one["imsi"]), int(one["now"]) // 1000) for one in bindings)
    del found[b""]  # ticks
    let_in = [name for name in load.acknowledged if name.startswith(b"Q")]
    assert len(load.acknowledged) > 10 * MOMENTS, "there was load"
    assert not [name for name in load.acknowledged if not found[name]], "acknowledged and lost"
    assert not [name for name, count in found.items() if count > 1], "journalled twice"
    assert len(let_in) > 2 * MOMENTS and not load.refused
    assert all(bound[first_use(name)] == 1 for name in let_in), "let in and not bound"
    assert max(bound.values()) == 1, "bound twice"
    assert journal.verify().wrong == 0
    assert restore(folder / "data", journal).state.digest() == whole.state.digest()
    journal.close()


def first_use(name: bytes) -> tuple[int, int]:
    """The subscription that asked under that name, and its device, as outputs have them."""
    number = FLEET + int(name[1:])
    return int("1" + imsi(number)), int(imeisv(number)[:14])


def test_a_socket_is_closed_when_its_gate_is_killed(tmp_path: Path) -> None:
    gate = Forked(RunningGate(tmp_path / "net", 1).folder)
    gate.end(signal.SIGKILL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(gate.accounting)
