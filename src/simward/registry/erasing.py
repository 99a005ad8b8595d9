"""Erases one subscription from the registry: its audit keys, its mirror, and its numbers wherever a text holds them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import audit
from simward.registry import tables as t

KEPT = frozenset(("id", "detector", "class", "severity", "tenant", "use_case", "at", "ended_at", "response", "held",
                  "wanted", "verdict", "scope"))  # fmt: skip
"""What stays of a finding about it: that there was one, of which kind, and what policy said."""
UNTOUCHED = (t.audit, t.audit_key, t.audit_subject, t.cursor, t.journal_text)


def erase(connection: sa.Connection, imsis: Sequence[str], texts: Sequence[str], at: int) -> str:
    """Erase, in one transaction; gives the name that stands in place of the numbers from now on."""
    name = f"erased-{secrets.token_hex(8)}"
    for imsi in imsis:
        audit.destroy_keys(connection, imsi, texts, at)
        connection.execute(sa.delete(t.subscription).where(t.subscription.c.imsi == imsi))
        _documents(connection, imsi)
        hidden = {"session_id": None}
        connection.execute(sa.update(t.effect).where(t.effect.c.imsi == imsi).values(hidden))
    for table in t.metadata.sorted_tables:
        if table not in UNTOUCHED:
            _texts(connection, table, texts, name)
    return name


def _documents(connection: sa.Connection, imsi: str) -> None:
    """What findings and announcements said of its devices, addresses and places."""
    found = connection.execute(sa.select(t.finding.c.id, t.finding.c.document).where(t.finding.c.imsi == imsi)).all()
    for row in found:
        document = {key: value if key in KEPT else None for key, value in row.document.items()}
        connection.execute(sa.update(t.finding).where(t.finding.c.id == row.id).values(document=document))
    said = sa.update(t.announcement).where(t.announcement.c.subject == imsi)
    connection.execute(said.values(data={"erased": True}))


def _texts(connection: sa.Connection, table: sa.Table, texts: Sequence[str], name: str) -> None:
    """Put `name` in place of every text, in every column that can hold one."""
    columns = [one for one in table.columns if isinstance(one.type, (sa.String, sa.JSON))]
    key = list(table.primary_key.columns)
    for column in columns:
        as_text = sa.cast(column, sa.Text)
        asked = sa.select(*key, column.label("held")).where(sa.or_(*(as_text.contains(one) for one in texts)))
        for row in connection.execute(asked).mappings().all():
            where = [one == row[one.name] for one in key]
            values = {column.name: _struck(row["held"], texts, name)}
            connection.execute(sa.update(table).where(*where).values(values))


def _struck(held: Any, texts: Sequence[str], name: str) -> Any:
    text = held if isinstance(held, str) else json.dumps(held)
    for one in texts:
        text = text.replace(one, name)
    return text if isinstance(held, str) else json.loads(text)
