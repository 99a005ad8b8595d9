"""FreeRADIUS as the yardstick, on one core: storing nothing, writing detail files, or with a database behind it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.postgres import DATABASE, Postgres
from benchmarks.postgres_server import PROGRAMS, ROLE
from benchmarks.processes import free_ports, stop, wait_until_answering

PROGRAM = next((path for path in ("/usr/sbin/freeradius", "/usr/sbin/radiusd") if Path(path).exists()), "")
LIBRARIES = "/usr/lib/freeradius"
_PLACES = ("/etc/freeradius/3.0/mods-config/sql/main/postgresql", "/etc/raddb/mods-config/sql/main/postgresql")
QUERIES = Path(next((place for place in _PLACES if os.path.isdir(place)), ""))
"""FreeRADIUS's own schema and queries for PostgreSQL (Debian: freeradius-postgresql)."""

NOTHING, DETAIL, STANDARD, ONE_QUERY = "nothing", "detail files", "sql, its own queries", "sql, decisions in one query"
"""What it stores and looks up; the last two need a Postgres."""


@dataclass(frozen=True)
class Tuning:
    """What may make it faster; the benchmark tries several and keeps the best."""

    name: str
    threads: int
    """0 = no thread pool (-s): requests are handled where they are received. With SQL also the connections."""
    cleanup_delay: int
    """Seconds for which an answered request is remembered (RFC 5080 2.2.2); 0 forgets at once."""
    store: str = NOTHING


TUNINGS = (
    Tuning("one process, no threads, forgets at once", 0, 0),
    Tuning("one process, no threads, remembers 1 s", 0, 1),
    Tuning("pool of 1 thread, forgets at once", 1, 0),
    Tuning("pool of 4 threads, forgets at once", 4, 0),
    Tuning("pool of 4 threads, remembers 1 s", 4, 1),
)
SQL_TUNINGS = tuple(
    Tuning(f"{threads} threads and connections, {store}", threads, 1, store)
    for threads in (4, 8, 16, 32)
    for store in (STANDARD, ONE_QUERY)
)


