"""People: their accounts, what they are in which tenant, where they are signed in, and links that work once."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, metadata


def _account() -> sa.Column[str]:
    return sa.Column("account", sa.String, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True)


account = sa.Table(
    "account", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("password", sa.String),
    sa.Column("password_at", Big),
    sa.Column("second_factor", sa.LargeBinary),
    sa.Column("used_step", Big),
    sa.Column("needs_second_factor", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("issuer", sa.String),
    sa.Column("subject", sa.String),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("signed_in_at", Big),
    sa.UniqueConstraint("issuer", "subject"),
)  # fmt: skip
"""A person. `password` is an argon2id hash; `second_factor` a sealed secret, `used_step` the last time step whose code
was taken; `issuer` and `subject` say who signs it in by OpenID Connect. NULL: there is none."""

membership = sa.Table(
    "membership", metadata,
    sa.Column("account", sa.String, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
)  # fmt: skip
"""What an account is in a tenant; `tenant` * = in all of them."""

recovery_code = sa.Table(
    "recovery_code", metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    _account(),
)  # fmt: skip
"""Each stands in for a second factor, once: the row goes with its use. `digest` is the SHA-256 of 120 random bits."""

session = sa.Table(
    "session", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    _account(),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("how", sa.String, nullable=False),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("seen_at", Big, nullable=False),
    sa.Column("ends_at", Big, nullable=False, index=True),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("agent", sa.String, nullable=False),
)  # fmt: skip
"""Where somebody is signed in. `digest` is the SHA-256 of what the cookie holds; `tenant` is what it works in now."""

link = sa.Table(
    "link", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("account", sa.String, sa.ForeignKey("account.id", ondelete="CASCADE"), index=True),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("ends_at", Big, nullable=False),
    sa.Column("signs_in", sa.Boolean, nullable=False, server_default=sa.false()),
)  # fmt: skip
"""Links that work once. `account` NULL: whoever opens it becomes the first administrator. `signs_in`: it stands for the
account's password, which is not chosen with it."""
