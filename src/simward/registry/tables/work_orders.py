"""Changes that are meant, item by item."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Number, metadata, tenant_column

work_order = sa.Table(
    "work_order", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    tenant_column(),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False, server_default="open"),
    sa.Column("created_at", Big, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("begins_at", Big, nullable=False),
    sa.Column("ends_at", Big, nullable=False),
    sa.Column("source", sa.String, nullable=False, server_default=""),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("closed_at", Big),
    sa.Index("ix_work_order_state_number", "state", "number"),
    sa.Index("ix_work_order_tenant_number", "tenant", "number"),
)  # fmt: skip
"""Changes that are meant. `kind` is plan, swap or refit; `state` open, done, overdue, refused or cancelled."""

work_item = sa.Table(
    "work_item", metadata,
    sa.Column("work_order", Big, sa.ForeignKey("work_order.number"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("iccid", sa.String, nullable=False, index=True),
    sa.Column("imei", sa.String, index=True),
    sa.Column("device", sa.Boolean, nullable=False),
    sa.Column("place", sa.Boolean, nullable=False),
    sa.Column("begins_at", Big, nullable=False),
    sa.Column("ends_at", Big, nullable=False),
    sa.Column("state", sa.String, nullable=False, server_default="asked"),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("was", sa.String),
    sa.Column("now", sa.String),
    sa.Column("finding", sa.String, index=True),
    sa.Column("note", sa.String, nullable=False, server_default=""),
    sa.Index("ix_work_item_work_order_state", "work_order", "state"),
)  # fmt: skip
"""One subscription of a work order. `imei` NULL = any device. `was` and `now` are devices; `finding` is what came
instead, `note` says in words what is the matter with it."""
