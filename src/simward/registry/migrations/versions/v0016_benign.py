"""What people found to be benign: the newest verdict on each device and each cohort, until when, by whom and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

Big = sa.BigInteger()


def upgrade() -> None:
    """Make the table. Verdicts of before are in the watch's journal, and not in here."""
    op.create_table(
        "benign",
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("tenant", sa.String, nullable=False, server_default="default"),
        sa.Column("imsi", sa.String),
        sa.Column("iccid", sa.String),
        sa.Column("use_case", sa.String),
        sa.Column("about", sa.String, nullable=False),
        sa.Column("finding", sa.String, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("until_day", Big, nullable=False),
        sa.Column("as_of_seq", Big, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_benign"),
    )
    op.create_index("ix_benign_at_subject", "benign", ["at", "subject"])
    op.create_index("ix_benign_tenant_at_subject", "benign", ["tenant", "at", "subject"])
    op.create_index("ix_benign_finding", "benign", ["finding"])
