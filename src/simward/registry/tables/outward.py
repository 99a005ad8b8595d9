"""What goes out: announcements and their deliveries, and commands to the gate."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, Number, metadata, tenant_column

subject = sa.Table(
    "subject", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("announcements", sa.Integer, nullable=False),
)  # fmt: skip
"""How many announcements there have been about a subject: the last sequence given, also once they are removed."""

announcement = sa.Table(
    "announcement", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    tenant_column(),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("at", Big, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("use_case", sa.String),
    sa.Column("cause", sa.String),
    sa.Column("incident", Big),
    sa.Column("correlation", sa.String),
    sa.Column("data", Document, nullable=False),
    sa.Index("ix_announcement_subject_sequence", "subject", "sequence"),
    sa.Index("ix_announcement_tenant_number", "tenant", "number"),
)  # fmt: skip
"""What other systems may live on, once each. `subject` is an IMSI or what else it is about; `sequence` counts in it."""

delivery = sa.Table(
    "delivery", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("announcement", Big, sa.ForeignKey("announcement.number"), nullable=False, index=True),
    sa.Column("endpoint", sa.String, nullable=False),
    sa.Column("lane", sa.String, nullable=False, server_default=""),
    sa.Column("state", sa.String, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("next_at", Big, nullable=False),
    sa.Column("deadline_at", Big, nullable=False),
    sa.Column("delivered_at", Big),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String),
    sa.Index("ix_delivery_endpoint_state_lane_number", "endpoint", "state", "lane", "number"),
)  # fmt: skip
"""The outbox: an announcement on its way to one endpoint: waiting, delivered or dead. A lane goes in order."""

command = sa.Table(
    "command", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("do", sa.String, nullable=False),
    sa.Column("iccid", sa.String),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("cause", sa.String),
    sa.Column("incident", Big),
    sa.Column("automation", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("generation", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("asked_at", Big, nullable=False),
    sa.Column("next_at", Big, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("result", sa.String),
    sa.Column("sequence", Big),
    sa.Column("answered_at", Big),
    sa.Column("arguments", Document),
    sa.Index("ix_command_result_next_at", "result", "next_at"),
    sa.Index("ix_command_cause", "cause"),
)  # fmt: skip
"""Commands to the gate that this process decided on. The gate knows repetitions by `id`; `result` NULL = open.

`arguments` are what else the gate is told, by name (of `plan` and `unplan`: order, imei, device, place, ...)."""
