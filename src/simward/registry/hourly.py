"""Counts by the hour: written where things are mirrored, in the same transaction; read by whoever shows much time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert

HOUR_US = 3_600_000_000
H = t.hourly.c


def count(connection: sa.Connection, at: int, tenant: str, what: str, name: str) -> None:
    """One more of it, at `at` (us UTC)."""
    made = _statements.get(connection.dialect.name)
    if made is None:
        made = insert(connection, t.hourly)
        made = made.on_conflict_do_update(
            index_elements=["hour", "tenant", "what", "name"], set_={"many": H.many + made.excluded.many}
        )
        _statements[connection.dialect.name] = made
    values = {"hour": at // HOUR_US, "tenant": tenant, "what": what, "name": name, "many": 1}
    connection.execute(made, values)


_statements: dict[str, Any] = {}
"""By dialect: making one takes longer than running it."""


def by_hour(
    connection: sa.Connection, *, tenant: str | None, what: str, since: int, hours: int = 1
) -> list[tuple[int, str, int]]:  # fmt: skip
    """(when, name, how often) since `since`, by spans of so many hours; `when` (us UTC) is when each begins."""
    begins = H.hour - H.hour % hours if hours > 1 else H.hour
    wanted = [H.hour >= since // HOUR_US, H.what == what, *([H.tenant == tenant] if tenant is not None else [])]
    found = sa.select(begins.label("begins"), H.name, sa.func.sum(H.many)).where(*wanted)
    rows = connection.execute(found.group_by("begins", H.name).order_by("begins"))
    return [(int(hour) * HOUR_US, str(name), int(many)) for hour, name, many in rows]


def totals(connection: sa.Connection, *, tenant: str | None, since: int) -> dict[str, dict[str, int]]:
    """What -> name -> how often since `since`, to the hour."""
    wanted = [H.hour >= since // HOUR_US, *([H.tenant == tenant] if tenant is not None else [])]
    told: dict[str, dict[str, int]] = {}
    found = sa.select(H.what, H.name, sa.func.sum(H.many)).where(*wanted).group_by(H.what, H.name)
    for what, name, many in connection.execute(found):
        told.setdefault(str(what), {})[str(name)] = int(many)
    return told
