"""What is held waits for a person: approved by one, or by two where it is much; or rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.policy.rules import TO_THE_GATE
from simward.registry import rules as kept
from simward.registry import tables as t
from simward.registry.audit import Deed, note
from simward.registry.spaced_commands import ask_gate_for
from simward.response.rules.acting import HOUR_US, because
from simward.response.rules.rule import Rules

IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Approval:
    """What came of an approval."""

    released: int
    """So many are on their way to the gate."""
    awaiting: int
    """So many more need the approval of a second person."""


def approve(
    connection: sa.Connection, rules: Rules, name: str, actor: str, why: str, now: int, ids: Sequence[str] | None = None
) -> Approval:
    """Let held actions of a rule go (`ids`, or all): they become commands of the person, which no limit holds.

    Where more than the rule's `approve_above` would have been let go within an hour, a second person must say the
    same. Who approves twice is still one person. What is let go acts on the binding that the rule saw, or not at all.
    """
    rows = _held(connection, name, ids)
    rule = rules.by_name.get(name)
    above = rule.approve_above if rule is not None else 0
    much = kept.approvals_since(connection, name, now - HOUR_US) + len(rows) > above
    seconded = [row for row in rows if row.approved_by is not None and row.approved_by != actor[:100]]
    free = seconded if much else rows
    _let_go(connection, free, actor, now)
    first = [row.id for row in rows if much and row.approved_by is None]
    _change(connection, first, now, approved_by=actor[:100], approved_at=now)
    if free or first:
        after = {"released": len(free), "awaiting": len(rows) - len(free)}
        note(connection, Deed(
            at=now, actor=actor, what="rule.approve", object=f"rule {name}", why=why, after=after, tenant=rows[0].tenant
        ))  # fmt: skip
    return Approval(len(free), len(rows) - len(free))


def reject(
    connection: sa.Connection, name: str, actor: str, why: str, now: int, ids: Sequence[str] | None = None
) -> int:
    """Held actions of a rule (`ids`, or all) are not done; gives how many."""
    rows = _held(connection, name, ids)
    result = f"rejected by {actor}: {why}"[:200]
    _change(connection, [row.id for row in rows], now, state=kept.REFUSED, result=result)
    if rows:
        after = {"rejected": len(rows)}
        note(connection, Deed(
            at=now, actor=actor, what="rule.reject", object=f"rule {name}", why=why, after=after, tenant=rows[0].tenant
        ))  # fmt: skip
    return len(rows)


def _held(connection: sa.Connection, name: str, ids: Sequence[str] | None) -> list[Any]:
    a = t.rule_action
    found = sa.select(a).where(a.c.rule == name, a.c.state == kept.HELD).order_by(a.c.due_at, a.c.id)
    if ids is None:
        return list(connection.execute(found))
    rows: list[Any] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows += connection.execute(found.where(a.c.id.in_(ids[start : start + IDS_AT_ONCE])))
    return rows


def _let_go(connection: sa.Connection, rows: list[Any], actor: str, now: int) -> None:
    """As commands of the person: an automation's would be held again."""
    to_gate = [row for row in rows if row.action in TO_THE_GATE]
    ask_gate_for(
        connection,
        (
            {"id": approved_id(row.id), "tenant": row.tenant, "do": row.action, "iccid": row.iccid,
             "actor": actor[:100], "because": because(row), "cause": row.finding or row.trigger,
             "automation": False, "generation": row.generation}
            for row in to_gate
        ),
        now,
    )  # fmt: skip
    a = t.rule_action
    for ids in _parts([row.id for row in to_gate]):
        first = sa.func.coalesce(a.c.approved_by, actor[:100])
        changed = {
            "state": kept.SENT, "command": a.c.id + APPROVED, "changed_at": now, "approved_by": first,
            "approved_at": now, "seconded_by": sa.case((a.c.approved_by.is_not(None), actor[:100])),
        }  # fmt: skip
        connection.execute(sa.update(a).where(a.c.id.in_(ids)).values(changed))
    others = [row.id for row in rows if row.action not in TO_THE_GATE]
    _change(connection, others, now, state=kept.WAITING, due_at=now, unless=None, approved_by=actor[:100])


APPROVED = "-approved"


def approved_id(action: str) -> str:
    """The id of the command that a person makes of an action: the gate has answered the rule's own already."""
    return action + APPROVED


def _change(connection: sa.Connection, ids: list[str], now: int, **values: Any) -> None:
    for part in _parts(ids):
        kept.change_actions(connection, part, now, **values)


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
