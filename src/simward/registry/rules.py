"""Rules in the registry: those in force, those that are paused, and what each of them does, one row an action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import insert, upsert

IN_FORCE = "in-force"
WAITING, SENT, DONE, CANCELLED, HELD, DRY_RUN, REFUSED, TOO_OLD = (
    "waiting", "sent", "done", "cancelled", "held", "dry-run", "refused", "too-old",
)  # fmt: skip
STATES = {
    WAITING: "its time has not come yet",
    SENT: "it is on its way to the gate",
    DONE: "it was done; the gate applied it, where it is a command",
    CANCELLED: "its `unless` held when its time had come, or its rule was gone",
    HELD: "a limit holds it; it waits for a person",
    DRY_RUN: "it would have been done",
    REFUSED: "the gate or a person decided against it, or it was about nothing that it can be done to",
    TOO_OLD: "its time had passed more than ten minutes before anybody looked",
}
"""Every state of an action, and what it means."""


def keep_rule_set(connection: sa.Connection, sequence: int, document: dict[str, Any]) -> None:
    """The rules of a policy revision are in force from here on."""
    upsert(connection, t.rule_set, ["name"], {"name": IN_FORCE, "sequence": sequence, "document": document})


def rule_set_sequence(connection: sa.Connection) -> int:
    """The revision that the rules in force are of; 0 where there never was one."""
    found = sa.select(t.rule_set.c.sequence).where(t.rule_set.c.name == IN_FORCE)
    return int(connection.execute(found).scalar() or 0)


def read_rule_set(connection: sa.Connection) -> tuple[int, dict[str, Any]]:
    """The revision, and its rules by kind and name."""
    found = connection.execute(sa.select(t.rule_set).where(t.rule_set.c.name == IN_FORCE)).one_or_none()
    return (0, {}) if found is None else (found.sequence, found.document)


def paused_rules(connection: sa.Connection) -> dict[str, Any]:
    """By name: when, by whom and why each was paused."""
    return {row.rule: row for row in connection.execute(sa.select(t.rule_pause))}


def pause_rule(connection: sa.Connection, rule: str, at: int, actor: str, because: str) -> None:
    """From now on it only does what it does in dry-run."""
    values = {"rule": rule, "at": at, "actor": actor[:100], "because": because[:500]}
    upsert(connection, t.rule_pause, ["rule"], values)


def resume_rule(connection: sa.Connection, rule: str) -> bool:
    """It acts again; False where it was not paused."""
    return bool(connection.execute(sa.delete(t.rule_pause).where(t.rule_pause.c.rule == rule)).rowcount)


def add_action(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Keep an action; nothing where it is there already."""
    connection.execute(insert(connection, t.rule_action).values(values).on_conflict_do_nothing(index_elements=["id"]))


def due_actions(connection: sa.Connection, now: int, most: int) -> Sequence[sa.Row[Any]]:
    """Those that wait and whose time has come, the oldest first."""
    a = t.rule_action
    found = sa.select(a).where(a.c.state == WAITING, a.c.due_at <= now).order_by(a.c.due_at, a.c.id).limit(most)
    return connection.execute(found).all()


def answered_actions(connection: sa.Connection, most: int) -> Sequence[sa.Row[Any]]:
    """Those on their way whose command the gate has answered, with that `answer`."""
    a, c = t.rule_action, t.command
    found = (
        sa.select(a, c.c.result.label("answer"), c.c.answered_at)
        .join(c, c.c.id == a.c.command)
        .where(a.c.state == SENT, c.c.result.is_not(None))
        .order_by(c.c.answered_at, a.c.id).limit(most)
    )  # fmt: skip
    return connection.execute(found).all()


def change_actions(connection: sa.Connection, ids: Sequence[str], now: int, **values: Any) -> None:
    """Say what has become of actions."""
    changed = sa.update(t.rule_action).where(t.rule_action.c.id.in_(ids))
    connection.execute(changed.values(changed_at=now, **values))


def commands_since(connection: sa.Connection, rule: str, actions: Iterable[str], since: int) -> int:
    """How many commands a rule has given to the gate by itself since then, without those that a limit held."""
    a = t.rule_action
    found = sa.select(sa.func.count()).select_from(a).where(
        a.c.rule == rule, a.c.state.in_((SENT, DONE)), a.c.changed_at > since, a.c.action.in_(list(actions)),
        a.c.approved_by.is_(None),
    )  # fmt: skip
    return int(connection.execute(found).scalar_one())


def set_aside_since(connection: sa.Connection, rule: str, since: int) -> int:
    """How many subscriptions a rule has locked or put into quarantine since then (us UTC)."""
    a = t.rule_action.c
    found = sa.select(sa.func.count(a.imsi.distinct())).where(
        a.rule == rule, a.action.in_(("lock", "quarantine")), a.state == DONE, a.changed_at >= since
    )
    return int(connection.execute(found).scalar_one())


def approvals_since(connection: sa.Connection, rule: str, since: int) -> int:
    """How many held actions of a rule people have let go since then."""
    a = t.rule_action
    found = sa.select(sa.func.count()).select_from(a).where(
        a.c.rule == rule, a.c.approved_at > since, a.c.state.in_((SENT, DONE))
    )  # fmt: skip
    return int(connection.execute(found).scalar_one())


def counts(connection: sa.Connection, tenant: str | None = None) -> dict[str, dict[str, int]]:
    """Rule -> state -> how many actions; of one tenant, or all."""
    a = t.rule_action
    found = sa.select(a.c.rule, a.c.state, sa.func.count()).group_by(a.c.rule, a.c.state)
    found = found if tenant is None else found.where(a.c.tenant == tenant)
    told: dict[str, dict[str, int]] = {}
    for rule, state, number in connection.execute(found):
        told.setdefault(rule, {})[state] = number
    return told


def actions(
    connection: sa.Connection, *, tenant: str | None = None, rule: str | None = None, state: str | None = None,
    before: tuple[int, str] | None = None, most: int = 100,
) -> Sequence[sa.Row[Any]]:  # fmt: skip
    """The newest actions by what set them off, of a tenant, a rule and in a state where these are given."""
    a = t.rule_action.c
    found = sa.select(t.rule_action).order_by(a.trigger_at.desc(), a.id.desc()).limit(most)
    for column, value in ((a.tenant, tenant), (a.rule, rule), (a.state, state)):
        found = found if value is None else found.where(column == value)
    if before is not None:
        at, id_ = before
        found = found.where(a.trigger_at <= at, sa.or_(a.trigger_at < at, a.id < id_))
    return connection.execute(found).all()


def actions_between(connection: sa.Connection, since: int, until: int) -> Sequence[Any]:
    """What rules did or would have done on what happened from one time to another (us UTC), in order: trigger_at, rule,
    action, imsi, state. What was cancelled, refused or came too late is not among it."""
    a = t.rule_action.c
    wanted = sa.select(a.trigger_at, a.rule, a.action, a.imsi, a.state).where(
        a.trigger_at.between(since, until), a.state.not_in((CANCELLED, REFUSED, TOO_OLD))
    )
    return connection.execute(wanted.order_by(a.trigger_at, a.id)).all()


def forget_actions(connection: sa.Connection, before: int, most: int) -> int:
    """Remove actions that were over before then; the journal has what the gate did. Returns how many."""
    a = t.rule_action
    over = sa.select(a.c.id).where(a.c.state.in_((DONE, CANCELLED, DRY_RUN, REFUSED, TOO_OLD)), a.c.changed_at < before)
    return int(connection.execute(sa.delete(a).where(a.c.id.in_(over.limit(most)))).rowcount)
