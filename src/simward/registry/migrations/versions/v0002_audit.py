"""The audit: a chain of what was written and decided, and the keys that its contents are sealed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Big = sa.BigInteger()


def upgrade() -> None:
    """Make them."""
    _audit_subject()
    _audit_key()
    _audit()


def _audit_subject() -> None:
    op.create_table(
        "audit_subject",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("imsi", sa.String()),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("erased_at", Big),
        sa.PrimaryKeyConstraint("subject", name="pk_audit_subject"),
        sa.UniqueConstraint("imsi", name="uq_audit_subject_imsi"),
    )  # fmt: skip


def _audit_key() -> None:
    op.create_table(
        "audit_key",
        sa.Column("number", Big, autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_key"),
    )  # fmt: skip


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", Big, autoincrement=False, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("tenant", sa.String(), server_default="default", nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("object", sa.String(), server_default="", nullable=False),
        sa.Column("cause", sa.String(), server_default="", nullable=False),
        sa.Column("subject", sa.String(), server_default="", nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )  # fmt: skip
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_subject_number", "audit", ["subject", "number"])
