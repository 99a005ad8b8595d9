"""How soon do lists, searches and pages come from a registry of years, and what do readers and writers do to the gate?

First a registry of a million subscriptions, ten million findings and a hundred thousand incidents, asked one request at
a time. Then a control process on one core under readers and idempotent writers with tokens, while the gate decides on
the other: its latency alone and beside them, at half of its own maximum.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gate import Gate
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.http import Answers, Asking, paced, request
from benchmarks.load.paced import Kept, PacedLoad
from benchmarks.load.packets import Packets
from benchmarks.load.registry import ICCID_FIRST, IMEI_FIRST, IMSI_FIRST, Amounts, fill
from benchmarks.load.sessions import Traffic
from benchmarks.processes import free_ports, stop
from benchmarks.reaction import maximum
from benchmarks.report import Bar, save
from simward.registry import tokens
from simward.registry.database import Registry, sqlite_url

NAME = "faces"
QUESTION = "lists and searches over a registry of years; readers and writers beside a gate at half of its maximum"
SECRET = b"a-secret-only-for-benchmarks"
YEAR_US = 365 * 86_400 * 1_000_000
PATIENCE_S = 60.0
READS_PER_SECOND, WRITES_PER_SECOND = 600, 60
READERS, WRITERS, SOCKETS = 8, 4, 16
STRETCH_S = 2.5
READS = (
    "/v1/subscriptions?imsi={imsi}", "/v1/subscriptions?iccid={iccid}", "/v1/incidents?limit=20",
    "/v1/findings?imsi={imsi}", "/v1/findings/{id}",
)  # fmt: skip
"""What systems ask: about one subscription, one finding, what is open."""

LISTS = (
    "/v1/subscriptions", "/v1/subscriptions?use_case=use-case-3", "/v1/subscriptions?locked=true",
    "/v1/findings", "/v1/findings?detector=location-change", "/v1/findings?use_case=use-case-7",
    "/v1/findings?lasting=true", "/v1/findings?imsi={imsi}", "/v1/findings?since=1789990000000000",
    "/v1/effects", "/v1/effects?imsi={imsi}", "/v1/incidents", "/v1/incidents?state=resolved",
    "/v1/incidents?severity=critical", "/v1/audit", "/v1/rules", "/v1/work-orders", "/v1/endpoints", "/v1/events",
)  # fmt: skip
SEARCHES = (
    "/v1/subscriptions?imsi={imsi}", "/v1/subscriptions?iccid={iccid}", "/v1/subscriptions?imei={imei}",
)  # fmt: skip

PAGES = (
    "/?findings=day", "/?findings=month", "/incidents", "/incidents?state=any&sort=-changed",
    "/incidents?state=resolved&severity=critical", "/incidents?sort=deadline",
    "/incidents?use_case=use-case-3&state=any",
    "/subscriptions", "/subscriptions?use_case=use-case-3", "/subscriptions?locked=true", "/subscriptions/{imsi}",
    "/incidents/{number}",
)  # fmt: skip
"""What people open, each as a whole page."""
LOOK_UPS = (
    "/search?q={imsi}", "/search?q={iccid}", "/search?q={imei}", "/search?q={msisdn}", "/search?q={address}",
    "/search?q=%23{number}", "/search?q={begins}",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    amounts: Amounts
    few: Amounts
    """Beside the gate."""
    times: int
    subscriptions: int
    seconds: float
    stretches: int


WHOLE = Size(Amounts(), Amounts(100_000, 200_000, 2_000), 60, 100_000, 10.0, 6)
QUICK = Size(Amounts(2_000, 10_000, 500), Amounts(1_000, 2_000, 100), 3, 500, 0.5, 1)


class Control:
    """The control process of a folder, over TCP with tokens, on the cores that it is given."""

    def __init__(self, folder: Path, allowed: set[int]) -> None:
        (self.port,) = free_ports(1)
        self.folder = folder
        settings = folder / "simward.toml"
        settings.write_text(settings.read_text() + f'\n[control]\nhttp = "127.0.0.1:{self.port}"\n')
        self._said = (folder / "control.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simward.control", "--dir", str(folder)], stdin=subprocess.DEVNULL,
            stdout=self._said, stderr=subprocess.STDOUT, preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )  # fmt: skip
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError, IndexError, ValueError):
                asking = Asking(self.port)
                asking.ask(request("GET", "/healthz", "none"))
                asking.close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"no control process: {(folder / 'control.log').read_text()[-2000:]}")

    def token(self, role: str, tenant: str | None = None) -> str:
        """A new one."""
        registry = Registry.open(sqlite_url(self.folder / "data"))
        now = time.time_ns() // 1000
        with registry.writing() as connection:
            made = tokens.make(connection, f"{role}-{tenant}", role, tenant, now, now + YEAR_US, "benchmark")
        registry.close()
        return made.token

    def close(self) -> None:
        """Stop it."""
        stop(self._process, 30)
        self._said.close()


def look(control: Control, paths: tuple[str, ...], token: str, size: Size) -> dict[str, dict[str, float]]:
    """Path -> milliseconds, with other identifiers each time; the second page counts as much as the first."""
    chance = np.random.default_rng(1)
    asking = Asking(control.port)
    found = {}
    for path in paths:
        answers, after, octets = Answers(), "", 0
        for _ in range(size.times):
            of = int(chance.integers(size.amounts.subscriptions))
            here = path.format(
                imsi=f"00{IMSI_FIRST + of:013d}", iccid=ICCID_FIRST + of, imei=f"{IMEI_FIRST + of:014d}",
                msisdn=f"1555{of:08d}", address=f"10.{of >> 16 & 255}.{of >> 8 & 255}.{of & 255}",
                number=of % size.amounts.incidents + 1, begins=f"00{IMSI_FIRST + of:013d}"[:9],
            )  # fmt: skip
            status, body, seconds = asking.ask(request("GET", here + after, token))
            if status not in (200, 303):  # 303: a search that found one thing leads there
                raise RuntimeError(f"{here}{after}: {status} {body[:500]!r}")
            answers.note(status, seconds)
            octets = max(octets, len(body))
            more = json.loads(body).get("next") if body.startswith(b"{") else None
            after = f"{'&' if '?' in path else '?'}after={more}" if isinstance(more, str) else ""
        found[path] = {"p50_ms": answers.at(0.5), "p95_ms": answers.at(0.95), "octets": octets}
    asking.close()
    return found


def of_years(folder: Path, size: Size) -> dict[str, Any]:
    """Lists and searches over the full registry, for who sees all and for who sees one tenant."""
    gate = Gate(cores()[0], SECRET, Fleet(0), folder)
    try:
        data = gate.folder / "data"
        data.mkdir(mode=0o700)
        began = time.monotonic()
        fill(data, size.amounts)
        filled_s = time.monotonic() - began
        gate.apply()
        gate.start()
        control = Control(gate.folder, set(os.sched_getaffinity(0)))
        try:
            everything, tenant = control.token("administrator"), control.token("operator", "tenant-1")
            lists = look(control, LISTS, everything, size)
            theirs = tuple(one for one in LISTS if one.startswith(("/v1/subscriptions", "/v1/findings", "/v1/effects")))
            return {
                "filled_s": filled_s, "registry_octets": (data / "registry.sqlite").stat().st_size, "lists": lists,
                "lists_of_one_tenant": look(control, theirs, tenant, size),
                "searches": look(control, SEARCHES, everything, size),
                "pages": look(control, PAGES, everything, size),
                "pages_of_one_tenant": look(control, PAGES[:-2], tenant, size),
                "look_ups": look(control, LOOK_UPS, everything, size),
            }
        finally:
            control.close()
    finally:
        gate.close()


def beside_the_gate(folder: Path, size: Size) -> dict[str, Any]:
    """The gate at half of its maximum: alone, and beside readers and writers of the control process."""
    gate_core, other_core = cores()
    os.sched_setaffinity(0, {other_core})
    fleet = Fleet(size.subscriptions)
    gate = Gate(gate_core, SECRET, fleet, folder)
    traffic = Traffic(fleet, SECRET, SOCKETS, seed=1)
    (gate.folder / "data").mkdir(mode=0o700, exist_ok=True)
    fill(gate.folder / "data", size.few)
    try:
        gate.apply()
        gate.start()
        load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, SOCKETS)
        for packets in traffic.everyone():
            load.run(packets, outstanding=512)
        load.close()
        control = Control(gate.folder, {other_core})
        background = PacedLoad("127.0.0.1", gate.accounting_port, SOCKETS)
        try:
            token = control.token("administrator")
            # The control process alone has a core; who asks has the gate's, which does nothing.
            os.sched_setaffinity(0, {gate_core})
            reads, writes = readers_and_writers(control, token, size)
            os.sched_setaffinity(0, {other_core})
            most = maximum(gate, traffic, size.subscriptions, 1)
            stretch = int(min(size.seconds, STRETCH_S) * most / 2)
            alone = [background.run(traffic.accounting(stretch), most / 2) for _ in range(size.stretches)]
            beside, answered = [], []
            for _ in range(size.stretches):
                kept, found = together(control, token, background, traffic.accounting(stretch), most / 2, size)
                beside.append(kept)
                answered += found
            return {
                "gate_most_per_second": most, "core_alone": {"reads": said(reads), "writes": said(writes)},
                "gate_alone": [asdict(one) for one in alone], "gate_beside": [asdict(one) for one in beside],
                "asked_beside": [said(one) for one in answered],
            }
        finally:
            background.close()
            control.close()
    finally:
        gate.close()
        os.sched_setaffinity(0, {gate_core, other_core})


def readers_and_writers(control: Control, token: str, size: Size, seconds: float | None = None) -> list[Answers]:
    """Reads and idempotent writes together, each at its rate; a write in ten is sent again, as after a lost answer."""
    chance = np.random.default_rng(2)
    run, lasts = secrets.token_hex(4), seconds or size.seconds

    def read(number: int) -> bytes:
        of = int(chance.integers(size.few.subscriptions))
        path = READS[number % len(READS)].format(
            imsi=f"00{IMSI_FIRST + of:013d}", iccid=ICCID_FIRST + of, number=of % size.few.incidents + 1, id=f"0/{of}/0"
        )
        return request("GET", path, token)

    def write(number: int) -> bytes:
        key = number - 1 if number % 10 == 9 else number
        path = f"/v1/incidents/{key % size.few.incidents + 1}/note"
        body = json.dumps({"because": f"looked at, {key}"}).encode()
        return request("POST", path, token, body, Idempotency_Key=f"{run}-{key}")

    async def both() -> list[Answers]:
        return list(await asyncio.gather(
            paced(control.port, read, READS_PER_SECOND, int(READS_PER_SECOND * lasts), READERS),
            paced(control.port, write, WRITES_PER_SECOND, int(WRITES_PER_SECOND * lasts), WRITERS),
        ))  # fmt: skip

    return asyncio.run(both())


def together(
    control: Control, token: str, background: PacedLoad, packets: Packets, per_second: float, size: Size
) -> tuple[Kept, list[Answers]]:
    """One stretch of the gate's load, with readers and writers beside it."""
    kept: list[Kept] = []
    thread = threading.Thread(target=lambda: kept.append(background.run(packets, per_second)))
    thread.start()
    answers = readers_and_writers(control, token, size, len(packets) / per_second)
    thread.join()
    return kept[0], answers


