"""What lists of devices, bindings, use cases, segments and tenants are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.listing import beyond

B, S = t.binding.c, t.subscription.c
IN_ONE_DEVICE = 200
"""Subscriptions of one device that are told; a tester's has more."""


def bindings(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None,
) -> Sequence[Any]:  # fmt: skip
    """By when they began and their IMSI, the newest first unless `ascending`."""
    wanted: list[sa.ColumnElement[bool]] = []
    for column, value in ((B.tenant, tenant), (B.imsi, imsi), (B.imei, imei)):
        wanted += [] if value is None else [column == value]
    if lasting is not None:
        wanted.append(B.ended_at.is_(None) if lasting else B.ended_at.is_not(None))
    if after is not None:
        wanted += beyond(B.began_at, B.imsi, after, ascending)
    order = (B.began_at, B.imsi) if ascending else (B.began_at.desc(), B.imsi.desc())
    return connection.execute(sa.select(t.binding).where(*wanted).order_by(*order).limit(limit)).all()


def devices(
    connection: sa.Connection, *, tenant: str | None, after: str | None, limit: int, model: str | None = None
) -> Sequence[Any]:
    """By IMEI: imei, how many subscriptions it `was_in`, and how many it `is_in`. `model` is a TAC."""
    wanted: list[sa.ColumnElement[bool]] = [] if tenant is None else [B.tenant == tenant]
    wanted += [] if after is None else [B.imei > after]
    wanted += [] if model is None else [B.imei >= model, B.imei < f"{int(model) + 1:08d}"]
    lasting = sa.func.sum(sa.case((B.ended_at.is_(None), 1), else_=0))
    found = sa.select(B.imei, sa.func.count(B.imsi.distinct()).label("known_in"), lasting.label("is_in"))
    return connection.execute(found.where(*wanted).group_by(B.imei).order_by(B.imei).limit(limit)).all()


def bindings_of_device(connection: sa.Connection, tenant: str | None, imei: str) -> Sequence[Any]:
    """Those of one device, the newest first."""
    wanted = [B.imei == imei] + ([] if tenant is None else [B.tenant == tenant])
    found = sa.select(t.binding).where(*wanted).order_by(B.began_at.desc(), B.imsi).limit(IN_ONE_DEVICE)
    return connection.execute(found).all()


def declared_in(connection: sa.Connection, tenant: str | None, imei: str) -> list[str]:
    """The IMSIs of the subscriptions that the inventory declares this device for."""
    wanted = [S.declared_imei == imei] + ([] if tenant is None else [S.tenant == tenant])
    found = sa.select(S.imsi).where(*wanted).order_by(S.imsi).limit(IN_ONE_DEVICE)
    return [str(one) for one in connection.execute(found).scalars()]


def counted(connection: sa.Connection) -> Sequence[Any]:
    """Of every tenant, use case and segment: how many subscriptions, bound, locked, in quarantine, with an address.

    It goes through all of them.
    """

    def many(condition: Any) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    found = sa.select(
        S.tenant, S.use_case, S.segment, sa.func.count().label("members"), many(S.imei.is_not(None)).label("bound"),
        many(sa.and_(S.locked_at.is_not(None), S.confined.is_(sa.false()))).label("locked"),
        many(sa.and_(S.locked_at.is_not(None), S.confined.is_(sa.true()))).label("confined"),
        many(sa.or_(S.address.is_not(None), S.prefix.is_not(None))).label("addressed"),
    )  # fmt: skip
    return connection.execute(found.group_by(S.tenant, S.use_case, S.segment)).all()
