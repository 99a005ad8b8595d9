"""Which subscriptions a job is about: by their ICCIDs, or by what the mirror says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

S = t.subscription.c
AT_ONCE = 500
"""Keys in one statement; a database takes only so many."""


@dataclass(frozen=True)
class Choice:
    """All that is given must fit."""

    use_case: str | None = None
    segment: str | None = None
    tenant: str | None = None
    locked: bool | None = None
    """Refused whatever comes, or in quarantine by a command."""
    model: str | None = None
    """The TAC (8 digits) of the bound device."""


def chosen(connection: sa.Connection, choice: Choice, tenant: str | None, most: int) -> list[str]:
    """The ICCIDs that fit, in order, each once; at most `most`. `tenant`: of this one alone, whatever is chosen."""
    wanted: list[sa.ColumnElement[bool]] = [S.iccid.is_not(None)]
    for column, value in (
        (S.use_case, choice.use_case), (S.segment, choice.segment), (S.tenant, choice.tenant), (S.tenant, tenant),
    ):  # fmt: skip
        wanted += [] if value is None else [column == value]
    if choice.locked is not None:
        wanted.append(S.locked_at.is_not(None) if choice.locked else S.locked_at.is_(None))
    if choice.model is not None:
        wanted += [S.imei >= choice.model, S.imei < str(int(choice.model) + 1).zfill(8)]
    found = sa.select(S.iccid).where(*wanted).distinct().order_by(S.iccid).limit(most)
    return [str(one) for one in connection.execute(found).scalars()]


def known(connection: sa.Connection, iccids: Sequence[str], tenant: str | None) -> dict[str, str]:
    """ICCID -> tenant of those that there are, and that may be seen."""
    found: dict[str, str] = {}
    for start in range(0, len(iccids), AT_ONCE):
        wanted: list[Any] = [S.iccid.in_(iccids[start : start + AT_ONCE])]
        wanted += [] if tenant is None else [S.tenant == tenant]
        rows = connection.execute(sa.select(S.iccid, S.tenant).where(*wanted).distinct())
        found.update((str(one.iccid), str(one.tenant)) for one in rows)
    return found
