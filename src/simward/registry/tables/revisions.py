"""Revisions of the policy, what the API declares, and jobs."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, Number, metadata

revision = sa.Table(
    "revision", metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("first_sequence", Big, nullable=False, unique=True),
    sa.Column("last_sequence", Big, nullable=False),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("upload", sa.String),
    sa.Column("texts", Document, nullable=False),
    sa.Column("changes", Document, nullable=False),
    sa.Column("declared", Big, nullable=False),
    sa.Column("removed", Big, nullable=False),
)  # fmt: skip
"""A mirror: what was applied at once. `texts`: name -> digest of every policy text in force from then on; `declared`
and `removed` count subscriptions that it said something of."""

policy_text = sa.Table(
    "policy_text", metadata,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("text", sa.String, nullable=False),
)  # fmt: skip
"""The texts that revisions name, each once, by their SHA-256."""

upload = sa.Table(
    "upload", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", Big, nullable=False, index=True),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("base", sa.String, nullable=False),
    sa.Column("texts", Document, nullable=False),
    sa.Column("takes_over", Document, nullable=False),
    sa.Column("lines", Big, nullable=False),
    sa.Column("sequence", Big, index=True),
)  # fmt: skip
"""Everything that the API would declare (`texts`: name -> YAML), as somebody proposed it. In force is the one with the
greatest `sequence`; `base` is what it was made from."""

declared_line = sa.Table(
    "declared_line", metadata,
    sa.Column("upload", sa.String, primary_key=True),
    sa.Column("imsi", sa.String, primary_key=True, index=True),
    sa.Column("line", Document, nullable=False),
)  # fmt: skip
"""The inventory of an upload: a line each, column -> text."""

job = sa.Table(
    "job", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("tenant", sa.String),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("asked_at", Big, nullable=False),
    sa.Column("begun_at", Big),
    sa.Column("ended_at", Big),
    sa.Column("done", Big, nullable=False),
    sa.Column("total", Big, nullable=False),
    sa.Column("arguments", Document, nullable=False),
    sa.Column("result", Document),
    sa.Column("error", sa.String),
    sa.Index("ix_job_state_number", "state", "number"),
    sa.Index("ix_job_tenant_number", "tenant", "number"),
)  # fmt: skip
"""What takes longer than a request: `commands` (each is a row of `command`, whose cause is the job) and `backtest`.
`tenant` NULL: of who may see all."""
