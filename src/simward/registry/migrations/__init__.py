"""Changes of the registry's tables, in order; alembic runs those that a database has not had."""
