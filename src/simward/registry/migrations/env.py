"""What alembic runs: the changes, on the connection that `database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from simward.registry.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True,
    version_table="registry_version",
)  # fmt: skip
context.run_migrations()
