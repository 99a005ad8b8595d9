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


def changes(connection: sa.Connection, imsi: str, facts: Mapping[str, Any]) -> None:
    """Before these columns of one subscription are written, or it is made with them: the counts as they are then.

    As `kept`, for one at a time, as they come by the thousand: what it is then need not be asked for.
    """
    if not COUNTED & facts.keys():
        return
    row = connection.execute(_STANDS, {"imsi": imsi}).one_or_none()
    before = None if row is None else dict(row._mapping)
    after = {**(before or _NEW), **{name: value for name, value in facts.items() if name in COUNTED}}
    was, now = _counts_of(before), _counts_of(after)
    group, earlier = _group_of(after), _group_of(before or after)
    if before is not None and earlier != group:
        _add(connection, earlier, {name: -was[name] for name in COUNTS})
        was = _counts_of(None)
    if was != now:
        _add(connection, group, {name: now[name] - was[name] for name in COUNTS})


_NEW = {**dict.fromkeys(COUNTED), "tenant": t.DEFAULT_TENANT, "confined": False}
_STANDS = sa.select(*(S[name] for name in sorted(COUNTED))).where(S.imsi == sa.bindparam("imsi"))


def _group_of(row: Mapping[str, Any]) -> Group:
    return row["tenant"], row["use_case"] or "", row["segment"] or ""


def _counts_of(row: Mapping[str, Any] | None) -> dict[str, int]:
    if row is None:
        return dict.fromkeys(COUNTS, 0)
    aside = row["locked_at"] is not None
    return {
        "members": 1, "bound": int(row["imei"] is not None), "locked": int(aside and not row["confined"]),
        "confined": int(aside and bool(row["confined"])),
        "addressed": int(row["address"] is not None or row["prefix"] is not None),
    }  # fmt: skip


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


def foreign(connection: sa.Connection, tenant: str | None, use_case: str | None) -> bool:
    """Whether no subscription of this tenant ever was in this use case: then nothing about it is the tenant's.

    Nothing of the kind is found by going through all that is the use case's. `tenant` or `use_case` None: it is not.
    """
    if tenant is None or use_case is None:
        return False
    return connection.execute(_EVER, {"tenant": tenant, "use_case": use_case}).first() is None


# What is counted stays when the last has gone.
_EVER = sa.select(P.tenant).where(P.tenant == sa.bindparam("tenant"), P.use_case == sa.bindparam("use_case")).limit(1)


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
