"""What the registry says for the metrics: what waits, what is open, what is held; asked by indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.incidents import UNRESOLVED

_D, _I, _A, _C = t.delivery.c, t.incident.c, t.rule_action.c, t.command.c


@dataclass(frozen=True)
class Waiting:
    """The outbox of one endpoint."""

    waiting: int
    dead: int
    oldest_at: int | None
    """Since when the oldest waits (us UTC)."""


def outbox_of(connection: sa.Connection, endpoint: str) -> Waiting:
    """What waits for an endpoint, and what could not be delivered."""

    def count(state: str) -> int:
        found = sa.select(sa.func.count()).where(_D.endpoint == endpoint, _D.state == state)
        return connection.execute(found).scalar_one()

    oldest = sa.select(sa.func.min(_D.number)).where(_D.endpoint == endpoint, _D.state == "waiting").scalar_subquery()
    since = connection.execute(sa.select(_D.made_at).where(_D.number == oldest)).scalar()
    return Waiting(count("waiting"), count("dead"), since)


def open_incidents(connection: sa.Connection, now: int) -> dict[str, tuple[int, int]]:
    """Severity -> how many incidents are not resolved, and of how many the deadline is over."""
    late = sa.func.sum(sa.case((_I.deadline_at <= now, 1), else_=0))
    found = sa.select(_I.severity, sa.func.count().label("many"), late.label("late")).where(
        _I.state.in_(UNRESOLVED), _I.merged_into.is_(None)
    )  # fmt: skip
    return {row.severity: (row.many, int(row.late)) for row in connection.execute(found.group_by(_I.severity))}


def actions_in(connection: sa.Connection, states: Sequence[str]) -> dict[str, int]:
    """How many actions of rules are in each of these states."""
    found = sa.select(_A.state, sa.func.count().label("many")).where(_A.state.in_(states)).group_by(_A.state)
    return dict.fromkeys(states, 0) | {row.state: row.many for row in connection.execute(found)}


def open_commands(connection: sa.Connection) -> int:
    """Commands that the gate has not answered."""
    return connection.execute(sa.select(sa.func.count()).where(_C.result.is_(None))).scalar_one()
