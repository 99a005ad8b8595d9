"""Undo: what a rule or an incident has locked or quarantined since a moment is released, one by one, by a person with a
reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import rules as kept
from simward.registry import tables as t
from simward.registry.audit import Deed, note
from simward.registry.spaced_commands import A_SECOND, answers_to, ask_gate_for
from simward.registry.tables import DEFAULT_TENANT

AT_ONCE_MAX = 1_000_000
SETTING_ASIDE = ("lock", "quarantine")
"""Actions of a rule that a release takes back; the mirror of a quarantine stands where that of a lock does."""


@dataclass(frozen=True)
class Undo:
    """One undo as it stands."""

    id: str
    releases: int
    answers: dict[str, int]
    """Answer of the gate -> how many; "open" has not been answered."""
    locked_otherwise: int = 0
    """So many are locked since by somebody or something else, and stay locked."""
    cancelled: int = 0
    """So many actions of the rule that waited are not done any more."""

    @property
    def is_over(self) -> bool:
        """Has the gate answered all?"""
        return not self.answers.get("open")

    @property
    def takes_s(self) -> int:
        """About how long the releases take."""
        return -(-self.releases // A_SECOND)


def undo_rule(
    connection: sa.Connection, rule: str, since: int, actor: str, why: str, now: int, tenant: str = DEFAULT_TENANT
) -> Undo:
    """Release what a rule has set aside since (us UTC), by itself or approved; what it has waiting is cancelled.

    Commands that are still in the outbox are taken out of it. Held actions stay held. A lock that a person or a finding
    has set since stays: it is not the rule's.
    """
    a = t.rule_action
    stopped = _stop(connection, rule, actor, now)
    done = sa.select(a.c.imsi).where(
        a.c.rule == rule, a.c.action.in_(SETTING_ASIDE), a.c.state == kept.DONE, a.c.changed_at >= since
    )
    locked = _locked(connection, done)
    its = [row for row in locked if (row.locked_because or "").startswith(f"rule {rule}: ")]
    on_its_way = sa.select(a.c.iccid, a.c.tenant).where(
        a.c.rule == rule, a.c.action.in_(SETTING_ASIDE), a.c.state == kept.SENT
    )
    waiting = sa.update(a).where(a.c.rule == rule, a.c.state == kept.WAITING)
    cancelled = connection.execute(
        waiting.values(state=kept.CANCELLED, result=f"undone by {actor}"[:200], changed_at=now)
    ).rowcount
    return _release(
        connection, [*its, *connection.execute(on_its_way)], {"rule": rule}, since, actor, why, now,
        tenant, otherwise=len(locked) - len(its), cancelled=cancelled + stopped,
    )  # fmt: skip


def _stop(connection: sa.Connection, rule: str, actor: str, now: int) -> int:
    """Take out of the outbox what no attempt was made at; what may be with the gate is released behind it."""
    a, c = t.rule_action, t.command
    mine = sa.select(a.c.command).where(a.c.rule == rule, a.c.action.in_(SETTING_ASIDE), a.c.state == kept.SENT)
    stopped = sa.update(c).where(c.c.id.in_(mine), c.c.result.is_(None), c.c.attempts == 0)
    connection.execute(stopped.values(result=WITHDRAWN, answered_at=now))
    withdrawn = sa.select(c.c.id).where(c.c.result == WITHDRAWN)
    gone = sa.update(a).where(a.c.rule == rule, a.c.state == kept.SENT, a.c.command.in_(withdrawn))
    values = {"state": kept.CANCELLED, "result": f"undone by {actor}"[:200], "changed_at": now}
    return int(connection.execute(gone.values(values)).rowcount)


WITHDRAWN = "withdrawn"
"""The result of a command that was taken back before anything was asked of the gate."""


def undo_incident(
    connection: sa.Connection, incident: int, since: int, actor: str, why: str, now: int,
    tenant: str | None = None,
) -> Undo:  # fmt: skip
    """Release what findings of an incident, and rules because of it, have locked since (us UTC).

    With `tenant`, which is the incident's, what is another's by now is left.
    """
    a, f = t.rule_action, t.finding
    i = t.incident.c
    whole = sa.select(i.number).where(sa.or_(i.number == incident, i.merged_into == incident))
    by_rules = sa.select(a.c.imsi).where(
        a.c.incident.in_(whole), a.c.action.in_(SETTING_ASIDE), a.c.state == kept.DONE, a.c.imsi.is_not(None)
    )
    by_findings = sa.select(f.c.imsi).where(f.c.incident == incident, f.c.imsi.is_not(None))
    locked = _locked(connection, sa.union(by_rules, by_findings))
    detectors = set(connection.execute(sa.select(f.c.detector).where(f.c.incident == incident).distinct()).scalars())
    its = [
        row for row in locked
        if row.locked_at >= since and tenant in (None, row.tenant)
        and _is_automatic(row.locked_because or "", detectors)
    ]  # fmt: skip
    return _release(
        connection, its, {"incident": incident}, since, actor, why, now, tenant or DEFAULT_TENANT,
        otherwise=len(locked) - len(its), cancelled=0,
    )  # fmt: skip


def _is_automatic(because: str, detectors: set[str]) -> bool:
    """Was it a rule that locked, or a finding of these detectors? A person's words stand in the same place."""
    return because.startswith("rule ") or because.partition("/")[0] in detectors


