"""Deployments, who owns a subscription's line, and what announcements are correlated by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

Big = sa.BigInteger()
Number = Big.with_variant(sa.Integer(), "sqlite")
Document = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add a table, two columns and an index."""
    op.add_column("announcement", sa.Column("correlation", sa.String))
    op.add_column("subscription", sa.Column("owner", sa.String, nullable=False, server_default="files"))
    op.create_index("ix_subscription_declared_imei", "subscription", ["declared_imei"])
    op.create_table(
        "deployment",
        sa.Column("number", Number, nullable=False, autoincrement=True),
        sa.Column("tenant", sa.String, nullable=False, server_default="default"),
        *(sa.Column(name, sa.String, nullable=False) for name in ("imsi", "iccid", "imei", "use_case")),
        sa.Column("segment", sa.String),
        sa.Column("label", sa.String),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False, server_default=""),
        sa.Column("correlator", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("said", sa.String, nullable=False, server_default=""),
        sa.Column("created_at", Big, nullable=False),
        sa.Column("changed_at", Big, nullable=False),
        sa.Column("asked", sa.String),
        sa.Column("lines", Document, nullable=False),
        sa.Column("before", Document, nullable=False),
        sa.Column("revision", sa.String),
        sa.Column("answered", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", Big, nullable=False, server_default="0"),
        sa.Column("in_force_seq", Big),
        sa.Column("seen", Document),
        sa.Column("seen_at", Big),
        sa.Column("ended_by", sa.String),
        sa.PrimaryKeyConstraint("number", name="pk_deployment"),
    )  # fmt: skip
    for name in ("imsi", "iccid", "imei", "revision"):
        op.create_index(f"ix_deployment_{name}", "deployment", [name])
    for name in ("asked", "state", "tenant"):
        op.create_index(f"ix_deployment_{name}_number", "deployment", [name, "number"])
    live = sa.text("live")
    for name in ("iccid", "imei"):
        op.create_index(
            f"ix_deployment_live_{name}", "deployment", [name], unique=True, sqlite_where=live, postgresql_where=live
        )
