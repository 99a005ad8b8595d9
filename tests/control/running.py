"""A control plane in a thread of the test, with the real listeners, in front of whatever gate the test has."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gate.running import until
from simward.commands.through_control import _Connection, is_running
from simward.control.run import Control
from simward.settings import Settings


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: Mapping[str, str]
    document: Any


class RunningControl:
    """Started when made; `close` stops it as SIGTERM does."""

    def __init__(self, folder: Path, *, control: Control | None = None, **parts: Any) -> None:
        self.folder = folder
        self.control = control or Control(Settings.load(folder), **parts)
        self.error: BaseException | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._begun.wait(20)
        until(lambda: is_running(folder / "data") or self.error)

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            self._begun.set()
            await self.control.run(self._stopping)

        try:
            asyncio.run(main())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def from_outside(self, do: Callable[[], None]) -> None:
        """Have something done in its event loop, and wait until it is."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (do(), done.set()))
        assert done.wait(20), "its event loop does not turn"

    def tcp(self) -> tuple[str, int]:
        """Where it is served over TCP, once it is."""
        host, port = until(lambda: self.control.status()["http"]).partition("://")[2].rsplit(":", 1)
        return host, int(port)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}, *, tcp: bool = False,
        token: str = "",
    ) -> Answer:  # fmt: skip
        """One request, by the unix socket unless over TCP or with a token; octets are sent as they are, else JSON."""
        tcp, headers = tcp or bool(token), {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        connection = (
            http.client.HTTPConnection(*self.tcp(), timeout=20)
            if tcp
            else _Connection(self.folder / "data" / "control.sock", 20)
        )
        octets = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, octets, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            endless = lowered.get("content-type", "").startswith("text/event-stream")
            text = b"" if endless else response.read()
            is_json = lowered.get("content-type", "").partition(";")[0].endswith("json")
            return Answer(response.status, lowered, json.loads(text) if is_json and text else text.decode() or None)
        finally:
            connection.close()
