"""Runs what takes longer than a request: backtests, one at a time; and sees how far jobs of commands are."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simward.control.children import ChildFailed, run_child
from simward.control.clock import Clock
from simward.control.dispatching import patiently
from simward.logs import called
from simward.registry import jobs as kept
from simward.registry.database import Registry

log = logging.getLogger(__name__)

BACKTEST_WITHIN_S = 6 * 3600.0
LOOK_EVERY_US = 5_000_000
NOTED_EVERY_S = 1.0
MODULE = "simward.control.backtester"


class Jobs:
    """A part of the control plane; `wake` and `stop` from its event loop."""

    def __init__(self, folder: Path, registry: Registry, clock: Clock) -> None:
        self._folder, self._registry, self._clock = folder, registry, clock
        self._news = asyncio.Event()
        self._running: tuple[int, asyncio.Task[dict[str, Any]]] | None = None

    def wake(self) -> None:
        """There may be a job to begin."""
        self._news.set()

    def stop(self, number: int) -> None:
        """It was cancelled: end its process where it runs."""
        if self._running is not None and self._running[0] == number:
            self._running[1].cancel()

    async def run(self) -> None:
        """See Part."""
        await patiently(self._registry, kept.begin_again, writes=True)
        while True:
            row = await patiently(self._registry, kept.next_waiting)
            if row is None:
                await self._clock.wait(self._news, self._clock.now() + LOOK_EVERY_US)
            else:
                await self._backtest(row)

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking: which jobs of commands are over by now? What ended long ago is forgotten."""
        kept.settle(connection, now)
        kept.prune(connection, now)

    async def _backtest(self, row: Any) -> None:
        await self._note(row.number, state=kept.RUNNING, begun_at=self._clock.now())
        reached: dict[str, int] = {}
        task = asyncio.create_task(run_child(
            MODULE, {"dir": str(self._folder), **row.arguments}, BACKTEST_WITHIN_S,
            lambda said: reached.update(done=said["done"], total=said["total"]),
        ))  # fmt: skip
        self._running = (row.number, task)
        noting = asyncio.create_task(self._keep_noting(row.number, reached))
        log.info("job %d: a backtest begins", row.number, extra=called("job-began", job=row.number))
        try:
            answer = await task
            ended = _ended(answer)
        except ChildFailed as error:
            ended = {"state": kept.FAILED, "error": str(error)}
        except asyncio.CancelledError:
            if not task.cancelled() or _being_cancelled():
                task.cancel()
                raise
            ended = {"state": kept.CANCELLED}
        finally:
            self._running = None
            noting.cancel()
        await self._note(row.number, ended_at=self._clock.now(), **{**reached, **ended})
        log.info("job %d: %s", row.number, ended["state"], extra=called("job-ended", job=row.number))

    async def _keep_noting(self, number: int, reached: dict[str, int]) -> None:
        noted = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, noted + NOTED_EVERY_S - time.monotonic()))
            noted = time.monotonic()
            if reached:
                await self._note(number, **reached)

    async def _note(self, number: int, **values: Any) -> None:
        """Of one that was cancelled meanwhile, the state stays."""

        def write(connection: sa.Connection) -> None:
            if kept.state_of(connection, number) == kept.CANCELLED:
                values.pop("state", None)
            kept.change(connection, number, **values)

        await patiently(self._registry, write, writes=True)


def _ended(answer: dict[str, Any]) -> dict[str, Any]:
    if "summary" in answer:
        return {"state": kept.DONE, "result": answer}
    if "problems" in answer:
        return {"state": kept.FAILED, "error": "the upload does not fit what is in force", "result": answer}
    return {"state": kept.FAILED, "error": str(answer.get("error", "it gave no reason"))}


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
