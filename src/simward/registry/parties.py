"""Which party was told of which incident, what it answered, and the commands to the gate that follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.incidents import SOME_UNRESOLVED
from simward.registry.upsert import insert

_P, _C = t.incident_party.c, t.command.c
OVERDUE_AT_ONCE, COMMANDS_AT_ONCE = 200, 64


class About(NamedTuple):
    """The subscription that an answer is about."""

    imsi: str | None
    iccid: str | None
    use_case: str | None


def tell(
    connection: sa.Connection, incident: int, party: str, announcement: str, now: int, deadline_at: int | None
) -> None:
    """A party is told of an incident. The first time counts; after an answer, the next: that one needs its own."""
    values = {
        "incident": incident, "party": party, "announcement": announcement, "told_at": now, "deadline_at": deadline_at,
    }  # fmt: skip
    statement = _telling.get(connection.dialect.name)
    if statement is None:  # made once: making a statement takes longer than running it
        fresh = insert(connection, t.incident_party)
        again = {name: fresh.excluded[name] for name in ("announcement", "told_at", "deadline_at")}
        unanswered = dict.fromkeys(("delivered_at", "answered_at", "action", "reason", "escalated_at"))
        statement = fresh.on_conflict_do_update(
            index_elements=["incident", "party"], set_={**again, **unanswered}, where=_P.answered_at.is_not(None)
        )
        _telling[connection.dialect.name] = statement
    connection.execute(statement, values)


_telling: dict[str, Any] = {}


def delivered(connection: sa.Connection, announcement: str, parties: Sequence[str], at: int) -> None:
    """The announcement by which these parties are told has reached them."""
    incident = sa.select(t.announcement.c.incident).where(t.announcement.c.id == announcement).scalar_subquery()
    reached = sa.update(t.incident_party).where(
        _P.incident == incident, _P.party.in_(parties), _P.announcement == announcement, _P.delivered_at.is_(None)
    )  # fmt: skip
    connection.execute(reached.values(delivered_at=at))


def told(connection: sa.Connection, incident: int, party: str) -> Any | None:
    """What a party was told and has answered, with its incident's tenant, use case, SIM and what it was merged into."""
    i = t.incident.c
    found = (
        sa.select(t.incident_party, i.tenant, i.use_case, i.imsi, i.iccid, i.merged_into)
        .join(t.incident, i.number == _P.incident).where(_P.incident == incident, _P.party == party)
    )  # fmt: skip
    return connection.execute(found).one_or_none()


def parties_of(connection: sa.Connection, incident: int) -> Sequence[Any]:
    """Who was told of an incident, by name."""
    return connection.execute(
        sa.select(t.incident_party).where(_P.incident == incident).order_by(_P.party)
    ).all()  # fmt: skip


def about(connection: sa.Connection, row: Any, iccid: str | None) -> About | None:
    """The subscription of this ICCID in the incident of a row of `told`; without one, that of its announcement."""
    if iccid is not None:
        f = t.finding.c
        numbers = [row.incident, *([row.merged_into] if row.merged_into else [])]
        found = sa.select(f.imsi, f.iccid, f.use_case).where(f.incident.in_(numbers), f.iccid == iccid).limit(1)
        one = connection.execute(found).one_or_none()
        return None if one is None else About(one.imsi, one.iccid, one.use_case)
    a = t.announcement.c
    said = connection.execute(sa.select(a.data, a.use_case).where(a.id == row.announcement)).one_or_none()
    if said is None:  # long ago
        return About(row.imsi, row.iccid, row.use_case)
    whose = said.data.get("subscription") or {}
    return About(whose.get("imsi"), whose.get("iccid"), said.use_case)


def breaks(connection: sa.Connection, row: Any, imsi: str | None) -> list[str]:
    """The announcements by which a subscription was said to be broken in the incident of a row of `told`, in order."""
    a = t.announcement.c
    numbers = [row.incident, *([row.merged_into] if row.merged_into else [])]
    found = sa.select(a.id).where(a.subject == imsi, a.type == "binding.broken", a.incident.in_(numbers))
    return list(connection.execute(found.order_by(a.number)).scalars())


