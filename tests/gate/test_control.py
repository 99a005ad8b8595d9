"""The command socket: whole commands in, one answer each, bounded in every direction."""

from __future__ import annotations

import json
import os
import select
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simward import gate_socket
from simward.errors import PeerError
from simward.gate import control


class Gate:
    """A command socket with a poller of its own, served from a thread."""

    def __init__(self, data_dir: Path) -> None:
        self.poller = select.poll()
        self.data_dir = data_dir
        self.commands = control.CommandSocket(data_dir, self.watch, self.poller.unregister)
        self.answers: Callable[[control.Call], None] = lambda call: call.answer(heard=call.payload)
        self._stop = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def watch(self, number: int, writable: bool) -> None:
        self.poller.register(number, select.POLLIN | (select.POLLOUT if writable else 0))

    def _serve(self) -> None:
        while not self._stop:
            for number, _ in self.poller.poll(20):
                for call in self.commands.ready(number, 0.0):
                    self.answers(call)
                self.commands.flush()

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        self.commands.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "data")
    yield made
    made.close()


def connect(gate: Gate) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.settimeout(5)
    opened.connect(str(gate.commands.path))
    return opened


def test_a_command_is_answered(gate: Gate) -> None:
    assert gate_socket.ask(gate.data_dir, {"do": "status"}) == {"ok": True, "heard": {"do": "status"}}


def test_only_the_owner_may_open_it(gate: Gate) -> None:
    assert stat.S_IMODE(gate.commands.path.stat().st_mode) == 0o600


def test_a_refusal_says_why(gate: Gate) -> None:
    gate.answers = lambda call: call.refuse("no such thing")
    assert gate_socket.ask(gate.data_dir, {}) == {"ok": False, "error": "no such thing"}


def test_several_commands_in_one_piece_and_one_in_several(gate: Gate) -> None:
    with connect(gate) as opened, opened.makefile("r") as answers:
        opened.sendall(b'{"a":1}\n{"a":2}\n{"a"')
        assert [json.loads(answers.readline())["heard"] for _ in range(2)] == [{"a": 1}, {"a": 2}]
        opened.sendall(b":3}\n")
        assert json.loads(answers.readline())["heard"] == {"a": 3}


@pytest.mark.parametrize("line", [b"[1]", b"nonsense", b"[" * 60_000])
def test_what_is_no_command_is_refused_in_words(gate: Gate, line: bytes) -> None:
    with connect(gate) as opened, opened.makefile("r") as answers:
        opened.sendall(line + b"\n")
        assert json.loads(answers.readline())["error"] == "not a JSON object"


def test_an_endless_line_is_cut_off(gate: Gate) -> None:
    with connect(gate) as opened:
        received = b""
        try:
            for _ in range(100):
                opened.sendall(b"x" * 65536)
        except OSError:
            pass
        try:
            while octets := opened.recv(65536):
                received += octets
        except ConnectionResetError:
            pass
    assert gate_socket.ask(gate.data_dir, {"still": "there"})["ok"]


def test_a_big_answer_arrives_whole(gate: Gate) -> None:
    gate.answers = lambda call: call.answer(text="x" * 3_000_000)
    assert len(gate_socket.ask(gate.data_dir, {})["text"]) == 3_000_000


def test_a_second_gate_is_refused_and_a_dead_one_is_replaced(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="already running"):
        control.CommandSocket(gate.data_dir, gate.watch, gate.poller.unregister)
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    (tmp_path / "other").mkdir()
    left.bind(str(tmp_path / "other" / gate_socket.SOCKET_NAME))
    left.close()
    assert not gate_socket.is_running(tmp_path / "other")
    other = Gate(tmp_path / "other")
    assert gate_socket.ask(other.data_dir, {})["ok"]
    other.close()


def test_no_gate_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="no gate is running"):
        gate_socket.ask(tmp_path, {})


def test_a_deep_folder_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / "data"
    made = Gate(deep)
    assert gate_socket.ask(deep, {"do": "status"})["ok"]
    made.close()
    assert not os.path.exists(deep / gate_socket.SOCKET_NAME)


def test_a_silent_caller_is_cut_off(gate: Gate) -> None:
    with connect(gate) as opened:
        opened.sendall(b"{}\n")
        assert opened.recv(4096)
        gate.commands.expire(control.CALLER_IDLE_S + 1)
        assert opened.recv(4096) == b""
