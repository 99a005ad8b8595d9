"""What pages need: counts by the hour, and indexes for lists of incidents and for what limits hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

Big = sa.BigInteger()
HOUR_US = 3_600_000_000


def upgrade() -> None:
    """Make the table, count what is there, and make the indexes."""
    op.create_table(
        "hourly",
        sa.Column("hour", Big, nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("many", Big, nullable=False),
        sa.PrimaryKeyConstraint("hour", "tenant", "what", "name", name="pk_hourly"),
    )
    op.execute(
        "INSERT INTO hourly (hour, tenant, what, name, many) "
        f"SELECT began_at / {HOUR_US}, tenant, 'finding', "
        "detector || CASE class WHEN '' THEN '' ELSE '/' || class END, count(*) FROM finding GROUP BY 1, 2, 4"
    )
    op.execute(
        "INSERT INTO hourly (hour, tenant, what, name, many) "
        f"SELECT at / {HOUR_US}, tenant, 'effect', what, count(*) FROM effect WHERE held IS NULL GROUP BY 1, 2, 4"
    )
    for names in (["changed_at", "number"], ["severity", "number"], ["tenant", "number"], ["use_case", "number"]):
        op.create_index(f"ix_incident_{'_'.join(names)}", "incident", names)
    op.create_index("ix_rule_action_state_changed_at", "rule_action", ["state", "changed_at"])
    held = sa.text("held IS NOT NULL AND ended_at IS NULL")
    op.create_index("ix_finding_held", "finding", ["tenant"], sqlite_where=held, postgresql_where=held)