def incident_tenant(connection: sa.Connection, number: int) -> str | None:
    """Whose the incident of this number is; None where there is none."""
    found = sa.select(t.incident.c.tenant).where(t.incident.c.number == number)
    return connection.execute(found).scalar()


def how_undo_stands(connection: sa.Connection, undo: str, tenant: str | None = None) -> Undo | None:
    """One that was asked for; None where there is none of this id, or it is not this tenant's."""
    found = connection.execute(sa.select(t.undo).where(t.undo.c.id == undo)).one_or_none()
    if found is None or tenant not in (None, found.tenant):
        return None
    return Undo(found.id, found.releases, answers_to(connection, found.id))


def _locked(connection: sa.Connection, imsis: Any) -> list[Any]:
    s = t.subscription
    found = sa.select(s).where(s.c.imsi.in_(imsis), s.c.locked_at.is_not(None), s.c.iccid.is_not(None))
    return list(connection.execute(found.order_by(s.c.imsi).limit(AT_ONCE_MAX)))


def _release(
    connection: sa.Connection, rows: list[Any], what: dict[str, Any], since: int, actor: str, why: str, now: int,
    tenant: str, *, otherwise: int, cancelled: int,
) -> Undo:  # fmt: skip
    _note(connection, what, len({row.iccid for row in rows}), actor, why, now, tenant)
    named = f"{what}\0{since}\0{actor}\0{now}".encode()
    undo = f"undo-{hashlib.blake2b(named, digest_size=16).hexdigest()}"
    by_iccid = {row.iccid: row for row in rows}
    values = {"id": undo, "since": since, "actor": actor[:100], "because": why[:500], "asked_at": now, "tenant": tenant}
    connection.execute(sa.insert(t.undo).values(**values, **what, releases=len(by_iccid)))
    ask_gate_for(
        connection,
        (
            {"id": f"{undo}-{iccid}", "tenant": row.tenant, "do": "release", "iccid": iccid, "actor": actor[:100],
             "because": why[:500], "cause": undo, "automation": False}
            for iccid, row in by_iccid.items()
        ),
        now,
    )  # fmt: skip
    return Undo(undo, len(by_iccid), answers_to(connection, undo), otherwise, cancelled)


def _note(
    connection: sa.Connection, what: dict[str, Any], releases: int, actor: str, why: str, now: int, tenant: str
) -> None:
    """In the audit; and in the story of an incident, one line for all of them."""
    name, value = next(iter(what.items()))
    note(
        connection,
        Deed(at=now, actor=actor, what="undo", object=f"{name} {value}", why=why, tenant=tenant,
             after={"releases": releases}),
    )
    if "incident" in what:
        text = f"{actor} takes back what was locked: {releases} releases are asked for. {why}"
        entry = {"incident": what["incident"], "at": now, "actor": actor[:100], "what": "undone", "text": text[:1000]}
        connection.execute(sa.insert(t.incident_entry).values(entry))
