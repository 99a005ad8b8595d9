"""A finding of behaviour from the watch's journal to the incident's page, the verdict on it, and the alarm budget."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaving import IMSI, days_of, journal_of
from click.testing import CliRunner

from control import assembled
from control.console.visiting import visit
from control.running import RunningControl
from gate.running import RunningGate
from simward.behaviour_settings import BehaviourSettings
from simward.cli import cli
from simward.engine.both_journals import watch_folder
from simward.engine.verdict_files import waiting
from simward.observing.behaviour import stands
from simward.observing.watch import STATUS_NAME
from simward.watch.following import Follower
from simward.whole_files import write_whole

MEMBERS, DAYS, DEVIANT = 300, 14, 4


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    folder = RunningGate(tmp_path_factory.mktemp("behaviour") / "net", 1, control="127.0.0.1:0").folder
    journal_of(folder / "data", MEMBERS, days_of(MEMBERS, DAYS, {(day, DEVIANT): 1000.0 for day in (11, 12)}))
    follower = Follower(folder / "data", BehaviourSettings(findings_a_day=5.0))
    follower.catch_up()
    told = stands(follower.behind.watch.last_day, follower.behaviour_facts())
    follower.close()
    control = assembled.running(folder)
    control.behaviour = told  # type: ignore[attr-defined]
    yield control
    control.close()


@pytest.fixture
def watched(console: RunningControl) -> Iterator[dict[str, object]]:
    """A watch that has just said how it is."""
    path: Path = watch_folder(console.folder / "data") / STATUS_NAME
    told: dict[str, object] = console.behaviour  # type: ignore[attr-defined]
    write_whole(path, {"at": time.time(), "pid": os.getpid(), "followed": 1, "followed_at_us": 1, "behaviour": told})
    yield told
    path.unlink()


def incident(console: RunningControl) -> int:
    (mine,) = [one for one in deviants(console) if one["at"] > "2026-09-15"]
    return int(mine["incident"])


def deviants(console: RunningControl) -> list[dict[str, Any]]:
    """What was found of the one that changed."""
    answer = console.ask("GET", f"/v1/findings?imsi={str(IMSI + DEVIANT)[1:]}")
    found: list[dict[str, Any]] = answer.document["findings"]
    return found


def test_the_incident_shows_device_and_peers_side_by_side(console: RunningControl) -> None:
    page = visit(console, f"/incidents/{incident(console)}").text
    assert "unusual-behaviour/sudden" in page
    for part in ("What weighs most", "Usually", "Its peers", "octets up", "2026-09-15"):
        assert part in page, part


def test_explain_and_the_api_name_the_channels(console: RunningControl) -> None:
    found = max(deviants(console), key=lambda one: str(one["at"]))
    first = found["channels"][0]
    assert first["channel"] in ("up", "down") and first["value"] > first["usual"]["high"] > first["usual"]["low"]
    assert first["peers"]["high"] < first["value"]
    told = CliRunner().invoke(cli, ["--dir", str(console.folder), "explain", str(IMSI + DEVIANT)[1:]])
    assert "usually" in told.output and "its peers" in told.output, told.output


def test_the_budget_in_use_is_shown(console: RunningControl, watched: dict[str, object]) -> None:
    assert watched["state"] == "ready" and watched["findings_a_day"] == 5.0
    answer = console.ask("GET", "/v1/behaviour")
    assert answer.status == 200 and answer.document == watched
    overview = visit(console, "/").text
    assert "Alarm budget" in overview and "of 5" in overview and "as set" in overview


def test_without_a_watch_nothing_is_known(console: RunningControl) -> None:
    answer = console.ask("GET", "/v1/behaviour")
    assert answer.status == 503 and "Alarm budget" not in visit(console, "/").text


def test_who_resolves_it_as_benign_tells_the_watch(console: RunningControl) -> None:
    number = incident(console)
    assert "more is allowed for as long as" in visit(console, f"/incidents/{number}/resolve").text
    body = {"because": "a test of the firmware", "outcome": "benign"}
    assert console.ask("POST", f"/v1/incidents/{number}/resolve", body).status == 200
    verdicts = [verdict for _, verdict in waiting(console.folder / "data")]
    assert {one and (one.for_s, one.because) for one in verdicts} == {(None, "a test of the firmware")}
    assert "Nothing more is allowed of the device" in visit(console, f"/incidents/{number}/reopen").text
    assert console.ask("POST", f"/v1/incidents/{number}/reopen", {"because": "it was not"}).status == 200
    last = {one.finding: one.for_s for _, one in waiting(console.folder / "data") if one}
    assert set(last.values()) == {0}, "said in this order"
