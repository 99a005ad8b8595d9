"""What the API declares, or somebody proposes that it should: policy texts, and lines of an inventory."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import sqlalchemy as sa

from simward.identity import Imsi
from simward.registry import tables as t
from simward.registry.revisions import SINCE_VERSION

__all__ = ["SINCE_VERSION"]

U, L = t.upload.c, t.declared_line.c
PROPOSED_MOST = 50
"""Proposals that are kept; the oldest goes for a new one."""
AT_ONCE = 5000
_LISTED = (U.id, U.at, U.actor, U.because, U.base, U.takes_over, U.lines, U.sequence)


def in_force(connection: sa.Connection) -> Any | None:
    """The upload whose lines the API declares; None: it declares no line."""
    found = sa.select(t.upload).where(U.sequence.is_not(None)).order_by(U.sequence.desc(), U.at.desc()).limit(1)
    return connection.execute(found).one_or_none()


def find(connection: sa.Connection, id_: str) -> Any | None:
    """One of them."""
    return connection.execute(sa.select(t.upload).where(U.id == id_)).one_or_none()


def listed(connection: sa.Connection, *, before: tuple[int, str] | None, limit: int) -> Sequence[Any]:
    """The newest first, without their texts."""
    wanted = [] if before is None else [sa.or_(U.at < before[0], sa.and_(U.at == before[0], U.id < before[1]))]
    return connection.execute(sa.select(*_LISTED).where(*wanted).order_by(U.at.desc(), U.id.desc()).limit(limit)).all()


def base_of(texts: Mapping[str, str], upload: Any | None) -> str:
    """A name for everything that the API declares: another name, another base."""
    said = json.dumps([sorted(texts.items()), upload.id if upload is not None else ""])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def make(
    connection: sa.Connection, at: int, actor: str, because: str, base: str, texts: Mapping[str, str],
    takes_over: Sequence[str], lines: Iterable[Mapping[str, str]] | None,
) -> str:  # fmt: skip
    """Keep a proposal; gives its id. `lines` None: the inventory that the API declares already."""
    id_ = f"u-{secrets.token_hex(6)}"
    known = in_force(connection)
    connection.execute(sa.insert(t.upload).values(
        id=id_, at=at, actor=actor, because=because, base=base, texts=dict(texts), takes_over=list(takes_over), lines=0
    ))  # fmt: skip
    if lines is not None:
        rows = ({"upload": id_, "imsi": Imsi.parse(one["imsi"]).text, "line": dict(one)} for one in lines)
        while some := list(islice(rows, AT_ONCE)):
            connection.execute(sa.insert(t.declared_line), some)
    elif known is not None:
        copied = sa.select(sa.literal(id_), L.imsi, L.line).where(L.upload == known.id)
        connection.execute(sa.insert(t.declared_line).from_select(["upload", "imsi", "line"], copied))
    count = connection.execute(sa.select(sa.func.count()).where(L.upload == id_)).scalar()
    connection.execute(sa.update(t.upload).where(U.id == id_).values(lines=count))
    _forget_old(connection)
    return id_


def applied(connection: sa.Connection, id_: str, sequence: int) -> None:
    """It is in force from this sequence on. What was before it is told by its revision, and is not kept here."""
    connection.execute(
        sa.update(t.upload).where(U.id == id_, sa.or_(U.sequence.is_(None), U.sequence < sequence))
        .values(sequence=sequence)
    )  # fmt: skip
    now = in_force(connection)
    older = sa.and_(U.sequence.is_not(None), U.id != (now.id if now is not None else ""))
    connection.execute(sa.delete(t.declared_line).where(L.upload.in_(sa.select(U.id).where(older))))
    connection.execute(sa.delete(t.upload).where(older))


def lines_of(connection: sa.Connection, id_: str) -> list[dict[str, str]]:
    """The inventory of an upload, by IMSI."""
    found = sa.select(L.line).where(L.upload == id_).order_by(L.imsi)
    return [dict(line) for line in connection.execute(found).scalars()]


def owned_imsis(connection: sa.Connection) -> np.ndarray:
    """The subscriptions (i8) whose lines the API declares."""
    now = in_force(connection)
    if now is None:
        return np.zeros(0, np.int64)
    texts = connection.execute(sa.select(L.imsi).where(L.upload == now.id)).scalars()
    return np.array([Imsi.parse(one).number for one in texts if one.isdigit()], np.int64)


def _forget_old(connection: sa.Connection) -> None:
    proposed = sa.select(U.id).where(U.sequence.is_(None)).order_by(U.at.desc(), U.id.desc()).offset(PROPOSED_MOST)
    gone = list(connection.execute(proposed.limit(1000)).scalars())
    if gone:
        connection.execute(sa.delete(t.declared_line).where(L.upload.in_(gone)))
        connection.execute(sa.delete(t.upload).where(U.id.in_(gone)))
