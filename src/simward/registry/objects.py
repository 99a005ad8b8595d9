"""What lists of devices, bindings, use cases, segments and tenants are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.walking import Page, walk

B, S = t.binding.c, t.subscription.c
IN_ONE_DEVICE = 200
"""Subscriptions of one device that are told; a tester's has more."""


def bindings(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None,
) -> Page:  # fmt: skip
    """By when they began and their IMSI, the newest first unless `ascending`."""
    asked = {"imsi": imsi, "imei": imei, "tenant": tenant}
    given = {name: value for name, value in asked.items() if value is not None}
    lead = next((name for name in asked if name in given), None)
    over = lasting is False and lead not in ("imsi", "imei")  # few, with an index of their own
    along = [B.ended_at.is_not(None)] if over else [] if lead is None else [B[lead] == given.pop(lead)]
    pending = None if over else lasting

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted = [c[name] == value for name, value in given.items()]
        if pending is not None:
            wanted.append(c.ended_at.is_(None) if pending else c.ended_at.is_not(None))
        return wanted

    return walk(
        connection, t.binding, [B.began_at, B.imsi], after=after, limit=limit, ascending=ascending, along=along,
        fits=fits if given or pending is not None else None,
    )  # fmt: skip


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
