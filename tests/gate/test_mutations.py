"""A running gate under changed requests, over UDP: it answers what is signed, counts the rest, and does not grow."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.running import SECRET, RunningGate, udp
from simward.engine.events import KIND_NAMES, TICK
from simward.engine.journal import row_events
from simward.engine.sqlite_journal import SqliteJournal
from simward.wire.radius.batch import ACCOUNTING, AUTH
from simward.wire.radius.packet import Packet
from wire.mutating import Mutations, is_genuine

PACKETS = 40_000
WARM_UP = 20_000
AT_ONCE = 100
GROWTH_MAX = 8 * 1024 * 1024
"""Tables of fixed size are touched for the first time here and there; 20,000 packets kept would be more."""
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here: memory cannot be seen")


class Attacker:
    """Sends from the address of a gateway, whose secret it knows now and then; keeps what should have come of it."""

    def __init__(self, gate: RunningGate) -> None:
        self._gate, self._mutations = gate, Mutations(7, SECRET.encode())
        self._opened = {AUTH: udp(), ACCOUNTING: udp()}
        for one in self._opened.values():
            one.setblocking(False)
        self.sent, self.genuine, self.answers = 0, 0, 0
        self.asked: dict[tuple[int, int], dict[bytes, None]] = {}

    def attack(self, count: int) -> None:
        for _ in range(0, count, AT_ONCE):
            for number in range(AT_ONCE):
                octets = self._mutations.next()
                kind = ACCOUNTING if octets[:1] == b"\x04" or number % 16 == 0 else AUTH
                self._opened[kind].sendto(octets, self._gate.accounting if kind == ACCOUNTING else self._gate.auth)
                self.genuine += is_genuine(octets, kind, SECRET.encode())
                if len(octets) >= 20:
                    asked = self.asked.setdefault((kind, octets[1]), {})
                    asked.pop(octets[4:20], None)  # the newest stands last
                    asked[octets[4:20]] = None
            self.sent += AT_ONCE
            until = time.monotonic() + 10
            while self.judged() < self.sent:
                assert time.monotonic() < until, f"{self.sent} were sent, {self.judged()} judged"
                time.sleep(0.002)
            self.hear()

    def judged(self) -> int:
        return int(sum(self._gate.ask("status")["packets"].values()))

    def hear(self) -> None:
        for kind, opened in self._opened.items():
            while True:
                try:
                    octets = opened.recv(4096)
                except BlockingIOError:
                    break
                answer = Packet.decode(octets)
                asked = self.asked.get((kind, answer.identifier), {})
                assert any(answer.verify_response(one, SECRET.encode()) for one in reversed(asked)), octets.hex()
                self.answers += 1

    def close(self) -> None:
        for one in self._opened.values():
            one.close()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("mutations") / "net").start()
    yield made
    made.close()


def resident(gate: RunningGate) -> int:
    assert gate.process is not None
    pages = int(Path(f"/proc/{gate.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_an_answer_is_not_taken_for_a_request(gate: RunningGate) -> None:
    """What the gate itself sent, sent back to it, is nothing: two gates cannot be made to talk to each other."""
    with udp() as asking:
        request = Packet(12, 1, bytes(range(16))).sign_status_server(SECRET.encode())
        asking.sendto(request, gate.auth)
        answer = asking.recv(4096)
        asking.sendto(answer, gate.auth)
        asking.settimeout(0.3)
        with pytest.raises(TimeoutError):
            asking.recv(4096)
    assert gate.metric("packets_total", "bad_code") == 1


def test_changed_requests_do_no_harm(gate: RunningGate) -> None:
    attacker = Attacker(gate)
    attacker.attack(WARM_UP)
    before = resident(gate)
    attacker.attack(PACKETS - WARM_UP)
    time.sleep(0.1)
    attacker.hear()
    grown = resident(gate) - before
    assert grown < GROWTH_MAX, f"{grown / 2**20:.1f} MiB more"
    counted = gate.ask("status")["packets"]
    attacker.close()
    assert gate.stop() == 0, gate.errors()
    assert "Traceback" not in gate.errors() and SECRET not in gate.errors()
    assert PACKETS // 20 < counted["accepted"] <= attacker.genuine
    assert 0 < attacker.answers <= attacker.genuine
    journal = SqliteJournal.open(gate.folder / "data" / "journal", writer=False)
    kinds = [int(kind) for row in journal.rows() if row.kind == "events" for kind in row_events(row)["kind"]]
    journal.close()
    heard = [KIND_NAMES[kind] for kind in kinds if kind != TICK]
    assert 0 < len(heard) <= counted["accepted"], "no event but of a packet that was accepted"
