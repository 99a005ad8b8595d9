"""Tokens of systems: made once, shown once, kept as a digest; found again, revoked, and known when last used.

A token is `simward_ID_SECRET`. The id finds its row and may be told to anybody; the secret is 256 random bits, so its
SHA-256 needs neither salt nor stretching (NIST SP 800-63B 5.1.2.2 asks for those below 112 bits).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from simward.errors import RefusedError
from simward.registry import tables as t

PREFIX = "simward_"
FORM = re.compile(rb"simward_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
"""What a token looks like; anything else is none, and is not looked up."""
LIVE_MAX = 1000
KEPT_US = 400 * 86_400 * 1_000_000
"""How long a token that no longer opens anything is still listed."""
USED_EVERY_US = 10 * 60 * 1_000_000
"""Last use is known to ten minutes: not every request is worth a write."""
NOBODY = bytes(32)

_T = t.token.c


class Made(NamedTuple):
    """A new token: its row's id, and the token itself, which is nowhere else."""

    id: str
    token: str


def make(
    connection: sa.Connection, name: str, role: str, tenant: str | None, now: int, expires_at: int, actor: str
) -> Made:
    """A new token. Raises RefusedError where one of this name is in force, or too many are."""
    alive = _alive(now)
    if connection.execute(sa.select(_T.id).where(_T.name == name, alive).limit(1)).scalar() is not None:
        raise RefusedError(f"a token {name} is in force; revoke it, or take another name")
    if connection.execute(sa.select(sa.func.count()).where(alive)).scalar_one() >= LIVE_MAX:
        raise RefusedError(f"{LIVE_MAX} tokens are in force, which is the most there can be; revoke some")
    old = sa.func.coalesce(_T.revoked_at, _T.expires_at) < now - KEPT_US
    connection.execute(sa.delete(t.token).where(old))
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(sa.insert(t.token), {
        "id": id_, "name": name, "role": role, "tenant": tenant, "digest": digest_of(secret.encode()), "made_at": now,
        "made_by": actor, "expires_at": expires_at,
    })  # fmt: skip
    return Made(id_, f"{PREFIX}{id_}_{secret}")


def digest_of(secret: bytes) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret).digest()


def holder_of(connection: sa.Connection, shown: bytes, now: int) -> Any | None:
    """The row of a token that is in force; None for what is no token, is unknown, revoked or expired."""
    match = FORM.fullmatch(shown)
    if match is None:
        return None
    row = connection.execute(_BY_ID, {"of": match[1].decode()}).one_or_none()
    # An id that is not there takes as long as a secret that is wrong.
    right = hmac.compare_digest(digest_of(match[2]), NOBODY if row is None else bytes(row.digest))
    return row if right and row is not None and in_force(row, now) else None


_BY_ID = sa.select(t.token).where(_T.id == sa.bindparam("of"))


def in_force(row: Any, now: int) -> bool:
    """Does it open anything?"""
    return row.revoked_at is None and now < int(row.expires_at)


def find(connection: sa.Connection, id_or_name: str, now: int) -> Any | None:
    """By id, else the one of this name that is in force."""
    by_id = connection.execute(_BY_ID, {"of": id_or_name}).one_or_none()
    if by_id is not None:
        return by_id
    return connection.execute(sa.select(t.token).where(_T.name == id_or_name, _alive(now))).one_or_none()


def listed(
    connection: sa.Connection, now: int, *, tenant: str | None = None, every: bool = False,
    before: tuple[int, str] | None = None, limit: int | None = None,
) -> Sequence[Any]:  # fmt: skip
    """Those in force, or every one that is still kept, the newest first, behind `before`; with `tenant`, its own."""
    found = sa.select(t.token).order_by(_T.made_at.desc(), _T.id.desc()).limit(limit)
    found = found if every else found.where(_alive(now))
    if before is not None:
        at, id_ = before
        found = found.where(sa.or_(_T.made_at < at, sa.and_(_T.made_at == at, _T.id < id_)))
    return connection.execute(found if tenant is None else found.where(_T.tenant == tenant)).all()


def revoke(connection: sa.Connection, id_: str, now: int, actor: str) -> None:
    """It opens nothing from now on."""
    mine = sa.update(t.token).where(_T.id == id_, _T.revoked_at.is_(None))
    connection.execute(mine.values(revoked_at=now, revoked_by=actor))


def used(connection: sa.Connection, when: Mapping[str, int]) -> None:
    """These tokens (ids) were used, the last time then."""
    if when:
        statement = sa.update(t.token).where(_T.id == sa.bindparam("of")).values(used_at=sa.bindparam("at"))
        connection.execute(statement, [{"of": id_, "at": at} for id_, at in when.items()])


def _alive(now: int) -> sa.ColumnElement[bool]:
    return sa.and_(_T.revoked_at.is_(None), _T.expires_at > now)
