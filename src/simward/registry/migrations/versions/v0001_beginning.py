"""The beginning: cursor, mirrors of the journal, incidents, announcements, the outbox and commands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

Big = sa.BigInteger()
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables that there were at first."""
    _announcement()
    _command()
    _cursor()
    _incident()
    _journal_text()
    _subject()
    _subscription()
    _delivery()
    _effect()
    _finding()
    _incident_entry()
    _incident_party()


def _announcement() -> None:
    op.create_table(
        "announcement",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, server_default="0", nullable=False),
        sa.Column("use_case", sa.String),
        sa.Column("cause", sa.String),
        sa.Column("incident", Big),
        sa.Column("data", Document, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_announcement"),
        sa.UniqueConstraint("id", name="uq_announcement_id"),
    )  # fmt: skip
    op.create_index("ix_announcement_subject_sequence", "announcement", ["subject", "sequence"])


def _command() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("do", sa.String, nullable=False),
        sa.Column("iccid", sa.String),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("cause", sa.String),
        sa.Column("incident", Big),
        sa.Column("automation", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("generation", sa.Integer, server_default="-1", nullable=False),
        sa.Column("asked_at", Big, nullable=False),
        sa.Column("next_at", Big, server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("result", sa.String),
        sa.Column("sequence", Big),
        sa.Column("answered_at", Big),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
    )  # fmt: skip
    op.create_index("ix_command_result_next_at", "command", ["result", "next_at"])


def _cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("gate_sequence", Big, server_default="0", nullable=False),
        sa.Column("watch_sequence", Big, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursor"),
    )  # fmt: skip


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("grouping", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("use_case", sa.String),
        sa.Column("imsi", sa.String),
        sa.Column("iccid", sa.String),
        sa.Column("opened_at", Big, nullable=False),
        sa.Column("changed_at", Big, nullable=False),
        sa.Column("quiet_since", Big),
        sa.Column("owner", sa.String),
        sa.Column("deadline_at", Big),
        sa.Column("escalations", sa.Integer, server_default="0", nullable=False),
        sa.Column("acknowledged_at", Big),
        sa.Column("acknowledged_by", sa.String),
        sa.Column("contained_at", Big),
        sa.Column("containment", Document),
        sa.Column("resolved_at", Big),
        sa.Column("resolved_by", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("reopened", sa.Integer, server_default="0", nullable=False),
        sa.Column("findings", sa.Integer, server_default="0", nullable=False),
        sa.Column("subscriptions", sa.Integer, server_default="0", nullable=False),
        sa.Column("merged_into", Big),
        sa.Column("as_of_seq", Big, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["incident.number"], name="fk_incident_merged_into_incident"),
        sa.PrimaryKeyConstraint("number", name="pk_incident"),
    )  # fmt: skip
    op.create_index("ix_incident_grouping_cause_state", "incident", ["grouping", "cause", "state"])
    op.create_index("ix_incident_imsi", "incident", ["imsi"])
    op.create_index("ix_incident_opened_at", "incident", ["opened_at"])
    op.create_index("ix_incident_state_deadline_at", "incident", ["state", "deadline_at"])


def _journal_text() -> None:
    op.create_table(
        "journal_text",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("octets", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal_text"),
    )  # fmt: skip


def _subject() -> None:
    op.create_table(
        "subject",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("announcements", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_subject"),
    )  # fmt: skip


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("imsi", sa.String, nullable=False),
        sa.Column("iccid", sa.String),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("use_case", sa.String),
        sa.Column("segment", sa.String),
        sa.Column("apn", sa.String),
        sa.Column("address", sa.String),
        sa.Column("prefix", sa.String),
        sa.Column("delegated", sa.String),
        sa.Column("device", sa.String),
        sa.Column("imei", sa.String),
        sa.Column("generation", sa.Integer, server_default="0", nullable=False),
        sa.Column("locked_at", Big),
        sa.Column("locked_because", sa.String),
        sa.Column("as_of_seq", Big, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("imsi", name="pk_subscription"),
    )  # fmt: skip
    op.create_index("ix_subscription_iccid", "subscription", ["iccid"])
    op.create_index("ix_subscription_imei", "subscription", ["imei"])


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("announcement", Big, nullable=False),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("lane", sa.String, server_default="", nullable=False),
        sa.Column("state", sa.String, server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("next_at", Big, nullable=False),
        sa.Column("deadline_at", Big, nullable=False),
        sa.Column("delivered_at", Big),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String),
        sa.ForeignKeyConstraint(
            ["announcement"], ["announcement.number"], name="fk_delivery_announcement_announcement"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_delivery"),
    )  # fmt: skip
    op.create_index("ix_delivery_announcement", "delivery", ["announcement"])
    op.create_index("ix_delivery_endpoint_state_lane_number", "delivery", ["endpoint", "state", "lane", "number"])


def _effect() -> None:
    op.create_table(
        "effect",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("imsi", sa.String),
        sa.Column("iccid", sa.String),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("gateway", sa.String),
        sa.Column("session_id", sa.String),
        sa.Column("because", sa.String),
        sa.Column("held", sa.String),
        sa.Column("at", Big, nullable=False),
        sa.Column("attempts", sa.Integer, server_default="1", nullable=False),
        sa.Column("result", sa.String),
        sa.Column("error_cause", sa.Integer),
        sa.Column("proved_at", Big),
        sa.Column("incident", Big),
        sa.Column("as_of_seq", Big, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name="fk_effect_incident_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_effect"),
    )  # fmt: skip
    op.create_index("ix_effect_imsi", "effect", ["imsi"])
    op.create_index("ix_effect_incident", "effect", ["incident"])


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("imsi", sa.String),
        sa.Column("iccid", sa.String),
        sa.Column("use_case", sa.String),
        sa.Column("detector", sa.String, nullable=False),
        sa.Column("class", sa.String, server_default="", nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("response", sa.String),
        sa.Column("began_at", Big, nullable=False),
        sa.Column("ended_at", Big),
        sa.Column("document", Document, nullable=False),
        sa.Column("incident", Big),
        sa.Column("outcome", sa.String),
        sa.Column("as_of_seq", Big, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name="fk_finding_incident_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
    )  # fmt: skip
    op.create_index("ix_finding_began_at", "finding", ["began_at"])
    op.create_index("ix_finding_detector_began_at", "finding", ["detector", "began_at"])
    op.create_index("ix_finding_imsi", "finding", ["imsi"])
    op.create_index("ix_finding_incident", "finding", ["incident"])


def _incident_entry() -> None:
    op.create_table(
        "incident_entry",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("incident", Big, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("actor", sa.String, server_default="", nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("facts", Document),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name="fk_incident_entry_incident_incident"),
        sa.PrimaryKeyConstraint("number", name="pk_incident_entry"),
    )  # fmt: skip
    op.create_index("ix_incident_entry_incident", "incident_entry", ["incident"])


def _incident_party() -> None:
    op.create_table(
        "incident_party",
        sa.Column("incident", Big, autoincrement=False, nullable=False),
        sa.Column("party", sa.String, nullable=False),
        sa.Column("announcement", sa.String, nullable=False),
        sa.Column("told_at", Big, nullable=False),
        sa.Column("delivered_at", Big),
        sa.Column("deadline_at", Big),
        sa.Column("answered_at", Big),
        sa.Column("action", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("escalated_at", Big),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name="fk_incident_party_incident_incident"),
        sa.PrimaryKeyConstraint("incident", "party", name="pk_incident_party"),
    )  # fmt: skip
    op.create_index("ix_incident_party_deadline_at", "incident_party", ["deadline_at"])
