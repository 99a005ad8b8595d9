"""What all tables are made of: one set of them, names for constraints, types that both databases keep."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=NAMES)

Big = sa.BigInteger()
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is spelt INTEGER; it holds 64 bits there all the same."""
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DEFAULT_TENANT = "default"


def some(name: str, *columns: str | sa.TextClause, where: str) -> sa.Index:
    """An index of the rows of which `where` is true: a question has to say just that to be led by it."""
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def tenant_column() -> sa.Column[str]:
    """A new column for the tenant that owns a row."""
    return sa.Column("tenant", sa.String, nullable=False, server_default=DEFAULT_TENANT)
