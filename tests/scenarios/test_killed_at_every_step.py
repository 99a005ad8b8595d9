"""A SIM is installed, stolen, cut and released, and before each step a process of Simward is killed with SIGKILL.

One `simward serve` for all: a story whose gate is killed, one whose control process is, and one whose watch is.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import POLICY, SECRET, Served, imeisv, imsi
from scenarios.parties import System
from simward.cli import cli
from simward.commands import through_control
from simward.engine import outputs as out
from simward.engine.journal import row_outputs
from simward.errors import PeerError
from simward.history.whole import WholeJournal
from simward.identity import imsi_text
from simward.lab import packets
from simward.lab.fleet import Device, Place, Subscription
from simward.lab.gateway import Answer, Build, Gateway, Network, free_port
from simward.lab.packets import Bearer, Usage
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.wire.radius.dictionary import Code

VICTIMS = ("gate", "control", "watch")
"""In this order: what is waited for longest before it is started again is killed last."""
PATIENCE_S = 60.0
HERE = Place("00101", 1, 1)
KINDS = ("binding.established", "binding.broken", "subscription.locked", "subscription.released")


class Site:
    """A gateway that asks until it is answered, in front of a Simward whose processes die; and both systems."""

    def __init__(self, folder: Path, dm: System, app: System) -> None:
        self.dm, self.app = dm, app
        ports = [free_port() for _ in range(3)]
        more = dm.settings(may='["keep"]', acknowledge_within='"15m"')
        more += app.settings("binding.*", "subscription.*", may='["keep"]')
        policy = POLICY.replace("networks:", "release_when: bound-device-returns\nnetworks:")
        self.net = Served(
            folder, len(VICTIMS), more=more, policy=policy, control="127.0.0.1:0", dynauth=f"127.0.0.1:{ports[2]}"
        )
        settings = folder / "simward.toml"
        text = settings.read_text()
        for name, port in zip(("auth", "accounting"), ports, strict=False):
            text = text.replace(f'{name} = "127.0.0.1:0"', f'{name} = "127.0.0.1:{port}"')
        settings.write_text(text)  # so that a gate that is started again is where it was
        self.gateway = Gateway(
            "pgw1", "127.0.0.1", SECRET.encode(), ("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), ports[2]
        )
        self.network = Network({"pgw1": self.gateway})
        self.net.start()

    def close(self) -> int:
        self.network.close()
        return self.net.stop() if self.net.process is not None else 0

    def kill(self, name: str) -> None:
        """SIGKILL to that process, once it runs."""
        os.kill(self.net.pid(name), signal.SIGKILL)

    def until(self, happened: Callable[[], object]) -> None:
        """Wait, while the gateway goes on."""
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < end, self.net.errors()[-2000:]
            self.network.turn(0.02)

    def asks(self, bearer: Bearer) -> int:
        """The code of the answer to an Access-Request."""
        return self._answered(
            self.gateway.auth_port, lambda identifier, _: packets.access_request(bearer, self.gateway.nas, identifier)
        )

    def reports(self, bearer: Bearer, status: str) -> None:
        """Accounting, until it is acknowledged."""
        at = int(time.time())

        def build(identifier: int, delay_s: int) -> bytes:
            return packets.accounting_request(bearer, status, Usage(), self.gateway.nas, identifier, at, delay_s)

        assert self._answered(self.gateway.accounting_port, build) == Code.ACCOUNTING_RESPONSE

    def _answered(self, port: int, build: Build) -> int:
        answers: list[Answer] = []
        self.gateway.ask(port, build, answers.append, attempts=200, patience=0.2)
        self.until(lambda: answers)
        return answers[0].code

    def acknowledge(self, system: System, incident: int) -> bool:
        """Has a system acknowledged? It tries again until the control process is there."""
        try:
            status = through_control.ask(self.net.folder / "data", "simward", "GET", "/v1/status", within_s=5)
            address = str(status["http"] or "").removeprefix("http://")
            said, why = system.acknowledges(address, incident, action="keep", reason="seen")
        except (OSError, http.client.HTTPException, PeerError):
            return False
        assert said == 200, why
        return True


class Story:
    """One subscription: a step each call, in this order."""

    def __init__(self, site: Site, number: int) -> None:
        self.site, self.imsi = site, imsi(number)
        self._meter, self._phone = Device(imeisv(number)[:14], 1), Device(imeisv(number, tac="35999900")[:14], 1)
        self._who = Subscription(number, "", self.imsi, f"47400{number:05d}", "water-meter", self._meter, 0, 0, 0)
        self._session = self._bearer(self._meter)

    def is_installed(self) -> None:
        assert self.site.asks(self._session) == Code.ACCESS_ACCEPT
        self.site.gateway.sessions[self._session.session_id] = 1
        self.site.reports(self._session, packets.START)

    def wakes_up_in_a_phone(self) -> None:
        assert self.site.asks(self._bearer(self._phone)) == Code.ACCESS_REJECT

    def is_cut(self) -> None:
        """The gateway was asked to end the meter's session, and reports that it has."""
        disconnects = self.site.gateway.disconnects
        self.site.until(lambda: (self._session.session_id, 0) in disconnects)
        self.site.reports(self._session, packets.STOP)

    def is_acknowledged(self) -> None:
        for system in (self.site.app, self.site.dm):
            self.site.until(lambda: system.find("binding.broken", self.imsi))  # noqa: B023
            incident = int(system.told("binding.broken", self.imsi)["data"]["incident"])
            self.site.until(lambda: self.site.acknowledge(system, incident))  # noqa: B023

    def is_back_in_its_meter(self) -> None:
        assert self.site.asks(self._bearer(self._meter)) == Code.ACCESS_ACCEPT

    STEPS = (is_installed, wakes_up_in_a_phone, is_cut, is_acknowledged, is_back_in_its_meter)

    def _bearer(self, device: Device) -> Bearer:
        return Bearer(self._who, *self.site.gateway.next_session(), device, HERE, "lte", "meters.iot")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with System("dm") as dm, System("app") as app:
        made = Site(tmp_path / "net", dm, app)
        yield made
        made.close()


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice(site: Site) -> None:
    stories = [(victim, Story(site, number)) for number, victim in enumerate(VICTIMS, 1)]
    for step in Story.STEPS:
        for victim, story in stories:
            site.kill(victim)
            step(story)
    registry = Registry.open(sqlite_url(site.net.folder / "data"))
    with closing(registry):
        site.until(lambda: _all_told(site, registry))
        announced, delivered = _recorded(registry)
    restarts = {name: one["restarts"] for name, one in site.net.processes().items()}
    assert restarts == dict.fromkeys(VICTIMS, len(Story.STEPS))
    assert site.close() == 0

    everybody = {imsi(number): 1 for number in range(1, len(VICTIMS) + 1)}
    assert _outputs(site.net.folder / "data", out.LOCKED) == everybody, "no second lock"
    assert _outputs(site.net.folder / "data", out.RELEASED) == everybody
    assert announced == {(who, kind): 1 for who in everybody for kind in KINDS}
    for system in (site.dm, site.app):
        assert set(system.ids) == delivered[system.name], "each at least once, under the id of one announcement"
        assert system.broken_promises(gapless=system is site.dm) == []
        for who in everybody:
            assert [kind for kind in system.of(who) if kind in KINDS] == list(KINDS)
    for words in (("verify",), ("audit", "verify")):
        result = CliRunner().invoke(cli, ["--dir", str(site.net.folder), *words])
        assert result.exit_code == 0, result.output


