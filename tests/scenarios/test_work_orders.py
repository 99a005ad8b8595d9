"""A work order from the command line to the gateway and back: planned, wrong at first, done, and told by explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gate.running import Served, access_request, iccid, imeisv, needs_radclient, radclient, until
from simward.cli import cli

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


class Whole:
    """All processes of a folder, as people start them."""

    def __init__(self, folder: Path) -> None:
        self.gate = Served(folder, 3, policy=POLICY).start()

    def simward(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli, ["--dir", str(self.gate.folder), *arguments])
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def asks(self, number: int, device: int) -> bool:
        """Is the SIM let in with this device?"""
        words = access_request(number, **{"3GPP-IMEISV": f'"{imeisv(device)}"'})
        return "Received Access-Accept" in radclient(self.gate.auth, "auth", words)

    def item(self, state: str) -> str:
        """What `work show` says once the item is in this state."""
        return str(until(lambda: self.simward("work", "show", "1"), lambda shown: f"  {state}  " in shown))


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    made = Whole(tmp_path / "net")
    yield made
    made.gate.stop()


@needs_radclient
def test_an_exchange_that_was_announced(whole: Whole) -> None:
    assert whole.asks(1, 1) and whole.asks(2, 2)
    whole.simward("work", "plan", iccid(1), "--to", imeisv(9)[:14], "--until", "+1h", "--because", "worn out")
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
