"""Incidents: what they are known by, what was noted of them, who had to be told."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, Number, metadata, some, tenant_column

UNRESOLVED = "state <> 'resolved'"
"""What indexes of the incidents that wait are of: what was merged into another is resolved."""
DUE = "coalesce(deadline_at, 9223372036854775807)"
"""Their deadline; where there is none, it comes last."""

incident = sa.Table(
    "incident", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    tenant_column(),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("grouping", sa.String, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("use_case", sa.String),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("opened_at", Big, nullable=False, index=True),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("quiet_since", Big),
    sa.Column("owner", sa.String),
    sa.Column("deadline_at", Big),
    sa.Column("escalations", sa.Integer, nullable=False, server_default="0"),
    sa.Column("acknowledged_at", Big),
    sa.Column("acknowledged_by", sa.String),
    sa.Column("contained_at", Big),
    sa.Column("containment", Document),
    sa.Column("resolved_at", Big),
    sa.Column("resolved_by", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("reopened", sa.Integer, nullable=False, server_default="0"),
    sa.Column("findings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("subscriptions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("merged_into", Big, sa.ForeignKey("incident.number"), index=True),
    sa.Column("as_of_seq", Big, nullable=False, server_default="0"),
    sa.Column("family", sa.String, nullable=False, server_default=""),
    sa.Column("joins_until", Big),
    sa.Column("open_findings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("proof_at", Big),
    sa.Index("ix_incident_grouping_cause_state", "grouping", "cause", "state"),
    sa.Index("ix_incident_state_deadline_at", "state", "deadline_at"),
    sa.Index("ix_incident_cause_state", "cause", "state"),
    sa.Index("ix_incident_state_quiet_since", "state", "quiet_since"),
    sa.Index("ix_incident_state_proof_at", "state", "proof_at"),
    sa.Index("ix_incident_changed_at_number", "changed_at", "number"),
    sa.Index("ix_incident_severity_number", "severity", "number"),
    sa.Index("ix_incident_tenant_number", "tenant", "number"),
    sa.Index("ix_incident_use_case_number", "use_case", "number"),
    sa.Index("ix_incident_owner_number", "owner", "number"),
    sa.Index("ix_incident_state_number", "state", "number"),
    sa.Index("ix_incident_subscriptions_number", "subscriptions", "number"),
    sa.Index("ix_incident_due_number", sa.text(DUE), "number"),
    some("ix_incident_unresolved", "number", where=UNRESOLVED),
    some("ix_incident_unresolved_changed", "changed_at", "number", where=UNRESOLVED),
    some("ix_incident_unresolved_due", sa.text(DUE), "number", where=UNRESOLVED),
    some("ix_incident_unresolved_subscriptions", "subscriptions", "number", where=UNRESOLVED),
    some("ix_incident_unresolved_tenant", "tenant", "number", where=UNRESOLVED),
    some("ix_incident_unresolved_tenant_due", "tenant", sa.text(DUE), "number", where=UNRESOLVED),
    some("ix_incident_waiting", "tenant", "state", "severity", "deadline_at", where=UNRESOLVED),
)  # fmt: skip
"""Findings that belong together. `cause` is the key by which a finding joins (until `joins_until`; NULL = always);
`containment` is the proof; `changes` counts what was announced of it; `proof_at` is when a proof came that nobody has
weighed yet."""

incident_trait = sa.Table(
    "incident_trait", metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("cause", sa.String, primary_key=True),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), primary_key=True, autoincrement=False, index=True),
    sa.Column("grouping", sa.String, nullable=False),
    sa.Column("subscriptions", sa.Integer, nullable=False),
    sa.Column("at", Big, nullable=False, index=True),
)  # fmt: skip
"""What the findings of an incident may have in common with those of others, for as long as that can make them one."""

incident_entry = sa.Table(
    "incident_entry", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), nullable=False, index=True),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False, server_default=""),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("facts", Document),
)  # fmt: skip
"""The story of an incident, a line each: opened, finding, effect, told, acknowledged, note, escalated, ..."""

incident_party = sa.Table(
    "incident_party", metadata,
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), primary_key=True, autoincrement=False),
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("announcement", sa.String, nullable=False),
    sa.Column("told_at", Big, nullable=False),
    sa.Column("delivered_at", Big),
    sa.Column("deadline_at", Big, index=True),
    sa.Column("answered_at", Big),
    sa.Column("action", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("escalated_at", Big),
)  # fmt: skip
"""Who was told of an incident, when it was delivered, by when they must acknowledge, and what they answered."""
