"""A disk that is really full: a small tmpfs, filled while the gate runs, and emptied again."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.running import SECRET, RunningGate, imsi, udp
from simward.engine.journal import row_events
from simward.engine.sqlite_journal import SqliteJournal
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

SIZE = 60 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def start(number: int) -> tuple[Packet, bytes]:
    packet = Packet(Code.ACCOUNTING_REQUEST, number % 256).add_all(
        [("3GPP-IMSI", imsi(1 + number % 20)), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", f"F{number:07d}")]
    )
    return packet, packet.sign_accounting_request(SECRET.encode())


def request(number: int) -> bytes:
    packet = Packet(Code.ACCESS_REQUEST, number % 256, os.urandom(16)).add("3GPP-IMSI", imsi(1))
    return packet.add("3GPP-IMEISV", "3500000100000101").sign_access_request(SECRET.encode())


def ask(asking: socket.socket, octets: bytes, to: tuple[str, int], wait_s: float) -> Packet | None:
    asking.settimeout(wait_s)
    asking.sendto(octets, to)
    try:
        while True:
            answer = Packet.decode(asking.recv(4096))
            if answer.identifier == octets[1]:
                return answer
    except TimeoutError:
        return None


def fill(asking: socket.socket, gate: RunningGate) -> tuple[list[int], int]:
    """One record after the other until one is not acknowledged; those that were, and the one that was not."""
    acknowledged: list[int] = []
    for number in range(50_000):
        if ask(asking, start(number)[1], gate.accounting, 1.5) is None and not gate.ask("status")["durable"]:
            return acknowledged, number
        acknowledged.append(number)
    raise AssertionError("the disk never became full")


def test_a_full_disk_is_not_acknowledged_and_is_survived(small_disk: Path) -> None:
    gate = RunningGate(small_disk / "net")
    gate.start()
    try:
        with udp() as asking:
            filler = small_disk / "filler"
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 16)):
                        pass
                except OSError:
                    pass
            acknowledged, missed = fill(asking, gate)
            refused = ask(asking, request(1), gate.auth, 2.0)
            assert refused is not None and refused.code == Code.ACCESS_REJECT
            assert "cannot be recorded" in str(refused.get("Reply-Message"))
            assert ask(asking, start(missed)[1], gate.accounting, 0.7) is None
            assert not gate.ask("lock", iccid="8901010000000000011", because="a test")["ok"]
            assert "CANNOT BE WRITTEN" in gate.errors()
            assert gate.metric("not_durable_total", "accounting") >= 1 and gate.metric("durable") == 0
            filler.unlink()
            until = time.monotonic() + 10
            while not gate.ask("status")["durable"]:
                assert time.monotonic() < until, "the journal can be written again"
                time.sleep(0.1)
            assert ask(asking, start(missed)[1], gate.accounting, 2.0) is not None
            accepted = ask(asking, request(2), gate.auth, 2.0)
            assert accepted is not None and accepted.code == Code.ACCESS_ACCEPT
        assert gate.stop() == 0
        check(gate, [*acknowledged, missed])
    finally:
        gate.close()


def check(gate: RunningGate, acknowledged: list[int]) -> None:
    journal = SqliteJournal.open(gate.folder / "data" / "journal", writer=False)
    kept = [
        int(event["session_id"][1:8].tobytes())
        for row in journal.rows() if row.kind == "events"
        for event in row_events(row) if event["session_id_octets"] == 8
    ]  # fmt: skip
    journal.close()
    assert len(kept) == len(set(kept)), "journalled twice"
    assert set(acknowledged) <= set(kept)
