"""A receiver of webhooks on loopback: a real HTTP server that keeps what it got, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

SECRET = b"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_SECRET = b"whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


class Received(NamedTuple):
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent of structured mode."""
        found: dict[str, Any] = json.loads(self.body)
        return found


Answer = tuple[int, dict[str, str], bytes]


class Receiver(ThreadingHTTPServer):
    """`answers(received)` decides; the default is 204."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answers: Callable[[Received], Answer | int] = lambda received: 204, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers, self.received = answers, []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    received: list[Received]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        received = Received({name.lower(): value for name, value in self.headers.items()}, body, self.path)
        answer = self.server.answers(received)
        status, headers, text = (answer, {}, b"") if isinstance(answer, int) else answer
        self.server.received.append(received)
        self.send_response(status)
        for name, value in {"content-length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Nothing."""
