"""Rules and their actions as JSON, for the command line and the API alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from simward.engine.phrases import when
from simward.policy.rules import APPROVE_ABOVE, DRY_RUN, LIVE
from simward.registry import rules as kept
from simward.registry.tables import DEFAULT_TENANT
from simward.response.rules.undoing import Undo


def told_rules(connection: sa.Connection, tenant: str | None = None) -> list[dict[str, Any]]:
    """Every rule in force, and every one that is gone and has left actions; by name. With `tenant`, its own alone."""
    revision, document = kept.read_rule_set(connection)
    rules, paused = document.get("rule", {}), kept.paused_rules(connection)
    counts = kept.counts(connection, tenant)
    return [
        _rule(name, rules.get(name), revision, paused.get(name), counts.get(name, {}))
        for name in sorted({*rules, *counts}) if name not in rules or tenant in (None, tenant_of(rules[name]))
    ]  # fmt: skip


def told_rule(connection: sa.Connection, name: str, tenant: str | None = None) -> dict[str, Any] | None:
    """One of them; None where there is none of this name."""
    return next((one for one in told_rules(connection, tenant) if one["rule"] == name), None)


def tenant_of(document: Mapping[str, Any]) -> str:
    """Whose a rule is."""
    return str(document.get("tenant", DEFAULT_TENANT))


def _rule(
    name: str, document: Mapping[str, Any] | None, revision: int, paused: Any, counts: Mapping[str, int]
) -> dict[str, Any]:
    mode = None if document is None else document.get("mode", DRY_RUN)
    return {
        "rule": name, "in_force": document is not None, "mode": mode, "acts": mode == LIVE and paused is None,
        "revision": revision if document is not None else None,
        "paused": None if paused is None else {"at": when(paused.at), "actor": paused.actor, "because": paused.because},
        "approve_above": None if document is None else document.get("approve_above", APPROVE_ABOVE),
        "actions": {state: counts[state] for state in kept.STATES if counts.get(state)},
        "document": document,
    }  # fmt: skip


def told_action(row: Any) -> dict[str, Any]:
    """One action."""
    return {
        "id": row.id, "rule": row.rule, "action": row.action, "state": row.state, "result": row.result,
        "mode": row.mode, "due_at": when(row.due_at), "changed_at": when(row.changed_at), "unless": row.unless,
        "trigger": {"type": row.trigger_type, "id": row.trigger, "at": when(row.trigger_at)},
        "imsi": row.imsi, "iccid": row.iccid, "use_case": row.use_case, "finding": row.finding,
        "incident": row.incident, "command": row.command, "approved_by": row.approved_by,
        "seconded_by": row.seconded_by,
    }  # fmt: skip


def told_undo(undo: Undo) -> dict[str, Any]:
    """One undo as it stands."""
    return {
        "undo": undo.id, "releases": undo.releases, "answers": undo.answers, "over": undo.is_over,
        "locked_otherwise": undo.locked_otherwise, "cancelled": undo.cancelled, "takes_s": undo.takes_s,
    }  # fmt: skip
