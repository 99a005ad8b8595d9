"""What goes on behind the API: a thread that follows the journals and, each second, lets time pass for whatever waits.

One thread does all of it, so that what follows from facts and what follows from time never meet half-way.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from simward.control.following import Following, Taker
from simward.control.heads import Heads
from simward.control.pace import GivingWay
from simward.control.readiness import Condition
from simward.engine import journal_reader as reader
from simward.engine.journal import NO_DIGEST
from simward.engine.journal_files import segments
from simward.errors import JournalError, RegistryError
from simward.logs import called
from simward.registry.database import Registry
from simward.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 0.02
"""How long nothing is looked for where nothing was found: what it adds to the way from a packet to a webhook."""
TICK_S = 1.0
TICK_SOON_S = 0.05
"""After something was followed, or where more is due than was done at once."""
BACKOFF_S, BACKOFF_MAX_S = 0.5, 30.0
LAG_MAX_S = 30.0
"""Further behind than this it is not ready: what others are told then is old."""


class Ticking(Protocol):
    """Something that waits for a time."""

    def tick(self, connection: sa.Connection, now: int) -> object:
        """Let whatever is due at `now` (us UTC) happen, inside one transaction; what is true says that more may be."""


class Behind:
    """A part of the control plane. `changed` are called, in the event loop, after what may have written anything."""

    def __init__(
        self, settings: Settings, registry: Registry, *, now: Callable[[], int], takers: Sequence[Taker] = (),
        before: Sequence[Taker] = (), ticking: Sequence[Ticking] = (), heads: Heads | None = None,
        changed: Sequence[Callable[[], None]] = (), being_served: Callable[[], int] = lambda: 0,
    ) -> None:
        """`being_served` gives how many requests are: it goes slower while there are any."""
        self._settings, self._registry, self._now = settings, registry, now
        self._takers, self._before, self._ticking = takers, before, ticking
        self._heads, self._changed = heads, changed
        self._giving_way = GivingWay(being_served)
        self._stop = threading.Event()
        self._following: Following | None = None
        self._idle_at = time.monotonic()
        self._ticked_at = 0.0
        self._more = False
        self.trouble = "it has not begun"

    def policy(self) -> tuple[int, bytes] | None:
        """The policy in force as far as it has followed: its sequence, and as it was journalled; None: not known yet.

        Raises RegistryError where nothing is followed now.
        """
        following = self._following
        if following is None:
            raise RegistryError("the journals are not followed yet: what is in force is not known")
        return following.policy

    async def run(self) -> None:
        """See Part."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        thread = threading.Thread(target=self._run, args=(loop, done), name="behind", daemon=True)
        thread.start()
        try:
            await done.wait()
            raise RuntimeError("the thread that follows the journals has ended")
        finally:
            self._stop.set()
            await asyncio.to_thread(thread.join, 5.0)

    async def conditions(self) -> Mapping[str, Condition]:
        """See Conditions: does it follow, and how far behind is it?"""
        following = self._following
        if following is None or self.trouble:
            return {"following": Condition(False, self.trouble)}
        behind_s = time.monotonic() - self._idle_at
        ok = behind_s < LAG_MAX_S
        said = "is up to date" if behind_s < TICK_S else f"is {behind_s:.0f} s behind"
        return {"following": Condition(ok, said, self.status())}

    def status(self) -> dict[str, Any]:
        """How far it is."""
        following = self._following
        if following is None:
            return {}
        cursor = following.cursor
        return {
            "sequence": cursor.gate, "watch_sequence": cursor.watch, "facts": following.facts, "gaps": following.gaps,
            "behind_s": round(max(0.0, time.monotonic() - self._idle_at), 1),
        }  # fmt: skip

    def _run(self, loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
        backoff_s = BACKOFF_S
        try:
            while not self._stop.is_set():
                try:
                    self._follow(loop)
                    backoff_s = BACKOFF_S
                except (JournalError, RegistryError, OSError) as error:
                    self.trouble = str(error)
                    log.error(
                        "the journals cannot be followed (%s); trying again in %.1f s", error, backoff_s,
                        extra=called("following-failed"),
                    )
                    self._stop.wait(backoff_s)
                    backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
        except Exception:
            log.exception("the thread that follows the journals has failed", extra=called("following-broke"))
        finally:
            loop.call_soon_threadsafe(done.set)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        following = Following(self._settings.data_dir, self._registry, self._takers, self._before)
        self._following = following
        self.trouble = ""
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                rows = following.step()
                ticked = self._tick(soon=rows > 0)
                if rows or ticked:
                    loop.call_soon_threadsafe(self._tell)
                if not rows:
                    self._idle_at = time.monotonic()
                    self._stop.wait(POLL_S)
                else:
                    self._giving_way.rest(time.monotonic() - began, self._stop)
        finally:
            following.close()

    def _tick(self, soon: bool) -> bool:
        monotonic = time.monotonic()
        if monotonic < self._ticked_at + (TICK_SOON_S if soon or self._more else TICK_S):
            return False
        self._ticked_at = monotonic
        now = self._now()
        if self._ticking:
            with self._registry.writing() as connection:
                self._more = bool([each for each in self._ticking if each.tick(connection, now)])
        if self._heads is not None:
            self._heads.each_second(monotonic, now, self._journal_head)
        return bool(self._ticking)

    def _tell(self) -> None:
        for changed in self._changed:
            changed()

    def _journal_head(self) -> tuple[int, bytes]:
        """The last sequence of the gate's journal, and the digest there."""
        folder = self._settings.data_dir / "journal"
        for first in reversed(segments(folder)):
            found = reader.tail_of(folder, first)
            if found is not None:
                return found
        return 0, NO_DIGEST
