"""The gate's real command socket in front of canned answers."""

from __future__ import annotations

import selectors
import threading
from pathlib import Path
from typing import Any

from simward.gate.control import CommandSocket


class Listening:
    """The gate's real command socket in front of canned answers."""

    def __init__(self, data: Path) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self._poller = selectors.DefaultSelector()
        self._socket = CommandSocket(data, self._watch, self._poller.unregister)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()
        self._poller.close()

    def answer_to(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What it says to a command."""
        return self.answers.pop(0) if self.answers else {"ok": True}

    def _watch(self, number: int, writable: bool) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if writable else 0)
        known = number in self._poller.get_map()
        (self._poller.modify if known else self._poller.register)(number, wanted)

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._poller.select(0.02):
                for call in self._socket.ready(key.fd, 0.0):
                    self.heard.append(call.payload)
                    said = self.answer_to(call.payload)
                    call.answer(**said) if said.pop("ok", True) else call.refuse(**said)
            self._socket.flush()
