"""FreeRADIUS as the yardstick: accepts all, acknowledges all, stores nothing, logs nothing, on one core."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import free_ports, stop, wait_until_answering

PROGRAM = next((path for path in ("/usr/sbin/freeradius", "/usr/sbin/radiusd") if Path(path).exists()), "")
LIBRARIES = "/usr/lib/freeradius"


@dataclass(frozen=True)
class Tuning:
    """What may make it faster; the benchmark tries several and keeps the best."""

    name: str
    threads: int
    """0 = no thread pool (-s): requests are handled where they are received."""
    cleanup_delay: int
    """Seconds for which an answered request is remembered (RFC 5080 2.2.2); 0 forgets at once."""


TUNINGS = (
    Tuning("one process, no threads, forgets at once", 0, 0),
    Tuning("one process, no threads, remembers 1 s", 0, 1),
    Tuning("pool of 1 thread, forgets at once", 1, 0),
    Tuning("pool of 4 threads, forgets at once", 4, 0),
    Tuning("pool of 4 threads, remembers 1 s", 4, 1),
)

CONFIGURATION = """
prefix = /usr
libdir = {libraries}
logdir = {folder}
run_dir = {folder}
name = freeradius
max_request_time = 30
cleanup_delay = {cleanup_delay}
max_requests = 1048576
hostname_lookups = no
log {{
    destination = null
    auth = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
    allow_core_dumps = no
}}
proxy_requests = no
client load {{
    ipaddr = 127.0.0.1
    secret = {secret}
    require_message_authenticator = yes
    nas_type = other
    limit {{
        max_connections = 0
    }}
}}
{pool}
modules {{
    always ok {{
        rcode = ok
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
        recv_buff = 4194304
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {accounting}
        recv_buff = 4194304
    }}
    authorize {{
        update control {{
            Auth-Type := Accept
        }}
    }}
    authenticate {{
    }}
    post-auth {{
        update reply {{
            Message-Authenticator := 0x00
        }}
    }}
    preacct {{
        ok
    }}
    accounting {{
        ok
    }}
}}
"""
POOL = """thread pool {{
    start_servers = {threads}
    max_servers = {threads}
    min_spare_servers = 1
    max_spare_servers = {threads}
    max_requests_per_server = 0
    max_queue_size = 65536
    auto_limit_acct = no
}}"""


class FreeRadius:
    """One running server, pinned to a core, with a configuration folder of its own."""

    def __init__(self, core: int, secret: bytes, tuning: Tuning) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="simward-bench-freeradius-"))
        self.folder.chmod(0o700)
        self.auth_port, self.accounting_port = free_ports(2)
        text = CONFIGURATION.format(
            libraries=LIBRARIES, folder=self.folder, cleanup_delay=tuning.cleanup_delay, secret=secret.decode(),
            auth=self.auth_port, accounting=self.accounting_port,
            pool=POOL.format(threads=tuning.threads) if tuning.threads else "",
        )  # fmt: skip
        (self.folder / "radiusd.conf").write_text(text)
        command = [PROGRAM, "-f", "-d", str(self.folder), "-n", "radiusd"] + ([] if tuning.threads else ["-s"])
        self._process = subprocess.Popen(
            command, stdout=(self.folder / "out").open("wb"), stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
        self.pid = self._process.pid
        wait_until_answering(self._process, self.auth_port, secret, self.folder / "out")

    def close(self) -> None:
        """Stop it and remove its folder."""
        stop(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)


