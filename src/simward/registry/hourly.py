"""Counts by the hour: written where things are mirrored, in the same transaction; read by whoever shows much time.

What is of all tenants is counted too: it is not to be gathered from a thousand of them whenever somebody looks.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert

HOUR_US = 3_600_000_000
H = t.hourly.c
WHATS = ("finding", "effect", "locked", "quarantined", "released")
"""All that is counted: named, so that a question is led through the hours of each."""


def count(connection: sa.Connection, at: int, tenant: str, what: str, name: str) -> None:
    """One more of it, at `at` (us UTC)."""
    made = _statements.get(connection.dialect.name)
    if made is None:
        made = insert(connection, t.hourly)
        made = made.on_conflict_do_update(
            index_elements=["tenant", "what", "hour", "name"], set_={"many": H.many + made.excluded.many}
        )
        _statements[connection.dialect.name] = made
    values = {"hour": at // HOUR_US, "what": what, "name": name, "many": 1}
    connection.execute(made, [{**values, "tenant": one} for one in (tenant, t.EVERY_TENANT)])


_statements: dict[str, Any] = {}
"""By dialect: making one takes longer than running it."""


def by_hour(
    connection: sa.Connection, *, tenant: str | None, what: str, since: int, hours: int = 1
) -> list[tuple[int, str, int]]:  # fmt: skip
    """(when, name, how often) since `since`, by spans of so many hours; `when` (us UTC) is when each begins."""
    begins = H.hour - H.hour % hours if hours > 1 else H.hour
    wanted = [H.tenant == (tenant or t.EVERY_TENANT), H.what == what, H.hour >= since // HOUR_US]
    found = sa.select(begins.label("begins"), H.name, sa.func.sum(H.many)).where(*wanted)
    rows = connection.execute(found.group_by("begins", H.name).order_by("begins"))
    return [(int(hour) * HOUR_US, str(name), int(many)) for hour, name, many in rows]


def totals(connection: sa.Connection, *, tenant: str | None, since: int) -> dict[str, dict[str, int]]:
    """What -> name -> how often since `since`, to the hour."""
    wanted = [H.tenant == (tenant or t.EVERY_TENANT), H.what.in_(WHATS), H.hour >= since // HOUR_US]
    told: dict[str, dict[str, int]] = {}
    found = sa.select(H.what, H.name, sa.func.sum(H.many)).where(*wanted).group_by(H.what, H.name)
    for what, name, many in connection.execute(found):
        told.setdefault(str(what), {})[str(name)] = int(many)
    return told
