"""Commands to a running gate: what is sent, what is said about the answer, and what happens where no gate runs."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from control.listening import Listening
from control.running import RunningControl
from simward.cli import cli

ICCID = "8900101000000000019"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    assert simward(made, "init").exit_code == 0
    settings = made / "simward.toml"
    settings.write_text(settings.read_text().replace('http = "127.0.0.1:8080"', 'http = "none"'))
    return made


@pytest.fixture
def gate(folder: Path) -> Iterator[Listening]:
    """A gate, and a control plane in front of it."""
    listening, control = Listening(folder / "data"), RunningControl(folder)
    yield listening
    control.close()
    listening.close()


@pytest.fixture
def gate_alone(folder: Path) -> Iterator[Listening]:
    listening = Listening(folder / "data")
    yield listening
    listening.close()


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_lock_says_who_asks_and_why(folder: Path, gate: Listening) -> None:
    gate.answers = [{"result": "applied", "sequence": 17, "generation": 1}]
    shown = simward(folder, "lock", "89001 01000 00000 0019", "--because", "stolen")
    assert shown.exit_code == 0 and shown.stdout == f"Locked {ICCID}. [0/17]\n"
    (heard,) = gate.heard
    assert (heard["do"], heard["iccid"], heard["because"], heard["generation"]) == ("lock", ICCID, "stolen", -1)
    assert heard["actor"].startswith(getpass.getuser())


def test_release_can_rebind_and_name_a_generation(folder: Path, gate: Listening) -> None:
    simward(folder, "release", ICCID, "--because", "new meter", "--rebind", "--generation", "2", "--actor", "ada")
    (heard,) = gate.heard
    assert heard["rebind"] is True and heard["generation"] == 2 and heard["actor"] == "ada"


def test_a_command_done_before_says_so(folder: Path, gate: Listening) -> None:
    gate.answers = [{"result": "duplicate", "id": "case-7"}]
    shown = simward(folder, "disconnect", ICCID, "--because", "case 7", "--id", "case-7")
    assert shown.exit_code == 0 and "done before" in shown.stdout
    assert gate.heard[0]["id"] == "case-7"


def test_what_the_gate_refuses_is_said_and_is_an_error(folder: Path, gate: Listening) -> None:
    gate.answers = [{"ok": False, "error": "not found: no subscription with this ICCID", "result": "not-found"}]
    shown = simward(folder, "lock", ICCID, "--because", "stolen")
    assert shown.exit_code == 1 and "no subscription with this ICCID" in shown.stderr
    gate.answers = [{"ok": False, "error": "the journal cannot be written"}]
    assert simward(folder, "lock", ICCID, "--because", "stolen").exit_code == 3


def test_pause_and_resume(folder: Path, gate: Listening) -> None:
    assert simward(folder, "pause", "--because", "maintenance").stdout == "Paused.\n"
    assert simward(folder, "resume", "--because", "done", "--json").stdout == '{"ok": true}\n'
    assert [one["do"] for one in gate.heard] == ["pause", "resume"]


def test_status_and_metrics(folder: Path, gate_alone: Listening) -> None:
    gate_alone.answers = [{"sequence": 5, "packets": {"forged": 1}}, {"sequence": 5}, {"text": "simward_sequence 5\n"}]
    shown = simward(folder, "status")
    assert shown.exit_code == 0 and "sequence   5" in shown.stdout and "forged" in shown.stdout
    none = {"watch": None, "control": None, "processes": {}}
    assert json.loads(simward(folder, "status", "--json").stdout) == {"running": True, "sequence": 5, **none}
    shown = simward(folder, "metrics").stdout
    assert "simward_sequence 5\n" in shown and 'simward_up{process="control"} 0\n' in shown


def test_a_revision_goes_through_the_running_gate(folder: Path, gate: Listening) -> None:
    gate.answers = [{"first": 1, "last": 2, "subscriptions": 3}]
    shown = simward(folder, "apply", "--because", "delivery")
    assert shown.exit_code == 0 and "from sequence 2" in shown.stdout
    assert gate.heard[-1]["do"] == "apply"
    assert Path(gate.heard[-1]["revision"]).parent == (folder / "data" / "revisions").absolute()


def test_apply_says_how_many_sessions_it_cuts(folder: Path, gate: Listening) -> None:
    gate.answers = [{"first": 1, "last": 2, "subscriptions": 3, "disconnects": 2}]
    said = simward(folder, "apply").stdout
    assert "2 live sessions of removed subscriptions are being cut now" in said and "explain" in said


@pytest.mark.parametrize("arguments", [["lock", ICCID, "--because", "x"], ["metrics"], ["pause", "--because", "x"]])
def test_without_a_gate_it_says_how_to_start_one(folder: Path, arguments: list[str]) -> None:
    shown = simward(folder, *arguments)
    assert shown.exit_code == 3 and f"simward --dir {folder} serve" in shown.stderr
    assert simward(folder, "status").exit_code == 1


@pytest.mark.parametrize("arguments", [["lock", ICCID], ["lock", "123", "--because", "x"], ["release"]])
def test_wrong_use_is_told_before_anything_is_sent(folder: Path, gate: Listening, arguments: list[str]) -> None:
    assert simward(folder, *arguments).exit_code == 2
    assert not gate.heard


def test_a_mistyped_iccid_is_warned_about(folder: Path, gate: Listening) -> None:
    shown = simward(folder, "lock", ICCID[:-1] + "0", "--because", "x")
    assert shown.exit_code == 0 and "Luhn" in shown.stderr


def test_what_found_nothing_to_do_is_not_said_to_be_done(folder: Path, gate: Listening) -> None:
    gate.answers = [{"result": "applied", "did": []}, {"result": "applied", "did": []}]
    assert "was not locked" in simward(folder, "release", ICCID, "--because", "x").stdout
    assert "no live session" in simward(folder, "disconnect", ICCID, "--because", "x").stdout


def test_a_release_of_a_suspended_one_says_who_can_let_it_in(folder: Path, gate: Listening) -> None:
    gate.answers = [{"result": "applied", "did": ["released"], "sequence": 9, "state": "suspended"}]
    shown = simward(folder, "release", ICCID, "--because", "x").stdout
    assert shown.startswith(f"Released {ICCID}. It stays refused: the inventory says suspended")
    assert "simward apply" in shown


@pytest.mark.parametrize("arguments", [["lock", ICCID, "--because", "x"], ["pause", "--because", "x"], ["apply"]])
def test_without_a_control_plane_nothing_is_asked_of_the_gate(
    folder: Path, gate_alone: Listening, arguments: list[str]
) -> None:
    shown = simward(folder, *arguments)
    assert shown.exit_code == 3 and "no control process is running" in shown.stderr
    assert "serve" in shown.stderr and "--break-glass" in shown.stderr
    assert not gate_alone.heard


def test_break_glass_asks_the_gate_directly_and_says_so(folder: Path, gate_alone: Listening) -> None:
    gate_alone.answers = [{"result": "applied", "sequence": 17}, {"ok": True}, {"first": 1, "last": 2}]
    assert simward(folder, "lock", ICCID, "--because", "x", "--break-glass").exit_code == 0
    assert simward(folder, "pause", "--because", "x", "--break-glass").exit_code == 0
    assert simward(folder, "apply", "--break-glass").exit_code == 0
    assert [one["do"] for one in gate_alone.heard] == ["lock", "pause", "apply"]
    assert all(one["break_glass"] is True for one in gate_alone.heard)
    assert Path(gate_alone.heard[-1]["revision"]).parent == (folder / "data" / "revisions").absolute()
