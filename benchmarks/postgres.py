"""PostgreSQL as FreeRADIUS's store: a server of its own in a temporary folder, on one core, as it comes (fsync on)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from benchmarks.load.fleet import IMEI_FIRST, IMSI_FIRST, SOFTWARE, Fleet
from benchmarks.postgres_server import PostgresServer
from benchmarks.processes import children

DATABASE = "radius"
FRAMED_FIRST = 0x0A400001
"""The address of subscription 0 (as the gate's pool begins): 10.64.0.1."""

FILL = """
INSERT INTO radcheck (username, attribute, op, value)
    SELECT lpad(({imsi} + n)::text, 15, '0'), 'Auth-Type', ':=', 'Accept' FROM generate_series(0, {last}) n;
INSERT INTO radcheck (username, attribute, op, value)
    SELECT lpad(({imsi} + n)::text, 15, '0'), '3GPP-IMEISV', '==',
        lpad((({imei} + n) * 100 + {software})::text, 16, '0')
    FROM generate_series(0, {last}) n;
INSERT INTO radreply (username, attribute, op, value)
    SELECT lpad(({imsi} + n)::text, 15, '0'), 'Framed-IP-Address', ':=', host('0.0.0.0'::inet + ({framed} + n))
    FROM generate_series(0, {last}) n;
VACUUM ANALYZE;
CHECKPOINT;
"""


class Postgres(PostgresServer):
    """One running server with FreeRADIUS's own schema and indexes; reached over a socket in its folder only."""

    def __init__(self, core: int, schema: str, fleet: Fleet, folder: Path) -> None:
        """Make it and fill it with what the fleet is: IMSI -> IMEISV and address. Takes seconds."""
        super().__init__(folder, before=lambda: os.sched_setaffinity(0, {core}))
        try:
            super().query(f"CREATE DATABASE {DATABASE}")
            self.query(schema)
            self.query(FILL.format(imsi=IMSI_FIRST, imei=IMEI_FIRST, software=SOFTWARE, framed=FRAMED_FIRST,
                                   last=fleet.count - 1))  # fmt: skip
        except BaseException:
            self.close()
            raise

    def query(self, text: str, database: str = DATABASE) -> str:
        """What psql says to the statements, in FreeRADIUS's database."""
        return super().query(text, database)

    def configured(self) -> dict[str, str]:
        """The settings that decide about speed and durability, as the server has them."""
        names = (
            "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "commit_delay",
            "shared_buffers", "max_wal_size", "max_connections", "autovacuum",
        )  # fmt: skip
        listed = ", ".join(f"'{name}'" for name in names)
        rows = self.query(f"SELECT name, current_setting(name) FROM pg_settings WHERE name IN ({listed}) ORDER BY name")
        return dict(line.split("|", 1) for line in rows.splitlines())

    def pids(self) -> list[int]:
        """The server and all that it has started."""
        return [self.process.pid, *children(self.process.pid)]

    def pause(self) -> None:
        """Stop its clockwork while others are measured on the core: vacuuming is work of its own turns."""
        for pid in self.pids():
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        for pid in self.pids():
            _signal(pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it at once and remove its folder, also where it was paused."""
        self.resume()
        super().close()


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # a backend that has ended by itself
