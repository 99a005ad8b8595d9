"""The record of detectors: what they found among the members of a use case, and how people judged it."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry import tables as t

COUNTED_MOST = 20_000
"""The newest findings of a use case that are counted: a record is read in one page, whatever is kept."""


def of_use_case(connection: sa.Connection, use_case: str, tenant: str, since: int) -> dict[str, dict[str, int]]:
    """Detector -> outcome ("" where nobody judged) -> how many, of the newest findings since then (us UTC)."""
    f = t.finding.c
    newest = (
        sa.select(f.detector, sa.func.coalesce(f.outcome, "").label("outcome"))
        .where(f.use_case == use_case, f.tenant == tenant, f.began_at >= since)
        .order_by(f.began_at.desc()).limit(COUNTED_MOST).subquery()
    )  # fmt: skip
    counted = sa.select(newest.c.detector, newest.c.outcome, sa.func.count()).group_by(
        newest.c.detector, newest.c.outcome
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for detector, outcome, count in connection.execute(counted):
        found.setdefault(detector, {})[outcome] = count
    return found
