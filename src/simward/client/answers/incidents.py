"""What `client.incidents` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, TypedDict


class Incident(TypedDict):
    """An incident; docs/reference/incidents.md says what each key means."""

    number: int
    state: Literal["open", "acknowledged", "contained", "resolved"]
    severity: Literal["info", "low", "medium", "high", "critical"]
    title: str
    grouping: str
    cause: str
    tenant: str
    use_case: str | None
    imsi: str | None
    iccid: str | None
    findings: int
    open_findings: int
    subscriptions: int
    owner: str | None
    outcome: Literal["true-positive", "benign", "false-positive"] | None
    opened_at: str
    changed_at: str
    deadline_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    contained_at: str | None
    containment: dict[str, Any] | None
    resolved_at: str | None
    resolved_by: str | None
    quiet_since: str | None
    escalations: int
    reopened: int
    merged_into: int | None

class Incidents(TypedDict):
    """Some, the newest first."""

    incidents: list[Incident]

class WholeIncident(TypedDict):
    """One, with its story, evidence, effects, parties and entries."""

    number: int
    state: Literal["open", "acknowledged", "contained", "resolved"]
    severity: Literal["info", "low", "medium", "high", "critical"]
    title: str
    grouping: str
    cause: str
    tenant: str
    use_case: str | None
    imsi: str | None
    iccid: str | None
    findings: int
    open_findings: int
    subscriptions: int
    owner: str | None
    outcome: Literal["true-positive", "benign", "false-positive"] | None
    opened_at: str
    changed_at: str
    deadline_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    contained_at: str | None
    containment: dict[str, Any] | None
    resolved_at: str | None
    resolved_by: str | None
    quiet_since: str | None
    escalations: int
    reopened: int
    merged_into: int | None
    story: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    parties: list[dict[str, Any]]
    entries: list[dict[str, Any]]
