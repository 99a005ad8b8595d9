"""What `client.incidents` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Acknowledged(TypedDict):
    """What was recorded of a party's answer."""

    incident: int
    party: str
    action: str | None
    reason: str
    acknowledged_at: str
    late: bool
    repeated: bool
    command: str | None
    iccid: str | None

class Incident(TypedDict):
    """An incident; docs/reference/incidents.md says what each key means."""

    number: NotRequired[int]
    state: NotRequired[Literal["open", "acknowledged", "contained", "resolved"]]
    severity: NotRequired[Literal["info", "low", "medium", "high", "critical"]]
    title: NotRequired[str]
    grouping: NotRequired[str]
    cause: NotRequired[str]
    tenant: NotRequired[str]
    use_case: NotRequired[str | None]
    imsi: NotRequired[str | None]
    iccid: NotRequired[str | None]
    findings: NotRequired[int]
    open_findings: NotRequired[int]
    subscriptions: NotRequired[int]
    owner: NotRequired[str | None]
    outcome: NotRequired[Literal["true-positive", "benign", "false-positive"] | None]
    opened_at: NotRequired[str]
    changed_at: NotRequired[str]
    deadline_at: NotRequired[str | None]
    acknowledged_at: NotRequired[str | None]
    acknowledged_by: NotRequired[str | None]
    contained_at: NotRequired[str | None]
    containment: NotRequired[dict[str, Any] | None]
    resolved_at: NotRequired[str | None]
    resolved_by: NotRequired[str | None]
    quiet_since: NotRequired[str | None]
    escalations: NotRequired[int]
    reopened: NotRequired[int]
    merged_into: NotRequired[int | None]

class Incidents(TypedDict):
    """A page, the newest first."""

    incidents: list[Incident]
    next: str | None

class WholeIncident(TypedDict):
    """One, with its story, evidence, effects, parties and entries."""

    number: NotRequired[int]
    state: NotRequired[Literal["open", "acknowledged", "contained", "resolved"]]
    severity: NotRequired[Literal["info", "low", "medium", "high", "critical"]]
    title: NotRequired[str]
    grouping: NotRequired[str]
    cause: NotRequired[str]
    tenant: NotRequired[str]
    use_case: NotRequired[str | None]
    imsi: NotRequired[str | None]
    iccid: NotRequired[str | None]
    findings: NotRequired[int]
    open_findings: NotRequired[int]
    subscriptions: NotRequired[int]
    owner: NotRequired[str | None]
    outcome: NotRequired[Literal["true-positive", "benign", "false-positive"] | None]
    opened_at: NotRequired[str]
    changed_at: NotRequired[str]
    deadline_at: NotRequired[str | None]
    acknowledged_at: NotRequired[str | None]
    acknowledged_by: NotRequired[str | None]
    contained_at: NotRequired[str | None]
    containment: NotRequired[dict[str, Any] | None]
    resolved_at: NotRequired[str | None]
    resolved_by: NotRequired[str | None]
    quiet_since: NotRequired[str | None]
    escalations: NotRequired[int]
    reopened: NotRequired[int]
    merged_into: NotRequired[int | None]
    story: NotRequired[list[dict[str, Any]]]
    evidence: NotRequired[list[dict[str, Any]]]
    effects: NotRequired[list[dict[str, Any]]]
    parties: NotRequired[list[dict[str, Any]]]
    entries: NotRequired[list[dict[str, Any]]]
