"""A party of the closed loop as a process of its own: takes webhooks, notes them, and acknowledges what is broken.

What it answered with 2xx stands in its notes before the answer leaves. Each `binding.broken` it acknowledges over
Simward's API, again and again until that says yes: `python -m benchmarks.load.party NAME PORT NOTES SECRET TOKEN API`,
where API is a file that holds the address, since a control process that is killed comes back elsewhere.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sys
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from benchmarks.load.webhook_receiver import read_request

AGAIN_S = 0.2


class Party:
    """Notes (id, type, subject, sequence) of every event, a JSON line each."""

    def __init__(self, name: str, notes: Path, secret: str, token: str, api: Path) -> None:
        self.name, self._token, self._api = name, token, api
        self._file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._verifier = Webhook(secret)
        self._acknowledging: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while request := await read_request(reader):
                status = self._take(*request)
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            event: dict[str, Any] = self._verifier.verify(body, headers)
        except WebhookVerificationError:
            return 401
        line = [event["id"], event["type"], event.get("subject"), int(event["sequence"])]
        os.write(self._file, json.dumps(line).encode() + b"\n")
        if event["type"] == "binding.broken":
            task = asyncio.create_task(self._acknowledge(int(event["data"]["incident"])))
            self._acknowledging.add(task)
            task.add_done_callback(self._acknowledging.discard)
        return 204

    async def _acknowledge(self, incident: int) -> None:
        while not await asyncio.to_thread(self._say, incident):
            await asyncio.sleep(AGAIN_S)

    def _say(self, incident: int) -> bool:
        connection = None
        try:
            connection = http.client.HTTPConnection(self._api.read_text().strip(), timeout=5)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
            said = json.dumps({"party": self.name, "action": "keep", "reason": "seen"})
            connection.request("POST", f"/v1/incidents/{incident}/acknowledgements", said, headers)
            return connection.getresponse().status in (200, 202)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            if connection is not None:
                connection.close()


async def main() -> None:
    """Until killed."""
    name, port, notes, secret, token, api = sys.argv[1:]
    party = Party(name, Path(notes), secret, token, Path(api))
    server = await asyncio.start_server(party.serve, "127.0.0.1", int(port), backlog=512)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
