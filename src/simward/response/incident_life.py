"""The life of an incident: opened, changed, escalated, contained, resolved, reopened; each told once to other systems.

States are open, acknowledged, contained (proved) and resolved. Every change is an entry of its story and an
announcement with an id of its own, made of the incident's number and how often it has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.engine.phrases import span, when
from simward.incident_settings import IncidentSettings
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.response import grouping as g
from simward.response.announcing import Announcement, Announcing

SECOND_US = 1_000_000
ESCALATIONS_MOST = 6
"""After so many escalations nothing more is said: the first is at the deadline, each other after twice as long."""
PROOFS_KEPT = 100
USE_CASES_TOLD = 100
COUNTS = ("opened", "merged", "reopened", "escalated", "contained", "resolved", "acknowledged")
"""What is counted, for the metrics."""


class Life:
    """Makes and changes incidents, inside the transaction of whoever has a reason to."""

    def __init__(self, announcing: Announcing, settings: IncidentSettings) -> None:
        self._announcing, self._settings = announcing, settings
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))

    def open(self, connection: sa.Connection, values: dict[str, Any], now: int) -> kept.Incident:
        """A new incident. `values` of its columns; the deadline runs from `now`, when somebody can be told."""
        made = kept.make(
            connection,
            {"state": kept.OPEN, "changed_at": values["opened_at"], **values,
             "deadline_at": self._deadline(self._settings.acknowledge_within_s, values["severity"], now)},
        )  # fmt: skip
        kept.enter(connection, made.number, made.opened_at, "opened", f"{made.title}.")
        self.counts["opened"] += 1
        return made

    def tell_opened(self, connection: sa.Connection, number: int, cause: str | None) -> None:
        """Say that an incident is there, once what opened it is in it."""
        row = kept.get(connection, number)
        self._say(connection, row, "incident.opened", f"incident.opened:{number}", row.opened_at, cause, {})

    def change(
        self, connection: sa.Connection, number: int, at: int, what: str, text: str, actor: str = "",
        cause: str | None = None, facts: dict[str, Any] | None = None, **values: Any,
    ) -> kept.Incident:  # fmt: skip
        """Change some columns, enter it into the story and tell it. Gives the incident as it now is."""
        kept.change(connection, number, changed_at=at, changes=t.incident.c.changes + 1, **values)
        kept.enter(connection, number, at, what, text, actor, facts)
        row = kept.get(connection, number)
        said = {"change": what, "text": text, "actor": actor or None, **(facts or {})}
        self._say(connection, row, "incident.changed", f"incident.changed:{number}/{row.changes}", at, cause, said)
        return row

    def merge(self, connection: sa.Connection, into: int, numbers: list[int], at: int, why: str) -> None:
        """Incidents turn out to have one cause."""
        kept.merge(connection, into, numbers, at)
        text = f"{len(numbers)} incidents belong together: {why}."
        kept.enter(connection, into, at, "merged", text, facts={"incidents": numbers[:PROOFS_KEPT]})
        for number in numbers:
            kept.enter(connection, number, at, "merged", f"Part of incident {into}: {why}.")
            said = {"change": "merged", "merged_into": into}
            row = kept.get(connection, number)
            self._say(connection, row, "incident.changed", f"incident.changed:{number}/{row.changes}", at, None, said)
        self.counts["merged"] += len(numbers)

    def acknowledge(self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, why: str) -> None:
        """Somebody takes it: from now on the deadline to contain it runs."""
        within = {} if row.grouping == g.OUTAGE or row.contained_at else self._settings.contain_within_s
        state = kept.ACKNOWLEDGED if row.state == kept.OPEN else row.state
        self.change(
            connection, row.number, at, "acknowledged", f"Acknowledged by {actor}{_because(why)}.", actor, state=state,
            acknowledged_at=at, acknowledged_by=actor[: kept.ACTOR_MAX], escalations=0,
            deadline_at=self._deadline(within, row.severity, at), owner=row.owner or actor[: kept.ACTOR_MAX],
            quiet_since=row.quiet_since if row.open_findings else row.quiet_since or at,
        )  # fmt: skip
        self.counts["acknowledged"] += 1

    def resolve(
        self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, outcome: str | None, why: str,
        *, all_findings: bool = True,
    ) -> None:  # fmt: skip
        """It is over: a person says so with an outcome, or it ends by itself (`actor` empty, no outcome).

        The outcome holds for all that was found, or (`all_findings` False) for what was judged by itself.
        """
        kept.change(
            connection, row.number, state=kept.RESOLVED, resolved_at=at, resolved_by=actor[: kept.ACTOR_MAX],
            outcome=outcome, changed_at=at, deadline_at=None, quiet_since=None, proof_at=None,
            changes=t.incident.c.changes + 1,
        )  # fmt: skip
        if outcome is not None and all_findings:
            kept.judge_findings(connection, row.number, outcome)
        by = f"Resolved by {actor}: {outcome}" if actor else "Resolved by itself"
        kept.enter(connection, row.number, at, "resolved", f"{by}{_because(why)}.", actor, {"outcome": outcome})
        fresh = kept.get(connection, row.number)
        said = {"outcome": outcome, "actor": actor or None, "reason": why}
        self._say(
            connection, fresh, "incident.resolved", f"incident.resolved:{row.number}/{fresh.changes}", at, None, said
        )
        self.counts["resolved"] += 1

    def reopen(self, connection: sa.Connection, row: kept.Incident, at: int, now: int, actor: str, why: str) -> None:
        """It was not over: its life begins again, its story goes on."""
        by = f"Reopened by {actor}" if actor else "Reopened"
        self.change(
            connection, row.number, at, "reopened", f"{by}{_because(why)}.", actor, state=kept.OPEN,
            reopened=row.reopened + 1, resolved_at=None, resolved_by=None, outcome=None, acknowledged_at=None,
            acknowledged_by=None, contained_at=None, containment=None, escalations=0, quiet_since=None, proof_at=at,
            deadline_at=self._deadline(self._settings.acknowledge_within_s, row.severity, now),
        )  # fmt: skip
        self.counts["reopened"] += 1

    def worsen(self, connection: sa.Connection, row: kept.Incident, at: int, now: int, severity: str,
               cause: str) -> None:
        """It is worse than it looked: who was given time has less of it."""
        within = self._settings.contain_within_s if row.acknowledged_at else self._settings.acknowledge_within_s
        due = self._deadline(within, severity, now)
        given = [one for one in (row.deadline_at, due) if one is not None]
        if row.grouping == g.OUTAGE and row.acknowledged_at:
            given = []
        self.change(
            connection, row.number, at, "severity", f"Now {severity}, was {row.severity}.", cause=cause,
            severity=severity, deadline_at=min(given) if given else None,
        )  # fmt: skip

    def escalate(self, connection: sa.Connection, row: kept.Incident, now: int) -> None:
        """A deadline has passed and nobody has seen to it: said again after twice as long, and not for ever."""
        taken = row.acknowledged_at is not None
        within = self._settings.contain_within_s if taken else self._settings.acknowledge_within_s
        count = row.escalations + 1
        step = within.get(row.severity, 3600) * SECOND_US * 2**count
        again = now + step if count < ESCALATIONS_MOST else None
        what = "contained, and is not proved to be" if taken else "acknowledged, and nobody has"
        text = f"Was to be {what}: {span(now - row.opened_at)} after it opened."
        text += f" Said again in {span(step)}." if again else " This was the last time that it is said."
        self.change(
            connection, row.number, now, "escalated", text, escalations=count, deadline_at=again,
            facts={"escalation": count, "owner": row.owner},
        )  # fmt: skip
        self.counts["escalated"] += 1

    def weigh(self, connection: sa.Connection, row: kept.Incident, now: int) -> None:
        """A proof came: is every effect proved now, and nothing held back? Then it is contained; else it is not."""
        stands = kept.proofs(connection, row.number)
        holds = stands["sent"] > 0 and stands["proved"] == stands["sent"] and not stands["held"]
        if holds and row.state != kept.CONTAINED:
            self._contained(connection, row, row.proof_at or now, stands)
        elif row.state == kept.CONTAINED and not holds:
            state = kept.ACKNOWLEDGED if row.acknowledged_at else kept.OPEN
            text = f"No longer contained: {stands['proved']} of {stands['sent']} effects are proved"
            text += f", {stands['held']} held back." if stands["held"] else "."
            self.change(
                connection, row.number, row.proof_at or now, "uncontained", text, state=state, contained_at=None,
                containment=None, proof_at=None,
            )
        else:
            kept.change(connection, row.number, proof_at=None)

    def _contained(self, connection: sa.Connection, row: kept.Incident, at: int, stands: Mapping[str, Any]) -> None:
        proofs = [
            {"effect": one.id, "what": one.what, "imsi": one.imsi, "gateway": one.gateway,
             "session_id": one.session_id, "by": proof_of(one), "at": when(one.proved_at or one.at)}
            for one in kept.effects(connection, row.number, PROOFS_KEPT)
        ]  # fmt: skip
        ways: Counter[str] = Counter(one["by"] for one in proofs)
        containment = {"effects": stands["sent"], "ways": dict(sorted(ways.items())), "proofs": proofs}
        self.change(
            connection, row.number, at, "contained",
            f"Contained: {count(stands['sent'], 'effect')}, each proved by its gateway.", state=kept.CONTAINED,
            contained_at=at, containment=containment, proof_at=None,
            deadline_at=None if row.acknowledged_at else row.deadline_at,
        )  # fmt: skip
        self.counts["contained"] += 1

    def _deadline(self, within_s: Mapping[str, int], severity: str, now: int) -> int | None:
        seconds = within_s.get(severity, 0)
        return now + seconds * SECOND_US if seconds else None

    def _say(
        self, connection: sa.Connection, row: kept.Incident, type_name: str, id_: str, at: int, cause: str | None,
        more: dict[str, Any],
    ) -> None:  # fmt: skip
        self._announcing.say(
            connection,
            Announcement(
                type_name, id_, at, f"incident {row.number}", row.tenant, row.use_case, cause, row.number,
                {"incident": {**told(row), "use_cases": use_cases(connection, row)}, **more},
            ),
        )  # fmt: skip


KEYS = (
    "number", "state", "severity", "title", "grouping", "cause", "tenant", "use_case", "imsi", "iccid", "findings",
    "open_findings", "subscriptions", "owner", "outcome", "opened_at", "changed_at", "deadline_at", "acknowledged_at",
    "acknowledged_by", "contained_at", "containment", "resolved_at", "resolved_by", "quiet_since", "escalations",
    "reopened", "merged_into",
)  # fmt: skip
"""The keys of an incident as JSON."""
CHANGES = (
    "merged", "grown", "severity", "acknowledged", "assigned", "contained", "uncontained", "escalated", "reopened",
    "rule",
)  # fmt: skip
"""What `change` of an `incident.changed` may be, besides what parties do."""


def told(row: kept.Incident) -> dict[str, Any]:
    """An incident as JSON, without its parts."""
    said = {name: getattr(row, name) for name in KEYS}
    return {
        name: when(value) if value is not None and (name.endswith("_at") or name == "quiet_since") else value
        for name, value in said.items()
    }


def use_cases(connection: sa.Connection, row: kept.Incident) -> list[str]:
    """Whose subscriptions are in it, by name; bounded."""
    if row.grouping == g.SUBSCRIPTION:
        return [row.use_case] if row.use_case else []
    name = t.finding.c.use_case
    found = sa.select(name).where(t.finding.c.incident == row.number, name.is_not(None)).distinct().order_by(name)
    return list(connection.execute(found.limit(USE_CASES_TOLD)).scalars())


def proof_of(effect: Any) -> str:
    """What proves an effect: ack, error-cause-503 or stop; else what came of it, or that nothing has yet."""
    if effect.result == "nak" and effect.error_cause == SESSION_CONTEXT_NOT_FOUND:
        return "error-cause-503"
    return str(effect.result or "no answer yet")


def count(number: int, word: str) -> str:
    """`1 effect`, `2 effects`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _because(why: str) -> str:
    return f": {why.rstrip('.')}" if why else ""

