"""What writes with an Idempotency-Key were answered: the same again is answered the same, for a day."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

KEPT_US = 24 * 3600 * 1_000_000
KEPT_MOST = 100_000
_I = t.idempotency.c


def begin(connection: sa.Connection, caller: str, key: str, fingerprint: bytes, now: int) -> Any | None:
    """The row of a request that was begun before; None where this is the first, which is noted."""
    found = connection.execute(sa.select(t.idempotency).where(_I.caller == caller, _I.key == key)).one_or_none()
    if found is not None and found.at >= now - KEPT_US:
        return found
    if found is not None:
        forget(connection, caller, key)
    values = {"caller": caller, "key": key, "fingerprint": fingerprint, "at": now}
    connection.execute(sa.insert(t.idempotency).values(values))
    return None


def answered(connection: sa.Connection, caller: str, key: str, status: int, answer: str) -> None:
    """This is what it was answered."""
    mine = sa.update(t.idempotency).where(_I.caller == caller, _I.key == key)
    connection.execute(mine.values(status=status, answer=answer))


def forget(connection: sa.Connection, caller: str, key: str) -> None:
    """It may be asked anew."""
    connection.execute(sa.delete(t.idempotency).where(_I.caller == caller, _I.key == key))


def prune(connection: sa.Connection, now: int) -> None:
    """Remove what is old, and of the rest the oldest beyond KEPT_MOST."""
    connection.execute(sa.delete(t.idempotency).where(_I.at < now - KEPT_US))
    newest = sa.select(_I.at).order_by(_I.at.desc()).offset(KEPT_MOST).limit(1)
    beyond = connection.execute(newest).scalar()
    if beyond is not None:
        connection.execute(sa.delete(t.idempotency).where(_I.at <= beyond))
