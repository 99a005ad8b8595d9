"""Sends the commands that were decided on here to the gate, each until it is answered.

A command keeps its id however often it is sent: the gate does it once, and answers a repetition as a duplicate. What an
automation wanted is not done any more once it is old (`act_within`); what a person or a party wanted is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from simward.control.clock import Clock
from simward.control.dispatching import patiently
from simward.errors import PeerError
from simward.incident_settings import ACT_WITHIN_S
from simward.logs import called
from simward.registry import parties as kept
from simward.registry.database import Registry
from simward.response.parties import Story

log = logging.getLogger(__name__)

SECOND_US = 1_000_000
RETRY_FIRST_US, RETRY_LAST_US = SECOND_US, 60 * SECOND_US
LOOK_EVERY_US = 5 * SECOND_US
ANSWERS = ("applied", "duplicate", "stale", "limited", "not-found")

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""One command to the gate and its answer; PeerError where no gate answers."""


class Commanding:
    """`run` until cancelled; `wake` from any thread when a command was decided on."""

    def __init__(
        self, registry: Registry, ask: Ask, clock: Clock, story: Story, act_within_s: int = ACT_WITHIN_S
    ) -> None:
        """What set an automation off is no reason after `act_within_s`: an outage must not end in stale locks."""
        self._act_within_us = act_within_s * SECOND_US
        self._registry, self._ask, self._clock, self._story = registry, ask, clock, story
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.counted: Counter[str] = Counter()
        """By answer; `unanswered`: attempts without one."""

    def wake(self) -> None:
        """There may be a command to send."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Until cancelled. One after the other: what is asked about one SIM arrives in order."""
        self._loop = asyncio.get_running_loop()
        while True:
            now = self._clock.now()
            rows = await patiently(self._registry, lambda c: kept.open_commands(c, now))  # noqa: B023
            for row in rows:
                await self._send(row)
            if not rows:
                due = await patiently(self._registry, kept.next_command_at)
                look = now + LOOK_EVERY_US
                await self._clock.wait(self._news, look if due is None else min(due, look))

    async def _send(self, row: Any) -> None:
        now = self._clock.now()
        if row.automation and now - row.asked_at > self._act_within_us:
            await self._record(row, "expired", None, "too old: what set it off is no reason any more")
            return
        try:
            answer = await self._ask(payload_of(row))
        except PeerError as error:
            await self._later(row, str(error))
            return
        result = str(answer.get("result", ""))
        if not answer.get("ok") and result not in ("stale", "limited", "not-found"):
            if result in ANSWERS or _is_busy(answer):
                await self._later(row, str(answer.get("error")))  # decided, and not durable; or no room now
                return
            result = "refused"
        await self._record(row, result, answer.get("sequence"), str(answer.get("error") or ""))

    async def _later(self, row: Any, error: str) -> None:
        self.counted["unanswered"] += 1
        wait = min(RETRY_FIRST_US << min(row.attempts, 10), RETRY_LAST_US)
        log.warning(
            "command %s: %s; asked again in %d s", row.id, error, wait // SECOND_US,
            extra=called("command-unanswered", command=row.id),
        )
        next_at = self._clock.now() + wait
        await patiently(self._registry, lambda c: kept.command_again(c, row.id, next_at), writes=True)

    async def _record(self, row: Any, result: str, sequence: int | None, error: str) -> None:
        self.counted[result] += 1
        log.info("command %s: %s", row.id, result, extra=called("command-answered", command=row.id, result=result))
        now = self._clock.now()

        def write(connection: sa.Connection) -> None:
            kept.command_answered(connection, row.id, result, sequence, now)
            if row.incident is not None:
                text = f"The gate was asked to {row.do} for {row.actor}: {result}{f' ({error})' if error else ''}."
                facts = {"command": row.id, "do": row.do, "answer": result, "sequence": sequence}
                number = kept.where_it_is_now(connection, row.incident)
                self._story.change(connection, number, now, "command", text, row.actor, row.id, facts)

        await patiently(self._registry, write, writes=True)


def payload_of(row: Any) -> dict[str, Any]:
    """A row of `command` as the gate is asked."""
    asked: dict[str, Any] = {"do": row.do, "because": row.because or row.id, "actor": row.actor, "id": row.id}
    if row.iccid is not None:
        asked |= {"iccid": row.iccid, "generation": row.generation}
    return asked | ({"automation": True} if row.automation else {}) | (row.arguments or {})


def _is_busy(answer: dict[str, Any]) -> bool:
    error = str(answer.get("error", ""))
    return "too many commands" in error or "journal cannot be written" in error
