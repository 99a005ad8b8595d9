"""What people decide about incidents: acknowledge, assign, note, resolve, reopen; each with who and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.engine.words import MANY_OF_THE_FLEET, WHOLE_FLEET
from simward.errors import RefusedError, UsageError
from simward.registry import incidents as kept
from simward.registry.audit import Deed, note
from simward.response.incident_life import Life

TRUE_POSITIVE, BENIGN, FALSE_POSITIVE = "true-positive", "benign", "false-positive"
OUTCOMES = {
    TRUE_POSITIVE: "It was what the findings say.",
    BENIGN: "What the findings say did happen, and was meant or harmless.",
    FALSE_POSITIVE: "It did not happen: the detector was wrong.",
}
WIDENED = ("unusual-behaviour", "cohort-shift")
"""Detectors that allow more of what a person found to be benign."""
Widen = Callable[[str, bool, str, str], object]
"""Is given the id of a finding, whether it is benign, who said so and why."""
ACTIONS = ("acknowledge", "assign", "note", "resolve", "reopen")


class NoSuchIncident(RefusedError):
    """There is no incident of that number."""


class Judging:
    """Writes that a person asks for, each in a transaction of the caller's. Raises RefusedError where it cannot be."""

    def __init__(self, life: Life, widen: Widen | None = None) -> None:
        """`widen` is told which findings are benign by what a person decided, and which (False) are no longer."""
        self._life, self._widen = life, widen

    def act(
        self, connection: sa.Connection, number: int, action: str, at: int, actor: str, because: str = "",
        outcome: str | None = None, to: str | None = None, tenant: str | None = None,
    ) -> kept.Incident:  # fmt: skip
        """Do one of ACTIONS, enter it into the audit, and give the incident as it then stands.

        `tenant`: whom the actor acts for, None = all; more is allowed of nobody else because of it.
        """
        row = self._standing(connection, number)
        match action:
            case "acknowledge":
                changed = self._acknowledge(connection, row, at, actor, because)
            case "assign":
                changed = self._assign(connection, row, at, actor, because, to)
            case "note":
                changed = self._note(connection, row, at, actor, because)
            case "resolve":
                changed = self._resolve(connection, row, at, actor, because, outcome, tenant)
            case "reopen":
                changed = self._reopen(connection, row, at, actor, because, tenant)
            case _:
                raise UsageError(f"there is no action {action!r}: {', '.join(ACTIONS)}")
        after = kept.get(connection, row.number)
        if changed:
            names = ("state", "owner", "outcome")
            note(connection, Deed(
                at=at, actor=actor, what=f"incident.{action}", object=f"incident {row.number}", tenant=row.tenant,
                why=because, before={name: getattr(row, name) for name in names},
                after={name: getattr(after, name) for name in names},
            ))  # fmt: skip
        return after

    def did(
        self, connection: sa.Connection, number: int, at: int, actor: str, do: str, iccid: str, result: str,
        because: str,
    ) -> None:  # fmt: skip
        """A person had the gate do something because of it; the audit has the command itself."""
        row = self._standing(connection, number)
        text = f"The gate was asked to {do} {iccid} for {actor}: {result}. Because: {because}"
        facts = {"do": do, "iccid": iccid, "answer": result}
        self._life.change(connection, row.number, at, "command", text, actor, None, facts)

    def _standing(self, connection: sa.Connection, number: int) -> kept.Incident:
        """The incident; of one that was merged, the one that it is part of."""
        row = kept.find(connection, number)
        if row is None:
            raise NoSuchIncident(f"there is no incident {number}")
        return row if row.merged_into is None else kept.get(connection, row.merged_into)

    def _acknowledge(self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, why: str) -> bool:
        _unresolved(row)
        if row.acknowledged_at is not None:
            if row.acknowledged_by != actor[: kept.ACTOR_MAX]:
                raise RefusedError(f"incident {row.number} is acknowledged by {row.acknowledged_by}; assign it instead")
            return False
        self._life.acknowledge(connection, row, at, actor, why)
        return True

    def _assign(
        self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, why: str, to: str | None
    ) -> bool:
        _unresolved(row)
        if not to or not to.strip():
            raise UsageError("to whom?")
        if row.owner == to[: kept.ACTOR_MAX]:
            return False
        text = f"Assigned to {to} by {actor}{': ' + why if why else ''}."
        self._life.change(connection, row.number, at, "assigned", text, actor, owner=to[: kept.ACTOR_MAX])
        return True

    def _note(self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, text: str) -> bool:
        if not text.strip():
            raise UsageError("a note says something")
        kept.change(connection, row.number, changed_at=at)
        kept.enter(connection, row.number, at, "note", text, actor)
        return True

    def _resolve(
        self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, why: str, outcome: str | None,
        tenant: str | None,
    ) -> bool:  # fmt: skip
        if outcome not in OUTCOMES:
            raise UsageError(f"{outcome!r} is no outcome: {', '.join(OUTCOMES)}")
        if row.state == kept.RESOLVED and row.outcome is None:
            # What ended by itself may be judged later: the detector's record wants it.
            kept.change(connection, row.number, outcome=outcome, changed_at=at)
            kept.judge_findings(connection, row.number, outcome)
            kept.enter(connection, row.number, at, "judged", f"Judged {outcome} by {actor}: {why}", actor)
        else:
            _unresolved(row)
            self._life.resolve(connection, row, at, actor, outcome, why)
        if outcome == BENIGN:
            self._tell(connection, row.number, True, actor, why, tenant)
        return True

    def _tell(
        self, connection: sa.Connection, number: int, benign: bool, actor: str, why: str, tenant: str | None
    ) -> None:
        """Inside the transaction: what is told though it then fails is told again, and twice is as once."""
        if self._widen is not None:
            for finding in kept.findings_by(connection, number, WIDENED):
                if not unjudgeable(finding.tenant, finding.document, tenant):
                    self._widen(finding.id, benign, actor, why)

    def _reopen(
        self, connection: sa.Connection, row: kept.Incident, at: int, actor: str, why: str, tenant: str | None
    ) -> bool:
        if row.state != kept.RESOLVED:
            raise RefusedError(f"incident {row.number} is {row.state}: only a resolved one can be reopened")
        if row.outcome == BENIGN:
            self._tell(connection, row.number, False, actor, why, tenant)
        kept.judge_findings(connection, row.number, None)
        self._life.reopen(connection, row, at, at, actor, why)
        return True


def unjudgeable(of: str, document: Mapping[str, Any], tenant: str | None) -> str:
    """Why nobody who acts for `tenant` (None = all) can say that a finding is benign; empty: they can.

    `of` is the finding's tenant, `document` the finding as JSON.
    """
    if document["detector"] not in WIDENED:
        return f"{document['detector']} is no detector of behaviour: resolve its incident"
    if document["about"] == MANY_OF_THE_FLEET:
        return "it tells many as one: what each of them does is judged by itself"
    if tenant is not None and (tenant != of or document["about"] == WHOLE_FLEET):
        return "it is about the fleet of every tenant"
    return ""


def _unresolved(row: kept.Incident) -> None:
    if row.state == kept.RESOLVED:
        outcome = f" ({row.outcome})" if row.outcome else ""
        raise RefusedError(f"incident {row.number} is resolved{outcome}; reopen it first")


def parsed_number(text: Any) -> int:
    """The number of an incident as people write it: 12 or #12."""
    digits = str(text).strip().removeprefix("#")
    if not digits.isdigit() or not 0 < int(digits) < 2**63:
        raise UsageError(f"{text!r} is not the number of an incident")
    return int(digits)
