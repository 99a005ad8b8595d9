"""An outbox, a clock that a test moves, and an endpoint that answers as it is told: stories about dispatching."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simward.connectors.cloudevents import Event
from simward.connectors.connector import Outcome
from simward.control.dispatching import Dispatcher
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcement, Announcing
from simward.settings import Endpoint

BEGIN = 1_700_000_000_000_000
INSTALLATION = "6c0f4f0e-8a70-4c55-9d0e-0123456789ab"
PATIENCE_S = 20.0


class ManualClock:
    """us UTC, moved by `advance` alone."""

    def __init__(self, begin: int = BEGIN) -> None:
        self._now = begin
        self._waiting: list[tuple[int, int, asyncio.Event]] = []
        self._count = 0

    def now(self) -> int:
        """What time it is."""
        return self._now

    async def wait(self, event: asyncio.Event, until: int | None) -> None:
        """Until `event` is set, or the clock was moved to `until`."""
        if until is not None and until <= self._now:
            event.set()
        elif until is not None:
            self._count += 1
            heapq.heappush(self._waiting, (until, self._count, event))
        await event.wait()
        event.clear()

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += round(seconds * 1_000_000)
        while self._waiting and self._waiting[0][0] <= self._now:
            heapq.heappop(self._waiting)[2].set()


class Scripted:
    """A connector in memory: `answers(event)` says what becomes of an attempt; `sent` is what came."""

    def __init__(self, answers: Callable[[Event], Outcome] = lambda event: Outcome(204)) -> None:
        self.answers = answers
        self.sent: list[Event] = []
        self.at_once = self._now = 0
        self.gate: asyncio.Event | None = None
        """Where there is one, attempts wait for it."""

    async def send(self, event: Event, at: int) -> Outcome:
        """One attempt."""
        self.sent.append(event)
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
        self._now -= 1
        return self.answers(event)

    async def aclose(self) -> None:
        """Nothing to give back."""

    @property
    def ids(self) -> list[str]:
        """What came, by id."""
        return [event.id for event in self.sent]


class Outgoing:
    """A registry in a folder, and a dispatcher over it."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.registry = Registry.open(sqlite_url(folder))
        self.registry.migrate()
        self.clock = ManualClock()
        self.endpoints = [Endpoint(name, "webhook", "https://app.example/") for name in names or ("app",)]
        self.connectors = {one.name: Scripted() for one in self.endpoints}
        self.announcing = Announcing(self.endpoints, self.clock.now)
        self.dispatcher: Any = None
        self.said = 0

    @property
    def app(self) -> Scripted:
        """The first endpoint's."""
        return self.connectors[self.endpoints[0].name]

    def say(self, *subjects: str, also: tuple[str, ...] = ()) -> list[str]:
        """An announcement about each subject, in one transaction; gives their ids."""
        ids = []
        with self.registry.writing() as connection:
            for subject in subjects:
                self.said += 1
                ids.append(f"policy.applied:0/{self.said}/0")
                one = Announcement("policy.applied", ids[-1], self.clock.now(), subject, data={"what": "policy"})
                self.announcing.say(connection, one, also)
        return ids

    def states(self) -> dict[str, int]:
        """How many deliveries are in which state."""
        with self.registry.reading() as connection:
            rows = connection.execute(sa.select(t.delivery.c.state, sa.func.count()).group_by(t.delivery.c.state))
            return {row.state: row[1] for row in rows}

    def deliveries(self) -> list[Any]:
        """All, by number."""
        with self.registry.reading() as connection:
            return list(connection.execute(sa.select(t.delivery).order_by(t.delivery.c.number)))

    @contextlib.asynccontextmanager
    async def running(self, **more: Any) -> AsyncIterator[Dispatcher]:
        """A dispatcher, as a new process would have it."""
        self.dispatcher = Dispatcher(
            self.registry, self.endpoints, INSTALLATION, self.clock, chance=lambda: 1.0,
            connectors={"webhook": lambda endpoint: self.connectors[endpoint.name]}, **more,
        )  # fmt: skip
        running = asyncio.create_task(self.dispatcher.run())
        try:
            yield self.dispatcher
            assert not running.done(), running
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def until(self, happened: Callable[[], object], every_s: float = 0.0) -> None:
        """Wait for something to happen; the story's clock moves by `every_s` at each look."""
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < end, "it never happened"
            if every_s:
                self.clock.advance(every_s)
            await asyncio.sleep(0.002)

    async def a_while(self) -> None:
        """Long enough for whatever is going to happen at this time of the clock."""
        await asyncio.sleep(0.08)
