"""kill -9 of gate, watch and control at random moments, while SIMs are stolen, both parties told, and devices return.

Real processes over loopback: `simward serve`, a gateway that sends again until it is answered, a device management and
an application that verify each webhook and acknowledge each broken binding. A story is one subscription: it is
installed, its SIM wakes up in a phone, it is cut, both parties are told and acknowledge, the device returns, it is
released. Afterwards the journals, the registry, the audit and the parties' notes are compared, story by story.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.gate import write_folder
from benchmarks.load.fleet import IMSI_FIRST, MSISDN_FIRST, Fleet
from benchmarks.processes import free_ports, stop
from benchmarks.report import Bar, save
from simward.engine import outputs as out
from simward.engine.journal import row_outputs
from simward.history.whole import WholeJournal
from simward.identity import imsi_text
from simward.lab import packets
from simward.lab.fleet import Device, Place, Subscription
from simward.lab.gateway import Answer, Gateway, Network
from simward.lab.packets import Bearer, Usage
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.wire.radius.dictionary import Code

NAME = "closed_loop"
QUESTION = "Is anything lost or done twice between SIM and parties, when each process is killed at random moments?"
KILLS, QUICK = int(os.environ.get("SIMWARD_KILLS", "100")), 2
SECRET = b"a secret of this benchmark"
SECRETS = {"dm": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
           "app": "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="}  # fmt: skip
VICTIMS = ("gate", "watch", "control")
APART_S = (0.3, 3.0)
"""Between two kills: sometimes the one before is not up again."""
PATIENCE_S = 300.0
"""One that dies again and again is started a minute later each time, and may be killed again as soon as it is up."""
POLICY = """
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
responses: {default: observe, device-change: lock, device-change/software: observe}
release_when: bound-device-returns
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
"""
OUTWARD = """
[[endpoint]]
name = "{name}"
kind = "webhook"
url = "http://127.0.0.1:{port}/hook"
secret = "{secret}"
events = ["binding.*", "subscription.*"]
allow_private = true
[[party]]
name = "{name}"
endpoint = "{name}"
may = ["release", "keep"]
acknowledge_within = "15m"
token = "{token}"
"""
WANTED = ("binding.established", "binding.broken", "subscription.locked", "subscription.released")
HERE = Place("00101", 1, 1)


class Simward:
    """`simward serve`, and who kills its children."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.api, self._log = folder, folder / "api-address", log
        self.kills: Counter[str] = Counter()
        self._over = threading.Event()
        said = log.open("ab")
        command = [sys.executable, "-m", "simward", "--dir", str(folder), "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
        assert self.process.stdout is not None
        if b"ready" not in self.process.stdout.readline():
            raise RuntimeError(f"it did not start: {log.read_text()[-2000:]}")
        self._looking = threading.Thread(target=self._look)
        self._looking.start()

    def _look(self) -> None:
        """Keep the address of the API in a file: it is another one after each start of the control process."""
        while not self._over.wait(0.1):
            try:
                with closing(_OverUnix(self.folder / "data" / "control.sock")) as connection:
                    connection.request("GET", "/v1/status")
                    address = str(json.loads(connection.getresponse().read())["http"] or "")
                    self.api.write_text(address.removeprefix("http://"))
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                continue

    def kill(self, name: str) -> None:
        """SIGKILL, if it runs."""
        try:
            pid = int(json.loads((self.folder / "data" / "processes" / f"{name}.json").read_text())["pid"] or 0)
        except (OSError, ValueError, KeyError):
            return
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
                self.kills[name] += 1
            except ProcessLookupError:
                return

    def close(self) -> int:
        """SIGTERM, and its exit code."""
        self._over.set()
        self._looking.join()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class _OverUnix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(str(self._path))


class Stories:
    """Subscriptions one after the other, some at once, through one gateway."""

    def __init__(self, gateway: Gateway, network: Network, registry: Registry) -> None:
        self.gateway, self.network, self._registry = gateway, network, registry
        self.told: list[str] = []
        self.wrong: list[str] = []

    def tell(self, number: int) -> None:
        """One story; what went otherwise than it should is noted."""
        who = subscription(number)
        right, phone = Device(f"35000001{number:06d}", 1), Device(f"35999900{number:06d}", 1)
        name, charging = self.gateway.next_session()
        bearer = Bearer(who, name, charging, right, HERE, "lte", "meters.iot")
        if self._asks(bearer).code != Code.ACCESS_ACCEPT:
            self.wrong.append(f"{who.imsi}: not let in at first")
            return
        self.gateway.sessions[name] = number
        self._reports(bearer, packets.START)
        stolen = Bearer(who, *self.gateway.next_session(), phone, HERE, "lte", "meters.iot")
        if self._asks(stolen).code != Code.ACCESS_REJECT:
            self.wrong.append(f"{who.imsi}: let in with the wrong device")
        self.network.run(lambda: any(session == name for session, _ in self.gateway.disconnects), PATIENCE_S)
        if self.gateway.sessions.pop(name, None) is not None:
            self._reports(bearer, packets.STOP)
        if not self._acknowledged(who.imsi):
            self.wrong.append(f"{who.imsi}: not acknowledged by both parties")
        back = Bearer(who, *self.gateway.next_session(), right, HERE, "lte", "meters.iot")
        if self._asks(back).code != Code.ACCESS_ACCEPT:
            self.wrong.append(f"{who.imsi}: not let in when its device came back")
        self.told.append(who.imsi)

    def _asks(self, bearer: Bearer) -> Answer:
        """Ask until there is an answer: a gateway gives up on a request, and the device tries again."""
        nas = self.gateway.nas
        return self._until_answered(
            self.gateway.auth_port, lambda identifier, _: packets.access_request(bearer, nas, identifier)
        )

    def _reports(self, bearer: Bearer, status: str) -> None:
        nas, at = self.gateway.nas, int(time.time())
        self._until_answered(
            self.gateway.accounting_port,
            lambda identifier, delay_s: packets.accounting_request(
                bearer, status, Usage(), nas, identifier, at, delay_s
            ),
        )

    def _until_answered(self, port: int, build: Any) -> Answer:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answers: list[Answer] = []
            self.gateway.ask(port, build, answers.append)
            self.network.run(lambda got=answers: bool(got), 20)  # type: ignore[misc]
            if answers and answers[0].packet is not None:
                return answers[0]
        raise TimeoutError("the gate does not answer")

    def _acknowledged(self, imsi: str) -> bool:
        def look() -> bool:
            with self._registry.reading() as connection:
                asked = sa.select(sa.func.count()).select_from(
                    t.incident_party.join(t.finding, t.finding.c.incident == t.incident_party.c.incident)
                ).where(t.finding.c.imsi == imsi, t.incident_party.c.answered_at.is_not(None))  # fmt: skip
                return int(connection.execute(asked).scalar() or 0) >= len(SECRETS)

        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if look():
                return True
            self.network.turn(0.05)
        return False


def subscription(number: int) -> Subscription:
    """As the lab's packets want it."""
    imsi, msisdn = f"{IMSI_FIRST + number:015d}", f"{MSISDN_FIRST + number}"
    return Subscription(number, "", imsi, msisdn, "water-meter", Device("0" * 14, -1), 0, 0, 0)


def run(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """The whole of it; the figures."""
    net, dice = folder / "net", random.Random(seed)
    net.mkdir(mode=0o700)
    ports = free_ports(3)
    write_folder(net, Fleet(4000), SECRET, ports, POLICY)
    parties = outward(net, folder)
    simward = Simward(net, folder / "serve.log")
    gateway = Gateway("pgw1", "127.0.0.1", SECRET, ("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), ports[2])
    network = Network({"pgw1": gateway})
    registry = _registry(net)
    stories = Stories(gateway, network, registry)
    over = threading.Event()
    killer = threading.Thread(target=_kill, args=(simward, kills, dice, over))
    began = time.monotonic()
    try:
        killer.start()
        number = 0
        while not over.is_set() or number < 3:
            stories.tell(number)
            number += 1
        _settle(registry, [one.notes for one in parties], len(stories.told))
    finally:
        over.set()
        killer.join()
        network.close()
        code = simward.close()
        for one in parties:
            stop(one.process)
    figures = {
        "seed": seed, "kills": dict(simward.kills), "stories": len(stories.told), "wrong": stories.wrong,
        "took_s": time.monotonic() - began, "exit_code_after_sigterm": code,
        **judge(net, stories.told, registry, {one.name: one.notes for one in parties}),
    }  # fmt: skip
    registry.close()
    return figures


class Told:
    """One party's process."""

    def __init__(self, name: str, port: int, folder: Path, api: Path) -> None:
        self.name, self.notes = name, folder / f"{name}.jsonl"
        self.notes.touch()
        command = [sys.executable, "-m", "benchmarks.load.party", name, str(port), str(self.notes), SECRETS[name]]
        self.process = subprocess.Popen([*command, f"token-of-{name}", str(api)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"ready\n"


def outward(net: Path, folder: Path) -> list[Told]:
    """Both parties, started and in the settings."""
    parties = []
    settings = net / "simward.toml"
    text = settings.read_text() + '\n[control]\nhttp = "127.0.0.1:0"\n'
    for name in SECRETS:
        with socket.create_server(("127.0.0.1", 0)) as opened:
            port = opened.getsockname()[1]
        parties.append(Told(name, port, folder, net / "api-address"))
        text += OUTWARD.format(name=name, port=port, secret=SECRETS[name], token=f"token-of-{name}")
    settings.write_text(text)
    return parties


def _registry(net: Path) -> Registry:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        registry = Registry.open(sqlite_url(net / "data"))
        if registry.version():
            return registry
        registry.close()
        time.sleep(0.2)
    raise TimeoutError("there is no registry")


def _kill(simward: Simward, kills: int, dice: random.Random, over: threading.Event) -> None:
    while sum(simward.kills.values()) < kills and not over.wait(dice.uniform(*APART_S)):
        simward.kill(dice.choice(VICTIMS))
    over.set()


def _settle(registry: Registry, notes: list[Path], stories: int) -> None:
    """Until nothing is on its way any more."""
    end = time.monotonic() + PATIENCE_S
    waiting = sa.select(sa.func.count()).select_from(t.delivery).where(t.delivery.c.state == "waiting")
    while time.monotonic() < end:
        with registry.reading() as connection:
            left = connection.execute(waiting).scalar()
        noted = min(path.read_text().count('"subscription.released"') for path in notes)
        if not left and noted >= stories:
            return
        time.sleep(0.2)


def judge(net: Path, told: list[str], registry: Registry, notes: dict[str, Path]) -> dict[str, Any]:
    """Story by story: outputs in the journal, announcements in the registry, events at each party."""
    locks: Counter[str] = Counter()
    releases: Counter[str] = Counter()
    with closing(WholeJournal.open(net / "data")) as journal:
        for row in journal.rows():
            for one in row_outputs(row, journal.layouts):
                if one["kind"] in (out.LOCKED, out.RELEASED):
                    (locks if one["kind"] == out.LOCKED else releases)[imsi_text(int(one["imsi"]))] += 1
    with registry.reading() as connection:
        said = Counter(
            (row.subject, row.type)
            for row in connection.execute(sa.select(t.announcement.c.subject, t.announcement.c.type))
        )
        dead = connection.execute(
            sa.select(sa.func.count()).select_from(t.delivery).where(t.delivery.c.state == "dead")
        ).scalar()
    missing = disordered = 0
    again = 0
    for path in notes.values():
        seen: dict[str, dict[str, int]] = defaultdict(dict)
        last: dict[str, int] = {}
        for line in path.read_text().splitlines():
            name, kind, subject, sequence = json.loads(line)
            again += name in seen[subject].values()
            disordered += sequence < last.get(subject, 0) and name not in seen[subject].values()
            last[subject] = max(last.get(subject, 0), sequence)
            seen[subject][kind] = name
        missing += sum(kind not in seen[imsi] for imsi in told for kind in WANTED)
    return {
        "second_locks": sum(locks[imsi] != 1 for imsi in told),
        "second_releases": sum(releases[imsi] != 1 for imsi in told),
        "announced_wrongly": sum(said[imsi, kind] != 1 for imsi in told for kind in WANTED),
        "never_told": missing, "told_out_of_order": disordered, "told_again_under_the_same_id": again, "dead": dead,
        "journal_verifies": _says(net, "verify"), "audit_verifies": _says(net, "audit", "verify"),
    }  # fmt: skip


def _says(net: Path, *words: str) -> bool:
    command = [sys.executable, "-m", "simward", "--dir", str(net), *words]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Print and save."""
    quick = "--quick" in sys.argv
    seed = int(os.environ.get("SIMWARD_SEED") or random.SystemRandom().randrange(1 << 31))
    with tempfile.TemporaryDirectory(prefix="simward-bench-loop-") as name:
        folder = Path(name)
        figures = run(folder, QUICK if quick else KILLS, seed)
        of = f"in {figures['stories']} thefts under {sum(figures['kills'].values())} kills"
        lost = figures["never_told"] + figures["announced_wrongly"] + len(figures["wrong"]) + figures["dead"]
        twice = figures["second_locks"] + figures["second_releases"]
        bars = [
            Bar(f"events lost, never told or made up {of}", float(lost), 0, "", at_most=True),
            Bar("thefts that were not locked and released exactly once", float(twice), 0, "", at_most=True),
            Bar("events taken out of order", float(figures["told_out_of_order"]), 0, "", at_most=True),
            Bar("audit and journal verify", float(figures["audit_verifies"] and figures["journal_verifies"]), 1, ""),
        ]  # fmt: skip
        save(NAME, QUESTION, figures, bars, folder, quick=quick)
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