def with_detail(tuning: Tuning) -> Tuning:
    """The same, writing detail files."""
    return replace(tuning, store=DETAIL)


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
{modules}
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
{authorize}
    }}
    authenticate {{
    }}
    post-auth {{
        update reply {{
            Message-Authenticator := 0x00
        }}
    }}
    preacct {{
{preacct}
    }}
    accounting {{
{account}
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
# As shipped (mods-available/detail), but into one file and without looking for another process that reads it.
DETAIL_MODULE = """
    detail {{
        filename = {folder}/detail
        permissions = 0600
        header = "%t"
        locking = no
    }}"""
# As shipped (mods-available/sql) with its own queries; groups and profiles, which nobody has here, are not asked for.
SQL_MODULE = """
    expr {{
    }}
    sql {{
        driver = "rlm_sql_postgresql"
        dialect = "postgresql"
        server = "{server}"
        port = 5432
        login = "{role}"
        radius_db = "{database}"
        acct_table1 = "radacct"
        acct_table2 = "radacct"
        postauth_table = "radpostauth"
        authcheck_table = "radcheck"
        groupcheck_table = "radgroupcheck"
        authreply_table = "radreply"
        groupreply_table = "radgroupreply"
        usergroup_table = "radusergroup"
        client_table = "nas"
        group_attribute = "SQL-Group"
        read_groups = no
        read_profiles = no
        read_clients = no
        pool {{
            start = {threads}
            min = {threads}
            max = {threads}
            spare = 0
            uses = 0
            retry_delay = 1
            lifetime = 0
            idle_timeout = 0
        }}
        $INCLUDE {queries}/queries.conf
    }}"""
ACCEPT = """
        update control {
            Auth-Type := Accept
        }"""
# Of someone good: a join instead of two questions. Accepts where the IMSI is known and the device is the bound one.
ASK_ONCE = """
        update request {
            Tmp-String-0 := "%{sql:SELECT r.value FROM radcheck c JOIN radreply r ON r.username = c.username \
AND r.attribute = 'Framed-IP-Address' WHERE c.username = '%{User-Name}' AND c.attribute = '3GPP-IMEISV' \
AND c.value = '%{3GPP-IMEISV}'}"
        }
        if (&request:Tmp-String-0 != "") {
            update control {
                Auth-Type := Accept
            }
            update reply {
                Framed-IP-Address := "%{request:Tmp-String-0}"
            }
        }"""
# policy.d/accounting, acct_unique
UNIQUE = """
        update request {
            Acct-Unique-Session-Id := "%{md5:%{User-Name},%{Acct-Session-ID},%{%{NAS-IPv6-Address}:-%{NAS-IP-Address}},\
%{NAS-Identifier},%{NAS-Port-ID},%{NAS-Port}}"
        }"""


class FreeRadius:
    """One running server, pinned to a core, with a configuration folder of its own."""

    def __init__(
        self, core: int, secret: bytes, tuning: Tuning, store: Postgres | None = None, folder: Path | None = None
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="simward-bench-freeradius-", dir=folder))
        self.folder.chmod(0o700)
        self.auth_port, self.accounting_port = free_ports(2)
        text = CONFIGURATION.format(
            libraries=LIBRARIES, folder=self.folder, cleanup_delay=tuning.cleanup_delay, secret=secret.decode(),
            auth=self.auth_port, accounting=self.accounting_port,
            pool=POOL.format(threads=tuning.threads) if tuning.threads else "", **self._does(tuning, store),
        )  # fmt: skip
        (self.folder / "radiusd.conf").write_text(text)
        command = [PROGRAM, "-f", "-d", str(self.folder), "-n", "radiusd"] + ([] if tuning.threads else ["-s"])
        self._process = subprocess.Popen(
            command, stdout=(self.folder / "out").open("wb"), stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
        self.pid = self._process.pid
        wait_until_answering(self._process, self.auth_port, secret, self.folder / "out")

    def detail_entries(self) -> int:
        """Requests in the detail file (each has one Acct-Session-Id), and the file is emptied."""
        path = self.folder / "detail"
        with path.open("rb+") as file:
            count = sum(1 for line in file if line.startswith(b"\tAcct-Session-Id = "))
            file.truncate(0)
        return count

    def close(self) -> None:
        """Stop it and remove its folder."""
        stop(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _does(self, tuning: Tuning, store: Postgres | None) -> dict[str, str]:
        """Modules and what each section does with them."""
        if store is None:
            detail = tuning.store == DETAIL
            return {
                "modules": DETAIL_MODULE.format(folder=self.folder) if detail else "", "authorize": ACCEPT,
                "preacct": "        ok", "account": "        detail" if detail else "        ok",
            }  # fmt: skip
        module = SQL_MODULE.format(
            server=store.folder, role=ROLE, database=DATABASE, threads=tuning.threads, queries=QUERIES
        )
        return {
            "modules": module, "authorize": ASK_ONCE if tuning.store == ONE_QUERY else "        sql",
            "preacct": UNIQUE, "account": "        sql",
        }  # fmt: skip


def why_not_with_sql() -> str:
    """What is missing for a FreeRADIUS with PostgreSQL; empty where nothing is."""
    if not PROGRAM:
        return "FreeRADIUS is not installed (Debian: freeradius)"
    if not (Path(LIBRARIES) / "rlm_sql_postgresql.so").exists():
        return "FreeRADIUS's module for PostgreSQL is not installed (Debian: freeradius-postgresql)"
    if not QUERIES.name or not os.access(QUERIES / "schema.sql", os.R_OK):
        return f"FreeRADIUS's schema for PostgreSQL ({_PLACES[0]}) may not be read: run as root or in its group"
    if not PROGRAMS.name:
        return "PostgreSQL is not installed (Debian: postgresql)"
    return ""


def schema() -> str:
    """The tables and indexes that FreeRADIUS comes with."""
    return (QUERIES / "schema.sql").read_text()
