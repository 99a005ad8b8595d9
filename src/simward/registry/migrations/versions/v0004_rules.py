"""Automation: the rules in force, those that are paused, what each of them does, and what people have taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

Big = sa.BigInteger()
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables of rules."""
    op.create_table(
        "rule_set",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sequence", Big, nullable=False),
        sa.Column("document", Document, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rule_set"),
    )
    op.create_table(
        "rule_pause",
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("rule", name="pk_rule_pause"),
    )
    _rule_action()
    op.create_table(
        "undo",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("rule", sa.String),
        sa.Column("incident", Big),
        sa.Column("since", Big, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("asked_at", Big, nullable=False),
        sa.Column("releases", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_undo"),
    )
    op.create_index("ix_command_cause", "command", ["cause"])


def _rule_action() -> None:
    op.create_table(
        "rule_action",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("revision", Big, nullable=False),
        sa.Column("trigger", sa.String, nullable=False),
        sa.Column("trigger_type", sa.String, nullable=False),
        sa.Column("trigger_at", Big, nullable=False),
        sa.Column("imsi", sa.String),
        sa.Column("iccid", sa.String),
        sa.Column("use_case", sa.String),
        sa.Column("segment", sa.String),
        sa.Column("generation", sa.Integer, server_default="-1", nullable=False),
        sa.Column("finding", sa.String),
        sa.Column("incident", Big),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("arguments", Document, nullable=False),
        sa.Column("unless", sa.String),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("due_at", Big, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sa.Column("changed_at", Big, nullable=False),
        sa.Column("command", sa.String),
        sa.Column("approved_by", sa.String),
        sa.Column("approved_at", Big),
        sa.Column("seconded_by", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_rule_action"),
    )
    op.create_index("ix_rule_action_imsi", "rule_action", ["imsi"])
    op.create_index("ix_rule_action_incident", "rule_action", ["incident"])
    op.create_index("ix_rule_action_command", "rule_action", ["command"])
    op.create_index("ix_rule_action_state_due_at", "rule_action", ["state", "due_at"])
    op.create_index("ix_rule_action_rule_state_changed_at", "rule_action", ["rule", "state", "changed_at"])