def _all_told(site: Site, registry: Registry) -> bool:
    """Is everything said that was to be said, and nothing on its way any more?"""
    for number in range(1, len(VICTIMS) + 1):
        if not all(one.find("subscription.released", imsi(number)) for one in (site.dm, site.app)):
            return False
    with registry.reading() as connection:
        waiting = sa.select(sa.func.count()).select_from(t.delivery).where(t.delivery.c.state != "delivered")
        return connection.execute(waiting).scalar() == 0


def _recorded(registry: Registry) -> tuple[Counter[tuple[str, str]], dict[str, set[str]]]:
    """How often each kind was announced of whom; the ids that each endpoint was to get."""
    a = t.announcement.c
    with registry.reading() as connection:
        said = connection.execute(sa.select(a.subject, a.type).where(a.type.in_(KINDS)))
        announced = Counter((row.subject, row.type) for row in said)
        delivered: dict[str, set[str]] = {}
        for row in connection.execute(sa.select(a.id, t.delivery.c.endpoint).join(t.delivery)):
            delivered.setdefault(row.endpoint, set()).add(row.id)
    return announced, delivered


def _outputs(data_dir: Path, kind: int) -> dict[str, int]:
    """How often each subscription has an output of a kind in the journal."""
    found: Counter[str] = Counter()
    with closing(WholeJournal.open(data_dir)) as journal:
        for row in journal.rows():
            outputs = row_outputs(row, journal.layouts)
            found.update(imsi_text(int(one)) for one in outputs["imsi"][outputs["kind"] == kind])
    return dict(found)
