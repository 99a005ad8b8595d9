"""CAMARA's interfaces: clients and their tokens, event subscriptions, and when a device or a SIM was last changed."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

Big = sa.BigInteger()
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add columns and indexes to the mirror of subscriptions, and make the tables."""
    op.add_column("subscription", sa.Column("seen_imei", sa.String))
    for name in ("seen_since", "number_since"):
        op.add_column("subscription", sa.Column(name, Big))
    for name in ("tied", "limited_to_area"):
        op.add_column("subscription", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("msisdn", "address", "prefix", "delegated"):
        op.create_index(f"ix_subscription_{name}", "subscription", [name])
    _clients()
    _subscriptions()
    monitored = op.create_table(
        "monitored",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("since", Big, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_monitored"),
    )  # fmt: skip
    now = time.time_ns() // 1000
    op.bulk_insert(monitored, [{"name": name, "since": now} for name in ("device", "sim")])


def _clients() -> None:
    op.create_table(
        "oauth_client",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("scopes", Document, nullable=False),
        sa.Column("tenant", sa.String),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("expires_at", Big, nullable=False),
        sa.Column("revoked_at", Big),
        sa.Column("revoked_by", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_client"),
    )  # fmt: skip
    op.create_index("ix_oauth_client_name", "oauth_client", ["name"])
    op.create_table(
        "oauth_token",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("client", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("scopes", Document, nullable=False),
        sa.Column("expires_at", Big, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_token"),
        sa.ForeignKeyConstraint(["client"], ["oauth_client.id"], name="fk_oauth_token_client_oauth_client"),
    )  # fmt: skip
    op.create_index("ix_oauth_token_client", "oauth_token", ["client"])
    op.create_index("ix_oauth_token_expires_at", "oauth_token", ["expires_at"])


def _subscriptions() -> None:
    op.create_table(
        "camara_subscription",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, nullable=False, server_default="default"),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("imsi", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("sink", sa.String, nullable=False),
        sa.Column("config", Document, nullable=False),
        sa.Column("credential", sa.LargeBinary),
        sa.Column("credential_ends_at", Big),
        sa.Column("started_at", Big, nullable=False),
        sa.Column("expires_at", Big),
        sa.Column("ends_at", Big),
        sa.Column("events", sa.Integer, nullable=False, server_default="0"),
        sa.Column("events_max", sa.Integer),
        sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("ended_at", Big),
        sa.PrimaryKeyConstraint("id", name="pk_camara_subscription"),
    )  # fmt: skip
    for name in ("imsi", "ends_at", "ended_at"):
        op.create_index(f"ix_camara_subscription_{name}", "camara_subscription", [name])
    op.create_index("ix_camara_subscription_owner_status", "camara_subscription", ["owner", "status"])
    op.create_table(
        "camara_notification",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("subscription", sa.String, nullable=False),
        sa.Column("document", Document, nullable=False),
        sa.Column("made_at", Big, nullable=False),
        sa.Column("next_at", Big, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("number", name="pk_camara_notification"),
        sa.ForeignKeyConstraint(
            ["subscription"], ["camara_subscription.id"],
            name="fk_camara_notification_subscription_camara_subscription",
        ),
    )  # fmt: skip
    op.create_index(
        "ix_camara_notification_subscription_number", "camara_notification", ["subscription", "number"]
    )
