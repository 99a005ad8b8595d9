"""Strangers who connect and say nothing: neither the API nor the process's descriptors are theirs to use up."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.running import RunningControl
from gate.running import RunningGate, until
from simward.control import http_connections
from simward.control.http_connections import CONNECTIONS_MAX

WITHIN_S = 0.3


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningControl]:
    monkeypatch.setattr(http_connections, "REQUEST_WITHIN_S", WITHIN_S)
    made = RunningControl(RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder, authenticators=[])
    yield made
    made.close()
    assert made.error is None


def silent(control: RunningControl, said: bytes, times: int = 1) -> list[socket.socket]:
    opened = [socket.create_connection(control.tcp(), timeout=10) for _ in range(times)]
    for one in opened:
        with contextlib.suppress(OSError):  # it was closed to make room
            one.sendall(said)
    return opened


def is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_who_says_nothing_makes_room(control: RunningControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "REQUEST_WITHIN_S", 60.0)
    before = len(os.listdir("/proc/self/fd"))
    opened = silent(control, b"GET /healthz HTTP/1.1\r\nX: ", CONNECTIONS_MAX + 50)
    until(lambda: len(os.listdir("/proc/self/fd")) - before <= 2 * CONNECTIONS_MAX + 50)
    assert control.ask("GET", "/healthz", tcp=True).status == 200
    assert is_closed(opened[0])
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n."],
)  # fmt: skip
def test_a_request_comes_within_its_deadline_or_not_at_all(control: RunningControl, said: bytes) -> None:
    began = time.monotonic()
    [one] = silent(control, said)
    with contextlib.closing(one):
        assert is_closed(one)
        assert WITHIN_S * 0.9 < time.monotonic() - began < WITHIN_S + 5


def test_dripping_octets_does_not_move_the_deadline(control: RunningControl) -> None:
    [one] = silent(control, b"GET /healthz HTTP/1.1\r\n")
    with contextlib.closing(one):
        one.settimeout(0.02)
        for _ in range(200):
            try:
                one.sendall(b"X: y\r\n")
                if one.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    pytest.fail("it goes on for ever")


def test_what_has_come_whole_is_answered_however_long_ago_the_connection_began(control: RunningControl) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    [one] = silent(control, asked)
    with contextlib.closing(one):
        for _ in range(3):
            answer = b""
            while not answer.endswith(b"}"):
                answer += one.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(WITHIN_S)
            one.sendall(asked)
