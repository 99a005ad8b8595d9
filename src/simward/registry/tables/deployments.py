"""Which device was installed with which subscription for which use case, where."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, Number, metadata, tenant_column

_LIVE = sa.text("live")

deployment = sa.Table(
    "deployment", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    tenant_column(),
    sa.Column("imsi", sa.String, nullable=False, index=True),
    sa.Column("iccid", sa.String, nullable=False, index=True),
    sa.Column("imei", sa.String, nullable=False, index=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("segment", sa.String),
    sa.Column("label", sa.String, index=True),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False, server_default=""),
    sa.Column("correlator", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("said", sa.String, nullable=False, server_default=""),
    sa.Column("created_at", Big, nullable=False),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("asked", sa.String),
    sa.Column("lines", Document, nullable=False),
    sa.Column("before", Document, nullable=False),
    sa.Column("revision", sa.String, index=True),
    sa.Column("answered", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", Big, nullable=False, server_default="0"),
    sa.Column("in_force_seq", Big),
    sa.Column("seen", Document),
    sa.Column("seen_at", Big),
    sa.Column("ended_by", sa.String),
    sa.Index("ix_deployment_asked_number", "asked", "number"),
    sa.Index("ix_deployment_state_number", "state", "number"),
    sa.Index("ix_deployment_tenant_number", "tenant", "number"),
    sa.Index("ix_deployment_use_case_number", "use_case", "number"),
    sa.Index("ix_deployment_live_iccid", "iccid", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    sa.Index("ix_deployment_live_imei", "imei", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
)  # fmt: skip
"""A card has one that is `live`, and so has a device. `asked` says what the gate is to be told (deploy, undeploy; NULL:
nothing) by `lines`, `before` what the files said of the same; `revision` is the name under which it was sent."""
