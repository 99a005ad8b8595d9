"""A work order from the command line to the gateway and back: planned, wrong at first, done, and told by explain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from control.running import RunningControl
from gate.running import RunningGate, access_request, iccid, imeisv, needs_radclient, radclient, until
from simward.cli import cli
from simward.control.api.work import work_routes
from simward.control.following import Following
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.work_orders import WorkOrders

POLICY = """\
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
networks: {plmn: ["00101"]}
responses: {default: observe, device-change: lock}
release_when: bound-device-returns
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
"""


def now() -> int:
    return time.time_ns() // 1000


class Whole:
    """A gate, and beside it what follows its journal and sends it the commands of work orders."""

    def __init__(self, folder: Path) -> None:
        self.gate = RunningGate(folder, 3, policy=POLICY).start()
        self.registry = Registry.open(sqlite_url(folder / "data"))
        self.registry.migrate()
        self.control = RunningControl(folder, routes=[work_routes(self.registry, folder / "inventory.csv", now)])
        self.following = Following(folder / "data", self.registry, [WorkOrders(Announcing((), now))])

    def simward(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli, ["--dir", str(self.gate.folder), *arguments])
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def send(self) -> None:
        with self.registry.reading() as connection:
            rows = connection.execute(sa.select(t.command).where(t.command.c.result.is_(None))).all()
        for row in rows:
            asked = {"iccid": row.iccid, "because": row.because, "actor": row.actor, "id": row.id, **row.arguments}
            answer = self.gate.ask(row.do, **asked)
            assert answer["result"] == "applied", answer

    def asks(self, number: int, device: int) -> bool:
        """Is the SIM let in with this device?"""
        words = access_request(number, **{"3GPP-IMEISV": f'"{imeisv(device)}"'})
        return "Received Access-Accept" in radclient(self.gate.auth, "auth", words)

    def item(self, state: str) -> str:
        """The first line of `work show` below its header, once the item is in this state."""

        def look() -> str:
            while self.following.step():
                pass
            return self.simward("work", "show", "1")

        return str(until(look, lambda shown: f"  {state}  " in shown))

    def close(self) -> None:
        self.following.close()
        self.control.close()
        self.registry.close()
        self.gate.close()


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    made = Whole(tmp_path / "net")
    yield made
    made.close()


@needs_radclient
def test_an_exchange_that_was_announced(whole: Whole) -> None:
    assert whole.asks(1, 1) and whole.asks(2, 2)
    whole.simward("work", "plan", iccid(1), "--to", imeisv(9)[:14], "--until", "+1h", "--because", "worn out")
    whole.send()
    whole.item("planned")
    assert not whole.asks(2, 9), "the wrong SIM in the right box is locked"
    assert "The wrong SIM is in the right box" in whole.item("wrong")
    assert "The wrong SIM is in the right box: work order 1" in whole.simward("explain", iccid(2))
    assert not whole.asks(1, 7), "another device"
    assert whole.asks(1, 9), "the planned one takes the lock off"
    whole.item("done")
    story = whole.simward("explain", iccid(1))
    assert f"Work order 1 plans device {imeisv(9)[:14]}" in story
    assert f"As work order 1 planned: device {imeisv(1)[:14]} → {imeisv(9)[:14]}" in story
    assert "as planned, generation 2" in story
    assert "Lock released: the bound device came back." in story
