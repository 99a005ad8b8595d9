"""Who may come in, and what was answered already."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, metadata

token = sa.Table(
    "token", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("tenant", sa.String),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", Big, nullable=False),
    sa.Column("revoked_at", Big),
    sa.Column("revoked_by", sa.String),
    sa.Column("used_at", Big),
)  # fmt: skip
"""What systems show to be let in. `digest` is the SHA-256 of the secret, which is kept nowhere; `tenant` NULL = all."""

idempotency = sa.Table(
    "idempotency", metadata,
    sa.Column("caller", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("at", Big, nullable=False, index=True),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.String),
)  # fmt: skip
"""What writes with an Idempotency-Key were answered, for a day; `status` NULL: not answered yet."""
