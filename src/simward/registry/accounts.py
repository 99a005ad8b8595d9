"""Accounts of people: made, found, changed; what each is in which tenant; the second factor that it has."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.errors import RefusedError
from simward.registry import tables as t

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,126}")
"""What a name looks like: an address of e-mail fits. Small letters alone, so that no two differ by case."""
RESERVED = frozenset(("local", "owner", "simward", "system", "gate", "watch", "control"))
"""Names that stand for something else where it is said who did what."""
EVERY = "*"
"""Stands for all tenants, in a membership and in a session."""
ADMINISTRATOR = "administrator"
ACCOUNTS_MAX = 10_000

_A, _M, _R = t.account.c, t.membership.c, t.recovery_code.c


def make(
    connection: sa.Connection, name: str, memberships: Mapping[str, str], now: int, actor: str, *,
    needs_second_factor: bool = False, issuer: str | None = None, subject: str | None = None,
) -> str:
    """A new account, which nobody can sign in to yet; gives its id. `memberships`: tenant (or EVERY) -> role.

    Raises RefusedError where it cannot be had.
    """
    if not NAME.fullmatch(name) or name in RESERVED:
        raise RefusedError(f"{name} is no name for an account: small letters, digits and . _ @ + - (at most 127)")
    if by_name(connection, name) is not None:
        raise RefusedError(f"there is an account {name}")
    if connection.execute(sa.select(sa.func.count()).select_from(t.account)).scalar_one() >= ACCOUNTS_MAX:
        raise RefusedError(f"there are {ACCOUNTS_MAX} accounts, which is the most there can be")
    id_ = secrets.token_hex(6)
    connection.execute(sa.insert(t.account), {
        "id": id_, "name": name, "needs_second_factor": needs_second_factor, "enabled": True, "issuer": issuer,
        "subject": subject, "made_at": now, "made_by": actor,
    })  # fmt: skip
    join(connection, id_, memberships)
    return id_


def by_name(connection: sa.Connection, name: str) -> Any | None:
    """The row of this name."""
    return connection.execute(sa.select(t.account).where(_A.name == name)).one_or_none()


def by_id(connection: sa.Connection, id_: str) -> Any | None:
    """The row of this id."""
    return connection.execute(sa.select(t.account).where(_A.id == id_)).one_or_none()


def by_subject(connection: sa.Connection, issuer: str, subject: str) -> Any | None:
    """The row of whom this issuer calls so."""
    return connection.execute(sa.select(t.account).where(_A.issuer == issuer, _A.subject == subject)).one_or_none()


def listed(connection: sa.Connection, *, tenant: str | None = None) -> Sequence[Any]:
    """All by name; with `tenant`, those that are something in it alone."""
    asked = sa.select(t.account).order_by(_A.name)
    if tenant is not None:
        asked = asked.where(_A.id.in_(sa.select(_M.account).where(_M.tenant == tenant)))
    return connection.execute(asked).all()


def memberships(connection: sa.Connection, ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of each account: tenant (or EVERY) -> role."""
    found: dict[str, dict[str, str]] = {one: {} for one in ids}
    asked = sa.select(t.membership).where(_M.account.in_(list(found))).order_by(_M.tenant)
    for row in connection.execute(asked):
        found[row.account][row.tenant] = row.role
    return found


def join(connection: sa.Connection, id_: str, wanted: Mapping[str, str]) -> None:
    """Make these its memberships. RefusedError where nobody would be administrator any more."""
    was = connection.execute(sa.select(_M.role).where(_M.account == id_, _M.tenant == EVERY)).scalar()
    if was == ADMINISTRATOR and wanted.get(EVERY) != ADMINISTRATOR:
        _not_the_last(connection, id_)
    become(connection, id_, wanted)


def become(connection: sa.Connection, id_: str, wanted: Mapping[str, str]) -> None:
    """The same, whoever is administrator then: a provider has the last word about who comes by it."""
    connection.execute(sa.delete(t.membership).where(_M.account == id_))
    if wanted:
        rows = [{"account": id_, "tenant": tenant, "role": role} for tenant, role in wanted.items()]
        connection.execute(sa.insert(t.membership), rows)
    gone = sa.delete(t.session).where(t.session.c.account == id_, t.session.c.tenant.not_in(list(wanted)))
    connection.execute(gone)


def change(connection: sa.Connection, id_: str, **values: Any) -> None:
    """Write columns of an account. RefusedError where nobody would be administrator any more."""
    if values.get("enabled") is False:
        _not_the_last(connection, id_)
        end_sessions(connection, id_)
    connection.execute(sa.update(t.account).where(_A.id == id_).values(**values))


def set_password(connection: sa.Connection, id_: str, encoded: str | None, now: int, keep: str = "") -> None:
    """A new one: it is signed out everywhere but in session `keep`, and its links open nothing any more."""
    change(connection, id_, password=encoded, password_at=now)
    end_sessions(connection, id_, keep)
    connection.execute(sa.delete(t.link).where(t.link.c.account == id_))


def set_second_factor(connection: sa.Connection, id_: str, sealed: bytes | None, codes: Iterable[bytes] = ()) -> None:
    """Another one, or none; `codes` are digests of its recovery codes."""
    change(connection, id_, second_factor=sealed, used_step=None)
    connection.execute(sa.delete(t.recovery_code).where(_R.account == id_))
    if rows := [{"digest": one, "account": id_} for one in codes]:
        connection.execute(sa.insert(t.recovery_code), rows)


def use_step(connection: sa.Connection, id_: str, step: int) -> bool:
    """Take the code of a time step; False where this one, or a later one, was taken already (RFC 6238 5.2)."""
    free = sa.or_(_A.used_step.is_(None), _A.used_step < step)
    return connection.execute(sa.update(t.account).where(_A.id == id_, free).values(used_step=step)).rowcount == 1


def use_recovery_code(connection: sa.Connection, id_: str, digest: bytes) -> bool:
    """Take a recovery code; False where it is none, or was taken."""
    mine = sa.delete(t.recovery_code).where(_R.account == id_, _R.digest == digest)
    return connection.execute(mine).rowcount == 1


def recovery_codes_left(connection: sa.Connection, id_: str) -> int:
    """How many are left."""
    return int(connection.execute(sa.select(sa.func.count()).where(_R.account == id_)).scalar_one())


def end_sessions(connection: sa.Connection, id_: str, keep: str = "") -> None:
    """Sign it out everywhere, but in session `keep`."""
    mine = sa.and_(t.session.c.account == id_, t.session.c.id != keep)
    connection.execute(sa.delete(t.session).where(mine))


def administrators(connection: sa.Connection) -> Sequence[str]:
    """The ids of those who are enabled and administrator of everything."""
    asked = sa.select(_A.id).join(t.membership, _M.account == _A.id)
    asked = asked.where(_A.enabled, _M.tenant == EVERY, _M.role == ADMINISTRATOR)
    return list(connection.execute(asked).scalars())


def _not_the_last(connection: sa.Connection, id_: str) -> None:
    if list(administrators(connection)) == [id_]:
        raise RefusedError("it is the last administrator of everything: make another one first")
