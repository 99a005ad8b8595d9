"""Plans and applies what came over the API, and goes back to what was in force before: one at a time."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simward.control.children import run_child
from simward.errors import RefusedError, UsageError
from simward.logs import called
from simward.registry import revisions as kept
from simward.registry import uploads
from simward.registry.cursors import read_cursor
from simward.registry.database import Registry
from simward.revising.sides import API, owner_of
from simward.settings import Settings

log = logging.getLogger(__name__)

PLAN_WITHIN_S, APPLY_WITHIN_S, MIRRORED_WITHIN_S = 300.0, 600.0, 10.0
MODULE = "simward.control.planner"
AskGate = Callable[[dict[str, Any], float], Awaitable[dict[str, Any]]]


class Unfit(UsageError):
    """A proposal that cannot be meant; `problems` as JSON (revising.telling.problem_told)."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class AsksFirst(RefusedError):
    """It would do what nobody does by mistake: say so with `confirm`."""

    def __init__(self, plan: dict[str, Any]) -> None:
        super().__init__("; ".join(plan["needs_confirmation"]))
        self.plan = plan


class BaseMoved(RefusedError):
    """What the API declares has changed since the proposal was made."""


@dataclass(frozen=True)
class Wish:
    """Who wants something applied, and why."""

    actor: str
    because: str
    confirmed: bool = False


class Revising:
    """One a control plane."""

    def __init__(self, settings: Settings, registry: Registry, ask_gate: AskGate) -> None:
        self._settings, self._registry, self._ask_gate = settings, registry, ask_gate
        self._one = asyncio.Lock()

    async def plan(self, **asked: Any) -> dict[str, Any]:
        """What an `upload` (id), or going back to a `revision` (number), would change. Raises as `apply`."""
        async with self._one:
            answer = await self._child(asked)
        plan: dict[str, Any] = answer["plan"]
        return plan

    async def apply(
        self, wish: Wish, now: int, check: Callable[[sa.Connection], None] = lambda connection: None, **asked: Any
    ) -> dict[str, Any]:
        """Apply it: `plan`, `answer` (the gate's, None where nothing would change) and `revision` (its number).

        `check` may refuse, and is asked while nothing else can be applied over the API. Raises Unfit, AsksFirst,
        BaseMoved, ChildFailed, and whatever `check` and asking the gate raise.
        """
        async with self._one:
            await self._read(check)
            await self._read(lambda connection: _refuse_stale(connection, asked))
            name = f"{now}-{secrets.token_hex(4)}"
            folder = (self._settings.data_dir / "revisions" / name).absolute()
            write = {
                "folder": str(folder), "actor": wish.actor, "because": wish.because, "confirmed": wish.confirmed,
                "upload": asked.get("upload"),
            }  # fmt: skip
            made = await self._child({**asked, "write": write})
            plan = made["plan"]
            if not made["written"] and not plan["empty"]:
                raise AsksFirst(plan)
            answer = None if plan["empty"] else await self._through_gate(folder)
            return {"plan": plan, "answer": answer, "revision": await self._mirrored(asked, answer)}

    async def _through_gate(self, folder: Path) -> dict[str, Any]:
        answer = await self._ask_gate({"do": "apply", "revision": str(folder)}, APPLY_WITHIN_S)
        log.info(
            "revision %s: %s", folder.name, answer.get("error") or f"in force from {answer.get('last')} on",
            extra=called("revision-taken", revision=folder.name),
        )
        if answer.get("ok"):
            # The journal holds it now. A revision that the gate did not take stays, to be looked at.
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return answer

    async def _mirrored(self, asked: dict[str, Any], answer: dict[str, Any] | None) -> int | None:
        """The number of the revision in force, once the registry has it (None where it takes too long)."""
        if answer is not None and not answer.get("ok"):
            return None

        def declared(connection: sa.Connection) -> None:
            newest = kept.newest(connection)
            last = int(answer["last"]) if answer is not None else newest.last_sequence if newest is not None else 0
            if asked.get("upload"):
                uploads.applied(connection, asked["upload"], last)

        await asyncio.to_thread(self._write, declared)
        until = asyncio.get_running_loop().time() + MIRRORED_WITHIN_S
        while True:
            cursor, newest = await self._read(lambda connection: (read_cursor(connection), kept.newest(connection)))
            if newest is not None and (answer is None or cursor.gate >= int(answer["last"])):
                return int(newest.number)
            if asyncio.get_running_loop().time() > until:
                return None
            await asyncio.sleep(0.05)

    async def _child(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = await run_child(MODULE, {"dir": str(self._settings.dir), **asked}, PLAN_WITHIN_S)
        if "problems" in answer:
            raise Unfit(answer["problems"])
        if "error" in answer:
            raise UsageError(answer["error"])
        return answer

    async def _read(self, question: Callable[[sa.Connection], Any]) -> Any:
        def look() -> Any:
            with self._registry.reading() as connection:
                return question(connection)

        return await asyncio.to_thread(look)

    def _write(self, change: Callable[[sa.Connection], None]) -> None:
        with self._registry.writing() as connection:
            change(connection)


def _refuse_stale(connection: sa.Connection, asked: dict[str, Any]) -> None:
    """Raises where an upload is gone, or was made from what is not in force any more."""
    if not asked.get("upload"):
        return
    row = uploads.find(connection, asked["upload"])
    if row is None:
        raise UsageError("the upload is not kept any more")
    if row.base != base_in_force(connection):
        raise BaseMoved("what the API declares has changed since this was uploaded: upload it again")


def api_texts(connection: sa.Connection) -> dict[str, str]:
    """The policy texts that the API declares, by name."""
    texts = kept.texts_of(connection, kept.newest(connection))
    return {name: text for name, text in texts.items() if owner_of(name) == API}


def base_in_force(connection: sa.Connection) -> str:
    """The name of all that the API declares now."""
    return uploads.base_of(api_texts(connection), uploads.in_force(connection))
