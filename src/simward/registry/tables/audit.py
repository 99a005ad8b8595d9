"""The audit: a chain of digests, over entries whose subjects can be forgotten."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, metadata, tenant_column

audit_subject = sa.Table(
    "audit_subject", metadata,
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("imsi", sa.String, unique=True),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("erased_at", Big),
)  # fmt: skip
"""How the audit calls a subscription. Erasing forgets whose name it was."""

audit_key = sa.Table(
    "audit_key", metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)  # fmt: skip
"""The key that the content of an entry is sealed with. Erasing removes those of what was said of a subscription."""

audit = sa.Table(
    "audit", metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=False),
    sa.Column("at", Big, nullable=False, index=True),
    tenant_column(),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False, server_default=""),
    sa.Column("cause", sa.String, nullable=False, server_default=""),
    sa.Column("subject", sa.String, nullable=False, server_default=""),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Index("ix_audit_subject_number", "subject", "number"),
    sa.Index("ix_audit_tenant_number", "tenant", "number"),
)  # fmt: skip
"""Every write and automatic decision, in a chain of digests. `content` is JSON, sealed under the entry's own key."""
