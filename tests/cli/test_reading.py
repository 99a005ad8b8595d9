"""What was journalled, read back on the command line: findings, events, explain, who, replay, verify."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.recording import HOUR, ICCID, IMSI, METERS, MSISDN, OTHER_ICCID, OTHER_IMSI, PHONE, Recording
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.sqlite_journal import SqliteJournal


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A meter's quiet day, then its SIM in a phone, and a gateway restart; and another meter that did nothing."""
    made = tmp_path_factory.mktemp("recorded") / "work"
    assert simward(made, "init").exit_code == 0
    (made / "policies" / "water-meter.yaml").write_text(METERS)
    with closing(SqliteJournal.open(made / "data" / "journal")) as journal:
        recording = Recording(journal=journal).declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002")
        recording.after(10).session("A1", address="10.64.0.1")
        recording.after(HOUR).event(ev.TICK, gateway=0)
        recording.after(HOUR).asks(imei=PHONE, software=5)
        recording.after(HOUR).event(ev.ACCOUNTING_ON)
    yield made


def test_findings_as_json_lines(folder: Path) -> None:
    shown = simward(folder, "findings", "--json")
    assert shown.exit_code == 1, "findings are the answer no"
    assert [f"{one['detector']}/{one['class']}" for one in lines(shown)] == [
        "device-change/other-model", "gateway-restarted/accounting-on",
    ]  # fmt: skip
    assert simward(folder, "findings", "--json", "--exit-zero").exit_code == 0


def test_findings_as_a_table(folder: Path) -> None:
    shown = simward(folder, "findings")
    assert "device-change/other-model" in shown.stdout and IMSI in shown.stdout and "lock" in shown.stdout


@pytest.mark.parametrize(
    ("options", "count"),
    [(["--since", "2026-11-23T02:30:00Z"], 1), (["--since", "2026-11-23T02:00:00Z"], 2), (["--since", "2026-11-24"], 0),
     (["--imsi", IMSI], 1), (["--imsi", OTHER_IMSI], 0), (["--open"], 1), (["--detector", "device-change"], 1),
     (["--detector", "device-change/software"], 0)],
)  # fmt: skip
def test_findings_are_narrowed(folder: Path, options: list[str], count: int) -> None:
    shown = simward(folder, "findings", "--json", *options)
    assert len(lines(shown)) == count
    assert shown.exit_code == (1 if count else 0)


def test_a_misspelled_detector_is_not_a_clean_fleet(folder: Path) -> None:
    shown = simward(folder, "findings", "--detector", "device-chnage")
    assert shown.exit_code not in (0, 1)
    assert "did you mean device-change?" in shown.stderr


def test_an_empty_folder_of_policies_is_none(folder: Path, tmp_path: Path) -> None:
    shown = simward(folder, "replay", "journal", "--policies", str(tmp_path))
    assert shown.exit_code not in (0, 1)
    assert "holds no use case" in shown.stderr


def test_what_explain_offers_can_be_copied(folder: Path) -> None:
    assert f"simward --dir {folder} release {ICCID}" in simward(folder, "explain", IMSI).stdout


