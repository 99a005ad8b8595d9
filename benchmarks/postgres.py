"""PostgreSQL as FreeRADIUS's store: a server of its own in a temporary folder, on one core, as it comes (fsync on)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.load.fleet import IMEI_FIRST, IMSI_FIRST, SOFTWARE, Fleet
from benchmarks.processes import children, stop

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
PROGRAMS = _FOUND[-1].parent if _FOUND else Path()
ROLE, DATABASE = "postgres", "radius"
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


class Postgres:
    """One running server with FreeRADIUS's own schema and indexes; reached over a socket in its folder only."""

    def __init__(self, core: int, schema: str, fleet: Fleet, folder: Path) -> None:
        """Make it and fill it with what the fleet is: IMSI -> IMEISV and address. Takes seconds."""
        # A socket's path has at most 107 octets: the folder's name is short.
        self.folder = Path(tempfile.mkdtemp(prefix="simward-pg-", dir=folder))
        self._as_user: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(self.folder, ROLE, ROLE)
            self._as_user = ["setpriv", f"--reuid={ROLE}", f"--regid={ROLE}", "--init-groups", "--"]
        self._core = core
        data = self.folder / "data"
        self._run("initdb", "--pgdata", str(data), "--auth", "trust", "--username", ROLE, "--locale", "C",
                  "--encoding", "UTF8")  # fmt: skip
        self._process = subprocess.Popen(
            [*self._as_user, str(PROGRAMS / "postgres"), "-D", str(data), "-k", str(self.folder), "-h", ""],
            stdin=subprocess.DEVNULL, stdout=(self.folder / "said").open("ab"), stderr=subprocess.STDOUT,
            preexec_fn=self._pin,
        )  # fmt: skip
        try:
            self._wait()
            self.query(f"CREATE DATABASE {DATABASE}", database=ROLE)
            self.query(schema)
            self.query(FILL.format(imsi=IMSI_FIRST, imei=IMEI_FIRST, software=SOFTWARE, framed=FRAMED_FIRST,
                                   last=fleet.count - 1))  # fmt: skip
        except BaseException:
            self.close()
            raise

    def query(self, text: str, database: str = DATABASE) -> str:
        """What psql says to the statements, unaligned, without headings."""
        command = [
            str(PROGRAMS / "psql"), "-h", str(self.folder), "-U", ROLE, "-d", database, "-X", "-q", "-A", "-t",
            "-v", "ON_ERROR_STOP=1",
        ]  # fmt: skip
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr[-2000:]}")
        return done.stdout.strip()

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
        return [self._process.pid, *children(self._process.pid)]

    def pause(self) -> None:
        """Stop its clockwork while others are measured on the core: vacuuming is work of its own turns."""
        for pid in self.pids():
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        for pid in self.pids():
            _signal(pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop it at once and remove its folder."""
        self.resume()
        _signal(self._process.pid, signal.SIGINT)  # "fast": it does not wait for clients
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            stop(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _pin(self) -> None:
        os.sched_setaffinity(0, {self._core})

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [*self._as_user, str(PROGRAMS / program), *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stdout + done.stderr)[-2000:]}")

    def _wait(self, patience_s: float = 60) -> None:
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"postgres ended at once: {(self.folder / 'said').read_text()[-2000:]}")
            asked = [str(PROGRAMS / "pg_isready"), "-q", "-h", str(self.folder), "-U", ROLE]
            if subprocess.run(asked, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("postgres does not answer")


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # a backend that has ended by itself
