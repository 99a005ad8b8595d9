"""Erases one subscription from the registry: its audit keys, its mirror, and its numbers wherever a text holds them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from simward.registry import audit, population
from simward.registry import tables as t
from simward.registry.spellings import Spellings

KEPT = frozenset(("id", "detector", "class", "severity", "tenant", "use_case", "at", "ended_at", "response", "held",
                  "wanted", "verdict", "scope"))  # fmt: skip
"""What stays of a finding about it: that there was one, of which kind, and what policy said."""
UNTOUCHED = (t.audit, t.audit_key, t.audit_subject, t.cursor, t.hourly, t.journal_text,
             t.population)


def erase(
    connection: sa.Connection, imsis: Sequence[str], texts: Sequence[str], at: int
) -> tuple[str, list[int]]:
    """Erase, in one transaction.

    Gives the name that stands in place of the numbers from now on, and the entries of the audit that nobody can read.
    """
    gone: list[int] = []
    name, spellings = f"erased-{secrets.token_hex(8)}", Spellings([*imsis, *texts])
    for imsi in imsis:
        gone += audit.destroy_keys(connection, imsi, spellings, at)
        with population.kept(connection, [imsi]):
            connection.execute(sa.delete(t.subscription).where(t.subscription.c.imsi == imsi))
        connection.execute(sa.delete(t.deployment).where(t.deployment.c.imsi == imsi))
        mine = sa.select(t.camara_subscription.c.id).where(t.camara_subscription.c.imsi == imsi)
        connection.execute(sa.delete(t.camara_notification).where(t.camara_notification.c.subscription.in_(mine)))
        connection.execute(sa.delete(t.camara_subscription).where(t.camara_subscription.c.imsi == imsi))
        for table in (t.binding, t.benign):
            connection.execute(sa.delete(table).where(table.c.imsi == imsi))
        connection.execute(sa.delete(t.declared_line).where(t.declared_line.c.imsi == imsi))
        _documents(connection, imsi)
        hidden = {"session_id": None}
        connection.execute(sa.update(t.effect).where(t.effect.c.imsi == imsi).values(hidden))
    for table in t.metadata.sorted_tables:
        if table not in UNTOUCHED:
            _texts(connection, table, spellings, name)
    return name, sorted(gone)


def _documents(connection: sa.Connection, imsi: str) -> None:
    """What findings and announcements said of its devices, addresses and places."""
    found = connection.execute(sa.select(t.finding.c.id, t.finding.c.document).where(t.finding.c.imsi == imsi)).all()
    for row in found:
        document = {key: value if key in KEPT else None for key, value in row.document.items()}
        connection.execute(sa.update(t.finding).where(t.finding.c.id == row.id).values(document=document))
    said = sa.update(t.announcement).where(t.announcement.c.subject == imsi)
    connection.execute(said.values(data={"erased": True}))


def _texts(connection: sa.Connection, table: sa.Table, spellings: Spellings, name: str) -> None:
    """Put `name` in place of every number, in every column that can hold one."""
    columns = [one for one in table.columns if isinstance(one.type, (sa.String, sa.JSON))]
    key = list(table.primary_key.columns)
    for column in columns:
        held = [sa.cast(column, sa.Text).contains(one) for one in spellings.digits]
        for row in connection.execute(sa.select(*key, column.label("held")).where(sa.or_(*held))).mappings().all():
            struck = spellings.struck(row["held"], name)
            if struck != row["held"]:
                where = [one == row[one.name] for one in key]
                connection.execute(sa.update(table).where(*where).values({column.name: struck}))
