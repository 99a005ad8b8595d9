"""The folder that a command works on, and the gate that may be running in it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simward.errors import PeerError, UsageError

if TYPE_CHECKING:
    from simward.engine.journal import Journal
    from simward.settings import Settings

ANSWER_OCTETS_MAX = 16 << 20
ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True)
class Folder:
    """Paths under `--dir`, and what is opened from them."""

    path: Path

    @property
    def data(self) -> Path:
        """Where the journal, snapshots and the gate's socket are."""
        return self.path / "data"

    @property
    def policies(self) -> Path:
        """The owner's policy files."""
        return self.path / "policies"

    @property
    def gate_socket(self) -> Path:
        """Where a running gate takes commands."""
        return self.data / "gate.sock"

    def settings(self) -> Settings:
        """simward.toml, checked; raises ConfigurationError with all its problems."""
        from simward.settings import Settings

        self.must_be_one()
        return Settings.load(self.path)

    def must_be_one(self) -> None:
        """Say what to do where this is no working folder."""
        if not (self.path / "simward.toml").is_file():
            raise UsageError(
                f"{self.path} has no simward.toml.\n"
                f"Make a working folder with `simward --dir {self.path} init`, or name another with --dir."
            )

    @contextlib.contextmanager
    def reading(self) -> Iterator[Journal]:
        """The journal, open for reading beside a running gate."""
        from simward.engine.journal import open_reader

        self.must_be_one()
        journal = open_reader(self.data)
        try:
            yield journal
        finally:
            journal.close()

    def gate_runs(self) -> bool:
        """Does a gate answer on the command socket?"""
        if not self.gate_socket.exists():
            return False
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
            probe.settimeout(ANSWER_WITHIN_S)
            try:
                probe.connect(str(self.gate_socket))
            except OSError:
                return False  # left behind by a gate that was killed
        return True

    def ask_gate(self, request: dict[str, Any], within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        """Send one request to the running gate and give its answer; PeerError where it says no or says nothing."""
        self.must_be_one()
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as channel:
            channel.settimeout(within_s)
            try:
                channel.connect(str(self.gate_socket))
            except OSError:
                raise PeerError(
                    f"no gate is running in {self.path}.\nStart one with `simward --dir {self.path} serve`."
                ) from None
            try:
                channel.sendall(json.dumps(request).encode() + b"\n")
                answer = _line(channel)
            except TimeoutError:
                raise PeerError(f"the gate did not answer within {within_s:g} s") from None
        if not answer.get("ok"):
            raise PeerError(f"the gate says: {answer.get('error', 'no, without a reason')}")
        return answer


def _line(channel: socket.socket) -> dict[str, Any]:
    """One JSON object from the gate."""
    received = bytearray()
    while not received.endswith(b"\n"):
        part = channel.recv(65_536)
        if not part or len(received) > ANSWER_OCTETS_MAX:
            break
        received += part
    try:
        answer = json.loads(received)
    except ValueError:
        raise PeerError("the gate closed the command socket without an answer") from None
    if not isinstance(answer, dict):
        raise PeerError("the gate answered with something that is no object")
    return answer
