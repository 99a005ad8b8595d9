"""Incidents in the registry: found by what they are about and by what they have in common, made, merged and told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.registry import tables as t
from simward.registry.population import foreign
from simward.registry.tables.incidents import UNRESOLVED as IS_UNRESOLVED
from simward.registry.upsert import insert
from simward.registry.walking import NOTHING, Page, gathered, walk

OPEN, ACKNOWLEDGED, CONTAINED, RESOLVED = "open", "acknowledged", "contained", "resolved"
STATES = (OPEN, ACKNOWLEDGED, CONTAINED, RESOLVED)
UNRESOLVED = (OPEN, ACKNOWLEDGED, CONTAINED)
TEXT_MAX, ACTOR_MAX = 1000, 100
JUDGED_AT_ONCE = 1000
"""Findings of one incident that a verdict on it is told of one by one."""
AT_ONCE = 500
"""Numbers in one statement; a database takes only so many."""

i = t.incident.c
SOME_UNRESOLVED: Any = sa.text(IS_UNRESOLVED)
"""The same, in the words of the indexes that are of them alone."""
_ALIVE = sa.and_(i.state.in_(UNRESOLVED), i.merged_into.is_(None))
Incident = Any
"""A row of the table."""


def _about(imsi: str | sa.BindParameter[str]) -> sa.Select[Any]:
    return sa.select(t.finding.c.incident).where(t.finding.c.imsi == imsi, t.finding.c.incident.is_not(None))


# What every finding asks is made once: making a statement takes longer than running it.
_ONE = sa.select(t.incident).where(i.number == sa.bindparam("of"))
_OPEN_ABOUT = (
    sa.select(t.incident)
    .where(i.number.in_(_about(sa.bindparam("imsi"))), _ALIVE, i.tenant == sa.bindparam("tenant"))
    .order_by(i.number.desc())
)
_JOINABLE = (
    sa.select(t.incident)
    .where(
        i.cause.in_(sa.bindparam("causes", expanding=True)), _ALIVE, i.tenant == sa.bindparam("tenant"),
        sa.or_(i.joins_until.is_(None), i.joins_until >= sa.bindparam("at")),
    )
    .order_by(i.number)
)  # fmt: skip
# By the subscription's index: those of an incident that thousands join would be gone through for each that joins. The
# sum keeps a planner, which knows nothing of either, from taking the other.
_MEMBER = (
    sa.select(t.finding.c.id)
    .where(t.finding.c.imsi == sa.bindparam("imsi"), t.finding.c.incident + 0 == sa.bindparam("number"))
    .limit(1)
)
_JOIN = sa.update(t.finding).where(t.finding.c.id == sa.bindparam("finding_id")).values(incident=sa.bindparam("number"))


def find(connection: sa.Connection, number: int) -> Incident | None:
    """One incident, also one that was merged into another; None where there is none of this number."""
    return connection.execute(sa.select(t.incident).where(i.number == number)).one_or_none()


def get(connection: sa.Connection, number: int) -> Incident:
    """One incident that is there."""
    return connection.execute(_ONE, {"of": number}).one()


def page(
    connection: sa.Connection, *, states: Sequence[str] = (), severities: Sequence[str] = (),
    use_case: str | None = None, tenant: str | None = None, since: int | None = None, imsi: str | None = None,
    limit: int = 1000, after: tuple[int] | None = None, ascending: bool = False,
) -> Page:  # fmt: skip
    """Behind the number `after`, the newest first unless `ascending`; `since` is when it opened or changed last;
    `use_case` that of any of its findings. Those merged into others are left out."""
    if foreign(connection, tenant, use_case):
        return NOTHING
    along: list[sa.ColumnElement[bool]] = []
    waiting = bool(states) and RESOLVED not in states
    if imsi is not None:
        along.append(i.number.in_(_about(imsi)))
    elif waiting:
        along += [SOME_UNRESOLVED] + ([i.tenant == tenant] if tenant is not None else [])
    elif tenant is not None:
        along.append(i.tenant == tenant)
    elif len(states) == 1:
        along.append(i.state == states[0])
    elif len(severities) == 1:
        along.append(i.severity == severities[0])

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted: list[sa.ColumnElement[bool]] = [c.merged_into.is_(None)]
        wanted += [c.state.in_(states)] if states else []
        wanted += [c.severity.in_(severities)] if severities else []
        wanted += [c.tenant == tenant] if tenant is not None else []
        wanted += [c.changed_at >= since] if since is not None else []
        if use_case is not None:
            f = t.finding.c
            has = sa.exists().where(f.incident == c.number, f.incident.is_not(None), f.use_case == use_case)
            wanted.append(sa.or_(c.use_case == use_case, has))
        return wanted

    return walk(
        connection, t.incident, [i.number], after=after, limit=limit, ascending=ascending, along=along, fits=fits
    )


def listed(connection: sa.Connection, *, limit: int = 1000, **asked: Any) -> list[Incident]:
    """The first of them, however many pages hold them."""
    return gathered(lambda after, most: page(connection, after=after, limit=most, **asked), limit)


def open_about(connection: sa.Connection, tenant: str, imsi: str) -> list[Incident]:
    """Unresolved incidents with a finding about this subscription, the newest first."""
    return list(connection.execute(_OPEN_ABOUT, {"tenant": tenant, "imsi": imsi}))


def joinable(connection: sa.Connection, tenant: str, causes: Sequence[tuple[str, str]], at: int) -> Incident | None:
    """The unresolved incident of the first of these (grouping, cause) that others may still join at `at`."""
    asked = {"tenant": tenant, "causes": [cause for _, cause in causes], "at": at}
    by_cause = {(one.grouping, one.cause): one for one in connection.execute(_JOINABLE, asked)}
    return next((by_cause[one] for one in causes if one in by_cause), None)


def resolved_since(connection: sa.Connection, tenant: str, grouping: str, cause: str, since: int) -> Incident | None:
    """The last one of this cause, if it was resolved at `since` or later."""
    found = sa.select(t.incident).where(
        i.grouping == grouping, i.cause == cause, i.state == RESOLVED, i.tenant == tenant, i.merged_into.is_(None),
        i.resolved_at >= since,
    )  # fmt: skip
    return connection.execute(found.order_by(i.number.desc()).limit(1)).one_or_none()


def make(connection: sa.Connection, values: dict[str, Any]) -> Incident:
    """A new one."""
    made = connection.execute(sa.insert(t.incident).values(values))
    assert made.inserted_primary_key is not None
    return get(connection, int(made.inserted_primary_key[0]))


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """Some columns."""
    names = tuple(values)
    if any(isinstance(one, sa.ClauseElement) for one in values.values()):
        connection.execute(sa.update(t.incident).where(i.number == number).values(values))
        return
    made = _changes.get(names)
    if made is None:
        made = sa.update(t.incident).where(i.number == sa.bindparam("of")).values(
            {name: sa.bindparam(f"to_{name}") for name in names}
        )  # fmt: skip
        _changes[names] = made
    connection.execute(made, {"of": number, **{f"to_{name}": value for name, value in values.items()}})


_changes: dict[tuple[str, ...], Any] = {}


def enter(
    connection: sa.Connection, incident: int, at: int, what: str, text: str, actor: str = "",
    facts: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """One line of its story."""
    connection.execute(
        sa.insert(t.incident_entry).values(
            incident=incident, at=at, actor=actor[:ACTOR_MAX], what=what, text=text[:TEXT_MAX], facts=facts
        )
    )


def join(connection: sa.Connection, number: int, finding: str) -> None:
    """A finding is part of an incident."""
    connection.execute(_JOIN, {"finding_id": finding, "number": number})


def is_member(connection: sa.Connection, incident: int, imsi: str) -> bool:
    """Is there a finding about this subscription in it?"""
    return connection.execute(_MEMBER, {"imsi": imsi, "number": incident}).scalar() is not None


def note_traits(
    connection: sa.Connection, tenant: str, incident: int, causes: Iterable[tuple[str, str]], at: int, new: bool
) -> None:
    """What a finding of this incident has in common; `new`: its subscription was not in it before."""
    _add_traits(connection, [
        {"tenant": tenant, "cause": cause, "incident": incident, "grouping": grouping, "subscriptions": 1, "at": at}
        for grouping, cause in causes
    ], int(new))  # fmt: skip


def _add_traits(connection: sa.Connection, rows: list[dict[str, Any]], more: int | None = None) -> None:
    """Write rows; where one is there already, `more` subscriptions have it (None: as many as the row says)."""
    if not rows:
        return
    made = _trait_statements.get((connection.dialect.name, more))
    if made is None:
        statement = insert(connection, t.incident_trait)
        count = statement.excluded.subscriptions if more is None else more
        changed = {"at": statement.excluded.at, "subscriptions": t.incident_trait.c.subscriptions + count}
        made = statement.on_conflict_do_update(index_elements=["tenant", "cause", "incident"], set_=changed)
        _trait_statements[connection.dialect.name, more] = made
    connection.execute(made, rows)


_trait_statements: dict[tuple[str, int | None], Any] = {}


def sharing(connection: sa.Connection, tenant: str, causes: Sequence[str], since: int) -> list[Any]:
    """Rows (cause, incident, grouping, subscriptions, taken) of incidents that have any of these in common since then.

    `grouping` is that of the incident; `taken` says that a person has acknowledged it.
    """
    c = t.incident_trait.c
    found = (
        sa.select(c.cause, c.incident, i.grouping, c.subscriptions, c.at, i.acknowledged_at.is_not(None).label("taken"))
        .join(t.incident, i.number == c.incident)
        .where(c.tenant == tenant, c.cause.in_(causes), c.at >= since, _ALIVE)
    )
    return list(connection.execute(found.order_by(c.incident)))


def forget_traits(connection: sa.Connection, before: int) -> None:
    """What is older makes nothing one any more."""
    connection.execute(sa.delete(t.incident_trait).where(t.incident_trait.c.at < before))


def merge(connection: sa.Connection, into: int, numbers: Sequence[int], at: int) -> None:
    """Findings, effects and traits of incidents become those of another; they are resolved, and say into what."""
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        for table in (t.finding, t.effect):
            connection.execute(sa.update(table).where(table.c.incident.in_(part)).values(incident=into))
        _move_traits(connection, into, part)
        connection.execute(
            sa.update(t.incident).where(i.number.in_(part)).values(
                state=RESOLVED, merged_into=into, resolved_at=at, changed_at=at, deadline_at=None, quiet_since=None,
                proof_at=None, open_findings=0, changes=i.changes + 1,
            )
        )  # fmt: skip
        # What was merged into one of these before is now found in the same place.
        connection.execute(sa.update(t.incident).where(i.merged_into.in_(part)).values(merged_into=into))
    recount(connection, into)


def _move_traits(connection: sa.Connection, into: int, numbers: Sequence[int]) -> None:
    c = t.incident_trait.c
    summed = (
        sa.select(c.tenant, c.cause, c.grouping, sa.func.sum(c.subscriptions), sa.func.max(c.at))
        .where(c.incident.in_(numbers)).group_by(c.tenant, c.cause, c.grouping)
    )  # fmt: skip
    rows = [
        {"tenant": tenant, "cause": cause, "grouping": grouping, "incident": into, "subscriptions": count, "at": at}
        for tenant, cause, grouping, count, at in connection.execute(summed)
    ]
    connection.execute(sa.delete(t.incident_trait).where(c.incident.in_(numbers)))
    _add_traits(connection, rows)


def recount(connection: sa.Connection, number: int) -> None:
    """Count its findings, those that last, and its subscriptions anew."""
    f = t.finding.c
    counted = sa.select(
        sa.func.count(), sa.func.count(sa.distinct(f.imsi)), sa.func.count().filter(f.ended_at.is_(None))
    ).where(f.incident == number)
    findings, subscriptions, lasting = connection.execute(counted).one()
    change(connection, number, findings=findings, subscriptions=subscriptions, open_findings=lasting)


def due(connection: sa.Connection, now: int, limit: int) -> list[Incident]:
    """Unresolved ones whose deadline has passed, the longest ago first."""
    found = sa.select(t.incident).where(_ALIVE, i.deadline_at <= now).order_by(i.deadline_at).limit(limit)
    return list(connection.execute(found))


def quiet(connection: sa.Connection, since: int, limit: int) -> list[Incident]:
    """Unresolved ones of which nothing lasts since `since` or longer."""
    found = sa.select(t.incident).where(_ALIVE, i.quiet_since <= since, i.open_findings == 0)
    return list(connection.execute(found.order_by(i.quiet_since).limit(limit)))


def to_weigh(connection: sa.Connection, limit: int) -> list[Incident]:
    """Those to which a proof has come that was not weighed yet."""
    found = sa.select(t.incident).where(_ALIVE, i.proof_at.is_not(None)).order_by(i.proof_at).limit(limit)
    return list(connection.execute(found))


def locked(connection: sa.Connection, number: int) -> bool:
    """Is a subscription of it locked, or in quarantine by a command?"""
    found = sa.select(t.finding.c.id).join(t.subscription, t.subscription.c.imsi == t.finding.c.imsi)
    return (
        connection.execute(
            found.where(t.finding.c.incident == number, t.subscription.c.locked_at.is_not(None)).limit(1)
        ).scalar()
        is not None
    )


def effects(connection: sa.Connection, number: int, limit: int = 1000) -> list[Any]:
    """What was done because of it, in the order in which it was done."""
    e = t.effect.c
    return list(connection.execute(sa.select(t.effect).where(e.incident == number).order_by(e.at, e.id).limit(limit)))


def findings(connection: sa.Connection, number: int, limit: int = 1000) -> list[Any]:
    """Its findings, in the order in which they began."""
    f = t.finding.c
    found = sa.select(t.finding).where(f.incident == number).order_by(f.began_at, f.id).limit(limit)
    return list(connection.execute(found))


def entries(connection: sa.Connection, number: int) -> list[Any]:
    """Its story so far."""
    e = t.incident_entry.c
    return list(connection.execute(sa.select(t.incident_entry).where(e.incident == number).order_by(e.number)))


def last_entry(connection: sa.Connection, number: int) -> Any:
    """The newest line of its story."""
    e = t.incident_entry.c
    found = sa.select(t.incident_entry).where(e.incident == number).order_by(e.number.desc()).limit(1)
    return connection.execute(found).one()


def parties(connection: sa.Connection, number: int) -> list[Any]:
    """Who was told of it, or of what is part of it now, and who answered what."""
    p = t.incident_party.c
    parts = sa.select(i.number).where(i.merged_into == number)
    found = sa.select(t.incident_party).where(sa.or_(p.incident == number, p.incident.in_(parts)))
    return list(connection.execute(found.order_by(p.told_at, p.party)))


def proofs(connection: sa.Connection, number: int) -> dict[str, Any]:
    """How its effects and the responses to its findings stand.

    `sent` effects, of which `proved` by an ACK, by Error-Cause 503 (RFC 5176 3.5: the gateway has no such session) or
    by a Stop; `held` are the effects, and the findings that last, whose response a limit held back.
    """
    e, f = t.effect.c, t.finding.c
    proved = sa.or_(e.result.in_(("ack", "stop")), e.error_cause == SESSION_CONTEXT_NOT_FOUND)
    sent, by, held = connection.execute(
        sa.select(
            sa.func.count().filter(e.held.is_(None)), sa.func.count().filter(e.held.is_(None), proved),
            sa.func.count().filter(e.held.is_not(None)),
        ).where(e.incident == number)
    ).one()  # fmt: skip
    kept = sa.select(sa.func.count()).where(f.incident == number, f.held.is_not(None), f.ended_at.is_(None))
    return {"sent": sent, "proved": by, "held": held + connection.execute(kept).scalar_one()}


def judge_findings(connection: sa.Connection, number: int, outcome: str | None) -> None:
    """What a person has found out of an incident holds for its findings."""
    connection.execute(sa.update(t.finding).where(t.finding.c.incident == number).values(outcome=outcome))


def findings_by(connection: sa.Connection, number: int, detectors: Sequence[str]) -> list[Any]:
    """An incident's findings by some detectors, JUDGED_AT_ONCE at most."""
    f = t.finding.c
    chosen = sa.select(t.finding).where(f.incident == number, f.detector.in_(detectors)).order_by(f.id)
    return list(connection.execute(chosen.limit(JUDGED_AT_ONCE)))


def judgements(connection: sa.Connection) -> list[tuple[str, str]]:
    """Every finding that somebody judged, by its id, with the outcome."""
    f = t.finding.c
    found = connection.execute(sa.select(f.id, f.outcome).where(f.outcome.is_not(None)).order_by(f.id))
    return [(row.id, row.outcome) for row in found]


def judged(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """By detector/class: how often it fired, and how its findings were judged."""
    f = t.finding.c
    counted = sa.select(f.detector, f["class"], f.outcome, sa.func.count()).group_by(f.detector, f["class"], f.outcome)
    told: dict[str, dict[str, int]] = {}
    for detector, class_name, outcome, count in connection.execute(counted):
        for name in {detector, f"{detector}/{class_name}" if class_name else detector}:
            one = told.setdefault(name, {"fired": 0, "true-positive": 0, "benign": 0, "false-positive": 0})
            one["fired"] += count
            if outcome in one:
                one[outcome] += count
    return told
