"""Tells the gate of deployments, each until it is answered: a few together as one revision of the lines concerned.

Killed at any moment nothing is half done: what is to be sent stands in the registry, under the name that it is sent by.
Sent again, the same lines change nothing; what came of them is read from the journal, not from the answer.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from simward.control.clock import Clock
from simward.control.commanding import RETRY_FIRST_US, RETRY_LAST_US, Ask
from simward.control.dispatching import patiently
from simward.engine.revision_files import write_revision
from simward.engine.tables import DECLARED, LIFECYCLE, InventoryDelta
from simward.errors import PeerError
from simward.identity import Iccid, Imei, Imsi, Msisdn
from simward.logs import called
from simward.registry import deployments as kept
from simward.registry.database import Registry
from simward.response.deployments import Deployments

log = logging.getLogger(__name__)

LOOK_EVERY_US = 5_000_000
MAY_PASS = ("another revision is being applied", "journal cannot be written", "too many commands")
"""What a gate says that may take it a moment later."""


class Deploying:
    """`run` until cancelled; `wake` from any thread when a deployment was kept or taken back."""

    def __init__(self, registry: Registry, ask: Ask, clock: Clock, deployments: Deployments, data_dir: Path) -> None:
        self._registry, self._ask, self._clock, self._deployments = registry, ask, clock, deployments
        self._folder = data_dir / "revisions"
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.counted: Counter[str] = Counter()
        """Revisions: taken, refused, and `unanswered` attempts."""

    def wake(self) -> None:
        """There may be something to tell the gate."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Until cancelled. One revision after the other: what concerns one card arrives in order."""
        self._loop = asyncio.get_running_loop()
        while True:
            now = self._clock.now()
            rows = await patiently(self._registry, lambda c: _named(c, now), writes=True)  # noqa: B023
            if rows:
                await self._send(rows)
                continue
            due = await patiently(self._registry, kept.next_at)
            look = now + LOOK_EVERY_US
            await self._clock.wait(self._news, look if due is None else min(due, look))

    async def _send(self, rows: Sequence[Any]) -> None:
        name = rows[0].revision
        place = (self._folder / name).absolute()
        await asyncio.to_thread(_write, place, rows)
        try:
            answer = await self._ask({"do": "apply", "revision": str(place)})
        except PeerError as error:
            await self._later(rows, str(error))
            return
        if not answer.get("ok"):
            why = str(answer.get("error", "no, without a reason"))
            if any(words in why for words in MAY_PASS):
                await self._later(rows, why)
                return
            self.counted["refused"] += 1
            log.error("revision %s: %s", name, why, extra=called("deployments-refused", revision=name))
            await patiently(self._registry, lambda c: self._refused(c, rows, why), writes=True)
        else:
            self.counted["taken"] += 1
            log.info(
                "revision %s of %d deployments: in force from 0/%s on", name, len(rows), answer.get("last"),
                extra=called("deployments-taken", revision=name, deployments=len(rows)),
            )
            await patiently(self._registry, lambda c: kept.answered(c, name), writes=True)
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    async def _later(self, rows: Sequence[Any], error: str) -> None:
        self.counted["unanswered"] += 1
        wait = min(RETRY_FIRST_US << min(rows[0].attempts, 10), RETRY_LAST_US)
        log.warning(
            "revision %s: %s; sent again in %d s", rows[0].revision, error, wait // 1_000_000,
            extra=called("deployments-unanswered", revision=rows[0].revision),
        )
        next_at = self._clock.now() + wait
        await patiently(self._registry, lambda c: kept.again(c, rows[0].revision, next_at), writes=True)

    def _refused(self, connection: sa.Connection, rows: Sequence[Any], error: str) -> None:
        for row in rows:
            self._deployments.refused(connection, row, error, self._clock.now())


def _named(connection: sa.Connection, now: int) -> Sequence[Any]:
    """What is to be sent now, under a name that stands before it is."""
    rows = kept.to_send(connection, now)
    if rows and rows[0].revision is None:
        kept.name_revision(connection, [row.number for row in rows], f"{kept.DEPLOY}-{rows[0].number}-{now}")
        return kept.to_send(connection, now)
    return rows


def _write(place: Path, rows: Sequence[Any]) -> None:
    shutil.rmtree(place, ignore_errors=True)  # one that was being written when the process was killed
    because = "; ".join(f"deployment {row.number}: {row.because or row.asked}" for row in rows)[:500]
    delta = delta_of([line for row in rows for line in row.lines])
    write_revision(
        place, [delta], actor=rows[0].ended_by or rows[0].actor, because=because, do=kept.DEPLOY,
        command_id=rows[0].revision,
    )  # fmt: skip


def delta_of(lines: Sequence[dict[str, Any]]) -> InventoryDelta:
    """Lines as the registry keeps them, as a change of the inventory; of one IMSI the last one stands."""
    last = {line["imsi"]: line for line in lines}
    names = list(dict.fromkeys(line["use_case"] or "" for line in last.values()))
    upserts = np.zeros(len(last), DECLARED)
    for row, line in zip(upserts, last.values(), strict=True):
        row["imsi"], row["iccid"] = Imsi.parse(line["imsi"]).number, Iccid.parse(line["iccid"]).number
        row["msisdn"] = Msisdn.parse(line["msisdn"]).number if line["msisdn"] else 0
        row["imei"] = Imei.parse(line["imei"]).number if line["imei"] else 0
        row["use_case"], row["state"] = names.index(line["use_case"] or ""), LIFECYCLE.index(line["state"])
        row["owner"] = line["owner"]
    return InventoryDelta(upserts, np.zeros(0, np.int64), names or [""])
