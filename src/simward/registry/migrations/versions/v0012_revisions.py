"""Revisions of the policy, what the API declares, jobs, and which device a subscription was in from when to when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

Big = sa.BigInteger()
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _revisions()
    _uploads()
    _jobs()
    _bindings()


def _revisions() -> None:
    op.create_table(
        "revision",
        sa.Column("number", Big, nullable=False, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("first_sequence", Big, nullable=False),
        sa.Column("last_sequence", Big, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("upload", sa.String),
        sa.Column("texts", Document, nullable=False),
        sa.Column("changes", Document, nullable=False),
        sa.Column("declared", Big, nullable=False),
        sa.Column("removed", Big, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_revision"),
        sa.UniqueConstraint("first_sequence", name="uq_revision_first_sequence"),
    )
    op.create_index("ix_revision_name", "revision", ["name"])
    op.create_table(
        "policy_text",
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_policy_text"),
    )


def _uploads() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("base", sa.String, nullable=False),
        sa.Column("texts", Document, nullable=False),
        sa.Column("takes_over", Document, nullable=False),
        sa.Column("lines", Big, nullable=False),
        sa.Column("sequence", Big),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_index("ix_upload_at", "upload", ["at"])
    op.create_index("ix_upload_sequence", "upload", ["sequence"])
    op.create_table(
        "declared_line",
        sa.Column("upload", sa.String, nullable=False),
        sa.Column("imsi", sa.String, nullable=False),
        sa.Column("line", Document, nullable=False),
        sa.PrimaryKeyConstraint("upload", "imsi", name="pk_declared_line"),
    )
    op.create_index("ix_declared_line_imsi", "declared_line", ["imsi"])


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("number", Number, nullable=False, autoincrement=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("tenant", sa.String),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("asked_at", Big, nullable=False),
        sa.Column("begun_at", Big),
        sa.Column("ended_at", Big),
        sa.Column("done", Big, nullable=False),
        sa.Column("total", Big, nullable=False),
        sa.Column("arguments", Document, nullable=False),
        sa.Column("result", Document),
        sa.Column("error", sa.String),
        sa.PrimaryKeyConstraint("number", name="pk_job"),
    )
    op.create_index("ix_job_state_number", "job", ["state", "number"])
    op.create_index("ix_job_tenant_number", "job", ["tenant", "number"])


def _bindings() -> None:
    op.create_index("ix_rule_action_trigger_at_id", "rule_action", ["trigger_at", "id"])
    op.create_index("ix_work_order_tenant_number", "work_order", ["tenant", "number"])
    op.create_table(
        "binding",
        sa.Column("imsi", sa.String, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String, nullable=False, server_default="default"),
        sa.Column("iccid", sa.String),
        sa.Column("imei", sa.String, nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("began_at", Big, nullable=False),
        sa.Column("ended_at", Big),
        sa.Column("as_of_seq", Big, nullable=False),
        sa.PrimaryKeyConstraint("imsi", "generation", name="pk_binding"),
    )
    op.execute(
        "INSERT INTO binding (imsi, generation, tenant, iccid, imei, device, began_at, as_of_seq) "
        "SELECT imsi, generation, tenant, iccid, imei, COALESCE(device, imei), 0, as_of_seq FROM subscription "
        "WHERE imei IS NOT NULL"
    )
    for columns in (("imei", "imsi"), ("tenant", "imei"), ("began_at",), ("tenant", "began_at")):
        op.create_index(f"ix_binding_{'_'.join(columns)}", "binding", list(columns))
