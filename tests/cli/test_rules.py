"""Rules and undo from the command line, through a control plane, over the registry of a fleet whose gate journals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.ruled_fleet import RuledFleet
from click.testing import CliRunner, Result

from control.listening import Listening
from control.running import RunningControl
from simward.cli import cli
from simward.control.api.rules import rule_routes

POLICY = """
use_case: meter
binding: {mode: first-use}
responses: {device-change: notify}
limits: {lock: {per_hour: 1}}
---
rule: thief
on: device-change/other-model
do: [{lock: {}}]
mode: live
approve_above: 1
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[RuledFleet]:
    """Four subscriptions of which a rule has locked one, and holds three."""
    folder = tmp_path / "work"
    assert simward(folder, "init").exit_code == 0
    settings = folder / "simward.toml"
    settings.write_text(settings.read_text().replace('http = "127.0.0.1:8080"', 'http = "none"'))
    made = RuledFleet(folder, POLICY, 4)
    made.follow()
    made.comes(range(4), device=5_000_000)
    made.settle()
    routes = [rule_routes(made.registry, lambda: made.now)]
    gate, control = Listening(made.data_dir), RunningControl(folder, routes=routes)
    yield made
    control.close()
    gate.close()
    made.close()


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_rules_are_listed_and_shown_without_a_running_process(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    assert simward(folder, "rules").stdout.splitlines()[1].split() == ["thief", "live", "1", "done,", "3", "held"]
    shown = simward(folder, "rules", "show", "thief", "--json")
    document = json.loads(shown.stdout)
    assert document["document"]["do"] == [{"lock": {}}]
    assert len(document["newest"]) == 4
    assert "Rule thief: live" in simward(folder, "rules", "show", "thief").stdout
    assert simward(folder, "rules", "show", "nobody").exit_code == 1


def test_a_folder_without_a_registry_has_none(tmp_path: Path) -> None:
    assert simward(tmp_path / "new", "init").exit_code == 0
    for asked in (("rules",), ("rules", "held")):
        shown = simward(tmp_path / "new", *asked)
        assert (shown.exit_code, shown.stdout) == (0, "")


def test_held_is_approved_by_two(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    shown = simward(folder, "rules", "held")
    assert shown.exit_code == 1 and "rules approve|reject thief" in shown.stdout
    first = simward(folder, "rules", "approve", "thief", "--because", "stolen", "--actor", "ada")
    assert first.exit_code == 1 and "3 wait for the approval of a second person" in first.stdout
    second = simward(folder, "rules", "approve", "thief", "--because", "stolen", "--actor", "grace")
    assert second.exit_code == 0 and second.stdout == "3 on their way to the gate.\n"
    fleet.settle()
    assert fleet.locked == 4
    assert simward(folder, "rules", "held").exit_code == 0


def test_one_is_approved_and_the_rest_rejected(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    one = json.loads(simward(folder, "rules", "held", "--json", "--limit", "1").stdout)["id"]
    approved = simward(folder, "rules", "approve", "thief", "--id", one, "--because", "stolen", "--json")
    assert json.loads(approved.stdout) == {"released": 1, "awaiting": 0}
    assert simward(folder, "rules", "reject", "thief", "--because", "an exchange").stdout == "2 rejected.\n"
    fleet.settle()
    assert fleet.locked == 2


def test_a_rule_is_paused_and_resumed(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    assert simward(folder, "rules", "pause", "thief", "--because", "looking").stdout == "Rule thief: live, paused.\n"
    assert "live, paused" in simward(folder, "rules").stdout
    assert simward(folder, "rules", "resume", "thief", "--because", "looked").stdout == "Rule thief: live.\n"
    assert simward(folder, "rules", "pause", "nobody", "--because", "x").exit_code == 1


def test_undo_says_what_it_will_do_and_what_was_done(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    since = "2020-01-01"
    asked = ("undo", "--rule", "thief", "--since", since, "--because", "a mistake", "--actor", "ada")
    told: list[Result] = []
    thread = threading.Thread(target=lambda: told.append(simward(folder, *asked)))
    thread.start()
    while thread.is_alive():
        fleet.settle()
        thread.join(0.1)
    assert told[0].stdout == "1 to release; that takes about 1 s.\n1 of 1 released.\n"
    assert (told[0].exit_code, fleet.locked) == (0, 0)
    again = simward(folder, *asked)
    assert (again.exit_code, again.stdout) == (0, "Nothing to release.\n")


def test_undo_wants_to_know_of_what(fleet: RuledFleet) -> None:
    folder = fleet.data_dir.parent
    assert simward(folder, "undo", "--since", "1h", "--because", "x").exit_code == 2
    assert simward(folder, "undo", "--incident", "99", "--since", "1h", "--because", "x").exit_code == 1
    assert simward(folder, "undo", "--rule", "nobody", "--since", "1h", "--because", "x").exit_code == 1
