"""Takes what is in the outbox to the endpoints: at least once, in order a lane, many lanes at a time.

What came of an attempt is recorded before the next of its lane leaves. Killed in between, the attempt is made again
under the same id. A courier an endpoint; one recorder, which writes what has come together in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from simward.connectors.connector import Connector, Outcome
from simward.connectors.webhook import CONNECTORS
from simward.control.clock import Clock
from simward.errors import RegistryError
from simward.logs import called
from simward.registry import outbox
from simward.registry.database import Registry
from simward.registry.outbox import Settled
from simward.response import delivering as d
from simward.response.telling import event_of
from simward.settings import Endpoint

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = 32
"""Attempts at one endpoint at once."""
UNRECORDED_MAX = 512
"""Of one endpoint: on their way, or answered and not recorded yet. What a crash may have sent again, at most."""
LANES_MAX = 50_000
NEW_AT_ONCE = 2000
LOOK_EVERY_US = d.SECOND_US
"""However quiet it is: what was put in the outbox without a word is found."""
EXPIRE_EVERY_US, PRUNE_EVERY_TIMES = 60 * d.SECOND_US, 60
TRY_AGAIN_S = 1.0

Told = Callable[[sa.Connection, Sequence[Settled]], None]
"""Called with what was delivered, in the transaction that records it."""
Result = TypeVar("Result")


class Dispatcher:
    """All endpoints. `run` until cancelled; `wake` from any thread when something was put in the outbox."""

    def __init__(
        self, registry: Registry, endpoints: Sequence[Endpoint], installation: str, clock: Clock, *,
        told: Told = lambda connection, delivered: None, chance: Callable[[], float] = random.random,
        connectors: Mapping[str, Callable[[Endpoint], Connector]] = CONNECTORS,
    ) -> None:  # fmt: skip
        """OSError where the certificates of an endpoint cannot be read."""
        self._registry, self._clock = registry, clock
        self._news = asyncio.Event()
        self._quiet = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recorder = _Recorder(registry, told)
        self.couriers = {
            one.name: Courier(one, connectors[one.kind](one), self._recorder, installation, clock, chance)
            for one in endpoints
        }
        self.died = 0
        self._last = 0

    def wake(self) -> None:
        """There may be something new in the outbox."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._begin()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._recorder.run())
                for courier in self.couriers.values():
                    group.create_task(courier.run())
                group.create_task(self._keep_house())
                await self._take_new()
        finally:
            for courier in self.couriers.values():
                await courier.connector.aclose()

    async def reload(self, name: str) -> None:
        """What waits for an endpoint has changed behind the dispatcher's back: dead letters wait again."""
        await self.couriers[name].reload()

    async def _begin(self) -> None:
        def read(connection: sa.Connection) -> int:
            return outbox.last_number(connection)

        # Before the heads are read: what comes in between is offered twice, which changes nothing.
        self._last = await patiently(self._registry, read)
        for courier in self.couriers.values():
            await courier.reload()

    async def _take_new(self) -> None:
        while True:
            rows = await patiently(self._registry, lambda c: outbox.newer(c, self._last, NEW_AT_ONCE))
            for row in rows:
                self._last = row.number
                if row.endpoint in self.couriers:
                    self.couriers[row.endpoint].offer(row)
            if len(rows) < NEW_AT_ONCE:
                await self._clock.wait(self._news, self._clock.now() + LOOK_EVERY_US)

    async def _keep_house(self) -> None:
        times = 0
        while True:
            now = self._clock.now()
            died = await patiently(self._registry, lambda c: outbox.expire(c, now), writes=True)  # noqa: B023
            if died:
                self.died += died
                log.warning(
                    "%d deliveries have passed their deadline: see `simward endpoints dead`", died,
                    extra=called("deliveries-expired", deliveries=died),
                )
            if times % PRUNE_EVERY_TIMES == 0:
                while await patiently(self._registry, lambda c: outbox.prune(c, now), writes=True):  # noqa: B023
                    pass
            times += 1
            await self._clock.wait(self._quiet, now + EXPIRE_EVERY_US)


