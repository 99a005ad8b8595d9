"""Takes events to the sinks of subscribers: at least once, in order a subscription, for a day, never to one for long.

A sink is an address that a caller named. It may be slow, gone, or somebody else's: it is called over TLS alone, at
addresses that are checked, a few at a time for each client.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from simward.connectors.connector import Outcome
from simward.connectors.webhook import USER_AGENT, Webhook
from simward.control.clock import Clock
from simward.control.dispatching import patiently
from simward.errors import ConfigurationError, RegistryError
from simward.logs import called
from simward.registry import camara as kept
from simward.registry.database import Registry
from simward.registry.sealing import SINK_TOKEN, Vault, context_of
from simward.response.delivering import GONE, retry_after
from simward.settings_camara import CamaraSettings
from simward.settings_outward import Endpoint

log = logging.getLogger(__name__)

IN_FLIGHT_MAX, OF_ONE_CLIENT_MAX = 32, 8
SINKS_KEPT = 64
"""Whose connections are kept for the next event."""
GIVE_UP_US = 86_400_000_000
LOOK_EVERY_US = 1_000_000
MEDIA_TYPE = "application/cloudevents+json"
Result = TypeVar("Result")


class Sends(Protocol):
    """A connection to a sink (Webhook)."""

    async def post(self, headers: dict[str, str], body: bytes, at: int) -> Outcome:
        """One attempt."""

    async def aclose(self) -> None:
        """Nobody uses it any more."""


class Notifying:
    """A part of the control plane. `wake` from any thread when something was put in the queue."""

    def __init__(
        self, registry: Registry, settings: CamaraSettings, vault: Vault, clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._registry, self._settings, self._vault, self._clock = registry, settings, vault, clock
        self._chance = chance
        self._sinks: OrderedDict[str, Sends] = OrderedDict()
        self._busy: dict[str, tuple[str, str]] = {}
        """Subscriptions of which an event is on its way: their clients and sinks."""
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.counted: Counter[str] = Counter()
        """delivered, failed (attempts), dead."""

    def wake(self) -> None:
        """There may be something new."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """See Part."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    now = self._clock.now()
                    rows = await self._due(now)
                    for row in rows:
                        self._busy[row.subscription] = (row.owner, row.sink)
                        group.create_task(self._deliver(row))
                    if rows:
                        continue  # who has as many as a client may have was in the way of others
                    await self._clock.wait(self._news, await self._next_look(now))
        finally:
            for sink in self._sinks.values():
                await sink.aclose()

    async def _due(self, now: int) -> list[Any]:
        """What leaves now: as many as are free, and of no client too many."""
        free = IN_FLIGHT_MAX - len(self._busy)
        if free <= 0:
            return []
        of_client = Counter(owner for owner, _ in self._busy.values())
        chosen: list[Any] = []
        busy, held = list(self._busy), [owner for owner, count in of_client.items() if count >= OF_ONE_CLIENT_MAX]
        for row in await self._ask(lambda c: kept.heads(c, now, busy, 4 * IN_FLIGHT_MAX, held)):
            if len(chosen) < free and of_client[row.owner] < OF_ONE_CLIENT_MAX:
                of_client[row.owner] += 1
                chosen.append(row)
        return chosen

    async def _next_look(self, now: int) -> int:
        following = await self._ask(kept.next_at)
        if following is None or following <= now:  # what is due already waits for one that is on its way
            return now + LOOK_EVERY_US
        return min(following, now + LOOK_EVERY_US)

    async def _deliver(self, row: Any) -> None:
        """One attempt, and what follows from it."""
        now = self._clock.now()
        headers = {"content-type": MEDIA_TYPE, "user-agent": USER_AGENT, "x-correlator": str(uuid.uuid4())}
        try:
            if row.credential is not None:
                token = self._token(row)
                if token is None or (row.credential_ends_at is not None and now >= row.credential_ends_at):
                    log.warning(
                        "CAMARA subscription %s: the token of its sink cannot be used", row.subscription,
                        extra=called("camara-sink-token-unusable", subscription=row.subscription),
                    )
                    await self._settle(row, Outcome(GONE, "its token is over"))
                    return
                headers["authorization"] = f"Bearer {token}"
            body = json.dumps(row.document, separators=(",", ":")).encode()
            await self._settle(row, await self._send(row.sink, headers, body, now))
        finally:
            self._busy.pop(row.subscription, None)
            self._news.set()

    async def _settle(self, row: Any, outcome: Outcome) -> None:
        now = self._clock.now()
        if outcome.delivered:
            await self._tell(lambda c: kept.done(c, row.number))
            self.counted["delivered"] += 1
        elif outcome.status == GONE:
            log.warning(
                "CAMARA subscription %s ends: its sink is gone", row.subscription,
                extra=called("camara-sink-gone", subscription=row.subscription),
            )
            await self._tell(lambda c: kept.gone(c, row.subscription, now))
            self.counted["dead"] += 1
        elif now >= int(row.made_at) + GIVE_UP_US:
            log.warning(
                "CAMARA subscription %s: an event is dead: %s", row.subscription, outcome.error,
                extra=called("camara-event-dead", subscription=row.subscription),
            )
            await self._tell(lambda c: kept.done(c, row.number))
            self.counted["dead"] += 1
        else:
            attempts = row.attempts + 1
            at = now + retry_after(attempts, self._chance())
            await self._tell(lambda c: kept.again(c, row.number, attempts, at))
            self.counted["failed"] += 1

    async def _send(self, url: str, headers: dict[str, str], body: bytes, now: int) -> Outcome:
        try:
            return await self._sink(url).post(headers, body, now)
        except (ConfigurationError, OSError) as error:  # no URL after all, or `sink_ca_file` cannot be read now
            return Outcome(None, str(error))

    def _token(self, row: Any) -> str | None:
        """The token of its sink; None where it was sealed with a key that is not here any more."""
        try:
            return self._vault.open(context_of(SINK_TOKEN, row.subscription), bytes(row.credential)).decode()
        except RegistryError as error:
            log.error("%s", error, extra=called("camara-registry-away"))
            return None

    def _sink(self, url: str) -> Sends:
        sink = self._sinks.get(url)
        if sink is None:
            private, ca_file = self._settings.allow_private_sinks, self._settings.sink_ca_file
            sink = Webhook(Endpoint("camara", "webhook", url, allow_private=private, ca_file=ca_file))
            self._sinks[url] = sink
            self._forget_sinks()
        self._sinks.move_to_end(url)
        return sink

    def _forget_sinks(self) -> None:
        used = {sink for _, sink in self._busy.values()}
        for url in [one for one in self._sinks if one not in used][: len(self._sinks) - SINKS_KEPT]:
            asyncio.get_running_loop().create_task(self._sinks.pop(url).aclose())

    async def _ask(self, question: Callable[[sa.Connection], Result]) -> Result:
        return await patiently(self._registry, question)

    async def _tell(self, change: Callable[[sa.Connection], Result]) -> Result:
        return await patiently(self._registry, change, writes=True)
