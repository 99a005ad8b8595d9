"""Time as the control process asks for it, so that tests can have an hour pass without waiting for one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Protocol


class Clock(Protocol):
    """us UTC."""

    def now(self) -> int:
        """What time it is."""

    async def wait(self, event: asyncio.Event, until: int | None) -> None:
        """Until `event` is set (it is cleared), or it is `until`; None: as long as it takes."""


class SystemClock:
    """The machine's."""

    def now(self) -> int:
        """What time it is, us UTC."""
        return time.time_ns() // 1000

    async def wait(self, event: asyncio.Event, until: int | None) -> None:
        """Until `event` is set, or it is `until`."""
        timeout = None if until is None else max(0.0, (until - self.now()) / 1e6)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout)
        event.clear()
