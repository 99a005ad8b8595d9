"""How long the registry keeps what is over: a bounded piece at a time, the oldest first, and never what is open.

The audit stays whole: its chain has no end that could be cut off. So do the names by which it calls subscriptions,
which an erasure needs; there are no more of them than there were subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.incidents import RESOLVED

AT_ONCE = 500
"""So many rows go in one transaction at most."""
INCIDENTS_AT_ONCE = 50
_F, _E, _I, _C, _B = t.finding.c, t.effect.c, t.incident.c, t.command.c, t.benign.c
DAY_US = 86_400_000_000


def prune_findings(connection: sa.Connection, before: int) -> int:
    """Remove findings that ended before (us UTC), and effects that were proved, of no unresolved incident; how many."""
    ended = sa.select(_F.id).where(_F.began_at < before, _F.ended_at < before, _is_over(_F.incident))
    removed = _remove(connection, t.finding, _F.id, ended.order_by(_F.began_at))
    proved = sa.select(_E.id).where(_E.at < before, _E.result.is_not(None), _is_over(_E.incident))
    return removed + _remove(connection, t.effect, _E.id, proved.order_by(_E.at))


def prune_incidents(connection: sa.Connection, before: int) -> int:
    """Remove incidents resolved before, with what was merged into them; gives how many rows that touched.

    Their findings stay, of no incident. The newest number stays whatever its age: SQLite would give it again.
    """
    newest = sa.select(sa.func.max(_I.number)).scalar_subquery()
    old = sa.select(_I.number).where(
        _I.opened_at < before, _I.state == RESOLVED, _I.resolved_at < before, _I.merged_into.is_(None),
        _I.number < newest,
    )  # fmt: skip
    numbers = connection.execute(old.order_by(_I.opened_at).limit(INCIDENTS_AT_ONCE)).scalars().all()
    if not numbers:
        return 0
    parts = connection.execute(sa.select(_I.number).where(_I.merged_into.in_(numbers), _I.number < newest)).scalars()
    all_of_them = [*numbers, *parts]
    for table in (t.finding, t.effect):
        members = sa.select(table.c.id).where(table.c.incident.in_(all_of_them)).limit(AT_ONCE)
        loosened = connection.execute(
            sa.update(table).where(table.c.id.in_(members.scalar_subquery())).values(incident=None)
        ).rowcount
        if loosened:  # an incident may have a hundred thousand: it goes once none is left
            return loosened
    for child in (t.incident_entry, t.incident_party, t.incident_trait):
        connection.execute(sa.delete(child).where(child.c.incident.in_(all_of_them)))
    connection.execute(sa.delete(t.incident).where(_I.merged_into.in_(numbers), _I.number < newest))
    gone = [one for one in numbers if not _has_parts(connection, one)]
    return connection.execute(sa.delete(t.incident).where(_I.number.in_(gone))).rowcount


def prune_benign(connection: sa.Connection, before: int) -> int:
    """Remove verdicts that ended before, or were taken back before; gives how many. The audit has them for ever."""
    over = sa.select(_B.subject).where(_B.at < before, _B.until_day * DAY_US < before)
    return _remove(connection, t.benign, _B.subject, over.order_by(_B.at))


def prune_commands(connection: sa.Connection, before: int) -> int:
    """Remove commands that the gate answered before, of no unresolved incident; gives how many."""
    removed = 0
    for result in _results(connection):
        answered = sa.select(_C.id).where(
            _C.result == result, _C.next_at < before, _C.answered_at < before, _is_over(_C.incident)
        )  # fmt: skip
        removed += _remove(connection, t.command, _C.id, answered.order_by(_C.next_at))
    return removed


def _results(connection: sa.Connection) -> Iterator[str]:
    """Every result there is, one look into the index each."""
    last = ""
    while (found := connection.execute(sa.select(sa.func.min(_C.result)).where(_C.result > last)).scalar()) is not None:
        yield found
        last = found


def _is_over(incident: sa.ColumnElement[int | None]) -> sa.ColumnElement[bool]:
    """Is a row of no incident, or of one that is resolved (or is there no more)?"""
    unresolved = sa.exists().where(_I.number == incident, _I.state != RESOLVED)
    return sa.or_(incident.is_(None), ~unresolved)


def _has_parts(connection: sa.Connection, number: int) -> bool:
    return connection.execute(sa.select(_I.number).where(_I.merged_into == number).limit(1)).first() is not None


def _remove(connection: sa.Connection, table: sa.Table, key: sa.Column[str], which: sa.Select[tuple[str]]) -> int:
    some = connection.execute(which.limit(AT_ONCE)).scalars().all()
    if some:
        connection.execute(sa.delete(table).where(key.in_(some)))
    return len(some)