class Courier:
    """One endpoint: its lanes, its circuit breaker, and what is on its way."""

    def __init__(
        self, endpoint: Endpoint, connector: Connector, recorder: _Recorder, installation: str, clock: Clock,
        chance: Callable[[], float],
    ) -> None:  # fmt: skip
        self.endpoint, self.connector = endpoint, connector
        self._recorder, self._installation, self._clock, self._chance = recorder, installation, clock, chance
        self.lanes = d.Lanes(LANES_MAX)
        self.breaker = d.Breaker()
        self.counted: Counter[str] = Counter()
        """delivered, failed (attempts), dead."""
        self.last_error = ""
        self.in_flight = 0
        """Attempts under way."""
        self._changed = asyncio.Event()

    def offer(self, row: Any) -> None:
        """One more in the outbox."""
        self.lanes.offer(head_of(row))
        self._changed.set()

    async def reload(self) -> None:
        """Read what waits from the outbox."""
        name = self.endpoint.name
        found = await patiently(self._recorder.registry, lambda c: outbox.heads(c, name, LANES_MAX + 1))
        self.lanes.begin((head_of(row), last) for row, last in found)
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                now = self._clock.now()
                heads = self.lanes.take(now, self.breaker.room(now, self._free()))
                if heads:
                    await self._send(group, heads)
                elif self.lanes.overflowed and len(self.lanes) < LANES_MAX // 2:
                    await self.reload()
                else:
                    await self._clock.wait(self._changed, self._wakes_at(now))

    async def probe(self, row: Any) -> Outcome:
        """Send one announcement now, beside the outbox; where it is taken the endpoint counts as up."""
        outcome = await self.connector.send(event_of(row, self._installation), self._clock.now())
        if outcome.delivered:
            self.breaker.succeeded()
            self._changed.set()
        return outcome

    def _free(self) -> int:
        return min(IN_FLIGHT_MAX - self.in_flight, UNRECORDED_MAX - self.lanes.away)

    def _wakes_at(self, now: int) -> int | None:
        held = self.breaker.wakes_at(now)
        if held is not None:
            return held
        if self._free() <= 0 or not self.breaker.room(now, 1):
            return None  # what is on its way comes back first
        return self.lanes.next_at(now)

    async def _send(self, group: asyncio.TaskGroup, heads: list[d.Head]) -> None:
        probing = self.breaker.state == d.OPEN
        self.breaker.sent()
        numbers = [head.number for head in heads]
        found = await patiently(self._recorder.registry, lambda c: outbox.letters(c, numbers))
        for head in heads:
            self.in_flight += 1
            group.create_task(self._deliver(head, found.get(head.number), probing))

    async def _deliver(self, head: d.Head, row: Any | None, probing: bool) -> None:
        """One attempt, and what follows from it; a `row` that is None waits no more."""
        if row is None:
            self.in_flight -= 1
            if probing:
                self.breaker.unsent()
            self.lanes.done(head.lane, await self._recorder.following(self.endpoint.name, head.lane))
        else:
            outcome = await self.connector.send(event_of(row, self._installation), self._clock.now())
            self.in_flight -= 1
            self._changed.set()  # another may leave, while this one is recorded
            await self._settle(head, row.id, outcome, probing)
        self._changed.set()

    async def _settle(self, head: d.Head, announcement: str, outcome: Outcome, probing: bool) -> None:
        now = self._clock.now()
        self._note(outcome, now)
        attempts = head.attempts + (1 if d.counts(outcome.status, probing) else 0)
        state = d.state_after(outcome.status, attempts, now, head.deadline_at)
        next_at = now if probing else now + d.retry_after(max(attempts, 1), self._chance())
        settled = Settled(
            head.number, self.endpoint.name, head.lane, announcement, state, attempts, next_at,
            now if state == d.DELIVERED else None, outcome.status, outcome.error,
        )  # fmt: skip
        if state == d.WAITING:
            await self._recorder.record(settled, seek=False)
            self.lanes.again(d.Head(head.number, head.lane, next_at, attempts, head.deadline_at))
            return
        self.counted[state] += 1
        if state == d.DEAD:
            log.warning(
                "%s: %s is dead: %s", self.endpoint.name, announcement, outcome.error,
                extra=called("delivery-dead", endpoint=self.endpoint.name, announcement=announcement),
            )
        while True:
            behind = self.lanes.behind(head.lane)
            following = await self._recorder.record(settled, seek=behind != 0)
            if following is not None or self.lanes.behind(head.lane) == behind:
                break  # nothing was put behind it while it was recorded
        self.lanes.done(head.lane, following)

    def _note(self, outcome: Outcome, now: int) -> None:
        if outcome.delivered:
            if self.breaker.state != d.CLOSED:
                log.info(
                    "%s takes deliveries again", self.endpoint.name,
                    extra=called("endpoint-up", endpoint=self.endpoint.name),
                )
            self.breaker.succeeded()
            return
        before = self.breaker.state
        self.counted["failed"] += 1
        self.last_error = outcome.error
        self.breaker.failed(outcome.status, outcome.retry_after_s, now, self._chance())
        if self.breaker.state == d.OPEN and before == d.CLOSED:
            log.warning(
                "%s counts as down: %s", self.endpoint.name, outcome.error,
                extra=called("endpoint-down", endpoint=self.endpoint.name),
            )
        elif self.breaker.state == d.DISABLED and before != d.DISABLED:
            log.warning(
                "%s says that it is gone (410): `simward endpoints test` tries again", self.endpoint.name,
                extra=called("endpoint-gone", endpoint=self.endpoint.name),
            )


