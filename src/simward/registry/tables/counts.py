"""What happened, counted by the hour: years of it are told without going through years of rows."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, metadata

hourly = sa.Table(
    "hourly", metadata,
    sa.Column("hour", Big, primary_key=True, autoincrement=False),
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("what", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("many", Big, nullable=False),
)  # fmt: skip
"""How often in an hour (hours since 1970 UTC). `what` is finding (`name`: detector/class), effect (disconnect, ...),
locked, quarantined or released (`name`: policy, rule, party or person)."""
