"""Insert, or update where the key is there already: the one statement that SQLite and PostgreSQL spell by a dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: sa.Connection, table: sa.Table, key: Sequence[str],
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Write `values`, a row or several with the same columns; of a row that has this key, only those columns change."""
    names = tuple(values) if isinstance(values, Mapping) else tuple(values[0])
    shape = (connection.dialect.name, table.name, tuple(key), names)
    statement = _made.get(shape)
    if statement is None:
        statement = insert(connection, table)
        changed = {name: statement.excluded[name] for name in names if name not in key}
        if changed:
            statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(key))
        _made[shape] = statement
    connection.execute(statement, values)


_made: dict[tuple[Any, ...], Any] = {}
"""Statements by dialect, table, key and columns: making one takes longer than running it."""


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own insert, which knows ON CONFLICT."""
    module = postgresql if connection.dialect.name == "postgresql" else sqlite
    return module.insert(table)
