"""What older routes answer, for the OpenAPI description: incidents, commands and how it stands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simward.control.api.paging import Severity, optional


class Incident(BaseModel):
    """An incident; docs/reference/incidents.md says what each key means."""

    model_config = ConfigDict(json_schema_extra=optional)

    number: int
    state: Literal["open", "acknowledged", "contained", "resolved"]
    severity: Severity
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


class Incidents(BaseModel):
    """A page, the newest first."""

    incidents: list[Incident]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class WholeIncident(Incident):
    """One, with its story, evidence, effects, parties and entries."""

    story: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    parties: list[dict[str, Any]]
    entries: list[dict[str, Any]]


class CommandAnswer(BaseModel):
    """What the gate answered."""

    model_config = ConfigDict(extra="allow")

    result: Literal["applied", "duplicate"] | None = None
    sequence: int | None = Field(default=None, description="Where it stands in the journal.")
    generation: int | None = Field(default=None, description="Of the binding, from now on.")
    did: list[str] | None = Field(default=None, description="What was found to do.")
    id: str | None = None


class Condition(BaseModel):
    """Something that has to hold, and how it stands."""

    model_config = ConfigDict(extra="allow")

    ok: bool
    said: str


class Ready(BaseModel):
    """Everything that it needs is there."""

    ready: bool
    conditions: dict[str, Condition]


class Alive(BaseModel):
    """The process answers."""

    alive: bool


class Status(BaseModel):
    """How the control plane stands."""

    pid: int
    uptime_s: float
    http: str | None = Field(description="The address served.")
    http_wanted: str | None
    conditions: dict[str, Condition]


def answered(model: type[BaseModel], status: int = 200) -> dict[str, Any]:
    """Arguments of a route that answers with this."""
    return {"response_model": None, "responses": {status: {"model": model}}}