class _Recorder:
    """Writes what came of attempts, all that has come together in one transaction; says what follows in each lane.

    It does not wait for the disk: what a power failure takes is delivered once more, under its id.
    """

    def __init__(self, registry: Registry, told: Told) -> None:
        self.registry, self._told = registry, told
        self._waiting: list[tuple[Settled, bool, asyncio.Future[d.Head | None]]] = []
        self._some = asyncio.Event()

    async def record(self, settled: Settled, *, seek: bool) -> d.Head | None:
        """Have it recorded; with `seek` gives the next of its lane."""
        future: asyncio.Future[d.Head | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settled, seek, future))
        self._some.set()
        return await future

    async def following(self, endpoint: str, lane: str) -> d.Head | None:
        """The next of a lane."""
        row = await patiently(self.registry, lambda c: outbox.following(c, endpoint, lane))
        return None if row is None else head_of(row)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            batch, self._waiting = self._waiting, []
            wanted = [(settled, seek) for settled, seek, _ in batch]
            found = await patiently(self.registry, lambda c: self._write(c, wanted), writes=True, lasting=False)  # noqa: B023
            for (_, _, future), head in zip(batch, found):
                if not future.done():
                    future.set_result(head)

    def _write(self, connection: sa.Connection, wanted: Sequence[tuple[Settled, bool]]) -> list[d.Head | None]:
        outbox.settle(connection, [settled for settled, _ in wanted])
        delivered = [settled for settled, _ in wanted if settled.state == d.DELIVERED]
        if delivered:
            self._told(connection, delivered)
        found: list[d.Head | None] = []
        for settled, seek in wanted:
            row = outbox.following(connection, settled.endpoint, settled.lane) if seek else None
            found.append(None if row is None else head_of(row))
        return found


def head_of(row: Any) -> d.Head:
    """Of a row of the outbox."""
    return d.Head(row.number, row.lane, row.next_at, row.attempts, row.deadline_at)


async def patiently(
    registry: Registry, ask: Callable[[sa.Connection], Result], *, writes: bool = False, lasting: bool = True
) -> Result:
    """Ask the registry in a thread; while it cannot be used, again and again: what waits is not lost meanwhile."""

    def asked() -> Result:
        with registry.writing(lasting=lasting) if writes else registry.reading() as connection:
            return ask(connection)

    while True:
        try:
            return await asyncio.to_thread(asked)
        except RegistryError as error:
            log.error("%s", error, extra=called("registry-away"))
            await asyncio.sleep(TRY_AGAIN_S)
