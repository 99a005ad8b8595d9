"""Sessions of people, and links that work once: both are an id that finds the row and a secret that opens it.

The secret is 256 random bits, kept as its SHA-256 alone, as with tokens.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.tokens import NOBODY, digest_of

FORM = re.compile(r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
"""What the value of a cookie, and the end of a link, looks like."""
SESSIONS_MAX, LINKS_MAX = 20, 1000
"""Of one account; in all. One more, and the oldest goes."""
AGENT_MAX = 200

_S, _L = t.session.c, t.link.c


class Opener(NamedTuple):
    """A new session or link: its id, and the text that opens it, which is kept nowhere."""

    id: str
    text: str


def begin(
    connection: sa.Connection, account: str, tenant: str, how: str, now: int, ends_at: int, *, address: str = "",
    agent: str = "",
) -> Opener:  # fmt: skip
    """Sign an account in, for work in `tenant`."""
    oldest = sa.select(_S.id).where(_S.account == account).order_by(_S.seen_at.desc()).offset(SESSIONS_MAX - 1)
    connection.execute(sa.delete(t.session).where(_S.id.in_(list(connection.execute(oldest).scalars()))))
    opener, digest = _new()
    connection.execute(sa.insert(t.session), {
        "id": opener.id, "digest": digest, "account": account, "tenant": tenant, "how": how, "made_at": now,
        "seen_at": now, "ends_at": ends_at, "address": address[:64], "agent": agent[:AGENT_MAX],
    })  # fmt: skip
    return opener


def opened_by(connection: sa.Connection, shown: str, now: int) -> Any | None:
    """The session that this opens, with its account (`name`, `enabled`, `role`, ...); None where it opens none."""
    return _opened(connection, _SESSION, shown, now)


def again(connection: sa.Connection, id_: str, now: int) -> Any | None:
    """The same for a session that was opened before."""
    row = connection.execute(_SESSION, {"of": id_}).one_or_none()
    return row if row is not None and now < row.ends_at else None


_SESSION = (
    sa.select(
        t.session, t.account.c.name, t.account.c.enabled, t.account.c.needs_second_factor, t.account.c.issuer,
        t.account.c.second_factor.is_not(None).label("has_second_factor"), t.membership.c.role,
    )
    .join(t.account, t.account.c.id == _S.account)
    .outerjoin(t.membership, sa.and_(t.membership.c.account == _S.account, t.membership.c.tenant == _S.tenant))
    .where(_S.id == sa.bindparam("of"))
)  # fmt: skip


def of_account(connection: sa.Connection, account: str, now: int) -> Sequence[Any]:
    """Where it is signed in, the last seen first."""
    asked = sa.select(t.session).where(_S.account == account, _S.ends_at > now).order_by(_S.seen_at.desc(), _S.id)
    return connection.execute(asked).all()


def end(connection: sa.Connection, id_: str, account: str) -> bool:
    """Sign out one session of an account; False where it has none of this id."""
    return connection.execute(sa.delete(t.session).where(_S.id == id_, _S.account == account)).rowcount == 1


def seen(connection: sa.Connection, when: Mapping[str, int]) -> None:
    """These sessions (ids) were used, the last time then."""
    if when:
        statement = sa.update(t.session).where(_S.id == sa.bindparam("of")).values(seen_at=sa.bindparam("at"))
        connection.execute(statement, [{"of": id_, "at": at} for id_, at in when.items()])


def work_in(connection: sa.Connection, id_: str, tenant: str) -> None:
    """The session works in another tenant from now on."""
    connection.execute(sa.update(t.session).where(_S.id == id_).values(tenant=tenant))


def prune(connection: sa.Connection, now: int, idle_us: int) -> None:
    """Remove sessions and links that open nothing any more."""
    connection.execute(sa.delete(t.session).where(sa.or_(_S.ends_at <= now, _S.seen_at <= now - idle_us)))
    connection.execute(sa.delete(t.link).where(_L.ends_at <= now))


def make_link(
    connection: sa.Connection, account: str | None, now: int, ends_at: int, actor: str, *, signs_in: bool = False
) -> Opener:  # fmt: skip
    """A link that works once; `account` None: for whoever becomes the first administrator. It is the only one then.

    With it a password is chosen, unless it `signs_in`.
    """
    same = _L.account.is_(None) if account is None else _L.account == account
    connection.execute(sa.delete(t.link).where(same))
    oldest = sa.select(_L.id).order_by(_L.made_at.desc()).offset(LINKS_MAX - 1)
    connection.execute(sa.delete(t.link).where(_L.id.in_(list(connection.execute(oldest).scalars()))))
    opener, digest = _new()
    connection.execute(sa.insert(t.link), {
        "id": opener.id, "digest": digest, "account": account, "made_at": now, "made_by": actor, "ends_at": ends_at,
        "signs_in": signs_in,
    })  # fmt: skip
    return opener


def link_of(connection: sa.Connection, shown: str, now: int) -> Any | None:
    """The row of a link that still works."""
    return _opened(connection, _LINK, shown, now)


_LINK = sa.select(t.link).where(_L.id == sa.bindparam("of"))


def use_link(connection: sa.Connection, id_: str) -> bool:
    """It works no more; False where it did not any more."""
    return connection.execute(sa.delete(t.link).where(_L.id == id_)).rowcount == 1


def _new() -> tuple[Opener, bytes]:
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return Opener(id_, f"{id_}_{secret}"), digest_of(secret.encode())


def _opened(connection: sa.Connection, asked: Any, shown: str, now: int) -> Any | None:
    match = FORM.fullmatch(shown)
    if match is None:
        return None
    row = connection.execute(asked, {"of": match[1]}).one_or_none()
    # An id that is not there takes as long as a secret that is wrong.
    right = hmac.compare_digest(digest_of(match[2].encode()), NOBODY if row is None else bytes(row.digest))
    return row if right and row is not None and now < int(row.ends_at) else None
