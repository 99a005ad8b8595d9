"""A receiver of webhooks in a process of its own: verifies, notes what it took in a file, and fails as it is told to.

What it answered with 2xx stands in the file before the answer leaves: killed at any moment, it has noted at least what
it acknowledged. `python -m benchmarks.load.webhook_receiver PORT FILE SECRET FAIL_SHARE SEED`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LOST_SHARE = 0.1
"""Of the failures, those that have taken the message and do not say so: the connection is closed instead."""


class Receiver:
    """Notes (id, subject, sequence, took at) of every message that it took, a JSON line each."""

    def __init__(self, path: Path, secret: str, fail_share: float, seed: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._verifier, self._share, self._dice = Webhook(secret), fail_share, random.Random(seed + os.getpid())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while request := await read_request(reader):
                status = self._status(*request)
                if status is None:
                    break
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _status(self, headers: dict[str, str], body: bytes) -> int | None:
        try:
            event: dict[str, Any] = self._verifier.verify(body, headers)
        except WebhookVerificationError:
            return 401
        if event["data"].get("poison"):
            return 422
        fails = self._dice.random() < self._share
        lost = fails and self._dice.random() < LOST_SHARE
        if fails and not lost:
            return self._dice.choice((500, 503, 429, 404))
        line = [event["id"], event["subject"], int(event["sequence"]), time.time()]
        os.write(self._file, json.dumps(line).encode() + b"\n")
        return None if lost else 204


async def read_request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes] | None:
    """The headers (lower case) and the body of the next request; None where there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def main() -> None:
    """Until killed."""
    port, path, secret, share, seed = sys.argv[1:]
    receiver = Receiver(Path(path), secret, float(share), int(seed))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", int(port), backlog=512)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