def said(answers: Answers) -> dict[str, object]:
    """In figures. `per_second`: good answers a second, from when the first was due to when the last came."""
    good = sum(count for status, count in answers.statuses.items() if 200 <= status < 300)
    return {
        "per_second": good / answers.lasted_s, "good": good, "p50_ms": answers.at(0.5), "p99_ms": answers.at(0.99),
        "statuses": {str(one): count for one, count in answers.statuses.items()},
    }  # fmt: skip


def measure(folder: Path, size: Size, *, quick: bool) -> dict[str, object]:
    """Both parts."""
    years = of_years(folder, size)
    beside = beside_the_gate(folder, size)
    lists = [*years["lists"].items(), *years["lists_of_one_tenant"].items()]
    slowest = max((one["p95_ms"], path) for path, one in lists)
    search = max((one["p95_ms"], path) for path, one in years["searches"].items())
    reads, writes = beside["core_alone"]["reads"], beside["core_alone"]["writes"]
    alone, with_others = (
        statistics.median(one["latency_us"]["p99"] for one in beside[part]) for part in ("gate_alone", "gate_beside")
    )
    bars = [
        Bar("any list of a registry of years, p95", slowest[0], 150, "ms", at_most=True),
        Bar("search by identifier, p95", search[0], 50, "ms", at_most=True),
        Bar("authenticated reads on one core", reads["per_second"], 0.995 * READS_PER_SECOND, "a second"),
        Bar("idempotent writes beside them", writes["per_second"], 0.995 * WRITES_PER_SECOND, "a second"),
        Bar("the gate's p99 beside them, of that alone", with_others / max(1.0, alone), 2, "x", at_most=True),
    ]
    result = save(NAME, QUESTION, {**years, "beside_the_gate": beside}, bars, folder, quick=quick)
    print(f"         slowest list {slowest[1]}, slowest search {search[1]}")
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    return measure(folder or Path(tempfile.gettempdir()), QUICK if quick else WHOLE, quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
