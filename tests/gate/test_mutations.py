"""A running gate under changed requests, over UDP: it answers what is signed, counts the rest, and does not grow."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gate.attacking import Attacker, heard_events
from gate.running import SECRET, RunningGate, udp
from simward.wire.radius.packet import Packet
from wire.judging import STATM, resident

PACKETS = 40_000
WARM_UP = 20_000
GROWTH_MAX = 8 * 1024 * 1024
"""Tables of fixed size are touched for the first time here and there; 20,000 packets kept would be more."""
pytestmark = pytest.mark.skipif(not STATM.exists(), reason="no /proc here: memory cannot be seen")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("mutations") / "net").start()
    yield made
    made.close()


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
    assert gate.process is not None
    before = resident(gate.process.pid)
    attacker.attack(PACKETS - WARM_UP)
    time.sleep(0.1)
    attacker.hear()
    grown = resident(gate.process.pid) - before
    assert grown < GROWTH_MAX, f"{grown / 2**20:.1f} MiB more"
    counted = gate.ask("status")["packets"]
    attacker.close()
    assert gate.stop() == 0, gate.errors()
    assert "Traceback" not in gate.errors() and SECRET not in gate.errors()
    assert PACKETS // 20 < counted["accepted"] <= attacker.genuine
    assert 0 < attacker.answers <= attacker.genuine
    assert 0 < heard_events(gate.folder) <= counted["accepted"], "no event but of a packet that was accepted"
