"""One control process a registry: a lock in the database itself, since folders on two machines may name the same."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from simward.errors import RegistryError

LOCK_CLASS = 1_936_289_559
"""The first number of the advisory lock; the second is the schema's, so that two in one database are two registries."""
WITHIN_S, AGAIN_S = 5.0, 0.25
"""So long a process that was killed may go on holding it: its server has not noticed."""
LOOK_EVERY_S = 5.0
_TRY = sa.text("SELECT pg_try_advisory_lock(:class, hashtext(current_schema()))").bindparams(**{"class": LOCK_CLASS})
_HOLDER = sa.text(
    "SELECT coalesce(host(a.client_addr), 'the same machine') AS at, a.backend_start AS since FROM pg_locks AS l "
    "JOIN pg_stat_activity AS a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :class "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
).bindparams(**{"class": LOCK_CLASS})


class Sole:
    """Holds the lock of a PostgreSQL registry, on a connection of its own. A part of the control plane."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None

    def take(self) -> None:
        """RegistryError where another process has it, or the server does not answer."""
        until = time.monotonic() + WITHIN_S
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            while not connection.execute(_TRY).scalar():
                if time.monotonic() >= until:
                    holder = connection.execute(_HOLDER).first()
                    connection.close()
                    by = f" (from {holder.at}, since {holder.since:%Y-%m-%d %H:%M:%S%z})" if holder else ""
                    raise RegistryError(
                        f"another control process uses this registry{by}: two working folders cannot share one. "
                        "Stop that one, or give this folder a database or schema of its own ([registry] url)"
                    )
                time.sleep(AGAIN_S)
        except sa.exc.DBAPIError as error:
            raise RegistryError(f"the registry cannot be used: {str(error.orig).strip()}") from error
        self._connection = connection

    async def run(self) -> None:
        """Until cancelled. The lock goes with its connection: where that is lost it is taken again; RegistryError where
        somebody else was quicker."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not await asyncio.to_thread(self._holds):
                with suppress(_NotThere):
                    await asyncio.to_thread(self._again)

    def release(self) -> None:
        """Somebody else may."""
        if self._connection is not None:
            with suppress(sa.exc.DBAPIError):
                self._connection.invalidate()
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def _holds(self) -> bool:
        try:
            assert self._connection is not None
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            return False
        return True

    def _again(self) -> None:
        if self._connection is not None:
            with suppress(sa.exc.DBAPIError):
                self._connection.close()
        try:
            self.take()
        except RegistryError as error:
            if isinstance(error.__cause__, sa.exc.DBAPIError):
                raise _NotThere from error
            raise


class _NotThere(Exception):
    """The server does not answer: nobody else can have the lock either."""


class SoleFile:
    """The same of an SQLite file that the settings name: a lock beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = -1

    def take(self) -> None:
        """RegistryError where another process has it."""
        try:
            self._number = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistryError(
                f"another control process uses {self._path}: two working folders cannot share one registry"
            ) from None
        except OSError as error:
            raise RegistryError(f"the registry cannot be used: {error}") from None

    async def run(self) -> None:
        """Until cancelled: a lock on a file is lost with the process alone."""
        await asyncio.Event().wait()

    def release(self) -> None:
        """Somebody else may."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1


@contextmanager
def sole_user(url: sa.URL) -> Iterator[Sole | SoleFile]:
    """This process alone writes to the registry until it ends, however it ends. RegistryError where another does."""
    if url.get_backend_name() == "sqlite":
        made: Sole | SoleFile = SoleFile(Path(url.database or "registry.sqlite"))
    else:
        from simward.registry.database import Registry

        made = Sole(Registry.open(url).engine)
    try:
        made.take()
        yield made
    finally:
        made.release()
