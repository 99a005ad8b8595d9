"""A page of a list: along one index, past a bounded number of rows that do not fit, and where the next page begins.

Whatever is filtered by, and however rare what fits is, a page costs no more than so many rows: where that was not
enough to fill it, it is short, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

LOOKED_AT, SPREAD = 10_000, 2000
"""Rows that one page goes past at most; of tables in which those of one index lie apart, each to be read by itself."""

KEYS = ("key_0", "key_1")
"""What the columns of a key are called beside those of a row; one column is both."""

Fits = Callable[[Any], list[sa.ColumnElement[bool]]]
"""What else a row has to be, in conditions over the columns that it is given."""


@dataclass(frozen=True)
class Page:
    """Some rows in order."""

    rows: Sequence[Any]
    on: tuple[Any, ...] | None
    """The key behind which the next page begins; None: there is no more."""


NOTHING = Page((), None)


def walk(
    connection: sa.Connection, table: sa.Table, key: Sequence[sa.ColumnElement[Any]], *,
    after: Sequence[Any] | None, limit: int, ascending: bool, along: Sequence[sa.ColumnElement[bool]] = (),
    fits: Fits | None = None, spread: bool = False,
) -> Page:  # fmt: skip
    """At most `limit` rows behind `after`, in the order of `key` (one or two columns, unique together).

    An index has to lead through the rows that are `along` in that order; `fits` is asked of each that comes by, of
    LOOKED_AT at most, or of SPREAD.
    """
    most = SPREAD if spread else LOOKED_AT
    keys = [key[0].label(KEYS[0]), key[-1].label(KEYS[1])]
    names = KEYS[: len(key)]
    wanted = [*along, *(beyond(key, after, ascending) if after is not None else ())]
    order = [one.asc() if ascending else one.desc() for one in key]
    coming = sa.select(table, *keys).where(*wanted).order_by(*order)
    if fits is None:
        rows = connection.execute(coming.limit(limit + 1)).all()
    else:
        looked_at = _looked_at(table)
        # Without an order of its own, which both databases take from within: with one they would read all of it first.
        found = sa.select(looked_at).where(*fits(looked_at.c)).limit(limit + 1)
        rows = connection.execute(found.add_cte(coming.limit(most).cte("looked_at"))).all()
    if len(rows) > limit:
        return Page(rows[:limit], tuple(getattr(rows[limit - 1], name) for name in names))
    if fits is None:
        return Page(rows, None)
    last = connection.execute(sa.select(*keys).where(*wanted).order_by(*order).offset(most - 1).limit(1)).first()
    return Page(rows, None if last is None else tuple(last)[: len(key)])


@cache
def _looked_at(table: sa.Table) -> sa.TableClause:
    """What stands for the rows of a table that are looked at: made once, for a subquery is asked for its columns anew
    by each statement, which takes longer than the question."""
    columns = [sa.column(one.name, one.type) for one in table.c]
    return sa.table("looked_at", *columns, *(sa.column(one) for one in KEYS))


def beyond(key: Sequence[sa.ColumnElement[Any]], after: Sequence[Any], ascending: bool) -> list[sa.ColumnElement[bool]]:
    """Behind `after`, in either direction. The first condition is one that an index on the key can begin at."""
    first, *rest = key
    if not rest:
        return [first > after[0] if ascending else first < after[0]]
    second = rest[0]
    if ascending:
        return [first >= after[0], sa.or_(first > after[0], second > after[1])]
    return [first <= after[0], sa.or_(first < after[0], second < after[1])]


def gathered(page: Callable[[tuple[Any, ...] | None, int], Page], limit: int) -> list[Any]:
    """The first `limit` rows of a list, however many pages (after, limit) hold them."""
    rows: list[Any] = []
    after: tuple[Any, ...] | None = None
    while len(rows) < limit:
        found = page(after, limit - len(rows))
        rows += found.rows
        if found.on is None:
            break
        after = found.on
    return rows
