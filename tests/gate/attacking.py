"""Changed requests against a running gate, over UDP, and what it made of them."""

from __future__ import annotations

import time
from pathlib import Path

from gate.running import SECRET, RunningGate, udp
from simward.engine.events import TICK
from simward.engine.journal import row_events
from simward.engine.sqlite_journal import SqliteJournal
from simward.wire.radius.batch import ACCOUNTING, AUTH
from simward.wire.radius.packet import Packet
from wire.mutating import Mutations, is_genuine

AT_ONCE = 100


class Attacker:
    """Sends from the address of a gateway, whose secret it knows now and then; keeps what should have come of it."""

    def __init__(self, gate: RunningGate, seed: int = 7) -> None:
        self._gate, self._mutations = gate, Mutations(seed, SECRET.encode())
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


def heard_events(folder: Path) -> int:
    """How many events a gate that has stopped has journalled, ticks aside."""
    journal = SqliteJournal.open(folder / "data" / "journal", writer=False)
    rows = [row_events(row, journal.layouts)["kind"] for row in journal.rows() if row.kind == "events"]
    journal.close()
    return sum(int((kinds != TICK).sum()) for kinds in rows)
