"""The outbox: what waits for each endpoint, in order a lane, and what has become of it.

Every question goes by the index (endpoint, state, lane, number) or the row's number: what it costs does not grow with
how much waits, but for `heads`, which reads all that waits for an endpoint once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

DAY_US = 86_400_000_000
KEEP_DELIVERED_US = 7 * DAY_US
KEEP_DEAD_US = 30 * DAY_US
KEEP_ANNOUNCED_US = 30 * DAY_US
PRUNED_AT_ONCE = 5000
_D = t.delivery.c
_WAITING = _D.state == "waiting"
_HEAD = (_D.number, _D.endpoint, _D.lane, _D.next_at, _D.attempts, _D.deadline_at)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one attempt: the delivery as it is from now on."""

    number: int
    endpoint: str
    lane: str
    announcement: str
    """Its id."""
    state: str
    attempts: int
    next_at: int
    delivered_at: int | None
    status: int | None
    error: str


def last_number(connection: sa.Connection) -> int:
    """The number of the newest delivery."""
    return connection.execute(sa.select(sa.func.max(_D.number))).scalar() or 0


def newer(connection: sa.Connection, number: int, limit: int) -> Sequence[Any]:
    """What has been put in the outbox after `number`: rows of the columns of a head, in order."""
    found = sa.select(*_HEAD).where(_D.number > number, _WAITING).order_by(_D.number).limit(limit)
    return connection.execute(found).all()


def heads(connection: sa.Connection, endpoint: str, limit: int) -> list[tuple[Any, int]]:
    """(head, last number) of every lane of an endpoint, in order; at most `limit` lanes."""
    lanes = (
        sa.select(sa.func.min(_D.number).label("first"), sa.func.max(_D.number).label("last"))
        .where(_D.endpoint == endpoint, _WAITING).group_by(_D.lane).order_by(sa.func.min(_D.number)).limit(limit)
        .subquery()
    )  # fmt: skip
    found = sa.select(*_HEAD, lanes.c.last).join(lanes, lanes.c.first == _D.number).order_by(_D.number)
    return [(row, row.last) for row in connection.execute(found)]


def following(connection: sa.Connection, endpoint: str, lane: str) -> Any | None:
    """The first of a lane that waits."""
    found = sa.select(*_HEAD).where(_D.endpoint == endpoint, _WAITING, _D.lane == lane).order_by(_D.number).limit(1)
    return connection.execute(found).one_or_none()


def letters(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, Any]:
    """Number of a delivery -> its announcement; without those that wait no more."""
    found = sa.select(_D.number.label("delivery"), t.announcement).join(t.announcement).where(
        _D.number.in_(numbers), _WAITING
    )  # fmt: skip
    return {row.delivery: row for row in connection.execute(found)}


def settle(connection: sa.Connection, settled: Sequence[Settled]) -> None:
    """Record what came of attempts."""
    statement = sa.update(t.delivery).where(_D.number == sa.bindparam("of")).values(
        {name: sa.bindparam(f"to_{name}") for name in _SETTLED}
    )  # fmt: skip
    rows = [{"of": one.number, **{f"to_{name}": getattr(one, name) for name in _SETTLED}} for one in settled]
    connection.execute(statement, rows)


_SETTLED = ("state", "attempts", "next_at", "delivered_at", "status", "error")


def expire(connection: sa.Connection, now: int) -> int:
    """What has waited beyond its deadline is dead, also of endpoints that are down or gone; gives how many."""
    late = sa.update(t.delivery).where(_WAITING, _D.deadline_at <= now).values(
        state="dead", error=sa.func.coalesce(_D.error, "never tried: the endpoint was down, or is not in the settings")
    )  # fmt: skip
    return connection.execute(late).rowcount


def prune(connection: sa.Connection, now: int) -> int:
    """Remove what was delivered or has died long ago, and announcements that nobody waits for; gives how many.

    The newest row of each table stays whatever its age: SQLite would give its number again, and readers go by numbers.
    """
    removed = 0
    for table, old in (
        (t.delivery, sa.and_(_D.state == "delivered", _D.made_at < now - KEEP_DELIVERED_US)),
        (t.delivery, sa.and_(_D.state == "dead", _D.made_at < now - KEEP_DEAD_US)),
        (t.announcement, sa.and_(
            t.announcement.c.at < now - KEEP_ANNOUNCED_US,
            ~sa.exists().where(_D.announcement == t.announcement.c.number),
        )),
    ):  # fmt: skip
        number = table.c.number
        some = sa.select(number).where(old, number < sa.select(sa.func.max(number)).scalar_subquery())
        removed += connection.execute(
            sa.delete(table).where(number.in_(some.order_by(number).limit(PRUNED_AT_ONCE)))
        ).rowcount
    return removed


def redrive(connection: sa.Connection, endpoint: str, now: int, deadline_at: int, numbers: Sequence[int] = ()) -> int:
    """Dead letters of an endpoint wait again: those of `numbers`, or all; gives how many."""
    dead = sa.update(t.delivery).where(_D.endpoint == endpoint, _D.state == "dead")
    if numbers:
        dead = dead.where(_D.number.in_(numbers))
    values = {"state": "waiting", "attempts": 0, "next_at": now, "deadline_at": deadline_at}
    return connection.execute(dead.values(values)).rowcount


def dead_letters(connection: sa.Connection, endpoint: str, limit: int, before: int | None = None) -> Sequence[Any]:
    """Dead letters of an endpoint with what they say, the newest first, below the number `before`."""
    wanted = [_D.endpoint == endpoint, _D.state == "dead", *([] if before is None else [_D.number < before])]
    found = (
        sa.select(t.delivery, t.announcement.c.id, t.announcement.c.type, t.announcement.c.subject)
        .join(t.announcement).where(*wanted).order_by(_D.number.desc()).limit(limit)
    )  # fmt: skip
    return connection.execute(found).all()


def counts(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Endpoint -> state -> how many; and under `oldest_waiting_at` since when the oldest waits."""
    found = sa.select(_D.endpoint, _D.state, sa.func.count().label("many"), sa.func.min(_D.made_at).label("since"))
    counted: dict[str, dict[str, int]] = {}
    for row in connection.execute(found.group_by(_D.endpoint, _D.state)):
        of = counted.setdefault(row.endpoint, {})
        of[row.state] = row.many
        if row.state == "waiting":
            of["oldest_waiting_at"] = row.since
    return counted


def backlog(connection: sa.Connection, endpoints: Sequence[str]) -> tuple[int, int, int | None]:
    """Over these endpoints: how many wait, how many are dead, and since when (us UTC) the oldest waits.

    Each by the index of its endpoint: `counts` goes through all that is kept.
    """
    waiting = dead = 0
    oldest: int | None = None
    for endpoint in endpoints:
        of = [_D.endpoint == endpoint, _D.state == "waiting"]
        many, since = connection.execute(sa.select(sa.func.count(), sa.func.min(_D.made_at)).where(*of)).one()
        waiting += many
        oldest = since if oldest is None else min(oldest, since or oldest)
        given_up = sa.select(sa.func.count()).where(_D.endpoint == endpoint, _D.state == "dead")
        dead += connection.execute(given_up).scalar_one()
    return waiting, dead, oldest
