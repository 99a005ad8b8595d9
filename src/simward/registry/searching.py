"""Looks up by any identifier or label: every question is one index, from its beginning, and gives some rows at most.

What is typed may be only the beginning of a number. An IMEI is looked for without its check digit or software version
(TS 23.003 6.2: the first 14 digits identify a device).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

S, I = t.subscription.c, t.incident.c  # noqa: E741
DIGITS_LEAST, IMEI_DIGITS = 4, 14
LOOKED_AT = 1000
"""Rows that one question goes through at most, where most of them are another tenant's."""
PREFIX_LENGTHS = range(48, 65)
COLUMNS = {
    "IMSI": S.imsi, "ICCID": S.iccid, "MSISDN": S.msisdn, "IMEI": S.imei, "declared IMEI": S.declared_imei,
    "IMEI that was seen": S.seen_imei,
}  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """A subscription that was found, and by what."""

    by: str
    row: Any


def subscriptions(connection: sa.Connection, text: str, tenant: str | None, limit: int) -> list[Hit]:
    """Those that have this identifier, or one that begins so; each once, `limit` at most."""
    found: dict[str, Hit] = {}
    for by, wanted, column in _questions(text.strip()):
        rows = sa.select(t.subscription).where(wanted).order_by(column).limit(limit)
        if tenant is not None:
            inner = sa.select(t.subscription).where(wanted).order_by(column).limit(LOOKED_AT).subquery()
            rows = sa.select(inner).where(inner.c.tenant == tenant).limit(limit)
        for row in connection.execute(rows):
            found.setdefault(row.imsi, Hit(by, row))
    return list(found.values())[:limit]


def called(
    connection: sa.Connection, text: str, imsis: Sequence[str], tenant: str | None, limit: int
) -> list[Hit]:  # fmt: skip
    """Those that were deployed under this label, and those of `imsis`: where the inventory has these words."""
    words, d = text.strip(), t.deployment.c
    deployed = sa.select(d.imsi).where(d.live, d.label == words)
    found: dict[str, Hit] = {}
    for by, wanted in (("site", S.imsi.in_(deployed)), ("inventory", S.imsi.in_(imsis))):
        own = [] if tenant is None else [S.tenant == tenant]
        rows = connection.execute(sa.select(t.subscription).where(wanted, *own).order_by(S.imsi).limit(limit))
        for row in rows:
            found.setdefault(row.imsi, Hit(by, row))
    return list(found.values())[:limit]


def incident(connection: sa.Connection, text: str, tenant: str | None) -> Any | None:
    """The incident that it is the number of: `12` or `#12`."""
    digits = text.strip().removeprefix("#")
    if not re.fullmatch(r"[0-9]{1,18}", digits):
        return None
    wanted = [I.number == int(digits), *([I.tenant == tenant] if tenant is not None else [])]
    return connection.execute(sa.select(t.incident).where(*wanted)).one_or_none()


def _questions(text: str) -> list[tuple[str, sa.ColumnElement[bool], Any]]:
    digits = re.sub(r"[\s\-()]", "", text.removeprefix("+"))
    if re.fullmatch(r"[0-9]+", digits) and not text.startswith("#"):
        asked = [(by, digits[:IMEI_DIGITS] if "IMEI" in by else digits, column) for by, column in COLUMNS.items()]
        # 17 digits are no IMEI, and nothing else of that length is cut to one.
        return [
            (by, _begins(column, number), column) for by, number, column in asked
            if len(number) >= DIGITS_LEAST and not ("IMEI" in by and len(digits) > IMEI_DIGITS + 2)
        ]  # fmt: skip
    try:
        address = ipaddress.ip_interface(text).ip
    except ValueError:
        return []
    if address.version == 4:
        return [("address", S.address == str(address), S.address)]
    networks = [str(ipaddress.ip_network((address, length), strict=False)) for length in PREFIX_LENGTHS]
    return [("prefix", S.prefix.in_(networks), S.prefix)]


def _begins(column: Any, digits: str) -> sa.ColumnElement[bool]:
    """Texts that begin with these digits: a range, since an index on the column leads through one in any collation."""
    after = str(int(digits) + 1).zfill(len(digits))
    if len(after) > len(digits):  # nines alone: what follows begins with no digit
        return sa.and_(column >= digits)
    return sa.and_(column >= digits, column < after)
