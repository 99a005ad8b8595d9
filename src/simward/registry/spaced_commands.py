"""Many commands at once, one after the other at a bounded rate: what a person lets go of, or takes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert

A_SECOND = 50
"""So many of them are given to the gate each second, so that nothing else waits long behind ten thousand."""


def ask_gate_for(connection: sa.Connection, commands: Iterable[Mapping[str, Any]], now: int) -> int:
    """Put commands into the outbox, each a moment later than the one before; gives how many.

    Those that are there already (by `id`) stay as they are.
    """
    latest = connection.execute(
        sa.select(sa.func.max(t.command.c.next_at)).where(t.command.c.result.is_(None), t.command.c.attempts == 0)
    ).scalar()
    begin = max(now, latest or 0)  # behind those that wait already
    rows = [
        {**one, "asked_at": now, "next_at": begin + number * 1_000_000 // A_SECOND}
        for number, one in enumerate(commands)
    ]
    if rows:
        connection.execute(insert(connection, t.command).on_conflict_do_nothing(index_elements=["id"]), rows)
    return len(rows)


def answers_to(connection: sa.Connection, cause: str) -> dict[str, int]:
    """Answer of the gate -> how many of the commands with this cause; "open" for those that it has not answered."""
    c = t.command.c
    counted = sa.select(c.result, sa.func.count()).where(c.cause == cause).group_by(c.result)
    return {result or "open": number for result, number in connection.execute(counted)}
