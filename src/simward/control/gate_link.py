"""The control plane's way to the gate: a command each over its command socket, with a deadline, a few at a time."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from simward import unix_sockets
from simward.errors import PeerError
from simward.gate_socket import SOCKET_NAME

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 25.0
AT_ONCE = 16
"""The gate hears 32 callers; half of them are left to others."""
ANSWER_OCTETS_MAX = 8 * 1024 * 1024


class GateUnreachable(PeerError):
    """No gate is running, or it did not answer in time."""


class GateLink:
    """Asks the gate of one folder. Each question has a connection of its own, so that none waits behind another."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / SOCKET_NAME
        self._free = asyncio.Semaphore(AT_ONCE)

    async def ask(self, payload: dict[str, Any], within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        """The gate's answer, `ok` true or false; GateUnreachable where there is none."""
        try:
            async with asyncio.timeout(within_s), self._free:
                return await self._ask(json.dumps(payload).encode() + b"\n")
        except (FileNotFoundError, ConnectionRefusedError):
            raise GateUnreachable("no gate is running") from None
        except TimeoutError:
            raise GateUnreachable(f"the gate did not answer within {within_s:g} s") from None
        except (OSError, ValueError) as error:
            raise GateUnreachable(f"cannot talk to the gate: {error}") from error

    async def _ask(self, line: bytes) -> dict[str, Any]:
        with unix_sockets.short_name(self._path) as name:
            reader, writer = await asyncio.open_unix_connection(name, limit=ANSWER_OCTETS_MAX)
        try:
            writer.write(line)
            await writer.drain()
            answer = await reader.readline()
            if not answer.endswith(b"\n"):
                raise GateUnreachable("the gate closed the connection before it answered")
            document: dict[str, Any] = json.loads(answer)
            return document
        finally:
            writer.close()