def test_findings_follow_shows_what_is_there_and_then_what_comes(folder: Path) -> None:
    program = [sys.executable, "-m", "simward", "--dir", str(folder), "findings", "--json", "--follow"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        following.terminate()
    assert first["detector"] == "device-change"


def test_events_leave_out_ticks_unless_asked(folder: Path) -> None:
    kinds = [one["kind"] for one in lines(simward(folder, "events", "--json"))]
    assert kinds == ["access-request", "accounting-start", "accounting-stop", "access-request", "accounting-on"]
    assert simward(folder, "events", "--count").stdout == "5\n"
    assert simward(folder, "events", "--count", "--ticks").stdout == "6\n"
    assert simward(folder, "events", "--count", "--kind", "tick").stdout == "1\n"


@pytest.mark.parametrize("who", [IMSI, ICCID, MSISDN])
def test_events_of_one_subscription(folder: Path, who: str) -> None:
    shown = lines(simward(folder, "events", "--json", "--imsi", who))
    assert len(shown) == 4
    start = shown[1]
    assert (start["imei"], start["software"], start["plmn"], start["rat"]) == ("35000000000001", 1, "00101", "nb-iot")
    assert (start["cell"], start["area"], start["address"]) == ("ecgi:1001", 7, "10.64.0.1")
    assert (start["apn"], start["gateway"], start["session_id"]) == ("meters.iot", "pgw1", "A1")
    assert shown[2]["terminate_cause"] == "user request" and shown[2]["uplink_octets"] == 2000
    assert start["uplink_octets"] is None


def test_events_as_a_table(folder: Path) -> None:
    assert "accounting-start" in simward(folder, "events").stdout


def test_explain_tells_the_story(folder: Path) -> None:
    shown = simward(folder, "explain", ICCID)
    assert shown.exit_code == 0
    for part in ("Declared as water-meter", "Bound to device", "Refused: device-change/other-model"):
        assert part in shown.stdout
    assert "Now: Locked since" in shown.stdout and f"release {ICCID}" in shown.stdout
    told = json.loads(simward(folder, "explain", IMSI, "--json").stdout)
    assert told["now"]["locked"] and told["subscription"]["iccid"] == ICCID
    nobody = simward(folder, "explain", "001010000099999")
    assert nobody.exit_code == 1 and "Nothing is known" in nobody.stderr
    assert simward(folder, "explain", "what").exit_code == 2


def test_who_held_an_address(folder: Path) -> None:
    shown = simward(folder, "who", "10.64.0.1", "--at", "2026-11-23T00:00:30Z")
    assert shown.exit_code == 0 and IMSI in shown.stdout and "certain" in shown.stdout
    (holder,) = lines(simward(folder, "who", "10.64.0.1", "--at", "2026-11-23T00:00:30Z", "--json"))
    assert holder["iccid"] == ICCID and holder["device"] == "35000000000001"
    assert simward(folder, "who", "10.64.0.1", "--at", "2026-11-23T12:00:00Z").exit_code == 1
    assert simward(folder, "who", "10.64.0.256").exit_code == 2
    assert simward(folder, "who", "10.64.0.1", "--at", "soon").exit_code == 2


def test_replay_decides_as_it_was_recorded(folder: Path) -> None:
    shown = simward(folder, "replay", "journal", "--json")
    assert shown.exit_code == 1
    *found, last = lines(shown)
    assert found == lines(simward(folder, "findings", "--json"))
    assert last["summary"]["findings"] == len(found) and last["summary"]["events"] == 5
    assert "decide as they were recorded" in shown.stderr


def test_replay_under_other_policies(folder: Path, tmp_path: Path) -> None:
    other = METERS.replace("device-change: lock", "device-change: notify").replace("meters.iot", "elsewhere.iot")
    (tmp_path / "other.yaml").write_text(other)
    *found, _ = lines(simward(folder, "replay", "journal", "--policies", str(tmp_path), "--json"))
    names = [f"{one['detector']}/{one['class']}" for one in found]
    assert names == ["apn-not-permitted/other-apn", "device-change/other-model", "gateway-restarted/accounting-on"]
    assert found[0]["expected"] == "elsewhere.iot" and found[0]["now"] == "meters.iot"
    assert found[1]["response"] == "notify"
    recorded = lines(simward(folder, "findings", "--json"))
    assert found[1]["id"].split("/")[1] == recorded[0]["id"].split("/")[1], "ids still name the event"


def test_verify_proves_that_nothing_was_changed(folder: Path, tmp_path: Path) -> None:
    shown = simward(folder, "verify")
    assert shown.exit_code == 0 and "are as they were written" in shown.stdout
    copy = tmp_path / "copy"
    (copy / "data" / "journal").mkdir(parents=True)
    for name in ("simward.toml", "gateway.secret"):
        (copy / name).write_text((folder / name).read_text())
    for file in (folder / "data" / "journal").iterdir():
        (copy / "data" / "journal" / file.name).write_bytes(file.read_bytes())
    (segment,) = (copy / "data" / "journal").glob("0*.sqlite")
    with closing(sqlite3.connect(segment)) as database:
        database.execute("UPDATE rows SET at = at + 1 WHERE first = 4")
        database.commit()
    wrong = simward(copy, "verify", "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["wrong"] == 4
    command = [sys.executable, "-m", "simward", "--dir", str(copy), "serve"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert refused.returncode == 3 and "sequence 4 of the journal cannot be relied on" in refused.stderr
