"""A PostgreSQL server for the tests' registries: a new, empty database for whoever asks."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.postgres_server import ROLE, PostgresServer, is_installed

__all__ = ["Server", "is_installed"]


class Server(PostgresServer):
    """`database()` gives the URL of a new one in it."""

    def __init__(self) -> None:
        super().__init__(Path("/tmp"))  # wherever the tests' own folders are, deep as they may be
        self._numbers = itertools.count(1)

    def database(self) -> str:
        """Make a database; its URL as SQLAlchemy has it."""
        name = f"simward{next(self._numbers)}"
        self.query(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{ROLE}@/{name}?host={self.folder}"
