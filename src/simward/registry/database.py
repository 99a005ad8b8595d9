"""The registry's database: SQLite in the data folder, or PostgreSQL where the settings say so; opened, migrated, used.

One process writes: the control process. What belongs together is one transaction, and nobody sees half of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simward.errors import RegistryError
from simward.registry.turns import Turns
from simward.settings import Settings

FILE_NAME = "registry.sqlite"
BUSY_S = 10.0
TURN_WITHIN_S = 60.0
"""For how long one waits to write: longer than a server of PostgreSQL that has gone may keep the one before."""
POSTGRESQL_GONE = {
    "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
"""Of libpq: a server that is cut off without a word counts as gone within half a minute, not within hours."""
WRITES, LASTING = "simward_writes", "simward_lasting"
OF_ACCESS, TABLES_OF_ACCESS = "simward_access", frozenset(("token", "account", "membership", "session"))
VERSION = sa.table("registry_version", sa.column("version_num"))
NEWEST = "0016"
"""The last change that this code knows."""


def sqlite_url(data_dir: Path) -> sa.URL:
    """Where the registry is unless the settings say otherwise."""
    return sa.URL.create("sqlite", database=str(data_dir / FILE_NAME))


def url_of(settings: Settings) -> sa.URL:
    """Where the registry of a working folder is. RegistryError where the settings' URL is none."""
    if not settings.registry.url:
        return sqlite_url(settings.data_dir)
    try:
        return sa.make_url(settings.registry.url)
    except sa.exc.ArgumentError as error:
        raise RegistryError(f"[registry] url cannot be used: {error}") from None


class Registry:
    """One database. `writing()` and `reading()` give a connection inside a transaction; errors become RegistryError."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.edition_of_access = 0
        """Another number after each transaction that wrote who may come in (OF_ACCESS)."""
        self.turns = Turns()
        """At writing."""
        self.observe: Callable[[str, float, bool], None] = _unseen
        """Told of every transaction: read or write, how many seconds it took, whether it failed by the registry."""
        sa.event.listen(engine, "after_cursor_execute", _note_access)

    @staticmethod
    def open(url: str | sa.URL) -> Registry:
        """Connect to what `url` names; nothing is made yet but an empty SQLite file. RegistryError where it cannot."""
        try:
            parsed = sa.make_url(url)
            if parsed.get_backend_name() == "sqlite":
                return Registry(_sqlite(parsed))
            known = POSTGRESQL_GONE if parsed.get_driver_name() == "psycopg" else {}
            deadlines = {name: value for name, value in known.items() if name not in parsed.query}
            return Registry(
                sa.create_engine(
                    parsed, pool_size=8, max_overflow=8, pool_pre_ping=True, pool_timeout=BUSY_S, connect_args=deadlines
                )
            )
        except ModuleNotFoundError as error:
            raise RegistryError(f"{error.name} is not installed: pip install 'simward[postgresql]'") from None
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
            raise RegistryError(f"[registry] url cannot be used: {error}") from None

    @contextmanager
    def writing(self, *, lasting: bool = True) -> Iterator[sa.Connection]:
        """One transaction that may write, the only one at a time in this process; committed on leaving, or undone.

        Who asks first writes first: what goes on behind and writes much does so in short transactions, and then people
        and systems wait for one of them at most.

        What is not `lasting` may be gone where the power fails soon after (SQLite; a killed process loses nothing):
        for what would only be done once more.
        """
        with self._timed("write"), _worded(), self.turns.turn(TURN_WITHIN_S), self.engine.connect() as connection:
            try:
                with connection.execution_options(**{WRITES: True, LASTING: lasting}).begin():
                    yield connection
            finally:
                if connection.info.pop(OF_ACCESS, False):
                    self.edition_of_access += 1

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One transaction that only reads."""
        with self._timed("read"), _worded(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        began, failed = time.monotonic(), True
        try:
            yield
            failed = False
        except Exception as error:
            failed = isinstance(error, RegistryError)
            raise
        finally:
            self.observe(kind, time.monotonic() - began, failed)

    def migrate(self) -> None:
        """Bring the tables to what this code knows. A registry that a newer version has changed is used as it is."""
        if self.version() >= NEWEST:
            return
        with self.writing() as connection:
            _upgrade(connection)

    def version(self) -> str:
        """The last change that the database has had; empty for a new one."""
        with self.reading() as connection:
            if not sa.inspect(connection).has_table(VERSION.name):
                return ""
            return str(connection.execute(sa.select(VERSION.c.version_num)).scalar() or "")

    def forget_what_was_deleted(self) -> None:
        """Write the file anew, so that no free page and no log holds what was deleted. PostgreSQL vacuums by itself."""
        if self.engine.dialect.name == "sqlite":
            with _worded(), self.engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.rollback()
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _unseen(kind: str, seconds: float, failed: bool) -> None:
    """Nobody looks."""


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _note_access(connection: sa.Connection, cursor: object, statement: str, *more: Any) -> None:
    """Note on the connection that a statement writes who may come in."""
    context = more[1]
    written = getattr(context.compiled, "statement", None) if context is not None else None
    if getattr(written, "is_dml", False) and written.table.name in TABLES_OF_ACCESS:  # type: ignore[union-attr]
        connection.info[OF_ACCESS] = True


def _sqlite(url: sa.URL) -> sa.Engine:
    # Without an isolation level sqlite3 begins nothing by itself: `begin` below says how.
    options = {"timeout": BUSY_S, "check_same_thread": False, "isolation_level": None}
    engine = sa.create_engine(url, connect_args=options)

    @sa.event.listens_for(engine, "connect")
    def prepare(raw: Any, record: object) -> None:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")  # an acknowledgement that was answered is there after kill -9
        raw.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # The lock is taken at once by who is going to write: a reader that turns writer cannot wait for another.
        options = connection.get_execution_options()
        writes = options.get(WRITES, False)
        if writes:  # each says it anew: a connection is used again
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get(LASTING, True) else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _worded() -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise RegistryError(f"the registry cannot be used: {str(error.orig).strip()}") from error
    except sa.exc.TimeoutError as error:
        raise RegistryError(f"the registry cannot be used: no connection to it is free within {BUSY_S:g} s") from error
