"""How many subscriptions there are of each tenant, use case and segment: counted where they are written.

Who looks at a million of them would go through all: what is written says by how much the counts change instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert

S, P = t.subscription.c, t.population.c
COUNTS = ("members", "bound", "locked", "confined", "addressed")
COUNTED = frozenset(
    ("tenant", "use_case", "segment", "imei", "locked_at", "confined", "address", "prefix"),
)
"""Columns of a subscription that the counts are made of."""
AT_ONCE = 500
"""Keys in one statement; a database takes only so many."""
Group = tuple[str, str, str]


@contextmanager
def kept(connection: sa.Connection, imsis: Sequence[str]) -> Iterator[None]:
    """Around a change of these subscriptions, and no others: the counts change with it, in its transaction."""
    before = _of(connection, imsis)
    yield
    after = _of(connection, imsis)
    none = dict.fromkeys(COUNTS, 0)
    for group in sorted(before.keys() | after.keys()):
        was, now = before.get(group, none), after.get(group, none)
        if was != now:
            _add(connection, group, {name: now[name] - was[name] for name in COUNTS})


def counted(connection: sa.Connection) -> list[Any]:
    """Rows: tenant, use_case, segment ("": none), and COUNTS."""
    return list(connection.execute(sa.select(t.population).where(P.members > 0)))


def locked(connection: sa.Connection, tenant: str | None) -> int:
    """How many are locked, or in quarantine by a command."""
    asked = sa.select(sa.func.sum(P.locked + P.confined)).where(*([P.tenant == tenant] if tenant is not None else []))
    return int(connection.execute(asked).scalar() or 0)


def _of(connection: sa.Connection, imsis: Sequence[str]) -> dict[Group, dict[str, int]]:
    found: dict[Group, dict[str, int]] = {}
    for start in range(0, len(imsis), AT_ONCE):
        for row in connection.execute(_COUNTED, {"imsis": list(imsis[start : start + AT_ONCE])}):
            one = found.setdefault((row.tenant, row.use_case, row.segment), dict.fromkeys(COUNTS, 0))
            for name in COUNTS:
                one[name] += int(getattr(row, name))
    return found


def _many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


# Made once: making a statement takes longer than running it.
_COUNTED = (
    sa.select(
        S.tenant, sa.func.coalesce(S.use_case, "").label("use_case"), sa.func.coalesce(S.segment, "").label("segment"),
        sa.func.count().label("members"), sa.func.count(S.imei).label("bound"),
        _many(sa.and_(S.locked_at.is_not(None), S.confined.is_(sa.false()))).label("locked"),
        _many(sa.and_(S.locked_at.is_not(None), S.confined.is_(sa.true()))).label("confined"),
        _many(sa.or_(S.address.is_not(None), S.prefix.is_not(None))).label("addressed"),
    )
    .where(S.imsi.in_(sa.bindparam("imsis", expanding=True))).group_by(S.tenant, S.use_case, S.segment)
)  # fmt: skip


def _add(connection: sa.Connection, group: Group, more: Mapping[str, int]) -> None:
    made = _statements.get(connection.dialect.name)
    if made is None:
        made = insert(connection, t.population)
        made = made.on_conflict_do_update(
            index_elements=["tenant", "use_case", "segment"],
            set_={name: P[name] + made.excluded[name] for name in COUNTS},
        )
        _statements[connection.dialect.name] = made
    connection.execute(made, {"tenant": group[0], "use_case": group[1], "segment": group[2], **more})


_statements: dict[str, Any] = {}
"""By dialect."""
