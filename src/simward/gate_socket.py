"""What is said on the gate's command socket (a JSON object a line), and the end of it that asks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from simward import unix_sockets
from simward.errors import PeerError

SOCKET_NAME = "gate.sock"
LINE_OCTETS_MAX = 64 * 1024
ABOUT_A_SUBSCRIPTION = ("lock", "quarantine", "release", "disconnect", "plan", "unplan", "bind", "unbind")
ABOUT_EVERYTHING = ("pause", "resume")
NOTE_CHARACTERS_MAX = 500
GENERATION_END = 2**31
DECIDED = ("stale", "limited", "not-found", "unfit")
"""Results of commands that were understood and decided against; they are journalled like others."""


def ask(data_dir: Path, payload: dict[str, Any], *, timeout_s: float = 30.0) -> dict[str, Any]:
    """Send one command to the gate that runs in `data_dir` and return its answer; PeerError where none answers."""
    deadline = time.monotonic() + timeout_s
    try:
        with unix_sockets.connect(data_dir / SOCKET_NAME, timeout_s) as asking:
            asking.sendall(json.dumps(payload).encode() + b"\n")
            answer = bytearray()
            while not answer.endswith(b"\n"):
                asking.settimeout(max(0.001, deadline - time.monotonic()))
                octets = asking.recv(65536)
                if not octets:
                    raise PeerError("the gate closed the connection before it answered")
                answer += octets
        document: dict[str, Any] = json.loads(answer)
        return document
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise PeerError(f"no gate is running in {data_dir}") from error
    except TimeoutError as error:
        raise PeerError(f"the gate did not answer within {timeout_s:g} s") from error
    except (OSError, ValueError) as error:
        raise PeerError(f"cannot talk to the gate: {error}") from error


def is_running(data_dir: Path) -> bool:
    """Does a gate listen in `data_dir`?"""
    return unix_sockets.somebody_listens(data_dir / SOCKET_NAME)
