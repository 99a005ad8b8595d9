"""People: accounts, memberships, recovery codes, sessions, and links that work once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

Big = sa.BigInteger()


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("password", sa.String),
        sa.Column("password_at", Big),
        sa.Column("second_factor", sa.LargeBinary),
        sa.Column("used_step", Big),
        sa.Column("needs_second_factor", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("issuer", sa.String),
        sa.Column("subject", sa.String),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("signed_in_at", Big),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.UniqueConstraint("issuer", "subject", name="uq_account_issuer_subject"),
    )  # fmt: skip
    op.create_table(
        "membership",
        sa.Column("account", sa.String, nullable=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("account", "tenant", name="pk_membership"),
        _of_account("membership"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_code"),
        _of_account("recovery_code"),
    )
    op.create_index("ix_recovery_code_account", "recovery_code", ["account"])
    op.create_table(
        "session",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("how", sa.String, nullable=False),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("seen_at", Big, nullable=False),
        sa.Column("ends_at", Big, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        _of_account("session"),
    )  # fmt: skip
    op.create_index("ix_session_account", "session", ["account"])
    op.create_index("ix_session_ends_at", "session", ["ends_at"])
    op.create_table(
        "link",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.String),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("ends_at", Big, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
        _of_account("link"),
    )
    op.create_index("ix_link_account", "link", ["account"])


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account"], ["account.id"], name=f"fk_{table}_account_account", ondelete="CASCADE"
    )
