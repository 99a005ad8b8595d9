"""Tokens of systems that use the HTTP interface."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

Big = sa.BigInteger()


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "token",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("tenant", sa.String),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("expires_at", Big, nullable=False),
        sa.Column("revoked_at", Big),
        sa.Column("revoked_by", sa.String),
        sa.Column("used_at", Big),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )  # fmt: skip
    op.create_index("ix_token_name", "token", ["name"])
