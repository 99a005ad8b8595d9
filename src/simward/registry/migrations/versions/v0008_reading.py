"""What lists over HTTP need: the inventory in the mirror, indexes for every filter, and answers kept for repeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Big = sa.BigInteger()


def upgrade() -> None:
    """Add columns to the mirror of subscriptions, indexes, and a table."""
    for name in ("msisdn", "state", "declared_imei"):
        op.add_column("subscription", sa.Column(name, sa.String))
    op.create_index("ix_subscription_use_case_imsi", "subscription", ["use_case", "imsi"])
    op.create_index("ix_subscription_tenant_imsi", "subscription", ["tenant", "imsi"])
    locked = sa.text("locked_at IS NOT NULL")
    op.create_index(
        "ix_subscription_locked", "subscription", ["imsi"], sqlite_where=locked, postgresql_where=locked
    )
    op.create_index("ix_finding_tenant_began_at", "finding", ["tenant", "began_at"])
    op.create_index("ix_finding_use_case_began_at", "finding", ["use_case", "began_at"])
    lasting = sa.text("ended_at IS NULL")
    op.create_index("ix_finding_lasting", "finding", ["began_at"], sqlite_where=lasting, postgresql_where=lasting)
    op.create_index("ix_effect_at", "effect", ["at"])
    op.create_index("ix_effect_tenant_at", "effect", ["tenant", "at"])
    op.create_index("ix_announcement_tenant_number", "announcement", ["tenant", "number"])
    op.create_index("ix_audit_tenant_number", "audit", ["tenant", "number"])
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.String),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_idempotency"),
    )  # fmt: skip
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
