"""What is counted where it is written: years of it are told without going through years of rows."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, metadata

EVERY_TENANT = "*"
"""In place of a tenant: the counts of all of them together. No tenant is called so."""

hourly = sa.Table(
    "hourly", metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("what", sa.String, primary_key=True),
    sa.Column("hour", Big, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("many", Big, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""How often in an hour (hours since 1970 UTC), of a tenant and of EVERY_TENANT. `what` is finding (`name`:
detector/class), effect (disconnect, ...), locked, quarantined or released (`name`: policy, rule, party or person)."""

population = sa.Table(
    "population", metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, primary_key=True),
    sa.Column("segment", sa.String, primary_key=True),
    sa.Column("members", Big, nullable=False),
    sa.Column("bound", Big, nullable=False),
    sa.Column("locked", Big, nullable=False),
    sa.Column("confined", Big, nullable=False),
    sa.Column("addressed", Big, nullable=False),
)  # fmt: skip
"""How many subscriptions there are of each tenant, use case and segment ("": none): all, those bound to a device,
locked, in quarantine by a command, and with an address or prefix."""
