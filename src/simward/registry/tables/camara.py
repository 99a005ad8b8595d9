"""Clients that get tokens of ours, and what they subscribed to by CAMARA's interfaces."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, Number, metadata, tenant_column

oauth_client = sa.Table(
    "oauth_client", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("scopes", Document, nullable=False),
    sa.Column("tenant", sa.String),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", Big, nullable=False),
    sa.Column("revoked_at", Big),
    sa.Column("revoked_by", sa.String),
)  # fmt: skip
"""Systems that ask for access tokens (RFC 6749 4.4); `digest` is the SHA-256 of the secret."""

oauth_token = sa.Table(
    "oauth_token", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("client", sa.String, sa.ForeignKey("oauth_client.id"), nullable=False, index=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("scopes", Document, nullable=False),
    sa.Column("expires_at", Big, nullable=False, index=True),
)  # fmt: skip
"""Access tokens that were given out, until they expire."""

monitored = sa.Table(
    "monitored", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("since", Big, nullable=False),
)  # fmt: skip
"""Since when changes are noted: of the `device` of a SIM, of the `sim` of a number."""

camara_subscription = sa.Table(
    "camara_subscription", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("imsi", sa.String, nullable=False, index=True),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("sink", sa.String, nullable=False),
    sa.Column("config", Document, nullable=False),
    sa.Column("credential", sa.LargeBinary),
    sa.Column("credential_ends_at", Big),
    sa.Column("started_at", Big, nullable=False),
    sa.Column("expires_at", Big),
    sa.Column("ends_at", Big, index=True),
    sa.Column("events", sa.Integer, nullable=False, server_default="0"),
    sa.Column("events_max", sa.Integer),
    sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("ended_at", Big, index=True),
    sa.Index("ix_camara_subscription_owner_status", "owner", "status"),
)  # fmt: skip
"""Who wants to hear what of which subscription. `status` ACTIVE, EXPIRED or DELETED; `credential` is sealed; `ends_at`
is when it ends by itself; `dropped` counts events that found its queue full."""

camara_notification = sa.Table(
    "camara_notification", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("subscription", sa.String, sa.ForeignKey("camara_subscription.id"), nullable=False),
    sa.Column("document", Document, nullable=False),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("next_at", Big, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_camara_notification_subscription_number", "subscription", "number"),
)  # fmt: skip
"""CloudEvents that wait to be taken to a sink, in order a subscription; one that was taken is removed."""
