"""The inventory in the mirror of subscriptions: whole pieces of it at a time, as idempotent writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import upsert

AT_ONCE = 500
"""Keys in one statement; a database takes only so many."""
_S = t.subscription.c


def note_declared(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Lines of the inventory, as it now has them; what outputs said of these subscriptions stays. Columns are alike."""
    if rows:
        upsert(connection, t.subscription, ["imsi"], rows)


def forget(connection: sa.Connection, imsis: Sequence[str]) -> None:
    """These are in the inventory no more."""
    for start in range(0, len(imsis), AT_ONCE):
        connection.execute(sa.delete(t.subscription).where(_S.imsi.in_(imsis[start : start + AT_ONCE])))


def relabel(
    connection: sa.Connection, use_case: str, tenant: str, segment: str | None, most: int
) -> int:
    """The use case is of this tenant and segment: say so of at most so many of its members; gives of how many."""
    other = sa.or_(_S.tenant != tenant, _S.segment.is_distinct_from(segment))
    some = sa.select(_S.imsi).where(_S.use_case == use_case, other).limit(most)
    changed = sa.update(t.subscription).where(_S.imsi.in_(some)).values(tenant=tenant, segment=segment)
    return connection.execute(changed).rowcount
