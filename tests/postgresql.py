"""A PostgreSQL server of the tests' own, from Debian: in a temporary folder, reached over its socket there alone."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
PROGRAMS = _FOUND[-1].parent if _FOUND else None
ROLE = "postgres"


class Server:
    """One server; `database()` gives the URL of a new, empty database in it."""

    def __init__(self) -> None:
        assert PROGRAMS is not None
        # A socket's path has at most 107 octets: the folder's name is short, wherever the tests' own folders are.
        self.folder = Path(tempfile.mkdtemp(prefix="simward-pg-", dir="/tmp"))
        self._as_user: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(self.folder, ROLE, ROLE)
            self._as_user = ["setpriv", f"--reuid={ROLE}", f"--regid={ROLE}", "--init-groups", "--"]
        data = self.folder / "data"
        self._run("initdb", "--pgdata", str(data), "--auth", "trust", "--username", ROLE, "--locale", "C",
                  "--encoding", "UTF8", "--no-sync")  # fmt: skip
        self.process = subprocess.Popen(
            [*self._as_user, str(PROGRAMS / "postgres"), "-D", str(data), "-k", str(self.folder), "-h", ""],
            stdin=subprocess.DEVNULL, stdout=(self.folder / "said").open("ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._numbers = itertools.count(1)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def database(self) -> str:
        """Make a database; its URL as SQLAlchemy has it."""
        name = f"simward{next(self._numbers)}"
        self._run("psql", "-h", str(self.folder), "-U", ROLE, "-d", ROLE, "-X", "-q", "-c", f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{ROLE}@/{name}?host={self.folder}"

    def close(self) -> None:
        """Stop it at once and remove its folder."""
        self.process.send_signal(signal.SIGINT)  # "fast": it does not wait for clients
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        assert PROGRAMS is not None
        command = [*self._as_user, str(PROGRAMS / program), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stdout + done.stderr)[-2000:]}")

    def _wait(self, patience_s: float = 60) -> None:
        assert PROGRAMS is not None
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"postgres ended at once: {(self.folder / 'said').read_text()[-2000:]}")
            asked = [str(PROGRAMS / "pg_isready"), "-q", "-h", str(self.folder), "-U", ROLE]
            if subprocess.run(asked, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("postgres does not answer")
