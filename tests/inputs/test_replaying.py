"""`simward replay INPUT...`: what was recorded, captured or written down, through the fold, alone and together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gate.running import RunningGate, access_request, accounting_request, needs_radclient, radclient
from history.recorded import archive_all, record
from inputs.framing import accounting, ethernet, ipv4, pcap, udp
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.texts import Texts
from simward.inputs.event_files import EventFile


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def replayed(folder: Path, *arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *found, last = lines(simward(folder, "replay", *arguments, "--json"))
    return found, last["summary"]


def judged(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a finding says, without the names that its journal gave it."""
    keys = ("at", "detector", "class", "imsi", "was", "now", "expected", "verdict", "response", "ended_at")
    return [tuple(one[key] for key in keys) for one in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearly all of it is history."""
    made = tmp_path_factory.mktemp("replaying") / "work"
    record(made, days=6)
    archive_all(made)
    return made


def test_the_journal_includes_the_history_and_is_compared(folder: Path) -> None:
    found, summary = replayed(folder, "journal")
    assert found == lines(simward(folder, "findings", "--json")) and len(found) > 3
    assert summary["differing"] == 0 and summary["compared"] > 0
    assert summary["by_class"]["device-change/other-model"] == 1
    assert simward(folder, "replay", "journal").exit_code == 1
    assert simward(folder, "replay", "journal", "--exit-zero").exit_code == 0


def test_the_history_alone(folder: Path) -> None:
    found, summary = replayed(folder, "history")
    whole, of_all = replayed(folder, "journal")
    assert 0 < summary["events"] < of_all["events"] and summary["differing"] == 0
    assert [one["id"] for one in found] == [one["id"] for one in whole if one["id"] in {one["id"] for one in found}]


def test_what_events_writes_can_be_replayed(folder: Path, tmp_path: Path) -> None:
    """A file of events has no revisions of its own: both are judged by one policy."""
    (tmp_path / "policies").mkdir()
    shutil.copy(folder / "policies" / "water-meter.yaml", tmp_path / "policies")
    (tmp_path / "events.jsonl").write_text(simward(folder, "events", "--json", "--ticks").stdout)
    told = lines(simward(folder, "events", "--json"))
    assert "wrong" in {one["credentials"] for one in told} and "nak" in {one["result"] for one in told}
    read = np.concatenate(list(EventFile(tmp_path / "events.jsonl", Texts()).events()))
    assert np.count_nonzero(read["credentials"] == ev.CREDENTIALS_WRONG) == 1
    assert read["cause"][read["kind"] == ev.CHANGE_RESULT].tolist() == [ev.EFFECT_NAK]
    recorded, _ = replayed(folder, "journal", "--policies", str(tmp_path / "policies"))
    written, summary = replayed(folder, str(tmp_path / "events.jsonl"), "--policies", str(tmp_path / "policies"))
    assert judged(written) == judged(recorded)
    assert summary["files"][0]["events"] > 100


def test_several_inputs_are_one_in_the_order_of_time(folder: Path, tmp_path: Path) -> None:
    told = simward(folder, "events", "--json").stdout.splitlines(keepends=True)
    (tmp_path / "whole.jsonl").write_text("".join(told))
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_text("".join(told[number::3]))
    whole, summary = replayed(folder, str(tmp_path / "whole.jsonl"))
    parts, of_parts = replayed(folder, *(str(tmp_path / f"{number}.jsonl") for number in range(3)))
    assert judged(of_the_gate(parts)) == judged(of_the_gate(whole)) and of_parts["events"] == summary["events"]


def of_the_gate(findings: list[Any]) -> list[Any]:
    """What inputs have at one microsecond may come in either order, and the watch looks at who was last."""
    return [one for one in findings if one["id"].startswith("0/")]


def test_a_capture_beside_the_journal(folder: Path, tmp_path: Path) -> None:
    """Somebody's capture of the same days: its strangers are found among what was recorded."""
    path = pcap(tmp_path / "x.pcap", [ethernet(ipv4(udp(accounting(900, 1))))])
    assert replayed(folder, "journal", str(path))[1]["files"][0]["unknown_client"] == 1
    found, summary = replayed(folder, "journal", str(path), "--unverified")
    assert "unknown-subscription" in {one["detector"] for one in found}
    assert summary["compared"] == 0 and summary["by_class"]["device-change/other-model"] == 1


@pytest.mark.parametrize(("inputs", "said"), [
    (["nothing.pcap"], "is no file"), (["journal", "history"], "includes the history"), ([], "Missing argument"),
])  # fmt: skip
def test_wrong_use(folder: Path, inputs: list[str], said: str) -> None:
    result = simward(folder, "replay", *inputs)
    assert result.exit_code == 2 and said in result.stderr


def test_a_folder_where_nothing_was_applied_judges_by_its_files(tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert simward(work, "init").exit_code == 0
    rows = ["received_at,kind,imsi,imei,plmn,rat,apn,session_id"]
    for minute, device in enumerate(["3500000100000101", "3500000100000101", "3599990000000701"]):
        rows.append(f"2026-11-23T00:0{minute}:00Z,access-request,001010000000001,{device},00101,nb-iot,meters.iot,")
    (tmp_path / "x.csv").write_text("\n".join(rows) + "\n")
    found, summary = replayed(work, str(tmp_path / "x.csv"))
    assert [f"{one['detector']}/{one['class']}" for one in found] == ["device-change/other-model"]
    assert summary["ticks"] == 120 and found[0]["verdict"] == "reject"


CAPTURE_S = 20


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[tuple[RunningGate, Path]]:
    """A gate that radclient talks to, and what dumpcap saw of it."""
    dumpcap = shutil.which("dumpcap")
    if dumpcap is None:
        pytest.skip("dumpcap is not installed (Debian: wireshark-common)")
    gate = RunningGate(tmp_path / "work").start()
    path = tmp_path / "seen.pcapng"
    ports = f"udp port {gate.auth[1]} or udp port {gate.accounting[1]}"
    seeing = subprocess.Popen([dumpcap, "-q", "-i", "lo", "-f", ports, "-w", str(path)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + CAPTURE_S
        while not path.exists() and time.monotonic() < until:
            if seeing.poll() is not None:
                pytest.skip("dumpcap may not capture on this machine")
            time.sleep(0.05)
        for number in range(1, 6):
            radclient(gate.auth, "auth", access_request(number))
            radclient(gate.accounting, "acct", accounting_request(number, "Start"))
        radclient(gate.auth, "auth", access_request(3, **{"3GPP-IMEISV": '"3599990000000701"'}))
        radclient(gate.accounting, "acct", accounting_request(2, "Stop"), secret="not-the-secret-at-all", wait_s=1)
        until = time.monotonic() + CAPTURE_S
        while path.stat().st_size < 12 * 150 and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(1.2)  # dumpcap writes what it has once a second
    finally:
        os.kill(seeing.pid, signal.SIGTERM)
        seeing.wait(10)
    yield gate, path
    gate.close()


@needs_radclient
def test_what_a_gate_decided_is_what_replaying_a_capture_of_it_finds(captured: tuple[RunningGate, Path]) -> None:
    """dumpcap and radclient are nobody's of ours: the capture gives the events and the findings that the gate had."""
    gate, path = captured
    assert gate.stop() == 0
    settings = gate.folder / "simward.toml"  # the ports that the system gave it stand nowhere else
    text = settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{gate.auth[1]}", 1)
    settings.write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{gate.accounting[1]}", 1))
    found, summary = replayed(gate.folder, str(path))
    recorded = lines(simward(gate.folder, "findings", "--json"))
    keys = ("detector", "class", "imsi", "was", "now", "expected", "verdict", "response")
    assert [[one[key] for key in keys] for one in found] == [[one[key] for key in keys] for one in recorded] != []
    assert summary["files"][0]["bad_authenticator"] >= 1 and summary["files"][0]["response"] == 11
    asked = [one for one in lines(simward(gate.folder, "events", "--json")) if one["kind"] != "effect-result"]
    assert summary["events"] == len(asked) == 11
