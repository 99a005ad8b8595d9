"""Rules in force, what they did or hold, and what was taken back."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, metadata, tenant_column

rule_set = sa.Table(
    "rule_set", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("sequence", Big, nullable=False),
    sa.Column("document", Document, nullable=False),
)  # fmt: skip
"""One row, `in-force`: the rules of the policy revision at the cursor, with what their conditions know of it."""

rule_pause = sa.Table(
    "rule_pause", metadata,
    sa.Column("rule", sa.String, primary_key=True),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
)  # fmt: skip
"""Rules that somebody paused: until they are resumed they do what they do in dry-run."""

rule_action = sa.Table(
    "rule_action", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("revision", Big, nullable=False),
    sa.Column("trigger", sa.String, nullable=False),
    sa.Column("trigger_type", sa.String, nullable=False),
    sa.Column("trigger_at", Big, nullable=False),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("use_case", sa.String),
    sa.Column("segment", sa.String),
    sa.Column("generation", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("finding", sa.String),
    sa.Column("incident", Big, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("arguments", Document, nullable=False),
    sa.Column("unless", sa.String),
    sa.Column("mode", sa.String, nullable=False),
    sa.Column("due_at", Big, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("result", sa.String),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("command", sa.String, index=True),
    sa.Column("approved_by", sa.String),
    sa.Column("approved_at", Big),
    sa.Column("seconded_by", sa.String),
    sa.Index("ix_rule_action_trigger_at_id", "trigger_at", "id"),
    sa.Index("ix_rule_action_state_due_at", "state", "due_at"),
    sa.Index("ix_rule_action_state_changed_at", "state", "changed_at"),
    sa.Index("ix_rule_action_rule_state_changed_at", "rule", "state", "changed_at"),
    sa.Index("ix_rule_action_tenant_state_changed_at", "tenant", "state", "changed_at"),
    sa.Index("ix_rule_action_tenant_trigger_at_id", "tenant", "trigger_at", "id"),
    sa.Index("ix_rule_action_state_trigger_at_id", "state", "trigger_at", "id"),
    sa.Index("ix_rule_action_rule_trigger_at_id", "rule", "trigger_at", "id"),
    sa.Index("ix_rule_action_rule_state_trigger_at_id", "rule", "state", "trigger_at", "id"),
)  # fmt: skip
"""What rules do, one row an action: waiting, sent, done, cancelled, held, dry-run, refused or too-old."""

undo = sa.Table(
    "undo", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("rule", sa.String),
    sa.Column("incident", Big),
    sa.Column("since", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("asked_at", Big, nullable=False),
    sa.Column("releases", sa.Integer, nullable=False),
)  # fmt: skip
"""What somebody took back at once; its releases are commands whose cause it is."""
