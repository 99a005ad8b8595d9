"""From an empty folder to a policy in force, without a gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from simward.cli import cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    assert simward(made, "init").exit_code == 0
    return made


def simward(folder: Path, *arguments: str, **more: Any) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments], **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_init_makes_a_folder_that_passes_its_own_check(folder: Path) -> None:
    assert (folder / "gateway.secret").stat().st_mode & 0o077 == 0
    checked = simward(folder, "check")
    assert checked.exit_code == 0
    assert "not enforced yet" in checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("0 errors")


def test_init_overwrites_nothing(folder: Path) -> None:
    before = (folder / "simward.toml").read_bytes()
    again = simward(folder, "init")
    assert again.exit_code == 2 and "nothing is overwritten" in again.stderr
    assert (folder / "simward.toml").read_bytes() == before


def test_check_names_everything_at_once(folder: Path) -> None:
    policy = folder / "policies" / "water-meter.yaml"
    policy.write_text(policy.read_text().replace("mobility: fixed", "mobillity: fixed"))
    checked = simward(folder, "check")
    assert checked.exit_code == 1, "a failed check is an answer, not a wrong use"
    assert "did you mean 'mobility'?" in checked.stdout
    assert simward(folder, "plan").exit_code == 2
    problems = [json.loads(line) for line in simward(folder, "check", "--json").stdout.splitlines()]
    (error,) = [one for one in problems if not one["warning"]]
    assert error["file"].endswith("water-meter.yaml") and error["line"] > 1


def test_check_reads_the_inventory_too(folder: Path) -> None:
    inventory = folder / "inventory.csv"
    inventory.write_text(inventory.read_text().replace("water-meter", "watermeter"))
    checked = simward(folder, "check")
    assert checked.exit_code == 1 and "did you mean 'water-meter'?" in checked.stdout


def test_wrong_policies_do_not_hide_what_is_wrong_in_the_inventory(folder: Path) -> None:
    policies = folder / "policies" / "water-meter.yaml"
    policies.write_text(policies.read_text().replace("binding:", "bindign:"))
    lines = "8900101000000000019,12,water-meter\n8900101000000000027,001010000000099,gas-meter\n"
    (folder / "inventory.csv").write_text(f"iccid,imsi,use_case\n{lines}")
    said = simward(folder, "check").stdout
    assert "bindign" in said
    assert "imsi: '12'" in said and "no use case 'gas-meter'" in said
    assert "no use case 'water-meter'" not in said, "its name can be read, though what it says is wrong"
    policies.write_text("\tno: YAML")
    said = simward(folder, "check").stdout
    assert "imsi: '12'" in said and "no use case" not in said, "no name can be read, so none can be wrong"
    (folder / "inventory.csv").unlink()
    said = simward(folder, "check").stdout
    assert "not YAML" in said and "inventory.csv:1: cannot be read" in said


def test_the_schema_accepts_what_init_wrote(folder: Path) -> None:
    schema = json.loads(simward(folder, "schema").stdout)
    for document in yaml.safe_load_all((folder / "policies" / "water-meter.yaml").read_text()):
        jsonschema.validate(document, schema)


def test_drift_then_apply_then_none(folder: Path) -> None:
    planned = simward(folder, "plan")
    assert planned.exit_code == 1 and "+ 3 subscriptions added" in planned.stdout
    applied = simward(folder, "apply", "--because", "first delivery")
    assert applied.exit_code == 0 and "in force from sequence 2" in applied.stdout
    assert simward(folder, "plan").exit_code == 0
    assert "Nothing would change" in simward(folder, "apply").stdout
    told = json.loads(simward(folder, "plan", "--json").stdout)
    assert told["empty"] is True and told["fleet"] == 3


def test_removing_much_of_the_fleet_asks_first(folder: Path) -> None:
    header = "iccid,imsi,use_case\n"
    lines = [f"89001010000000{number:05d},0010100000{number:05d},water-meter\n" for number in range(100)]
    (folder / "inventory.csv").write_text(header + "".join(lines))
    assert simward(folder, "apply").exit_code == 0
    (folder / "inventory.csv").write_text(header + "".join(lines[:50]))
    refused = simward(folder, "apply")
    assert refused.exit_code == 2
    assert "50 of 100 subscriptions would be removed" in refused.stderr and "--yes" in refused.stderr
    assert simward(folder, "plan").exit_code == 1, "nothing was applied"
    assert simward(folder, "apply", "--yes").exit_code == 0
    assert simward(folder, "plan").exit_code == 0


def test_a_revision_says_who_applied_it_and_why(folder: Path) -> None:
    from simward.engine.sqlite_journal import SqliteJournal

    simward(folder, "apply", "--because", "first delivery", "--actor", "ada")
    journal = SqliteJournal.open(folder / "data" / "journal", writer=False)
    notes = [row.notes["commands"][str(row.first)] for row in journal.rows()]
    assert {(note["actor"], note["because"]) for note in notes} == {("ada", "first delivery")}


def test_detectors_are_listed_and_have_pages() -> None:
    listed = CliRunner().invoke(cli, ["detectors"])
    assert listed.exit_code == 0 and "device-change" in listed.stdout
    page = CliRunner().invoke(cli, ["detectors", "device-change"])
    assert "What it misses" in page.stdout and "binding.mode" in page.stdout
    wrong = CliRunner().invoke(cli, ["detectors", "device-chnge"])
    assert wrong.exit_code == 2 and "did you mean 'device-change'?" in wrong.stderr
    ids = [json.loads(line)["id"] for line in CliRunner().invoke(cli, ["detectors", "--json"]).stdout.splitlines()]
    assert "gateway-restarted" in ids
