"""A PostgreSQL server of one's own, from Debian: in a temporary folder, reached over its socket there alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
PROGRAMS = _FOUND[-1].parent if _FOUND else Path()
ROLE = "postgres"
STOP_WITHIN_S = 20.0


def is_installed() -> bool:
    """Is there a server to start?"""
    return bool(_FOUND)


class PostgresServer:
    """One running server, empty but for what `initdb` makes."""

    def __init__(
        self, folder: Path | None = None, *, before: Callable[[], None] | None = None, settings: Sequence[str] = ()
    ) -> None:
        """`folder` is where its own is made; `before` runs in the server's process before it becomes PostgreSQL;
        `settings` (`name=value`) are other than its own."""
        self._settings = [word for setting in settings for word in ("-c", setting)]
        # A socket's path has at most 107 octets: the folder's name is short.
        self.folder = Path(tempfile.mkdtemp(prefix="simward-pg-", dir=folder))
        self._as_user: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(self.folder, ROLE, ROLE)
            self._as_user = ["setpriv", f"--reuid={ROLE}", f"--regid={ROLE}", "--init-groups", "--"]
        made = ("--auth", "trust", "--username", ROLE, "--locale", "C", "--encoding", "UTF8")
        self.run("initdb", "--pgdata", str(self.folder / "data"), *made)
        self.start(before)

    def start(self, before: Callable[[], None] | None = None) -> None:
        """Start it (again)."""
        data = str(self.folder / "data")
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                [*self._as_user, str(PROGRAMS / "postgres"), "-D", data, "-k", str(self.folder), "-h", "",
                 *self._settings],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, preexec_fn=before,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def query(self, text: str, database: str = ROLE) -> str:
        """What psql says to the statements, unaligned, without headings."""
        command = [
            str(PROGRAMS / "psql"), "-h", str(self.folder), "-U", ROLE, "-d", database, "-X", "-q", "-A", "-t",
            "-v", "ON_ERROR_STOP=1",
        ]  # fmt: skip
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr[-2000:]}")
        return done.stdout.strip()

    def run(self, program: str, *words: str) -> None:
        """One of PostgreSQL's programs, as its user."""
        done = subprocess.run(
            [*self._as_user, str(PROGRAMS / program), *words], capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stdout + done.stderr)[-2000:]}")

    def stop(self) -> None:
        """Stop it at once, whoever is connected; what it keeps stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # "fast": it does not wait for clients
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Stop it at once and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, patience_s: float = 60) -> None:
        end = time.monotonic() + patience_s
        asked = [str(PROGRAMS / "pg_isready"), "-q", "-h", str(self.folder), "-U", ROLE]
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"postgres ended at once: {(self.folder / 'said').read_text()[-2000:]}")
            if subprocess.run(asked, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("postgres does not answer")
