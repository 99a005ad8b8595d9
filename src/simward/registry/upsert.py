"""Insert, or update where the key is there already: the one statement that SQLite and PostgreSQL spell by a dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: sa.Connection, table: sa.Table, key: Sequence[str], values: dict[str, Any]) -> None:
    """Write `values`; of a row that has this key, only the columns that are given change."""
    statement = insert(connection, table).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in key}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    connection.execute(statement)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own insert, which knows ON CONFLICT."""
    module = postgresql if connection.dialect.name == "postgresql" else sqlite
    return module.insert(table)
