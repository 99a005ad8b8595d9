"""Incidents as triggers: what was announced of them since the last look, each once."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.cursors import Cursor, move_cursor, read_cursor
from simward.response.rules.opening import GROUPING
from simward.response.rules.rule import Trigger

CURSOR = "rules"
"""Its `gate_sequence` is the number of the last announcement looked at."""
STEP = 200
TYPES = ("incident.opened", "incident.changed", "incident.resolved")


def skip_earlier(connection: sa.Connection) -> None:
    """At the first look: what was announced before there were rules triggers none."""
    if connection.execute(sa.select(t.cursor.c.name).where(t.cursor.c.name == CURSOR)).scalar() is None:
        newest = connection.execute(sa.select(sa.func.max(t.announcement.c.number))).scalar() or 0
        move_cursor(connection, Cursor(gate=newest), CURSOR)


def read_triggers(connection: sa.Connection) -> list[Trigger]:
    """The triggers since the last look, which moves the cursor; at most STEP at a time."""
    cursor, a = read_cursor(connection, CURSOR), t.announcement
    newest = connection.execute(sa.select(sa.func.max(a.c.number))).scalar() or 0
    if newest <= cursor.gate:
        return []
    found = sa.select(a).where(a.c.number > cursor.gate, a.c.number <= newest, a.c.type.in_(TYPES))
    rows = connection.execute(found.order_by(a.c.number).limit(STEP)).all()
    move_cursor(connection, replace(cursor, gate=rows[-1].number if len(rows) == STEP else newest), CURSOR)
    told = [row for row in rows if row.incident is not None]
    return [_trigger(connection, row) for row in told if row.data.get("incident", {}).get("grouping") != GROUPING]


def _trigger(connection: sa.Connection, row: sa.Row) -> Trigger:  # type: ignore[type-arg]
    missed = row.data.get("change") == "escalated"
    incident = connection.execute(sa.select(t.incident).where(t.incident.c.number == row.incident)).one_or_none()
    imsi = incident.imsi if incident is not None else None
    known = connection.execute(sa.select(t.subscription).where(t.subscription.c.imsi == imsi)).one_or_none()
    return Trigger(
        id=row.id, names=("deadline-missed", row.type) if missed else (row.type,), at=row.at, tenant=row.tenant,
        imsi=imsi, iccid=incident.iccid if incident is not None else None, use_case=row.use_case,
        segment=known.segment if known is not None else None, incident=row.incident,
    )  # fmt: skip
