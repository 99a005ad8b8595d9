"""Incidents of a running control plane: made of what the journals say, judged by people over its interfaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from journalled import CELL_SIZE, JournalledFleet, a_bad_day

from control.running import RunningControl
from control.test_api import ByBearer
from engine.recording import HOUR, IMSI, PHONE
from gate.running import RunningGate
from response.test_story import Theft
from simward.cli import cli
from simward.control.api.incidents import incident_routes
from simward.control.clock import SystemClock
from simward.control.following import Following
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.incidents import Incidents
from simward.response.judging import Judging
from simward.settings import IncidentSettings
from simward.watch.following import Follower

now_us = SystemClock().now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a bad day (a dead cell, a dead gateway) that both processes have read."""
    folder = RunningGate(tmp_path_factory.mktemp("day") / "net", 1, control="127.0.0.1:0").folder
    fleet = JournalledFleet(folder / "data")
    for _ in a_bad_day(fleet):
        pass
    fleet.close()
    watch = Follower(folder / "data")
    watch.catch_up()
    watch.close()
    registry = Registry.open(sqlite_url(folder / "data"))
    registry.migrate()
    announcing = Announcing([], now_us)
    following = Following(folder / "data", registry, [Incidents(announcing, IncidentSettings(), now_us), announcing])
    while following.step():
        pass
    following.close()
    registry.close()
    return folder


@pytest.fixture
def control(folder: Path) -> Iterator[RunningControl]:
    registry = Registry.open(sqlite_url(folder / "data"))
    life = Incidents(Announcing([], now_us), IncidentSettings(), now_us).life
    routes = [incident_routes(registry, Judging(life), folder / "data", now_us)]
    running = RunningControl(folder, routes=routes, authenticators=[ByBearer()])
    yield running
    running.close()
    registry.close()


def simward(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(folder), *words])


def listed(folder: Path, *words: str) -> list[dict[str, Any]]:
    said = simward(folder, "incidents", "list", "--json", *words)
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_a_bad_day_is_a_few_incidents(folder: Path) -> None:
    """Many silent devices: a cell and a gateway, each once."""
    causes = {one["cause"]: one for one in listed(folder)}
    assert all(one["grouping"] == "outage" for one in causes.values())
    assert len(causes) <= 3
    assert any(cause.startswith("cell ") for cause in causes)
    assert "gateway pgw1" in causes or any(cause.startswith("gateway") for cause in causes)


def test_listing_needs_no_process_and_exits_1_where_there_are_any(folder: Path, tmp_path: Path) -> None:
    said = simward(folder, "incidents")
    assert said.exit_code == 1 and "fell silent" in said.stdout
    assert simward(folder, "incidents", "list", "--exit-zero").exit_code == 0
    assert simward(folder, "incidents", "list", "--severity", "info").exit_code == 0
    empty = RunningGate(tmp_path / "empty", 1).folder
    assert simward(empty, "incidents").exit_code == 0


def test_tells_what_fell_silent(folder: Path) -> None:
    (cell,) = [one for one in listed(folder, "--state", "all") if one["cause"].startswith("cell ")][:1]
    said = simward(folder, "incidents", "show", str(cell["number"]))
    assert said.exit_code == 0
    assert "What happened:" in said.stdout and f"was {CELL_SIZE}" in said.stdout
    assert "What is still open:" in said.stdout
    document = json.loads(simward(folder, "incidents", "show", str(cell["number"]), "--json").stdout)
    assert document["evidence"][0]["detector"] == "cell-silent"
    assert simward(folder, "incidents", "show", "999").exit_code == 1
    assert simward(folder, "incidents", "show", "x").exit_code == 2


def test_explain_names_the_incidents_of_a_subscription(folder: Path) -> None:
    said = simward(folder, "explain", "001010000000001", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["incidents"] == [], "what was silent is no finding about one of them"


def test_a_theft_is_told_from_the_journal(tmp_path: Path) -> None:
    folder = RunningGate(tmp_path / "net", 1).folder
    (folder / "data").mkdir(exist_ok=True)
    registry = Registry.open(sqlite_url(folder / "data"))
    registry.migrate()
    theft = Theft(folder / "data", registry)
    theft.recording.session("m1", HOUR).after(9 * HOUR).asks(imei=PHONE, cell="ecgi:2002", area=9)
    theft.followed()
    registry.close()
    said = simward(folder, "incidents", "show", "1").stdout
    assert "Session m1 ended: Stop (user request)." in said
    assert "Away 9 h. It came back elsewhere: " in said and "acknowledge 1" in said
    explained = simward(folder, "explain", IMSI).stdout
    assert "Incident 1 (high, open): device-change/other-model: " in explained
    assert json.loads(simward(folder, "explain", IMSI, "--json").stdout)["incidents"][0]["number"] == 1


def test_a_person_judges_by_the_command_line(folder: Path, control: RunningControl) -> None:
    number = str(listed(folder, "--state", "all")[0]["number"])
    assert simward(folder, "incidents", "acknowledge", number, "--actor", "ada").exit_code == 0
    assert simward(folder, "incidents", "acknowledge", number, "--actor", "bob").exit_code == 1
    assert simward(folder, "incidents", "note", number, "asked the operator", "--actor", "ada").exit_code == 0
    assert simward(folder, "incidents", "assign", number, "--to", "bob", "--actor", "ada").exit_code == 0
    assert simward(folder, "incidents", "resolve", number, "--outcome", "benign").exit_code == 2
    said = simward(folder, "incidents", "resolve", number, "--outcome", "benign", "--because", "works at the mast")
    assert said.exit_code == 0 and "is resolved (benign), owner bob" in said.stdout
    story = simward(folder, "incidents", "show", number).stdout
    for part in ("Acknowledged by ada", "Note by ada: asked the operator", "Assigned to bob", "works at the mast"):
        assert part in story
    judged = simward(folder, "detectors", "--json").stdout
    assert sum(json.loads(line)["judged"]["benign"] for line in judged.splitlines()) >= 1
    assert simward(folder, "incidents", "reopen", number, "--because", "it fell silent again").exit_code == 0


def test_who_may_not_judge_is_told_so(folder: Path, control: RunningControl) -> None:
    path = "/v1/incidents/1/acknowledge"
    assert control.ask("POST", path, {}, tcp=True).status == 401
    party = {"Authorization": "Bearer of-the-party-dm"}
    assert control.ask("POST", path, {}, party, tcp=True).status == 403
    assert control.ask("GET", "/v1/incidents", None, party, tcp=True).status == 403


def test_the_api_says_what_is_wrong(control: RunningControl) -> None:
    assert control.ask("POST", "/v1/incidents/999/acknowledge", {}).status == 404
    assert control.ask("POST", "/v1/incidents/1/resolve", {"because": "x"}).status == 422
    assert control.ask("POST", "/v1/incidents/1/resolve", {"because": "x", "outcome": "who knows"}).status == 422
    assert control.ask("POST", "/v1/incidents/1/note", {"because": ""}).status == 422
    assert control.ask("POST", "/v1/incidents/1/reopen", {"because": "x"}).status == 409
    found = control.ask("GET", "/v1/incidents?state=open&state=acknowledged&limit=1")
    assert found.status == 200 and len(found.document["incidents"]) == 1
    assert control.ask("GET", "/v1/incidents?state=strange").status == 422
    assert "story" in control.ask("GET", "/v1/incidents/1").document
    assert control.ask("GET", f"/v1/incidents/{2**70}").status == 404
