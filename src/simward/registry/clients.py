"""Clients of OAuth 2.0 and the access tokens given to them: made once, kept as digests, found again, revoked.

Secrets and access tokens are 256 random bits, so their SHA-256 needs neither salt nor stretching, as of tokens.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from simward.errors import RefusedError
from simward.registry import tables as t
from simward.registry.tokens import KEPT_US, NOBODY, digest_of

TOKEN_FORM = re.compile(rb"simward_at_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
"""What an access token looks like; anything else is none, and is not looked up."""
CLIENTS_MAX = 1000
TOKENS_EACH = 100
"""In force at once, of one client: one more takes the place of the one that ends first."""

_C, _T = t.oauth_client.c, t.oauth_token.c
_BY_ID = sa.select(t.oauth_client).where(_C.id == sa.bindparam("of"))
_WITH_CLIENT = (
    sa.select(t.oauth_token.c.digest, _T.scopes, _T.expires_at, _C.id, _C.name, _C.tenant,
              _C.expires_at.label("client_expires_at"), _C.revoked_at)
    .join(t.oauth_client, _C.id == _T.client).where(_T.id == sa.bindparam("of"))
)  # fmt: skip


class Made(NamedTuple):
    """A new client: its id, and the secret, which is nowhere else."""

    id: str
    secret: str


def make(
    connection: sa.Connection, name: str, scopes: Sequence[str], tenant: str | None, now: int, expires_at: int,
    actor: str,
) -> Made:  # fmt: skip
    """A new client. Raises RefusedError where one of this name is in force, or too many are."""
    alive = _alive(now)
    if connection.execute(sa.select(_C.id).where(_C.name == name, alive).limit(1)).scalar() is not None:
        raise RefusedError(f"a client {name} is in force; revoke it, or take another name")
    if connection.execute(sa.select(sa.func.count()).where(alive)).scalar_one() >= CLIENTS_MAX:
        raise RefusedError(f"{CLIENTS_MAX} clients are in force, which is the most there can be; revoke some")
    gone = sa.select(_C.id).where(sa.func.coalesce(_C.revoked_at, _C.expires_at) < now - KEPT_US)
    connection.execute(sa.delete(t.oauth_token).where(_T.client.in_(gone)))
    connection.execute(sa.delete(t.oauth_client).where(_C.id.in_(gone)))
    id_, secret = secrets.token_hex(8), f"simward_cs_{secrets.token_urlsafe(32)}"
    connection.execute(sa.insert(t.oauth_client), {
        "id": id_, "name": name, "scopes": sorted(set(scopes)), "tenant": tenant, "digest": digest_of(secret.encode()),
        "made_at": now, "made_by": actor, "expires_at": expires_at,
    })  # fmt: skip
    return Made(id_, secret)


def known(connection: sa.Connection, id_: str, secret: str, now: int) -> Any | None:
    """The row of the client that has this secret and is in force; else None."""
    row = connection.execute(_BY_ID, {"of": id_}).one_or_none()
    # An id that is not there takes as long as a secret that is wrong.
    digest = digest_of(secret.encode("utf-8", "surrogatepass"))
    right = hmac.compare_digest(digest, NOBODY if row is None else bytes(row.digest))
    return row if right and row is not None and in_force(row, now) else None


def give(connection: sa.Connection, client: str, scopes: Sequence[str], now: int, expires_at: int) -> str:
    """A new access token of a client; those that have expired are forgotten."""
    connection.execute(sa.delete(t.oauth_token).where(_T.expires_at <= now))
    mine = sa.select(_T.id).where(_T.client == client).order_by(_T.expires_at.desc(), _T.id).offset(TOKENS_EACH - 1)
    surplus = list(connection.execute(mine).scalars())
    if surplus:
        connection.execute(sa.delete(t.oauth_token).where(_T.id.in_(surplus)))
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(sa.insert(t.oauth_token), {
        "id": id_, "client": client, "digest": digest_of(secret.encode()), "scopes": list(scopes),
        "expires_at": expires_at,
    })  # fmt: skip
    return f"simward_at_{id_}_{secret}"


def holder_of(connection: sa.Connection, shown: bytes, now: int) -> Any | None:
    """Client and scopes of an access token that is in force; None for what is none, is unknown or is over."""
    match = TOKEN_FORM.fullmatch(shown)
    if match is None:
        return None
    row = connection.execute(_WITH_CLIENT, {"of": match[1].decode()}).one_or_none()
    right = hmac.compare_digest(digest_of(match[2]), NOBODY if row is None else bytes(row.digest))
    if not right or row is None or now >= int(row.expires_at):
        return None
    return row if row.revoked_at is None and now < int(row.client_expires_at) else None


def in_force(row: Any, now: int) -> bool:
    """May it ask for tokens?"""
    return row.revoked_at is None and now < int(row.expires_at)


def find(connection: sa.Connection, id_or_name: str, now: int) -> Any | None:
    """By id, else the one of this name that is in force."""
    by_id = connection.execute(_BY_ID, {"of": id_or_name}).one_or_none()
    if by_id is not None:
        return by_id
    return connection.execute(sa.select(t.oauth_client).where(_C.name == id_or_name, _alive(now))).one_or_none()


def listed(connection: sa.Connection, now: int, *, tenant: str | None = None, every: bool = False) -> Sequence[Any]:
    """Those in force, or every one that is still kept, the newest first; with `tenant`, its own alone."""
    found = sa.select(t.oauth_client).order_by(_C.made_at.desc(), _C.id)
    found = found if every else found.where(_alive(now))
    return connection.execute(found if tenant is None else found.where(_C.tenant == tenant)).all()


def revoke(connection: sa.Connection, id_: str, now: int, actor: str) -> None:
    """It gets no token from now on, and those that it has open nothing."""
    mine = sa.update(t.oauth_client).where(_C.id == id_, _C.revoked_at.is_(None))
    connection.execute(mine.values(revoked_at=now, revoked_by=actor))
    connection.execute(sa.delete(t.oauth_token).where(_T.client == id_))


def _alive(now: int) -> sa.ColumnElement[bool]:
    return sa.and_(_C.revoked_at.is_(None), _C.expires_at > now)
