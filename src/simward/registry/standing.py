"""How the fleet stands, for one screen: every figure from an index or the counts by the hour, never from all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import hourly, incident_pages, outbox, population
from simward.registry import tables as t
from simward.registry.incidents import UNRESOLVED
from simward.registry.rules import HELD

DAY_US = 86_400_000_000
DUE_SHOWN, HELD_SHOWN = 8, 5
SEVERE = ("critical", "high")


@dataclass(frozen=True)
class Standing:
    """The figures, of one tenant or of all."""

    waiting: dict[str, dict[str, int]]
    """State -> severity -> incidents that are not resolved."""
    overdue: int
    due: Sequence[Any]
    """The incidents that are due first."""
    findings: Sequence[tuple[int, str, int]]
    """(when, detector/class, how many) by spans of the chart."""
    last_day: dict[str, dict[str, int]]
    """What was found, done and decided in a day, as `hourly` counts it."""
    locked: int
    held_actions: int
    held: Sequence[Any]
    """The newest actions of rules that a limit holds for a person."""
    held_findings: int
    """Findings that last and whose response a limit holds."""
    outbox: tuple[int, int, int | None]
    """Waiting, dead, and since when the oldest waits."""

    @property
    def unresolved(self) -> int:
        """All incidents that are not resolved."""
        return sum(sum(of.values()) for of in self.waiting.values())

    @property
    def severe_open(self) -> int:
        """Those that are severe and that nobody has taken."""
        return sum(self.waiting.get("open", {}).get(one, 0) for one in SEVERE)


def look(
    connection: sa.Connection, *, tenant: str | None, now: int, since: int, hours: int, endpoints: Sequence[str]
) -> Standing:  # fmt: skip
    """How it stands at `now` (us UTC); findings since `since`, counted by spans of `hours`."""
    a, f = t.rule_action.c, t.finding.c

    def of_tenant(column: Any) -> list[Any]:
        return [column == tenant] if tenant is not None else []

    held = [a.state == HELD, *of_tenant(a.tenant)]
    newest = sa.select(t.rule_action).where(*held).order_by(a.changed_at.desc()).limit(HELD_SHOWN)
    kept_back = [f.held.is_not(None), f.ended_at.is_(None), *of_tenant(f.tenant)]
    waiting, overdue = incident_pages.waiting(connection, tenant, now)
    due = incident_pages.listed(connection, tenant=tenant, states=UNRESOLVED, sort="deadline", limit=DUE_SHOWN)
    return Standing(
        waiting=waiting,
        overdue=overdue,
        due=due.rows,
        findings=hourly.by_hour(connection, tenant=tenant, what="finding", since=since, hours=hours),
        last_day=hourly.totals(connection, tenant=tenant, since=now - DAY_US),
        locked=population.locked(connection, tenant),
        held_actions=_count(connection, t.rule_action, *held),
        held=connection.execute(newest).all(),
        held_findings=_count(connection, t.finding, *kept_back),
        outbox=outbox.backlog(connection, endpoints),
    )


def _count(connection: sa.Connection, table: sa.Table, *wanted: Any) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one())
