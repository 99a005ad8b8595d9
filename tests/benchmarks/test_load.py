"""The load generator sends what a gateway would send, and believes only what it has checked."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from benchmarks.load.driver import Load
from benchmarks.load.fleet import Fleet, luhn
from benchmarks.load.paced import PacedLoad
from benchmarks.load.packets import INTERIM, START, STOP, accounting_requests, reply_is_authentic
from benchmarks.load.sessions import Traffic

SECRET = b"benchmark"
compiled_only = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"), reason="the load calls the kernel from compiled code"
)


def answer(request: bytes, secret: bytes) -> bytes:
    head = bytes([2 if request[0] == 1 else 5, request[1], 0, 20])
    return head + hashlib.md5(head + request[4:20] + secret).digest()


@pytest.fixture
def server() -> Iterator[dict[str, object]]:
    """Answers on one port, drops the first packet it sees, signs with the secret it is told."""
    told: dict[str, object] = {"secret": SECRET, "seen": []}
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    told["port"] = listening.getsockname()[1]

    def serve() -> None:
        while True:
            packet, peer = listening.recvfrom(4096)
            if packet == b"end":
                return
            told["seen"].append(packet)  # type: ignore[attr-defined]
            if len(told["seen"]) > 1:  # type: ignore[arg-type]
                listening.sendto(answer(packet, told["secret"]), peer)  # type: ignore[arg-type]

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield told
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
        ending.sendto(b"end", ("127.0.0.1", told["port"]))
    thread.join(5)
    listening.close()


@compiled_only
def test_a_lost_packet_is_sent_again_and_each_request_is_answered_once(server: dict[str, object]) -> None:
    traffic = Traffic(Fleet(50), SECRET, sockets=2, seed=1)
    load = Load("127.0.0.1", server["port"], server["port"], SECRET, sockets=2)  # type: ignore[arg-type]
    outcome = load.run(traffic.auth(700), outstanding=32, retry_s=0.05)
    load.close()
    assert outcome.sound() and outcome.accepted == 700 and outcome.retransmitted >= 1
    assert outcome.verified_replies == 700 and outcome.per_second > 0


@compiled_only
def test_an_answer_by_someone_who_does_not_know_the_secret_is_not_believed(server: dict[str, object]) -> None:
    server["secret"] = b"guess"
    traffic = Traffic(Fleet(50), SECRET, sockets=2, seed=1)
    load = Load("127.0.0.1", server["port"], server["port"], SECRET, sockets=2)  # type: ignore[arg-type]
    outcome = load.run(traffic.auth(20), traffic.accounting(20), outstanding=8, retry_s=0.05)
    load.close()
    assert outcome.forged_replies == outcome.completed and not outcome.sound()


@compiled_only
def test_at_a_pace_each_packet_goes_out_once_and_what_is_lost_is_lost(server: dict[str, object]) -> None:
    traffic = Traffic(Fleet(50), SECRET, sockets=3, seed=1)
    load = PacedLoad("127.0.0.1", server["port"], sockets=3)  # type: ignore[arg-type]
    kept = load.run(traffic.auth(101), per_second=2_000)
    load.close()
    seen: list[bytes] = server["seen"]  # type: ignore[assignment]
    assert kept.sent == len(seen) == len(set(seen)) == 101
    assert kept.answered == 100 and kept.lost_share == pytest.approx(1 / 101) and kept.latency_us["p50"] > 0


def test_access_requests_are_signed_as_the_rfcs_say() -> None:
    packets = Traffic(Fleet(10), SECRET, sockets=1, seed=3).auth(5)
    for number in range(5):
        packet = packets.packet(number)
        assert packet[0] == 1 and packet[1] == number and int.from_bytes(packet[2:4], "big") == len(packet)
        assert packet[20:22] == bytes([80, 18])
        zeroed = packet[:22] + bytes(16) + packet[38:]
        assert packet[22:38] == hmac.new(SECRET, zeroed, hashlib.md5).digest()
        assert 200 <= len(packet) <= 260


def test_accounting_requests_are_signed_as_the_rfcs_say() -> None:
    numbers = np.arange(3)
    packets = accounting_requests(
        Fleet(10), numbers, np.array([START, INTERIM, STOP]), numbers, np.array([0, 1, 3]), SECRET, sockets=1
    )
    for number in range(3):
        packet = packets.packet(number)
        assert packet[0] == 4
        assert packet[4:20] == hashlib.md5(packet[:4] + bytes(16) + packet[20:] + SECRET).digest()
        assert reply_is_authentic(packet, answer(packet, SECRET), SECRET)
        assert not reply_is_authentic(packet, answer(packet, b"guess"), SECRET)


def test_no_accounting_request_is_like_another() -> None:
    traffic = Traffic(Fleet(20), SECRET, sockets=1, seed=4)
    traffic.everyone()
    bodies = [traffic.accounting(20) for _ in range(8)]
    texts = [packets.packet(number)[20:] for packets in bodies for number in range(20)]
    assert len(set(texts)) == len(texts)


def test_iccids_carry_a_luhn_digit() -> None:
    assert luhn(np.array([7992739871]))[0] == 3
    assert Fleet(1).iccid(np.array([0])).tobytes().startswith(b"8988")


def test_tshark_reads_what_is_sent(tmp_path: Path, tshark: str) -> None:
    packets = Traffic(Fleet(10), SECRET, sockets=1, seed=3)
    lines = []
    for packet in (packets.auth(1).packet(0), packets.accounting(1).packet(0)):
        lines.append("000000 " + " ".join(f"{octet:02x}" for octet in packet))
    dump, capture = tmp_path / "dump", tmp_path / "capture"
    dump.write_text("\n".join(lines) + "\n")
    subprocess.run(["text2pcap", "-q", "-u", "5000,1812", dump, capture], check=True, capture_output=True)
    fields = ["radius.code", "radius.User_Name", "e212.imsi", "_ws.malformed"]
    said = subprocess.run(
        [tshark, "-r", capture, "-T", "fields", *[part for name in fields for part in ("-e", name)]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    codes = [line.split("\t")[0] for line in said.stdout.splitlines()]
    assert codes == ["1", "4"], said.stderr
    assert all("001010000000" in line for line in said.stdout.splitlines())
