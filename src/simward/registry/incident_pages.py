"""Lists of incidents for people: filtered, sorted, a page at a time; how many wait, and what resembles one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.incidents import RESOLVED, SOME_UNRESOLVED
from simward.registry.population import foreign
from simward.registry.tables.incidents import DUE
from simward.registry.walking import NOTHING, Page, walk

I, F = t.incident.c, t.finding.c  # noqa: E741
SORTS: dict[str, Any] = {
    "number": I.number, "changed": I.changed_at, "deadline": sa.literal_column(DUE, sa.BigInteger()),
    "subscriptions": I.subscriptions,
}  # fmt: skip
# The sum keeps a planner, which knows nothing of how many are merged, from going through all that are not.
_APART = (I.merged_into + 0).is_(None)


def listed(
    connection: sa.Connection, *, tenant: str | None, limit: int, states: Sequence[str] = (),
    severity: str | None = None, use_case: str | None = None, owner: str | None = None, sort: str = "-number",
    after: tuple[int, ...] | None = None,
) -> Page:  # fmt: skip
    """`sort` names one of SORTS, with `-` the largest first; `after` is the key of the last row of the page before:
    what it was sorted by, and its number."""
    if foreign(connection, tenant, use_case):
        return NOTHING
    column, ascending = SORTS[sort.removeprefix("-")], not sort.startswith("-")
    asked = {"use_case": use_case, "owner": owner, "tenant": tenant, "severity": severity}
    given = {name: value for name, value in asked.items() if value is not None}
    along: list[sa.ColumnElement[bool]] = []
    if states and RESOLVED not in states:
        along.append(SOME_UNRESOLVED)
        if sort.removeprefix("-") in ("number", "deadline") and tenant is not None:
            along.append(I.tenant == given.pop("tenant"))
    elif column is I.number and given:
        lead = next(iter(given))
        along.append(I[lead] == given.pop(lead))
    elif column is I.number and len(states) == 1:
        along.append(I.state == states[0])

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted: list[sa.ColumnElement[bool]] = [c.merged_into.is_(None)]
        wanted += [c[name] == value for name, value in given.items()]
        return [*wanted, c.state.in_(states)] if states else wanted

    key = [column] if column is I.number else [column, I.number]
    return walk(connection, t.incident, key, after=after, limit=limit, ascending=ascending, along=along, fits=fits)


def one(number: int) -> sa.Select[Any]:
    """The statement for one of them."""
    return sa.select(t.incident).where(I.number == number)


def waiting(connection: sa.Connection, tenant: str | None, now: int) -> tuple[dict[str, dict[str, int]], int]:
    """State -> severity -> how many, of those that are not resolved; and how many have let their deadline pass."""
    wanted = [SOME_UNRESOLVED, *([I.tenant == tenant] if tenant is not None else [])]
    late = sa.func.sum(sa.case((I.deadline_at <= now, 1), else_=0))
    # By tenant too, as the index that holds all of this is: else they would be looked up one by one.
    of = (I.tenant, I.state, I.severity)
    told: dict[str, dict[str, int]] = {}
    overdue = 0
    found = sa.select(*of, sa.func.count(), late).where(*wanted).group_by(*of)
    for _, state, severity, many, over in connection.execute(found):
        counted = told.setdefault(state, {})
        counted[severity] = counted.get(severity, 0) + int(many)
        overdue += int(over)
    return told, overdue


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


