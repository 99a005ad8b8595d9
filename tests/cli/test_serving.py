"""The whole command line against a running gate and FreeRADIUS's client, from serve to stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gate.running import (
    Served,
    access_request,
    accounting_request,
    iccid,
    imeisv,
    imsi,
    needs_radclient,
    radclient,
)
from simward.cli import cli

pytestmark = needs_radclient


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    gate = Served(tmp_path / "work").start()
    yield gate
    gate.close()


def simward(gate: Served, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(gate.folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_stolen_sim_from_the_first_packet_to_the_release(served: Served) -> None:
    address = {"Framed-IP-Address": "10.64.0.1"}
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(1))
    assert "Accounting-Response" in radclient(served.accounting, "acct", accounting_request(1, "Start", **address))
    assert "Accounting-Response" in radclient(served.accounting, "acct", accounting_request(1, "Stop", **address))
    stolen = {"3GPP-IMEISV": f'"{imeisv(1, tac="35999999")}"'}
    assert "Access-Reject" in radclient(served.auth, "auth", access_request(1, **stolen))

    found = [json.loads(line) for line in simward(served, "findings", "--json").stdout.splitlines()]
    assert [(one["detector"], one["class"], one["verdict"]) for one in found] == [
        ("device-change", "other-model", "reject")
    ]
    assert found[0]["imsi"] == imsi(1) and found[0]["gateway"] == "pgw1"
    assert simward(served, "events", "--count").stdout == "4\n"
    start = json.loads(simward(served, "events", "--json", "--kind", "accounting-start").stdout)
    assert imsi(1) in simward(served, "who", "10.64.0.1", "--at", start["happened_at"]).stdout
    assert "Locked since" in simward(served, "explain", iccid(1)).stdout

    released = simward(served, "release", iccid(1), "--because", "found again", "--actor", "ada")
    assert released.exit_code == 0, released.stderr
    story = simward(served, "explain", imsi(1)).stdout
    assert "Lock released, asked by ada: found again." in story
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(1, **{"NAS-Port": "2"}))

    inventory = served.folder / "inventory.csv"
    inventory.write_text(inventory.read_text() + f"{iccid(21)},{imsi(21)},water-meter\n")
    assert simward(served, "plan").exit_code == 1
    applied = simward(served, "apply", "--because", "one more")
    assert applied.exit_code == 0, applied.stderr
    assert not list((served.folder / "data" / "revisions").iterdir())
    assert simward(served, "plan").exit_code == 0
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(21))

    assert json.loads(simward(served, "status", "--json").stdout)["subscriptions"] == 21
    assert simward(served, "metrics").stdout.startswith("#")
    assert served.stop() == 0
    assert simward(served, "verify").exit_code == 0
    replayed = simward(served, "replay", "journal", "--json")
    assert "decide otherwise" not in replayed.stderr
    assert replayed.stdout.splitlines()[:-1] == simward(served, "findings", "--json").stdout.splitlines()
