"""The inventory in the mirror of subscriptions: whole pieces of it at a time, as idempotent writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import population
from simward.registry import tables as t
from simward.registry.upsert import insert

AT_ONCE = 500
"""Keys in one statement; a database takes only so many."""
_S = t.subscription.c


def note_declared(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Lines of the inventory, as it now has them; what outputs said of these subscriptions stays. Columns are alike.

    `number_since` is when the revision was applied that brings them.
    """
    if rows:
        with population.kept(connection, [row["imsi"] for row in rows]):
            connection.execute(_declared(connection, tuple(rows[0])), rows)


def _declared(connection: sa.Connection, names: tuple[str, ...]) -> Any:
    """Insert lines, or change what they say; `number_since` stays where ICCID and MSISDN belonged together before."""
    statement = insert(connection, t.subscription)
    fresh = statement.excluded
    changed = {name: fresh[name] for name in names if name != "imsi"}
    alike = sa.and_(_S.iccid.is_not_distinct_from(fresh.iccid), _S.msisdn.is_not_distinct_from(fresh.msisdn))
    known = sa.and_(_S.state.is_not(None), alike)
    changed["number_since"] = sa.case((known, _S.number_since), else_=fresh.number_since)
    return statement.on_conflict_do_update(index_elements=["imsi"], set_=changed)


def forget(connection: sa.Connection, imsis: Sequence[str]) -> None:
    """These are in the inventory no more."""
    with population.kept(connection, imsis):
        for start in range(0, len(imsis), AT_ONCE):
            connection.execute(sa.delete(t.subscription).where(_S.imsi.in_(imsis[start : start + AT_ONCE])))


def relabel(
    connection: sa.Connection, use_case: str, tenant: str, segment: str | None, most: int
) -> int:
    """The use case is of this tenant and segment: say so of at most so many of its members; gives of how many."""
    other = sa.or_(_S.tenant != tenant, _S.segment.is_distinct_from(segment))
    imsis = list(connection.execute(sa.select(_S.imsi).where(_S.use_case == use_case, other).limit(most)).scalars())
    with population.kept(connection, imsis):
        for start in range(0, len(imsis), AT_ONCE):
            some = _S.imsi.in_(imsis[start : start + AT_ONCE])
            connection.execute(sa.update(t.subscription).where(some).values(tenant=tenant, segment=segment))
    return len(imsis)
