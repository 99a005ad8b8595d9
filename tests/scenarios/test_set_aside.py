"""Quarantine by command with every process running: a person's by the CLI, a rule's with undo, over real RADIUS."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import POLICY, Served, access_request, iccid, imeisv, needs_radclient, radclient, until
from simward.cli import cli

pytestmark = needs_radclient
RULED = (
    POLICY.replace("device-change: lock,", "device-change: notify,")
    + """---
rule: look-first
on: device-change/other-model
if: "!subscription.quarantined"
do: [{quarantine: {}}]
mode: live
"""
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    net = Served(tmp_path / "net", 3, policy=RULED)
    net.start()
    yield net
    net.stop()


def simward(net: Served, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(net.folder), *arguments])


def address(net: Served, number: int, **more: str) -> str:
    """The address that it is given; empty where it is refused."""
    said = radclient(net.auth, "auth", access_request(number, **more))
    found = re.search(r"Framed-IP-Address = ([0-9.]+)", said)
    return found[1] if found else ""


def now(net: Served, number: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(simward(net, "explain", iccid(number), "--json").stdout)["now"]
    return told


def test_a_person_and_a_rule_set_aside_and_let_out(served: Served) -> None:
    assert [address(served, one) for one in (1, 2)] == ["10.64.0.1", "10.64.0.2"]
    asked = ("--because", "odd traffic", "--actor", "ada")
    put = simward(served, "quarantine", iccid(1), *asked)
    assert put.stdout.startswith(f"Put into quarantine: {iccid(1)}. [0/"), put.output
    assert "nothing was done" in simward(served, "quarantine", iccid(1), *asked).stdout
    assert address(served, 1) == "10.127.0.1"
    stands = now(served, 1)
    assert stands["locked"] is None and stands["quarantined"]["because"] == "asked by ada: odd traffic"
    assert "subscription-locked/quarantined" in simward(served, "findings", "--open").stdout
    simward(served, "release", iccid(1), "--because", "an update", "--actor", "ada")
    assert address(served, 1) == "10.64.0.1" and now(served, 1)["quarantined"] is None

    phone = {"3GPP-IMEISV": f'"{imeisv(2, tac="35999900")}"'}
    assert address(served, 2, **phone) == "10.64.0.2", "the policy only notifies"
    until(lambda: now(served, 2)["quarantined"])
    assert address(served, 2, **phone).startswith("10.127.0.")
    undone = simward(served, "undo", "--rule", "look-first", "--since", "1h", "--because", "known", "--actor", "ada")
    assert (undone.exit_code, undone.stdout.splitlines()[-1]) == (0, "1 of 1 released."), undone.output
    assert address(served, 2, **phone) == "10.64.0.2"
    entries = [json.loads(line) for line in simward(served, "audit", "export", "--json").stdout.splitlines()]
    by = [(one["what"], one["actor"]) for one in entries if one["what"] in ("quarantine", "release")]
    assert by == [
        ("quarantine", "ada"), ("release", "ada"), ("quarantine", "rule look-first"), ("release", "ada"),
    ]  # fmt: skip
