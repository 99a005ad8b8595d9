"""HTTP/1.1 over kept connections, as little of it as a load needs: what is measured is the server's work, not ours."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Answers:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    lasted_s: float = 0.0
    """From when the first was due to when the last came."""

    def note(self, status: int, seconds: float) -> None:
        """One more."""
        self.seconds.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def at(self, share: float) -> float:
        """Milliseconds within which this share was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3 if ordered else 0.0


def request(method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """The octets of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Asking:
    """One connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def ask(self, octets: bytes) -> tuple[int, bytes, float]:
        """Status, body, and the seconds that it took."""
        began = time.perf_counter()
        self._socket.sendall(octets)
        status = int(self._reader.readline().split()[1])
        length = 0
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self._reader.read(length)
        return status, body, time.perf_counter() - began

    def close(self) -> None:
        """Done."""
        self._reader.close()
        self._socket.close()


async def paced(port: int, next_request: Callable[[int], bytes], per_second: float, count: int, lanes: int) -> Answers:
    """`count` requests, one each 1 / per_second, over `lanes` connections; late ones count from when they were due."""
    answers = Answers()
    began = time.perf_counter() + 0.05

    async def lane(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, count, lanes):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(next_request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            at = lower.find(b"content-length:")
            if at >= 0:
                await reader.readexactly(int(lower[at + 15 : lower.index(b"\r\n", at)]))
            answers.note(int(head.split(b" ", 2)[1]), time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(lane(first) for first in range(lanes)))
    answers.lasted_s = time.perf_counter() - began
    return answers
