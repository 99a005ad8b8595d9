"""Incidents that rules open: because a rule says so, or because what it does is held and waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from simward.registry import incidents as kept
from simward.response.grouping import RULE
from simward.response.incident_life import Life

GROUPING = RULE
"""Of every incident that a rule opened. None of them triggers a rule, so that rules cannot go round in circles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What an incident is to be about; `key` is what makes two concerns one incident."""

    key: str
    title: str
    text: str
    severity: str
    at: int
    tenant: str
    imsi: str | None = None
    iccid: str | None = None
    use_case: str | None = None
    cause: str | None = None


class Incidents(Protocol):
    """Where concerns become incidents."""

    def raise_concern(self, connection: sa.Connection, concern: Concern) -> int:
        """The number of the incident that is open for this key, or of a new one; `text` becomes a line of its story."""
        ...


class RaisedIncidents:
    """Concerns with the life of every other incident: a deadline by severity, escalation, a story, announcements."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def raise_concern(self, connection: sa.Connection, concern: Concern) -> int:
        """As the protocol says."""
        cause = (GROUPING, concern.key[:200])
        found = kept.joinable(connection, concern.tenant, [cause], concern.at)
        if found is not None:
            self._life.change(connection, found.number, concern.at, "rule", concern.text, cause=concern.cause)
            return int(found.number)
        values = {
            "severity": concern.severity, "grouping": GROUPING, "cause": concern.key[:200],
            "title": concern.title[:300], "tenant": concern.tenant, "use_case": concern.use_case,
            "imsi": concern.imsi, "iccid": concern.iccid, "opened_at": concern.at,
        }  # fmt: skip
        made = self._life.open(connection, values, concern.at)
        kept.enter(connection, made.number, concern.at, "rule", concern.text)
        self._life.tell_opened(connection, made.number, concern.cause)
        return int(made.number)
