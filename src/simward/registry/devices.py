"""Subscriptions by what others call them: a phone number, an address; and since when changes of them are noted."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

_S = t.subscription.c
PREFIX_LENGTHS = (*range(32, 65), 128)
"""Of IPv6 prefixes that a subscription may have been given."""
FOUND_MAX = 64


def of_number(connection: sa.Connection, number: str, tenant: str | None) -> Sequence[Any]:
    """Rows with this phone number (E.164, with its +); with `tenant`, its own alone."""
    return _found(connection, _S.msisdn == number, tenant)


def of_ipv4(connection: sa.Connection, address: ipaddress.IPv4Address, tenant: str | None) -> Sequence[Any]:
    """Rows that this address was given to."""
    return _found(connection, _S.address == str(address), tenant)


def of_ipv6(connection: sa.Connection, address: ipaddress.IPv6Address, tenant: str | None) -> Sequence[Any]:
    """Rows that this address, or a prefix that it is in, was given to."""
    within = [str(ipaddress.IPv6Network((address, length), strict=False)) for length in PREFIX_LENGTHS]
    by_prefix = sa.or_(_S.prefix.in_(within), _S.delegated.in_(within), _S.address == str(address))
    return _found(connection, by_prefix, tenant)


def of_iccid(connection: sa.Connection, iccid: str) -> Any | None:
    """The row of a card; of several IMSIs that heard from last."""
    found = sa.select(t.subscription).where(_S.iccid == iccid)
    return connection.execute(found.order_by(sa.nulls_last(_S.seen_since.desc()), _S.imsi).limit(1)).one_or_none()


def monitored_since(connection: sa.Connection, name: str) -> int:
    """Since when changes of this kind (`device`, `sim`) are noted, us UTC."""
    return int(connection.execute(sa.select(t.monitored.c.since).where(t.monitored.c.name == name)).scalar_one())


def is_outside(connection: sa.Connection, imsi: str) -> bool:
    """Does a finding that goes on say that it is outside its area?"""
    f = t.finding.c
    open_ = sa.select(f.id).where(f.imsi == imsi, f.detector == "outside-area", f.ended_at.is_(None)).limit(1)
    return connection.execute(open_).scalar() is not None


def _found(connection: sa.Connection, where: sa.ColumnElement[bool], tenant: str | None) -> Sequence[Any]:
    found = sa.select(t.subscription).where(where, _S.state.is_not(None)).limit(FOUND_MAX)
    return connection.execute(found if tenant is None else found.where(_S.tenant == tenant)).all()
