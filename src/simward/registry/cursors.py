"""How far the control process has followed the journals, and the texts that rows up to there brought."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert, upsert

CONTROL = "control"


@dataclass(frozen=True)
class Cursor:
    """Sequences of the last rows taken: of the gate's journal and of the watch's."""

    gate: int = 0
    watch: int = 0


def read_cursor(connection: sa.Connection, name: str = CONTROL) -> Cursor:
    """Where to go on; the beginning where nothing was ever followed."""
    found = connection.execute(sa.select(t.cursor).where(t.cursor.c.name == name)).one_or_none()
    return Cursor() if found is None else Cursor(found.gate_sequence, found.watch_sequence)


def move_cursor(connection: sa.Connection, to: Cursor, name: str = CONTROL) -> None:
    """Say how far it is: in the transaction that holds what follows from the rows up to there."""
    values = {"gate_sequence": to.gate, "watch_sequence": to.watch}
    upsert(connection, t.cursor, ["name"], {"name": name, **values})


def keep_texts(connection: sa.Connection, texts: list[tuple[int, bytes]]) -> None:
    """Keep the texts that a row brought."""
    for number, octets in texts:
        statement = insert(connection, t.journal_text).values(number=number, octets=octets)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["number"]))


def kept_texts(connection: sa.Connection) -> list[tuple[int, bytes]]:
    """All of them, by number."""
    found = connection.execute(sa.select(t.journal_text).order_by(t.journal_text.c.number))
    return [(row.number, bytes(row.octets)) for row in found]
