"""How soon do lists, searches and pages come from a registry of years, and what do readers and writers do to the gate?

First a registry of a million subscriptions, ten million findings and a hundred thousand incidents, asked one request at
a time. Then a control process on one core under readers and idempotent writers with tokens: while it still catches up
with what the gate has journalled, and when it has. Last, the gate decides on the other core meanwhile: its latency
alone and beside them, at half of its own maximum.
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
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import combinations
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
CATCH_UP_S = 1800.0
LAG, CAUGHT_UP = "simward_control_lag_events", 5
"""A tick a second is journalled whatever happens."""
READS_PER_SECOND, WRITES_PER_SECOND = 600, 60
READERS, WRITERS, SOCKETS = 8, 4, 16
STRETCH_S = 2.5
READS = (
    "/v1/subscriptions?imsi={imsi}", "/v1/subscriptions?iccid={iccid}", "/v1/incidents?limit=20",
    "/v1/findings?imsi={imsi}", "/v1/findings/{id}",
)  # fmt: skip
"""What systems ask: about one subscription, one finding, what is open."""

SEARCHES = (
    "/v1/subscriptions?imsi={imsi}", "/v1/subscriptions?iccid={iccid}", "/v1/subscriptions?imei={imei}",
)  # fmt: skip

OVERVIEW = ("/?findings=day", "/?findings=week", "/?findings=month")
PAGES = (
    "/incidents", "/incidents?state=any&sort=-changed", "/incidents?state=resolved&severity=critical",
    "/incidents?sort=deadline", "/incidents?sort=changed", "/incidents?sort=-subscriptions",
    "/incidents?state=contained", "/incidents?use_case=use-case-3&state=any", "/incidents?owner=nobody&state=any",
    "/incidents?state=any&sort=deadline",
    "/subscriptions", "/subscriptions?use_case=use-case-3", "/subscriptions?locked=true",
    "/subscriptions?locked=true&use_case=use-case-7", "/subscriptions?locked=false&use_case=use-case-7",
    "/findings", "/findings?detector=device-change", "/findings?use_case=use-case-3&lasting=true",
    "/findings?lasting=true", "/findings?detector=device-change&use_case=use-case-3", "/findings?imsi={imsi}",
    "/use-cases", "/rules", "/endpoints", "/work-orders", "/audit", "/gateways", "/proposals", "/revisions", "/access",
    "/access/tokens",
)  # fmt: skip
"""Every list that people open, each as a whole page."""
SINGLE_PAGES = (
    "/subscriptions/{imsi}", "/incidents/{number}", "/use-cases/water-meter", "/map", "/install", "/first-run",
)  # fmt: skip
ASKED_FOR = {
    "imsi": ("{imsi}",), "iccid": ("{iccid}",), "imei": ("{imei}",), "use_case": ("use-case-7", "use-case-21"),
    "detector": ("device-change",), "incident": ("{number}",), "since": ("{month_ago}",), "until": ("{week_ago}",),
    "rule": ("rule-1",), "model": ("35000000",), "type": ("incident.opened",),
}  # fmt: skip
"""By which values lists are asked, where their description names none: use case 21 is of the tenant, 7 of another."""
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


WHOLE = Size(Amounts(), Amounts(100_000, 200_000, 2_000), 25, 100_000, 10.0, 6)
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

    def cpu_s(self) -> float:
        """The seconds of a core that it has used."""
        used = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")

    def behind(self, token: str) -> int:
        """How many inputs the gate has journalled that are not in the registry yet."""
        asking = Asking(self.port)
        metrics = asking.ask(request("GET", "/metrics", token))[1].decode()
        asking.close()
        return int(next(line for line in metrics.splitlines() if line.startswith(LAG)).split()[1])

    def catch_up(self, token: str) -> float:
        """Wait until next to nothing is; the seconds that it took."""
        began = time.monotonic()
        while self.behind(token) > CAUGHT_UP:
            if time.monotonic() > began + CATCH_UP_S:
                raise RuntimeError(f"not caught up within {CATCH_UP_S:g} s: {self.behind(token)} inputs are left")
            time.sleep(1)
        return time.monotonic() - began

    def token(self, role: str, tenant: str | None = None) -> str:
        """A new one."""
        registry = Registry.open(sqlite_url(self.folder / "data"))
        now = time.time_ns() // 1000
        with registry.writing() as connection:
            name = f"{role}-{secrets.token_hex(4)}"  # of a registry that was filled before, others are in force
            made = tokens.make(connection, name, role, tenant, now, now + YEAR_US, "benchmark")
        registry.close()
        return made.token

    def close(self) -> None:
        """Stop it."""
        stop(self._process, 30)
        self._said.close()


def look(control: Control, paths: Iterable[str], token: str, size: Size) -> dict[str, dict[str, float]]:
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
                month_ago=time.time_ns() // 1000 - YEAR_US // 12, week_ago=time.time_ns() // 1000 - YEAR_US // 52,
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


def of_years(folder: Path, size: Size, filled: Path | None = None) -> dict[str, Any]:
    """Lists and searches over the full registry, for who sees all and for who sees one tenant. `filled`: a registry
    that is there already."""
    gate = Gate(cores()[0], SECRET, Fleet(0), folder)
    try:
        data = gate.folder / "data"
        data.mkdir(mode=0o700)
        began = time.monotonic()
        if filled is None:
            fill(data, size.amounts)
        else:
            (data / "registry.sqlite").symlink_to(filled.resolve())
        filled_s = time.monotonic() - began
        gate.apply()
        gate.start()
        control = Control(gate.folder, set(os.sched_getaffinity(0)))
        try:
            everything, tenant = control.token("administrator"), control.token("operator", "tenant-1")
            lists = every_list(control, everything)
            return {
                "filled_s": filled_s, "registry_octets": (data / "registry.sqlite").stat().st_size,
                "lists": look(control, lists, everything, size),
                "lists_of_one_tenant": look(control, open_to(control, tenant, lists), tenant, size),
                "searches": look(control, SEARCHES, everything, size),
                "overview": look(control, OVERVIEW, everything, size),
                "overview_of_one_tenant": look(control, OVERVIEW, tenant, size),
                "pages": look(control, PAGES, everything, size),
                "pages_of_one_tenant": look(control, open_to(control, tenant, PAGES), tenant, size),
                "single_pages": look(control, SINGLE_PAGES, everything, size),
                "look_ups": look(control, LOOK_UPS, everything, size),
            }
        finally:
            control.close()
    finally:
        gate.close()


def every_list(control: Control, token: str) -> list[str]:
    """Every list of the API as its description has it: alone, by each of its filters and sorts, and by each two."""
    asking = Asking(control.port)
    described = json.loads(asking.ask(request("GET", "/v1/openapi.json", token))[1])
    asking.close()
    found = []
    for path, routes in described["paths"].items():
        asked = routes.get("get", {}).get("parameters", [])
        if "{" in path or "stream" in path or not any(one["name"] == "after" for one in asked):
            continue
        given = [(one["name"], value) for one in asked for value in values_of(one)]
        found.append(path)
        found += [f"{path}?{name}={value}" for name, value in given]
        found += [
            f"{path}?{name}={value}&{other}={another}"
            for (name, value), (other, another) in combinations(given, 2) if name != other
        ]  # fmt: skip
    return found


def open_to(control: Control, token: str, paths: Iterable[str]) -> list[str]:
    """Those that who comes with this token may read at all."""
    asking, given = Asking(control.port), list(paths)
    alone = dict.fromkeys(one.partition("?")[0] for one in given)
    refused = {one for one in alone if "{" not in one and asking.ask(request("GET", one, token))[0] == 403}
    asking.close()
    return [one for one in given if one.partition("?")[0] not in refused]


def values_of(parameter: dict[str, Any]) -> Sequence[str]:
    """What to ask for by a query parameter of a list; nothing by what a page is asked for."""
    name, schema = parameter["name"], parameter["schema"]
    if parameter["in"] != "query" or name in ("after", "limit", "fields"):
        return ()
    kinds = [schema, *schema.get("anyOf", ())]
    kinds += [one["items"] for one in kinds if "items" in one]
    words = next((one["enum"] for one in kinds if "enum" in one), ())
    if words:
        return list(dict.fromkeys((words[0], words[-1])))
    if any(one.get("type") == "boolean" for one in kinds):
        return ("true", "false")
    return ASKED_FOR.get(name, ())


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
            behind = control.behind(token)
            catching_up = asked_alone(control, token, size) | {"behind": behind, "behind_after": control.behind(token)}
            caught_up_s = control.catch_up(token)
            alone_on_core = asked_alone(control, token, size)
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
                "gate_most_per_second": most,
                "catching_up": catching_up, "caught_up_s": caught_up_s, "core_alone": alone_on_core,
                "gate_alone": [asdict(one) for one in alone], "gate_beside": [asdict(one) for one in beside],
                "asked_beside": [said(one) for one in answered],
            }
        finally:
            background.close()
            control.close()
    finally:
        gate.close()
        os.sched_setaffinity(0, {gate_core, other_core})


def asked_alone(control: Control, token: str, size: Size) -> dict[str, Any]:
    """Reads and writes together while the gate does nothing, and the share of a core that it takes to answer them."""
    used, began = control.cpu_s(), time.monotonic()
    reads, writes = readers_and_writers(control, token, size)
    share = (control.cpu_s() - used) / (time.monotonic() - began)
    return {"reads": said(reads), "writes": said(writes), "share": share}


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


def slowest(years: dict[str, Any], *parts: str) -> tuple[float, str]:
    """The greatest p95 of these parts, and of what it is."""
    return max((one["p95_ms"], path) for part in parts for path, one in years[part].items())


def measure(folder: Path, size: Size, *, quick: bool, filled: Path | None = None) -> dict[str, object]:
    """Both parts."""
    years = of_years(folder, size, filled)
    beside = beside_the_gate(folder, size)
    list_, page, search, overview = (
        slowest(years, *parts) for parts in (
            ("lists", "lists_of_one_tenant"), ("pages", "pages_of_one_tenant"), ("searches", "look_ups"),
            ("overview", "overview_of_one_tenant"),
        )
    )  # fmt: skip
    reads, writes = beside["core_alone"]["reads"], beside["core_alone"]["writes"]
    alone, with_others = (
        statistics.median(one["latency_us"]["p99"] for one in beside[part]) for part in ("gate_alone", "gate_beside")
    )
    bars = [
        Bar("any list of the API over a registry of years, by any two of its filters, p95", list_[0], 150, "ms", True),
        Bar("any list of the console over it, p95", page[0], 150, "ms", True),
        Bar("search by identifier, p95", search[0], 50, "ms", True),
        Bar("the overview, of all and of one tenant of many, p95", overview[0], 300, "ms", True),
        Bar("authenticated reads on one core", reads["per_second"], 0.995 * READS_PER_SECOND, "a second"),
        Bar("idempotent writes beside them", writes["per_second"], 0.995 * WRITES_PER_SECOND, "a second"),
        Bar("the gate's p99 beside them, of that alone", with_others / max(1.0, alone), 2, "x", at_most=True),
    ]
    result = save(NAME, QUESTION, {**years, "beside_the_gate": beside}, bars, folder, quick=quick)
    print(f"         slowest: {list_[1]}, {page[1]}, {search[1]}, {overview[1]}")
    print(f"         readers and writers take {beside['core_alone']['share']:.0%} of a core")
    late = beside["catching_up"]
    print(
        f"         while {late['behind']} inputs behind: {late['reads']['per_second']:.0f} reads a second, p99"
        f" {late['reads']['p99_ms']:.0f} ms; {late['writes']['per_second']:.0f} writes, p99"
        f" {late['writes']['p99_ms']:.0f} ms; caught up {beside['caught_up_s']:.0f} s later"
    )
    return result


def main(*, quick: bool = False, folder: Path | None = None, filled: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    return measure(
        folder or Path(tempfile.gettempdir()), QUICK if quick else WHOLE, quick=quick, filled=filled
    )


if __name__ == "__main__":
    named = [Path(one) for one in sys.argv[1:] if not one.startswith("-")]
    main(quick="--quick" in sys.argv, filled=named[0] if named else None)
