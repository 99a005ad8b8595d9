"""Quarantine by a command: whether what is said of a subscription's lock is one, or a quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add a column to subscriptions."""
    op.add_column("subscription", sa.Column("confined", sa.Boolean, nullable=False, server_default=sa.false()))
