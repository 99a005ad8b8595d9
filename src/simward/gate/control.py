"""The gate's end of its command socket: JSON lines over a unix socket that only the owner may open."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from simward import unix_sockets
from simward.errors import PeerError
from simward.gate_socket import LINE_OCTETS_MAX, SOCKET_NAME, is_running

CALLERS_MAX = 32
CALLER_IDLE_S = 30.0
ANSWER_OCTETS_MAX = 4 * 1024 * 1024
"""A caller that does not read its answers is cut off when so much waits for it."""


class Call:
    """One command as it came: answered once, in any order with others."""

    def __init__(self, caller: _Caller, payload: dict[str, Any]) -> None:
        self._caller = caller
        self.payload = payload
        self.answered = False

    def answer(self, **facts: Any) -> None:
        """Say that it worked, with facts."""
        self._say({"ok": True, **facts})

    def refuse(self, error: str, **facts: Any) -> None:
        """Say in words why not."""
        self._say({"ok": False, "error": error, **facts})

    def _say(self, document: dict[str, Any]) -> None:
        if not self.answered:
            self.answered = True
            self._caller.waiting -= 1
            self._caller.say(document)


class CommandSocket:
    """The gate's end. It never blocks: `ready(fd, now)` is called when the poller says so; it yields whole commands."""

    def __init__(self, data_dir: Path, watch: Callable[[int, bool], None], forget: Callable[[int], None]) -> None:
        """`watch(fd, writable)` and `forget(fd)` register with the gate's poller."""
        self.path = data_dir / SOCKET_NAME
        self._watch, self._forget = watch, forget
        self._callers: dict[int, _Caller] = {}
        self._listening = _listen(data_dir)
        watch(self._listening.fileno(), False)

    def owns(self, number: int) -> bool:
        """Is this file number one of ours?"""
        return number in self._callers or number == self._listening.fileno()

    def ready(self, number: int, now: float) -> Iterator[Call]:
        """Go on with what the poller said is ready."""
        if number == self._listening.fileno():
            self._accept(now)
        elif number in self._callers:
            caller = self._callers[number]
            yield from caller.read(now)
            caller.flush()
            self._settle(caller)

    def flush(self) -> None:
        """Send what has been answered since."""
        for caller in list(self._callers.values()):
            if caller.unsent:
                caller.flush()
                self._settle(caller)

    def expire(self, now: float) -> None:
        """Cut off callers that have said nothing for long and wait for nothing."""
        for caller in list(self._callers.values()):
            if not caller.waiting and now - caller.heard_at > CALLER_IDLE_S:
                caller.over = True
                self._settle(caller)

    def close(self) -> None:
        """Stop listening; the file goes too."""
        for caller in list(self._callers.values()):
            caller.flush()
            caller.over = True
            self._settle(caller)
        self._forget(self._listening.fileno())
        self._listening.close()
        self.path.unlink(missing_ok=True)

    def _accept(self, now: float) -> None:
        with contextlib.suppress(OSError):
            opened, _ = self._listening.accept()
            opened.setblocking(False)
            if len(self._callers) >= CALLERS_MAX:
                opened.send(b'{"ok":false,"error":"too many callers at once"}\n')
                opened.close()
                return
            self._callers[opened.fileno()] = _Caller(opened, now)
            self._watch(opened.fileno(), False)

    def _settle(self, caller: _Caller) -> None:
        number = caller.opened.fileno()
        if caller.over and number in self._callers:
            del self._callers[number]
            self._forget(number)
            caller.opened.close()
        elif number in self._callers and caller.wants_write != bool(caller.unsent):
            caller.wants_write = bool(caller.unsent)
            self._watch(number, caller.wants_write)


class _Caller:
    """One connection."""

    def __init__(self, opened: socket.socket, now: float) -> None:
        self.opened, self.heard_at = opened, now
        self.unsent = bytearray()
        self.waiting = 0
        self.wants_write = False
        self.over = False
        self._received = bytearray()

    def read(self, now: float) -> Iterator[Call]:
        try:
            octets = self.opened.recv(LINE_OCTETS_MAX)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.over = True
            return
        self.heard_at = now
        self._received += octets
        while (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            yield from self._parse(line)
        if len(self._received) > LINE_OCTETS_MAX:
            self.say({"ok": False, "error": f"a command is at most {LINE_OCTETS_MAX} octets"})
            self.flush()
            self.over = True

    def _parse(self, line: bytes) -> Iterator[Call]:
        try:
            payload = json.loads(line)
        except (ValueError, RecursionError):
            payload = None
        if not isinstance(payload, dict):
            self.say({"ok": False, "error": "not a JSON object"})
            return
        self.waiting += 1
        yield Call(self, payload)

    def say(self, document: dict[str, Any]) -> None:
        if not self.over:
            self.unsent += json.dumps(document, separators=(",", ":")).encode() + b"\n"
            if len(self.unsent) > ANSWER_OCTETS_MAX:
                self.over = True

    def flush(self) -> None:
        try:
            while self.unsent:
                del self.unsent[: self.opened.send(self.unsent)]
        except BlockingIOError:
            return
        except OSError:
            self.over = True


def _listen(data_dir: Path) -> socket.socket:
    if is_running(data_dir):
        raise PeerError(f"another gate is already running in {data_dir}")
    try:
        return unix_sockets.listen(data_dir / SOCKET_NAME, CALLERS_MAX)
    except OSError as error:
        raise PeerError(f"cannot listen on {data_dir / SOCKET_NAME}: {error.strerror or error}") from error
