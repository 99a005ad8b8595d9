"""Revisions of policy and inventory in the registry: a mirror of what was applied, with the texts it was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import upsert

R, T = t.revision.c, t.policy_text.c
SINCE_VERSION = "0012"


def mirrored_up_to(connection: sa.Connection) -> int:
    """The sequence of the last journal row that is mirrored; 0: none."""
    return int(connection.execute(sa.select(sa.func.max(R.last_sequence))).scalar() or 0)


def newest(connection: sa.Connection) -> Any | None:
    """The revision in force; None before the first."""
    return connection.execute(sa.select(t.revision).order_by(R.number.desc()).limit(1)).one_or_none()


def find(connection: sa.Connection, number: int) -> Any | None:
    """One of them."""
    return connection.execute(sa.select(t.revision).where(R.number == number)).one_or_none()


def listed(connection: sa.Connection, *, before: int | None, limit: int) -> Sequence[Any]:
    """The newest first."""
    wanted = [] if before is None else [R.number < before]
    return connection.execute(sa.select(t.revision).where(*wanted).order_by(R.number.desc()).limit(limit)).all()


def note(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new one; `number` is given here."""
    last = connection.execute(sa.select(sa.func.max(R.number))).scalar() or 0
    connection.execute(sa.insert(t.revision).values(number=last + 1, **values))


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """One more row of the journal belongs to it."""
    connection.execute(sa.update(t.revision).where(R.number == number).values(values))


def keep_policy(connection: sa.Connection, texts: Mapping[str, str]) -> dict[str, str]:
    """Keep policy texts; gives name -> digest."""
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    rows = {digest: texts[name] for name, digest in digests.items()}
    if rows:
        upsert(connection, t.policy_text, ["digest"], [{"digest": one, "text": text} for one, text in rows.items()])
    return digests


def texts_of(connection: sa.Connection, revision: Any | None) -> dict[str, str]:
    """Name -> text of every policy document in force with a revision, in the order of their names."""
    if revision is None or not revision.texts:
        return {}
    wanted = sa.select(T.digest, T.text).where(T.digest.in_(list(revision.texts.values())))
    found: dict[str, str] = {str(one.digest): str(one.text) for one in connection.execute(wanted)}
    return {name: found[digest] for name, digest in sorted(revision.texts.items())}
