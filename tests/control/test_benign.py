"""What a person found to be benign, from the call to the watch's journal, incident, audit and list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from behaving import IMSI, days_of, journal_of
from click.testing import CliRunner, Result

from control import assembled
from control.console.visiting import visit
from control.running import Answer
from gate.running import RunningGate, until
from simward.behaviour_settings import BehaviourSettings
from simward.cli import cli
from simward.control.clock import SystemClock
from simward.control.following import Following
from simward.engine import events as ev
from simward.engine.both_journals import verdict_in
from simward.engine.journal import events_row
from simward.engine.outputs import OUTPUT
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.verdict_files import waiting
from simward.registry import audit
from simward.registry.database import Registry, sqlite_url
from simward.response import facts as f
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.benign import Verdicts
from simward.response.incidents import Incidents
from simward.settings import IncidentSettings
from simward.watch.following import Follower

MEMBERS, DAYS, DEVIANT = 300, 14, 4
WHO = str(IMSI + DEVIANT)[1:]
LEAP = {(day, DEVIANT): 1000.0 for day in (11, 12, 13)}
ADA = "token ada"
SETTINGS = BehaviourSettings(findings_a_day=5.0)


class Watched:
    """A control plane, and a watch that takes a step when it is told to."""

    def __init__(self, place: Path) -> None:
        self.folder = RunningGate(place / "net", 1, control="127.0.0.1:0").folder
        self.data = self.folder / "data"
        journal_of(self.data, MEMBERS, days_of(MEMBERS, DAYS, LEAP))
        follower = Follower(self.data, SETTINGS)
        follower.catch_up()
        follower.close()
        self.control = assembled.running(self.folder)

    def ticks(self) -> None:
        """Ticks of the gate, which the watch follows until nothing waits for it."""
        self._tick()
        while list(waiting(self.data)):
            self._tick()

    def _tick(self) -> None:
        journal = SqliteJournal.open(self.data / "journal")
        (last,) = journal.rows(after=journal.last - 1)
        tick = ev.empty(1)
        tick["kind"] = ev.TICK
        tick["received_at"] = tick["happened_at"] = last.at + 1_000_000
        row = events_row(last.last + 1, last.at + 1_000_000, last.kernel, tick, np.zeros(0, OUTPUT))
        journal.append(row)
        journal.close()
        follower = Follower(self.data, SETTINGS)
        follower.catch_up()
        follower.step()
        said = max((one.last for one in follower.own.rows() if verdict_in(one) is not None), default=0)
        follower.close()
        until(lambda: self.status()["sequence"] == row.last and self.status()["watch_sequence"] >= said)

    def status(self) -> Any:
        return self.ask("GET", "/v1/status").document["conditions"]["following"]

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        return self.control.ask(method, path, body, token=token)

    def takes(self, path: str, **body: Any) -> None:
        assert self.ask("POST", path, body).status == 202
        self.ticks()

    def finding(self) -> dict[str, Any]:
        """The newest about the one that changed."""
        found: list[dict[str, Any]] = self.ask("GET", f"/v1/findings?imsi={WHO}").document["findings"]
        return found[0]

    def finding_itself(self) -> Any:
        return self.ask("GET", f"/v1/findings/{self.finding()['id']}").document

    def incident(self) -> Any:
        return self.ask("GET", f"/v1/incidents/{self.finding()['incident']}").document

    def benign(self, query: str = "", token: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("GET", f"/v1/benign{query}", token=token).document["benign"]
        return rows

    def audited(self) -> list[dict[str, Any]]:
        said = self.simward("audit", "export", "--json")
        return [one for one in map(json.loads, said.stdout.splitlines()) if one["what"].startswith("finding.")]

    def simward(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--dir", str(self.folder), *words])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("benign"))
    yield made
    made.control.close()


def test_who_may_say_it(watched: Watched) -> None:
    """Before anything was said: the finding is of tenant `default`."""
    finding = watched.finding()
    said = {"finding": finding["id"], "because": "x"}
    assert watched.finding_itself()["benign"] is None and finding["tenant"] == "default" and finding["ended_at"] is None
    stranger = assembled.token(watched.control, "administrator", "stranger", tenant="acme")
    for path in ("/v1/benign", "/v1/benign/withdraw"):
        assert watched.ask("POST", path, said, stranger).document["type"].endswith(":no-such-finding")
        viewer = assembled.token(watched.control, "viewer", f"viewer-of-{path[-4:]}")
        assert watched.ask("POST", path, said, viewer).status == 403
        assert watched.ask("POST", path, said | {"finding": "w0/1/1"}).status == 404
    assert watched.ask("POST", "/v1/benign", said | {"days": 0}).status == 422
    watched.ticks()
    assert watched.benign("?in_force=false") == [] and watched.audited() == []


def test_it_closes_the_incident_and_is_audited_listed_and_explained(watched: Watched) -> None:
    finding = watched.finding()["id"]
    before = watched.incident()
    assert before["state"] == "open"
    assert finding in watched.simward("explain", WHO).output, "what one could say of it is offered"
    operator = assembled.token(watched.control, "operator", "ada", tenant="default")
    said = {"finding": finding, "because": "new firmware", "days": 365}
    assert watched.ask("POST", "/v1/benign", said, operator).status == 202
    watched.ticks()
    incident = watched.incident()
    assert (incident["state"], incident["outcome"], incident["resolved_by"]) == ("resolved", "benign", ADA)
    assert watched.finding()["outcome"] == "benign"
    (entry,) = watched.audited()
    until_day = entry["after"]["until"]
    assert (entry["what"], entry["actor"], entry["object"], entry["why"], entry["imsi"]) == (
        "finding.benign", ADA, finding, "new firmware", WHO,
    )  # fmt: skip
    told = [one["text"] for part in incident["story"] for one in part["answers"]]
    assert any(f"until {until_day}" in one and "new firmware" in one for one in told), told
    (row,) = watched.benign("?in_force=false")
    assert (row["finding"], row["imsi"], row["by"], row["until"]) == (finding, WHO, ADA, until_day)
    stranger = assembled.token(watched.control, "viewer", "acme", tenant="acme")
    assert watched.benign("?in_force=false", stranger) == []
    listed = json.loads(watched.simward("benign", "--list", "--all", "--json").stdout)
    assert (listed["finding"], listed["by"], listed["until"]) == (finding, ADA, until_day)
    assert watched.finding_itself()["benign"] == row
    explained = watched.simward("explain", finding).output
    assert f"{ADA} said that" in explained and until_day in explained and "--withdraw" in explained
    story = watched.ask("GET", f"/v1/subscriptions/{WHO}").document["story"]
    assert [one["finding"] for one in story["now"]["benign"]] == [finding]
    shown = visit(watched.control, f"/subscriptions/{WHO}/past").text
    assert f"More is allowed of it until {until_day}. {ADA} said" in shown
    assert f"Of it more is allowed until {until_day}: {ADA} said" in watched.simward("explain", WHO).output
    assert watched.simward("audit", "verify").exit_code == 0


def test_the_same_said_again_changes_nothing(watched: Watched) -> None:
    finding, before = watched.finding()["id"], watched.incident()
    watched.takes("/v1/benign", finding=finding, because="new firmware", days=365, actor="token ada")
    assert watched.incident()["changed_at"] == before["changed_at"] and len(watched.audited()) == 1


def test_taken_back_it_opens_the_incident_again(watched: Watched) -> None:
    finding = watched.finding()["id"]
    said = watched.simward("benign", finding, "--withdraw", "--because", "it was stolen", "--actor", "bob")
    assert said.exit_code == 0, said.output
    watched.ticks()
    incident = watched.incident()
    assert incident["state"] == "open" and incident["outcome"] is None and watched.finding()["outcome"] is None
    entry = watched.audited()[-1]
    assert (entry["what"], entry["actor"], entry["after"]["until"]) == ("finding.not-benign", "bob", None)
    assert entry["before"]["by"] == ADA
    assert "More is allowed of nobody" in watched.simward("benign", "--list").output
    (row,) = watched.benign("?in_force=false")
    assert row["until"] is None and not row["in_force"] and row["by"] == "bob"
    assert watched.simward("audit", "verify").exit_code == 0


def test_over_a_server_it_is_the_same(watched: Watched) -> None:
    finding = watched.finding()["id"]
    operator = assembled.token(watched.control, "operator", "from-afar")
    host, port = watched.control.tcp()

    def afar(*words: str) -> Result:
        called = ["--server", f"http://{host}:{port}", *words]
        return CliRunner().invoke(cli, called, env={"SIMWARD_TOKEN": operator})

    assert afar("benign", finding, "--because", "seen from afar", "--for", "300d").exit_code == 0
    watched.ticks()
    (row,) = [json.loads(line) for line in afar("benign", "--list", "--json").stdout.splitlines()]
    assert row["by"] == "token from-afar" and row == watched.finding_itself()["benign"]
    assert "token from-afar said that" in afar("explain", finding).stdout
    assert afar("benign", "w0/1/1", "--because", "x").exit_code == 1
    assert afar("explain", "w0/1/1").exit_code == 1


def test_the_command_line_knows_what_it_is_about(watched: Watched) -> None:
    for words in (["w0/1/1", "--because", "x"], ["0/17/0", "--because", "x"], [], ["--list", "--because", "x"],
                  ["--all"], ["w0/1/1"]):  # fmt: skip
        said = watched.simward("benign", *words)
        assert said.exit_code == 2, (words, said.output)
    missing = watched.simward("explain", "w0/1/1")
    assert missing.exit_code == 1 and "no finding w0/1/1" in missing.output


class Stumbles:
    """A taker that fails once behind a verdict: what was written before it is rolled back."""

    def __init__(self) -> None:
        self.failed = False

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        if isinstance(fact, f.Judged) and not self.failed:
            self.failed = True
            raise RuntimeError("killed here")


def test_what_is_cut_off_between_journal_and_registry_is_done_once(watched: Watched, tmp_path: Path) -> None:
    """Another registry reads the same journals from their beginning, and fails on its way."""
    registry = Registry.open(sqlite_url(tmp_path))
    registry.migrate()
    incidents = Incidents(Announcing([], SystemClock().now), IncidentSettings(), SystemClock().now)
    stumbles = Stumbles()
    takers = [incidents, Verdicts(incidents.life, SystemClock().now), stumbles]
    following = Following(watched.data, registry, takers, [Auditing()])
    with pytest.raises(RuntimeError, match="killed here"):
        while following.step():
            pass
    following.close()
    again = Following(watched.data, registry, takers, [Auditing()])
    while again.step():
        pass
    again.close()
    with registry.reading() as connection:
        said = [one.what for one in audit.entries(connection) if one.what.startswith("finding.")]
        walked = audit.walk(connection)
    registry.close()
    assert stumbles.failed and said == [one["what"] for one in watched.audited()] and not walked.wrong