def answer(
    connection: sa.Connection, incident: int, party: str, answered_at: int, action: str | None, reason: str
) -> None:
    """A party has answered."""
    mine = sa.update(t.incident_party).where(_P.incident == incident, _P.party == party)
    connection.execute(mine.values(answered_at=answered_at, action=action, reason=reason))


def overdue(connection: sa.Connection, since: int, now: int) -> Sequence[Any]:
    """Rows whose deadline passed after `since`, without an answer, of incidents that are not over."""
    found = (
        sa.select(t.incident_party, t.incident.c.merged_into)
        .join(t.incident, t.incident.c.number == _P.incident)
        .where(
            _P.deadline_at > since, _P.deadline_at <= now, _P.answered_at.is_(None), _P.escalated_at.is_(None),
            sa.or_(t.incident.c.state != "resolved", t.incident.c.merged_into.is_not(None)),
        ).order_by(_P.deadline_at).limit(OVERDUE_AT_ONCE)
    )  # fmt: skip
    return connection.execute(found).all()


def owed(connection: sa.Connection, now: int) -> dict[str, tuple[int, int]]:
    """Party -> of how many incidents that are not over it has to acknowledge and has not; and how many are late."""
    late = sa.func.sum(sa.case((_P.deadline_at <= now, 1), else_=0))
    found = (
        sa.select(_P.party, sa.func.count(), late).select_from(t.incident)
        .join(t.incident_party, t.incident.c.number == _P.incident)
        .where(SOME_UNRESOLVED, _P.deadline_at.is_not(None), _P.answered_at.is_(None)).group_by(_P.party)
    )  # fmt: skip
    return {party: (int(many), int(over)) for party, many, over in connection.execute(found)}


def escalated(connection: sa.Connection, incident: int, party: str, now: int) -> None:
    """That a party did not answer has been said."""
    mine = sa.update(t.incident_party).where(_P.incident == incident, _P.party == party)
    connection.execute(mine.values(escalated_at=now))


def has_command(connection: sa.Connection, command: str) -> bool:
    """Was this command decided on before?"""
    return connection.execute(sa.select(_C.id).where(_C.id == command)).scalar() is not None


def ask(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Decide on a command to the gate; one that was decided on before stays as it is."""
    statement = insert(connection, t.command).values(values)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["id"]))


def open_commands(connection: sa.Connection, now: int) -> Sequence[Any]:
    """Commands that the gate has not answered and whose time has come, the oldest first.

    Those of work orders come last: a swap of ten thousand is about tomorrow, and a lock about now.
    """
    found = sa.select(t.command).where(_C.result.is_(None), _C.next_at <= now)
    last = sa.case((_C.do.in_(("plan", "unplan")), 1), else_=0)
    return connection.execute(found.order_by(last, _C.asked_at, _C.id).limit(COMMANDS_AT_ONCE)).all()


def next_command_at(connection: sa.Connection) -> int | None:
    """When the next open command is due."""
    found = sa.select(sa.func.min(_C.next_at)).where(_C.result.is_(None))
    return connection.execute(found).scalar()


def command_answered(
    connection: sa.Connection, command: str, result: str, sequence: int | None, at: int
) -> None:
    """The gate has answered a command, or it was given up (`expired`)."""
    mine = sa.update(t.command).where(_C.id == command)
    connection.execute(mine.values(result=result, sequence=sequence, answered_at=at, attempts=_C.attempts + 1))


def command_again(connection: sa.Connection, command: str, next_at: int) -> None:
    """The gate could not be asked: it is, later."""
    mine = sa.update(t.command).where(_C.id == command)
    connection.execute(mine.values(next_at=next_at, attempts=_C.attempts + 1))


def where_it_is_now(connection: sa.Connection, incident: int) -> int:
    """The incident that this one was merged into; itself where it was not."""
    merged = sa.select(t.incident.c.merged_into).where(t.incident.c.number == incident)
    return connection.execute(merged).scalar() or incident
