"""Lists of what the registry holds, a page at a time: by an indexed key, on from the last one seen.

What is written meanwhile moves no row from one page to another. `tenant` None is all tenants; with one, of the others
nothing is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

Rows = Sequence[Any]
S, F, E, A = t.subscription.c, t.finding.c, t.effect.c, t.announcement.c


def subscriptions(
    connection: sa.Connection, *, tenant: str | None, after: str | None, limit: int, use_case: str | None = None,
    iccid: str | None = None, imei: str | None = None, locked: bool | None = None, descending: bool = False,
) -> Rows:  # fmt: skip
    """By IMSI. `imei` is the bound device."""
    # Where something narrower is asked for, the tenant's index leads through all that is the tenant's.
    of = S.tenant if use_case is None and locked is not True else S.tenant.concat("")
    wanted = _given((of, tenant), (S.use_case, use_case), (S.iccid, iccid), (S.imei, imei))
    if locked is not None:
        refused = sa.and_(S.locked_at.is_not(None), S.confined.is_(sa.false()))
        wanted.append(refused if locked else sa.or_(S.locked_at.is_(None), S.confined.is_(sa.true())))
    if after is not None:
        wanted.append(S.imsi < after if descending else S.imsi > after)
    order = S.imsi.desc() if descending else S.imsi
    return connection.execute(sa.select(t.subscription).where(*wanted).order_by(order).limit(limit)).all()


def subscription(
    connection: sa.Connection, *, tenant: str | None, imsi: str | None = None, iccid: str | None = None
) -> Any | None:
    """The one with this IMSI, or the first with this ICCID (an ICCID may carry several)."""
    wanted = _given((S.tenant, tenant), (S.imsi, imsi), (S.iccid, iccid))
    return connection.execute(sa.select(t.subscription).where(*wanted).order_by(S.imsi).limit(1)).one_or_none()


def findings(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False,
    detector: str | None = None, use_case: str | None = None, imsi: str | None = None, incident: int | None = None,
    lasting: bool | None = None, since: int | None = None, until: int | None = None,
) -> Rows:  # fmt: skip
    """By when they began and their id, behind `after`, the newest first unless `ascending`; `since` and `until` (us
    UTC) of that."""
    wanted = _given(
        (F.tenant, tenant), (F.detector, detector), (F.use_case, use_case), (F.imsi, imsi), (F.incident, incident)
    )
    wanted += _between(F.began_at, since, until)
    if lasting is not None:
        wanted.append(F.ended_at.is_(None) if lasting else F.ended_at.is_not(None))
    if after is not None:
        wanted += beyond(F.began_at, F.id, after, ascending)
    found = sa.select(t.finding).where(*wanted).order_by(*_order(F.began_at, F.id, ascending)).limit(limit)
    return connection.execute(found).all()


def finding(connection: sa.Connection, tenant: str | None, id_: str) -> Any | None:
    """The one with this id."""
    return connection.execute(sa.select(t.finding).where(*_given((F.id, id_), (F.tenant, tenant)))).one_or_none()


def effects(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False, imsi: str | None = None, incident: int | None = None, since: int | None = None,
    until: int | None = None,
) -> Rows:  # fmt: skip
    """By when they were first sent and their id, behind `after`, the newest first unless `ascending`."""
    wanted = _given((E.tenant, tenant), (E.imsi, imsi), (E.incident, incident)) + _between(E.at, since, until)
    if after is not None:
        wanted += beyond(E.at, E.id, after, ascending)
    found = sa.select(t.effect).where(*wanted).order_by(*_order(E.at, E.id, ascending)).limit(limit)
    return connection.execute(found).all()


def effect(connection: sa.Connection, tenant: str | None, id_: str) -> Any | None:
    """The one with this id."""
    return connection.execute(sa.select(t.effect).where(*_given((E.id, id_), (E.tenant, tenant)))).one_or_none()


def announcements(connection: sa.Connection, *, tenant: str | None, after: int, limit: int) -> Rows:
    """In the order in which they were made."""
    wanted = [A.number > after, *_given((A.tenant, tenant))]
    return connection.execute(sa.select(t.announcement).where(*wanted).order_by(A.number).limit(limit)).all()


def announced(connection: sa.Connection, tenant: str | None, id_: str) -> int | None:
    """The number of an announcement; None where it is not kept."""
    return connection.execute(sa.select(A.number).where(*_given((A.id, id_), (A.tenant, tenant)))).scalar()


def last_announced(connection: sa.Connection) -> int:
    """The number of the last one there is; 0 where there is none."""
    return int(connection.execute(sa.select(sa.func.max(A.number))).scalar() or 0)


def silent_gateways(connection: sa.Connection) -> Rows:
    """The findings of silent gateways that last: `document` and `began_at`."""
    silent = sa.select(F.document, F.began_at).where(F.detector == "gateway-silent", F.ended_at.is_(None))
    return connection.execute(silent).all()


def _given(*pairs: tuple[Any, Any]) -> list[sa.ColumnElement[bool]]:
    return [column == value for column, value in pairs if value is not None]


def _between(column: Any, since: int | None, until: int | None) -> list[sa.ColumnElement[bool]]:
    wanted = [] if since is None else [column >= since]
    return wanted if until is None else [*wanted, column < until]


def _order(at: Any, id_: Any, ascending: bool) -> tuple[Any, Any]:
    return (at, id_) if ascending else (at.desc(), id_.desc())


def beyond(at: Any, id_: Any, key: tuple[Any, Any], ascending: bool) -> list[sa.ColumnElement[bool]]:
    """Behind this key, in either direction. The first condition is one that an index on `at` can begin at."""
    if ascending:
        return [at >= key[0], sa.or_(at > key[0], id_ > key[1])]
    return [at <= key[0], sa.or_(at < key[0], id_ < key[1])]
