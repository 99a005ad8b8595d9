"""Whose use cases these once were, as what was found says: a tenant's lists go by it (population.foreign)."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Count nobody in what has findings and no members any more: that is how it stays from now on."""
    op.execute(
        "INSERT INTO population (tenant, use_case, segment, members, bound, locked, confined, addressed) "
        "SELECT DISTINCT tenant, use_case, '', 0, 0, 0, 0, 0 FROM finding WHERE use_case IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM population p WHERE p.tenant = finding.tenant AND p.use_case = finding.use_case)"
    )
