"""A PostgreSQL server for the tests' registries: a new, empty database for whoever asks."""

from __future__ import annotations

import itertools
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.postgres_server import ROLE, PostgresServer, is_installed

from simward.registry.database import Registry

TEMPLATE = "simward_migrated"
FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""A kill of the server loses nothing by these, and no test cuts its power."""
__all__ = ["Server", "is_installed"]


class Server(PostgresServer):
    """`database()` gives the URL of a new one in it, `migrated_database()` of one with today's tables."""

    def __init__(self) -> None:
        super().__init__(Path("/tmp"), settings=FORGETFUL)  # wherever the tests' own folders are, deep as they may be
        self._numbers = itertools.count(1)
        self._has_template = False

    def close(self) -> None:
        """End it without writing out what nobody will read."""
        self.process.send_signal(signal.SIGQUIT)
        super().close()

    def migrated_database(self) -> str:
        """Make a registry with today's tables, as a copy of one that was migrated; its URL."""
        if not self._has_template:
            opened = Registry.open(self.database(name=TEMPLATE))
            opened.migrate()
            opened.close()  # PostgreSQL copies none to which somebody is connected
            self._has_template = True
        return self.database(template=TEMPLATE)

    def database(self, name: str = "", template: str = "template1") -> str:
        """Make a database; its URL as SQLAlchemy has it."""
        name = name or f"simward{next(self._numbers)}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql+psycopg://{ROLE}@/{name}?host={self.folder}"
