"""Commands that were decided on reach the gate: until answered, once each, and not when an automation's are old."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from control.outgoing import Outgoing
from simward.control.commanding import Commanding
from simward.errors import PeerError
from simward.incident_settings import ACT_WITHIN_S, IncidentSettings
from simward.registry import parties as kept
from simward.registry import tables as t
from simward.response.incident_life import Life


class Asked(Outgoing):
    """A gate that answers as it is told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answer: dict[str, Any] | None = {"ok": True, "result": "applied", "sequence": 7}
        self.heard: list[dict[str, Any]] = []
        life = Life(self.announcing, IncidentSettings())
        self.commanding = Commanding(self.registry, self.ask, self.clock, life)

    async def ask(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The gate's end."""
        self.heard.append(payload)
        if self.answer is None:
            raise PeerError("no gate is running")
        return self.answer

    def decide(self, id_: str, **more: Any) -> None:
        """A command."""
        now = self.clock.now()
        values = {"id": id_, "do": "release", "iccid": "8900101000000000001", "actor": "party dm", "because": "x"}
        with self.registry.writing() as connection:
            kept.ask(connection, {**values, "asked_at": now, "next_at": now, **more})
        self.commanding.wake()

    def result(self, id_: str) -> Any:
        """The row."""
        with self.registry.reading() as connection:
            return connection.execute(sa.select(t.command).where(t.command.c.id == id_)).one()


def story(asked: Asked, told: Any) -> None:
    """Run it beside."""

    async def run() -> None:
        running = asyncio.create_task(asked.commanding.run())
        try:
            await told()
        finally:
            running.cancel()

    asyncio.run(run())


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Nothing decided yet."""
    return Asked(tmp_path)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ok": True, "result": "applied", "sequence": 7}, "applied"),
        ({"ok": True, "result": "duplicate"}, "duplicate"),
        ({"ok": False, "result": "stale", "error": "stale: look again", "sequence": 8}, "stale"),
        ({"ok": False, "result": "limited", "error": "limited", "sequence": 8}, "limited"),
        ({"ok": False, "result": "not-found", "error": "not found", "sequence": 8}, "not-found"),
        ({"ok": False, "error": "unknown command"}, "refused"),
    ],
)
def test_each_answer_is_recorded(asked: Asked, answer: dict[str, Any], expected: str) -> None:
    asked.answer = answer

    async def told() -> None:
        asked.decide("a", incident=None)
        await asked.until(lambda: asked.result("a").result is not None)

    story(asked, told)
    row = asked.result("a")
    assert (row.result, row.sequence, row.attempts) == (expected, answer.get("sequence"), 1)
    assert asked.heard == [
        {"do": "release", "because": "x", "actor": "party dm", "id": "a", "iccid": "8900101000000000001",
         "generation": -1}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "away", [None, {"ok": False, "result": "applied", "error": "the journal cannot be written"},
             {"ok": False, "error": "too many commands at once"}]
)  # fmt: skip
def test_a_gate_that_is_away_or_cannot_write_is_asked_again_under_the_same_id(asked: Asked, away: Any) -> None:
    asked.answer = away

    async def told() -> None:
        asked.decide("a")
        await asked.until(lambda: len(asked.heard) == 4, every_s=0.5)
        asked.answer = {"ok": True, "result": "applied", "sequence": 9}
        await asked.until(lambda: asked.result("a").result == "applied", every_s=1)

    story(asked, told)
    assert {one["id"] for one in asked.heard} == {"a"}
    assert asked.result("a").sequence == 9


def test_what_an_automation_wanted_long_ago_is_not_done_and_what_a_party_wanted_is(asked: Asked) -> None:
    asked.decide("automation", automation=True)
    asked.decide("party")
    asked.clock.advance(ACT_WITHIN_S + 1)

    async def told() -> None:
        await asked.until(lambda: asked.result("party").result and asked.result("automation").result)

    story(asked, told)
    assert (asked.result("automation").result, asked.result("party").result) == ("expired", "applied")
    assert [one["id"] for one in asked.heard] == ["party"]
