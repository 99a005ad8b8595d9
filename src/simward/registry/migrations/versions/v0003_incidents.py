"""What incidents need to grow and to end: until when others join, what lasts, what its findings have in common."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Big = sa.BigInteger()


def upgrade() -> None:
    """Add columns to incident and finding, and a table of what incidents have in common."""
    for column in (
        sa.Column("family", sa.String, server_default="", nullable=False),
        sa.Column("joins_until", Big),
        sa.Column("open_findings", sa.Integer, server_default="0", nullable=False),
        sa.Column("changes", sa.Integer, server_default="0", nullable=False),
        sa.Column("proof_at", Big),
    ):
        op.add_column("incident", column)
    op.create_index("ix_incident_merged_into", "incident", ["merged_into"])
    op.create_index("ix_incident_cause_state", "incident", ["cause", "state"])
    op.create_index("ix_incident_state_quiet_since", "incident", ["state", "quiet_since"])
    op.create_index("ix_incident_state_proof_at", "incident", ["state", "proof_at"])
    op.add_column("finding", sa.Column("held", sa.String))
    op.create_table(
        "incident_trait",
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("incident", Big, nullable=False),
        sa.Column("grouping", sa.String, nullable=False),
        sa.Column("subscriptions", sa.Integer, nullable=False),
        sa.Column("at", Big, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"], name="fk_incident_trait_incident_incident"),
        sa.PrimaryKeyConstraint("tenant", "cause", "incident", name="pk_incident_trait"),
    )  # fmt: skip
    op.create_index("ix_incident_trait_incident", "incident_trait", ["incident"])
    op.create_index("ix_incident_trait_at", "incident_trait", ["at"])
