"""Lists of incidents for people: filtered, sorted, a page at a time; how many wait, and what resembles one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.incidents import UNRESOLVED

I, F = t.incident.c, t.finding.c  # noqa: E741
NEVER = 2**63 - 1
"""In place of a deadline that is not there: it comes last."""
SORTS: dict[str, Any] = {
    "number": I.number, "changed": I.changed_at, "deadline": sa.func.coalesce(I.deadline_at, NEVER),
    "subscriptions": I.subscriptions,
}  # fmt: skip
Key = tuple[int, int]
# The sum keeps a planner, which knows nothing of how many are merged, from going through all that are not.
_APART = (I.merged_into + 0).is_(None)


def listed(
    connection: sa.Connection, *, tenant: str | None, limit: int, states: Sequence[str] = (),
    severity: str | None = None, use_case: str | None = None, owner: str | None = None, sort: str = "-number",
    after: Key | None = None,
) -> Sequence[Any]:  # fmt: skip
    """Rows with `key`: what they are sorted by. `sort` names one of SORTS, with `-` the largest first; `after` is the
    (key, number) of the last row of the page before."""
    column, falling = SORTS[sort.removeprefix("-")], sort.startswith("-")
    wanted: list[sa.ColumnElement[bool]] = [_APART]
    given = ((I.tenant, tenant), (I.severity, severity), (I.use_case, use_case), (I.owner, owner))
    wanted += [name == value for name, value in given if value is not None]
    wanted += [I.state.in_(states)] if states else []
    if after is not None:
        value, number = after
        beyond, same = (column < value, I.number < number) if falling else (column > value, I.number > number)
        wanted += [column <= value if falling else column >= value, sa.or_(beyond, same)]
    found = sa.select(t.incident, column.label("key")).where(*wanted).limit(limit)
    order = [column, I.number] if column is not I.number else [I.number]
    return connection.execute(found.order_by(*(one.desc() if falling else one for one in order))).all()


def one(number: int) -> sa.Select[Any]:
    """The statement for one of them."""
    return sa.select(t.incident).where(I.number == number)


def waiting(connection: sa.Connection, tenant: str | None) -> dict[str, dict[str, int]]:
    """State -> severity -> how many, of those that are not resolved."""
    wanted = [I.state.in_(UNRESOLVED), _APART, *([I.tenant.concat("") == tenant] if tenant is not None else [])]
    found = sa.select(I.state, I.severity, sa.func.count()).where(*wanted).group_by(I.state, I.severity)
    told: dict[str, dict[str, int]] = {}
    for state, severity, many in connection.execute(found):
        told.setdefault(state, {})[severity] = int(many)
    return told


def overdue(connection: sa.Connection, tenant: str | None, now: int) -> int:
    """How many have let their deadline pass."""
    wanted = [I.state.in_(UNRESOLVED), I.deadline_at <= now]
    wanted += [I.tenant.concat("") == tenant] if tenant is not None else []
    return int(connection.execute(sa.select(sa.func.count()).where(*wanted)).scalar_one())


def similar(connection: sa.Connection, row: Any, limit: int) -> Sequence[Any]:
    """Others of its tenant that are like it, the newest first: about the same subscription or of the same cause; and,
    where that leaves room, of the same use case by the same title up to what it is about."""
    of_tenant = [I.tenant == row.tenant, _APART, I.number != row.number]
    newest = sa.select(t.incident).where(*of_tenant).order_by(I.number.desc())
    found: dict[int, Any] = {}
    same = I.cause == row.cause if row.imsi is None else I.imsi == row.imsi
    for one in connection.execute(newest.where(same).limit(limit)):
        found[one.number] = one
    if len(found) < limit and row.use_case is not None:
        kind = f"{row.title.partition(':')[0]}:%"
        # Of the use case's last thousand alone: an index leads there, and who looks for older ones has the list.
        last = sa.select(I.number).where(I.use_case == row.use_case, *of_tenant).order_by(I.number.desc()).limit(1000)
        alike = newest.where(I.number.in_(last), sa.or_(I.title == row.title, I.title.like(kind))).limit(limit)
        for one in connection.execute(alike):
            if len(found) < limit:
                found.setdefault(one.number, one)
    return list(found.values())


def members(connection: sa.Connection, number: int, limit: int) -> Sequence[Any]:
    """The subscriptions that its findings are about, those that are locked first."""
    of = sa.select(F.imsi).where(F.incident == number, F.imsi.is_not(None))
    s = t.subscription.c
    found = sa.select(t.subscription).where(s.imsi.in_(of))
    return connection.execute(found.order_by(s.locked_at.is_(None), s.imsi).limit(limit)).all()


def about(connection: sa.Connection, imsi: str, tenant: str | None, limit: int) -> Sequence[Any]:
    """Incidents with a finding about this subscription, the newest first."""
    numbers = sa.select(F.incident).where(F.imsi == imsi, F.incident.is_not(None)).distinct()
    wanted = [I.number.in_(numbers), _APART, *([I.tenant == tenant] if tenant is not None else [])]
    return connection.execute(sa.select(t.incident).where(*wanted).order_by(I.number.desc()).limit(limit)).all()


