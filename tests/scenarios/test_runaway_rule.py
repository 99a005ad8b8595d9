"""A rule that goes too far, with every process running: its limit is locked, the rest held, one incident, undone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import POLICY, Served, access_request, imeisv, needs_radclient, radclient, until
from simward.cli import cli

pytestmark = needs_radclient
FLEET, LIMIT = 4, 2
RULED = (
    POLICY.replace("device-change: lock,", "device-change: notify,").replace(
        "binding:", f"limits: {{lock: {{per_hour: {LIMIT}}}}}\nbinding:"
    )
    + """---
rule: thief
on: device-change/other-model
if: finding.severity == "high" && subscription.bound && !subscription.locked
do: [{lock: {}}]
mode: live
"""
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    net = Served(tmp_path / "net", FLEET, policy=RULED)
    net.start()
    yield net
    net.stop()


def simward(net: Served, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(net.folder), *arguments])


def asks(net: Served, number: int, **more: str) -> bool:
    return "Received Access-Accept" in radclient(net.auth, "auth", access_request(number, **more))


def actions(net: Served) -> dict[str, int]:
    shown = simward(net, "rules", "list", "--json")
    found: dict[str, Any] = json.loads(shown.stdout) if shown.stdout else {"actions": {}}
    return dict(found["actions"])


def test_its_limit_is_locked_the_rest_held_and_undo_brings_all_back(served: Served) -> None:
    everybody = range(1, FLEET + 1)
    assert all(asks(served, one) for one in everybody)
    for one in everybody:
        assert asks(served, one, **{"3GPP-IMEISV": f'"{imeisv(one, tac="35999900")}"'}), "the policy only notifies"
    until(lambda: actions(served), lambda found: found == {"done": LIMIT, "held": FLEET - LIMIT})
    assert [asks(served, one) for one in everybody].count(False) == LIMIT
    incidents = [json.loads(line) for line in simward(served, "incidents", "list", "--json").stdout.splitlines()]
    assert [one["title"] for one in incidents if one["grouping"] == "rule"] == [
        "Rule thief: what it does is held and waits for a person"
    ]
    rejected = simward(served, "rules", "reject", "thief", "--because", "a refit", "--actor", "ada")
    assert rejected.stdout == f"{FLEET - LIMIT} rejected.\n"
    undone = simward(served, "undo", "--rule", "thief", "--since", "1h", "--because", "a refit", "--actor", "ada")
    assert (undone.exit_code, undone.stdout.splitlines()[-1]) == (0, f"{LIMIT} of {LIMIT} released."), undone.output
    assert all(asks(served, one) for one in everybody)
    shown = simward(served, "audit", "export", "--json", "--actor", "ada").stdout
    entries = [json.loads(line) for line in shown.splitlines()]
    assert [one["what"] for one in entries].count("release") == LIMIT
    assert {one["what"] for one in entries} == {"rule.reject", "undo", "command.release", "release"}
    assert {one["why"] for one in entries} == {"a refit"}
