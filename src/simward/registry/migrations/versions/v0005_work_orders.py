"""Work orders: changes that are meant, an item each subscription; and what else a command says to the gate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

Big = sa.BigInteger()
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables, and add a column to commands."""
    op.add_column("command", sa.Column("arguments", Document))
    _work_order()
    _work_item()


def _work_order() -> None:
    op.create_table(
        "work_order",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String, server_default="default", nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("state", sa.String, server_default="open", nullable=False),
        sa.Column("created_at", Big, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("begins_at", Big, nullable=False),
        sa.Column("ends_at", Big, nullable=False),
        sa.Column("source", sa.String, server_default="", nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("closed_at", Big),
        sa.PrimaryKeyConstraint("number", name="pk_work_order"),
    )  # fmt: skip
    op.create_index("ix_work_order_state_number", "work_order", ["state", "number"])


def _work_item() -> None:
    op.create_table(
        "work_item",
        sa.Column("work_order", Big, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("iccid", sa.String, nullable=False),
        sa.Column("imei", sa.String),
        sa.Column("device", sa.Boolean, nullable=False),
        sa.Column("place", sa.Boolean, nullable=False),
        sa.Column("begins_at", Big, nullable=False),
        sa.Column("ends_at", Big, nullable=False),
        sa.Column("state", sa.String, server_default="asked", nullable=False),
        sa.Column("changed_at", Big, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("now", sa.String),
        sa.Column("finding", sa.String),
        sa.Column("note", sa.String, server_default="", nullable=False),
        sa.ForeignKeyConstraint(["work_order"], ["work_order.number"], name="fk_work_item_work_order_work_order"),
        sa.PrimaryKeyConstraint("work_order", "position", name="pk_work_item"),
    )  # fmt: skip
    op.create_index("ix_work_item_iccid", "work_item", ["iccid"])
    op.create_index("ix_work_item_imei", "work_item", ["imei"])
    op.create_index("ix_work_item_finding", "work_item", ["finding"])
    op.create_index("ix_work_item_work_order_state", "work_item", ["work_order", "state"])
