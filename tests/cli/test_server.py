"""`--server`: the same commands against a control plane that runs elsewhere, over TCP with a token."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from control import assembled
from control.running import RunningControl
from simward.cli import COMMANDS, cli
from simward.commands.server import REMOTE

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    made = assembled.running(assembled.recorded_day(tmp_path_factory.mktemp("day")))
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def ask(control: RunningControl, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Runs a command from an empty folder."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "token").write_text(assembled.token(control, "administrator", "ada") + "\n")
    host, port = control.tcp()
    server = ["--dir", str(elsewhere), "--server", f"http://{host}:{port}", "--token-file", str(elsewhere / "token")]
    return lambda *words: CliRunner().invoke(cli, [*server, *words])


def listed(result: Result) -> list[dict[str, object]]:
    assert result.exit_code in (0, 1), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_is_listed_there_is_what_is_listed_here(control: RunningControl, ask: Ask) -> None:
    here = ["--dir", str(control.folder)]
    for words in (["incidents", "list", "--json"], ["rules", "list", "--json"], ["work", "list", "--json"]):
        assert listed(ask(*words)) == listed(CliRunner().invoke(cli, [*here, *words])), words
    assert listed(ask("incidents", "list", "--json")), "there are some"
    mine = CliRunner().invoke(cli, [*here, "findings", "--json"])
    assert {one["id"] for one in listed(ask("findings", "--json"))} == {one["id"] for one in listed(mine)}
    assert ask("findings").exit_code == 1 and ask("rules").exit_code == 0


def test_an_incident_is_told_and_judged_by_whom_the_token_names(control: RunningControl, ask: Ask) -> None:
    number = str(listed(ask("incidents", "list", "--json"))[0]["number"])
    there = ask("incidents", "show", number)
    here = CliRunner().invoke(cli, ["--dir", str(control.folder), "incidents", "show", number])
    assert there.stdout.split("You could")[0] == here.stdout.split("You could")[0] != ""
    assert f"--server http://127.0.0.1:{control.tcp()[1]} incidents acknowledge {number}" in there.stdout
    assert "is acknowledged, owner token ada" in ask("incidents", "acknowledge", number).stdout
    assert ask("incidents", "show", "999999").exit_code == 1, "a problem that is an answer"


def test_stories_events_and_tokens(control: RunningControl, ask: Ask) -> None:
    events = listed(ask("events", "--json"))
    assert events and int(ask("events", "--count").stdout) >= len(events)
    imsi = control.ask("GET", "/v1/subscriptions?limit=1").document["subscriptions"][0]["imsi"]
    there, here = ask("explain", imsi), CliRunner().invoke(cli, ["--dir", str(control.folder), "explain", imsi])
    assert there.exit_code == 0 and "Now:" in there.stdout
    assert there.stdout.splitlines()[2] == here.stdout.splitlines()[2], "the first chapter"
    assert "ada" in ask("token", "list").stdout
    assert ask("endpoints").exit_code == 0 and ask("deployments").exit_code == 0


def test_what_goes_to_the_gate_says_that_none_is_there(ask: Ask) -> None:
    said = ask("lock", "8901010000000000017", "--because", "lost")
    assert said.exit_code == 3 and "no gate" in said.output
    assert ask("lock", "8901010000000000017", "--because", "lost", "--break-glass").exit_code == 2


def test_what_works_on_files_says_so(ask: Ask) -> None:
    for name in set(COMMANDS) - set(REMOTE):
        said = ask(name, "--help") if name in ("lab",) else ask(name)
        assert said.exit_code == 2 and "not over --server" in said.output, name
    assert set(REMOTE) <= set(COMMANDS)


def test_a_server_that_is_none_or_knows_nobody(control: RunningControl) -> None:
    host, port = control.tcp()
    server = ["--server", f"http://{host}:{port}"]
    wrong = CliRunner().invoke(cli, [*server, "incidents"], env={"SIMWARD_TOKEN": "nonsense"})
    assert wrong.exit_code == 2 and "does not know the token" in wrong.output
    assert CliRunner().invoke(cli, ["--server", "simward.example", "incidents"]).exit_code == 2
