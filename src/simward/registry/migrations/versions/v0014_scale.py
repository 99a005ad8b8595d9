"""What lists over years of rows need: an index for every question, and counts that are kept; links that sign in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

Big = sa.BigInteger()
UNRESOLVED = "state <> 'resolved'"
LASTING = "ended_at IS NULL"
LOCKED = "locked_at IS NOT NULL"
DUE = "coalesce(deadline_at, 9223372036854775807)"
REPLACED = (("finding", "imsi"), ("finding", "incident"), ("effect", "imsi"), ("effect", "incident"))
"""Indexes that go: another begins with the same column."""
INDEXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("subscription", ("seen_imei",)),
    ("finding", ("tenant", "detector", "began_at")),
    ("finding", ("use_case", "detector", "began_at")),
    ("finding", ("imsi", "began_at")),
    ("finding", ("incident", "began_at")),
    ("effect", ("imsi", "at")),
    ("effect", ("incident", "at")),
    ("incident", ("owner", "number")),
    ("incident", ("state", "number")),
    ("incident", ("subscriptions", "number")),
    ("rule_action", ("tenant", "state", "changed_at")),
    ("rule_action", ("tenant", "trigger_at", "id")),
    ("rule_action", ("state", "trigger_at", "id")),
    ("rule_action", ("rule", "trigger_at", "id")),
    ("rule_action", ("rule", "state", "trigger_at", "id")),
    ("deployment", ("use_case", "number")),
    ("deployment", ("label",)),
)
OF_SOME: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("subscription", "locked_tenant", ("tenant", "imsi"), LOCKED),
    ("subscription", "locked_use_case", ("use_case", "imsi"), LOCKED),
    ("finding", "incident_use_case", ("incident", "use_case"), "incident IS NOT NULL"),
    ("finding", "lasting_detector", ("detector", "began_at"), LASTING),
    ("finding", "lasting_tenant", ("tenant", "began_at"), LASTING),
    ("finding", "lasting_use_case", ("use_case", "began_at"), LASTING),
    ("incident", "unresolved", ("number",), UNRESOLVED),
    ("incident", "unresolved_changed", ("changed_at", "number"), UNRESOLVED),
    ("incident", "unresolved_due", (DUE, "number"), UNRESOLVED),
    ("incident", "unresolved_subscriptions", ("subscriptions", "number"), UNRESOLVED),
    ("incident", "unresolved_tenant", ("tenant", "number"), UNRESOLVED),
    ("incident", "unresolved_tenant_due", ("tenant", DUE, "number"), UNRESOLVED),
    ("incident", "waiting", ("tenant", "state", "severity", "deadline_at"), UNRESOLVED),
    ("binding", "over", ("began_at",), "ended_at IS NOT NULL"),
    ("finding", "held", ("tenant", "held", "ended_at"), "held IS NOT NULL AND ended_at IS NULL"),
)
"""Indexes of some rows alone: table, what the name ends with, columns, which rows."""


def upgrade() -> None:
    """Make the indexes, the counts by the hour anew, and the count of subscriptions."""
    op.drop_index("ix_finding_held", "finding")  # with all that it is asked, it leads where others would too
    for table, names in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, list(names))
    for table, name, names, which in OF_SOME:
        where = sa.text(which)
        columns: list[Any] = [sa.text(one) if one == DUE else one for one in names]
        op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_incident_due_number", "incident", [sa.text(DUE), "number"])
    for table, name in REPLACED:
        op.drop_index(f"ix_{table}_{name}", table)
    _hourly()
    _population()
    op.add_column("link", sa.Column("signs_in", sa.Boolean, nullable=False, server_default=sa.false()))


def _hourly() -> None:
    """By tenant first, and with what is of all tenants."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE hourly RENAME CONSTRAINT pk_hourly TO pk_hourly_before")
    op.rename_table("hourly", "hourly_before")
    op.create_table(
        "hourly",
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("hour", Big, nullable=False, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("many", Big, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "what", "hour", "name", name="pk_hourly"),
        sqlite_with_rowid=False,
    )
    said = "INSERT INTO hourly (tenant, what, hour, name, many) SELECT"
    op.execute(f"{said} tenant, what, hour, name, many FROM hourly_before")
    op.execute(f"{said} '*', what, hour, name, sum(many) FROM hourly_before GROUP BY what, hour, name")
    op.drop_table("hourly_before")


def _population() -> None:
    """Count what is there."""
    op.create_table(
        "population",
        *(sa.Column(name, sa.String, nullable=False) for name in ("tenant", "use_case", "segment")),
        *(sa.Column(name, Big, nullable=False) for name in ("members", "bound", "locked", "confined", "addressed")),
        sa.PrimaryKeyConstraint("tenant", "use_case", "segment", name="pk_population"),
    )
    op.execute(
        "INSERT INTO population (tenant, use_case, segment, members, bound, locked, confined, addressed) "
        "SELECT tenant, coalesce(use_case, ''), coalesce(segment, ''), count(*), count(imei), "
        "sum(CASE WHEN locked_at IS NOT NULL AND NOT confined THEN 1 ELSE 0 END), "
        "sum(CASE WHEN locked_at IS NOT NULL AND confined THEN 1 ELSE 0 END), "
        "sum(CASE WHEN address IS NOT NULL OR prefix IS NOT NULL THEN 1 ELSE 0 END) "
        "FROM subscription GROUP BY 1, 2, 3"
    )
