"""Lists of what the registry holds, a page at a time: by an indexed key, on from the last one seen.

What is written meanwhile moves no row from one page to another. `tenant` None is all tenants; with one, of the others
nothing is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.population import foreign
from simward.registry.walking import NOTHING, Page, walk

Rows = Sequence[Any]
S, F, E, A = t.subscription.c, t.finding.c, t.effect.c, t.announcement.c


def subscriptions(
    connection: sa.Connection, *, tenant: str | None, after: tuple[str] | None, limit: int, use_case: str | None = None,
    iccid: str | None = None, imei: str | None = None, locked: bool | None = None, descending: bool = False,
) -> Page:  # fmt: skip
    """By IMSI. `imei` is the bound device."""
    if foreign(connection, tenant, use_case):
        return NOTHING
    asked = {"iccid": iccid, "imei": imei, "use_case": use_case, "tenant": tenant}
    given = {name: value for name, value in asked.items() if value is not None}
    # What is locked is few, and has indexes of its own; but the one card or device that is named is fewer.
    leads = next((name for name in asked if name in given), None)
    only_locked = locked is True and leads not in ("iccid", "imei")
    along = [] if leads is None else [S[leads] == given.pop(leads)]
    along += [S.locked_at.is_not(None)] if only_locked else []

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted = [c[name] == value for name, value in given.items()]
        if locked is not None:
            refused = sa.and_(c.locked_at.is_not(None), c.confined.is_(sa.false()))
            wanted.append(refused if locked else sa.or_(c.locked_at.is_(None), c.confined.is_(sa.true())))
        return wanted

    return walk(
        connection, t.subscription, [S.imsi], after=after, limit=limit, ascending=not descending, along=along,
        fits=fits if given or locked is not None else None, spread=True,
    )  # fmt: skip


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
) -> Page:  # fmt: skip
    """By when they began and their id, behind `after`, the newest first unless `ascending`; `since` and `until` (us
    UTC) of that."""
    if foreign(connection, tenant, use_case):
        return NOTHING
    asked = {"imsi": imsi, "incident": incident, "use_case": use_case, "tenant": tenant, "detector": detector}
    given = {name: value for name, value in asked.items() if value is not None}
    lead = next((name for name in asked if name in given), None)
    along = _between(F.began_at, since, until) + ([] if lead is None else [F[lead] == given.pop(lead)])
    if lead not in ("imsi", "incident"):
        # Those that last are few: their own indexes have one more column at most.
        if lasting is True:
            along.append(F.ended_at.is_(None))
        elif "detector" in given:
            along.append(F.detector == given.pop("detector"))
    pending = None if lasting is None or (lasting and lead not in ("imsi", "incident")) else lasting

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted = [c[name] == value for name, value in given.items()]
        if pending is not None:
            wanted.append(c.ended_at.is_(None) if pending else c.ended_at.is_not(None))
        return wanted

    return walk(
        connection, t.finding, [F.began_at, F.id], after=after, limit=limit, ascending=ascending, along=along,
        fits=fits if given or pending is not None else None, spread=True,
    )  # fmt: skip


def finding(connection: sa.Connection, tenant: str | None, id_: str) -> Any | None:
    """The one with this id."""
    return connection.execute(sa.select(t.finding).where(*_given((F.id, id_), (F.tenant, tenant)))).one_or_none()


def effects(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False, imsi: str | None = None, incident: int | None = None, since: int | None = None,
    until: int | None = None,
) -> Page:  # fmt: skip
    """By when they were first sent and their id, behind `after`, the newest first unless `ascending`."""
    asked = {"imsi": imsi, "incident": incident, "tenant": tenant}
    given = {name: value for name, value in asked.items() if value is not None}
    lead = next((name for name in asked if name in given), None)
    along = _between(E.at, since, until) + ([] if lead is None else [E[lead] == given.pop(lead)])
    return walk(
        connection, t.effect, [E.at, E.id], after=after, limit=limit, ascending=ascending, along=along,
        fits=(lambda c: [c[name] == value for name, value in given.items()]) if given else None,
    )  # fmt: skip


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
