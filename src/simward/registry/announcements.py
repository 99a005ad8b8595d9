"""Announcements and their deliveries: what is said to other systems is written once, with what caused it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert


def announce(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Write an announcement under its id, with the next sequence of its subject; 0 where it was written before."""
    if connection.execute(_KNOWN, {"known": values["id"]}).scalar() is not None:
        return 0
    sequence = _next_sequence(connection, values["subject"])
    made = connection.execute(_NEW, {"sequence": sequence, **values})
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def _next_sequence(connection: sa.Connection, subject: str) -> int:
    statement = _counted.get(connection.dialect.name)
    if statement is None:
        statement = insert(connection, t.subject).on_conflict_do_update(
            index_elements=["name"], set_={"announcements": t.subject.c.announcements + 1}
        ).returning(t.subject.c.announcements)  # fmt: skip
        _counted[connection.dialect.name] = statement
    return int(connection.execute(statement, {"name": subject, "announcements": 1}).scalar_one())


# Made once: making a statement takes longer than running it.
_KNOWN = sa.select(t.announcement.c.number).where(t.announcement.c.id == sa.bindparam("known"))
_NEW, _DELIVER = sa.insert(t.announcement), sa.insert(t.delivery)
_counted: dict[str, Any] = {}


def deliver(connection: sa.Connection, announcement: int, lane: str, endpoints: Iterable[str], now: int,
            deadline_at: int) -> None:
    """Put an announcement on its way to each endpoint; deliveries of one lane to one endpoint go in order."""
    rows = [
        {"announcement": announcement, "endpoint": endpoint, "lane": lane, "made_at": now, "next_at": now,
         "deadline_at": deadline_at}
        for endpoint in dict.fromkeys(endpoints)
    ]  # fmt: skip
    if rows:
        connection.execute(_DELIVER, rows)
