"""Records that other systems wrote become events: by their usual names or a mapping, and nothing is lost silently."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from simward import identity
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.texts import Texts
from simward.errors import ConfigurationError
from simward.inputs.event_files import EventFile
from simward.inputs.foreign.mapping import mapping_of
from simward.inputs.foreign.names import USUAL, spoken

START_US = 1_767_600_000_000_000
HEADER = "user_id,start_time,duration,cell_id,rat,device,apn,ip,bytes_up,bytes_down,server\n"
ROWS = (
    "u-aa,2026-01-05 08:00:00,3600,12345,4G,ph-1,iot.example,192.0.2.7,1000,2000,198.51.100.1\n"
    "u-bb,1767600060,,north mast,nb-iot,35111111,iot.example,2001:db8::1,,,\n"
    "u-aa,2026-01-06T09:00:00+01:00,00:01:00,001-01-22-33,LTE,ph-2,iot.example,,10,20,\n"
)


def convert(*words: Any) -> Result:
    return CliRunner().invoke(cli, ["convert", *map(str, words)])


def converted(folder: Path, text: str, *words: Any, name: str = "records.csv") -> np.ndarray:
    (folder / name).write_text(text)
    result = convert(folder / name, "--into", folder / "study", *words)
    assert result.exit_code == 0, result.output
    return read(folder / "study" / "events.parquet")


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(EventFile(path, Texts()).events()))


def test_a_row_is_a_request_a_start_and_a_stop(tmp_path: Path) -> None:
    events = converted(tmp_path, HEADER + ROWS)
    first = events[events["imsi"] == identity.Imsi.parse("001010000000001").number]
    assert first["kind"].tolist() == [ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_STOP] * 2
    assert first["received_at"].tolist() == [
        START_US, START_US + 1, START_US + 3_600_000_000,
        START_US + 86_400_000_000, START_US + 86_400_000_001, START_US + 86_460_000_000,
    ]  # fmt: skip
    stop = first[2]
    assert (stop["duration_s"], stop["uplink_octets"], stop["downlink_octets"]) == (3600, 1000, 2000)
    assert identity.cell_text(int(first[1]["cell"])) == "ecgi:12345" and stop["rat"] == identity.rat_number("lte")
    assert identity.cell_text(int(first[4]["cell"])) == "cgi:22-33"
    assert first["plmn"].tolist()[3:] == [identity.Plmn.parse("00101").number] * 3
    assert len(set(first["imei"].tolist())) == 2, "two pseudonyms are two devices"


def test_what_is_not_said_is_not_reported(tmp_path: Path) -> None:
    events = converted(tmp_path, HEADER + ROWS)
    other = events[events["imsi"] == identity.Imsi.parse("001010000000002").number]
    assert other["duration_s"].tolist()[-1] == 0 and other["uplink_octets"].tolist()[-1] == -1
    assert identity.imei_text(int(other["imei"][0])).startswith("35111111"), "8 digits are a TAC"
    assert other["address"].tolist() == [0, 0, 0] and other["ipv6_high"][0] != 0


def test_the_same_from_json_lines_and_parquet(tmp_path: Path) -> None:
    expected = converted(tmp_path, HEADER + ROWS)
    rows = list(csv.DictReader((HEADER + ROWS).splitlines()))
    lines = "".join(json.dumps({key: value or None for key, value in row.items()}) + "\n" for row in rows)
    assert converted(tmp_path, lines, name="records.jsonl").tobytes() == expected.tobytes()
    pq.write_table(pa.Table.from_pylist([{key: value or None for key, value in row.items()} for row in rows]),
                   tmp_path / "records.parquet")  # fmt: skip
    assert convert(tmp_path / "records.parquet", "--to", tmp_path / "e.parquet").exit_code == 0
    assert read(tmp_path / "e.parquet").tobytes() == expected.tobytes()


def test_parts_of_one_session_add_up(tmp_path: Path) -> None:
    text = (
        "imsi,session_id,start,end,octets,cell\n"
        "001010000000009,s1,1767600000,1767603600,100,1\n"
        "001010000000009,s1,1767603600,1767607200,50,2\n"
    )
    events = converted(tmp_path, text)
    assert events["kind"].tolist() == [
        ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP,
    ]  # fmt: skip
    assert events["downlink_octets"].tolist() == [-1, -1, 100, 150]
    assert events["duration_s"].tolist()[2:] == [3600, 7200]
    assert identity.imsi_text(int(events["imsi"][0])) == "001010000000009", "an IMSI stays what it is"


def test_units_and_zones_are_as_the_mapping_says(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "columns: {subscription: Kunde, began_at: Beginn, octets: Menge.gesamt}\n"
        "time: '%d.%m.%Y %H:%M'\nzone: Europe/Oslo\noctets: kB\nduration: ms\nabsent: [k.A.]\n"
    )
    line = {"Kunde": "k1", "Beginn": "05.01.2026 09:00", "Menge": {"gesamt": 3}, "duration": 90_000, "device": "k.A."}
    events = converted(tmp_path, json.dumps(line) + "\n", "--mapping", tmp_path / "m.yaml", name="r.jsonl")
    assert events["received_at"][0] == START_US and events["downlink_octets"][-1] == 3000
    assert events["duration_s"][-1] == 90 and events["imei"][0] == 0


def test_rows_that_tell_nothing_are_kept_beside(tmp_path: Path) -> None:
    bad = ",2026-01-05 08:00:00,1,,,,,,,,\nu-cc,never,1,,,,,,,,\nu-dd,2026-01-05 08:00:00,x,,,,,pseudonym,-1,2,\n"
    (tmp_path / "records.csv").write_text(HEADER + ROWS + bad)
    result = convert(tmp_path / "records.csv", "--into", tmp_path / "study", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["rows"] == 6 and said["subscriptions"] == 3
    assert said["rejected"] == {"no subscription": 1, "no time that can be read": 1}
    assert said["unread"] == {"duration": 1, "uplink": 1, "address": 1}
    with (tmp_path / "study" / "rejected.csv").open() as file:
        assert [(row["row"], row["reason"]) for row in csv.DictReader(file)] == [
            ("4", "no subscription"), ("5", "no time that can be read"),
        ]  # fmt: skip


def test_the_folder_is_one_that_can_be_replayed(tmp_path: Path) -> None:
    converted(tmp_path, HEADER + ROWS)
    study = str(tmp_path / "study")
    assert CliRunner().invoke(cli, ["--dir", study, "check"]).exit_code == 0
    result = CliRunner().invoke(cli, ["--dir", study, "replay", f"{study}/events.parquet", "--json"])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["detector"] for one in found if "detector" in one] == ["device-change"], result.output
    assert found[-1]["summary"]["events"] == 9


def test_the_watchs_detectors_judge_it_as_well(tmp_path: Path) -> None:
    converted(tmp_path, HEADER + ROWS)
    study = tmp_path / "study"
    with (study / "policies" / "imported.yaml").open("a") as file:
        file.write("services: {data: 2 kB/day}\n")
    result = CliRunner().invoke(cli, ["--dir", str(study), "replay", str(study / "events.parquet"), "--json"])
    found = [json.loads(line) for line in result.stdout.splitlines()[:-1]]
    (budget,) = [one for one in found if one["detector"] == "budget-exceeded"]
    assert budget["id"].startswith("w0/") and budget["class"] == "day" and budget["imsi"] == "001010000000001"
    words = ["--dir", str(study), "replay", "--gate-only", str(study / "events.parquet"), "--json"]
    assert "budget-exceeded" not in CliRunner().invoke(cli, words).stdout


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [("a,b\n1,2\n", "subscription", "no column is called like it"), ("imsi,x\n1,2\n", "began_at", "no column"),
     ("imsi,start\n,\n", "", "no row can be used (no subscription: 1)")],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path: Path, text: str, where: str, said: str) -> None:
    (tmp_path / "r.csv").write_text(text)
    result = convert(tmp_path / "r.csv", "--to", tmp_path / "e.parquet")
    assert result.exit_code == 2 and where in result.output and said in result.output
    assert not (tmp_path / "e.parquet").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["r.csv"], "nothing half-made stays"


def test_a_mapping_is_checked_whole() -> None:
    with pytest.raises(ConfigurationError) as wrong:
        mapping_of("columns: {subscripton: a}\ntime: soon\nzone: Nowhere\noctets: kb\nextra: 1\n", "m.yaml")
    assert [(one.line, one.where) for one in wrong.value.problems] == [
        (5, "extra"), (1, "columns.subscripton"), (2, "time"), (4, "octets"), (3, "zone"),
    ]  # fmt: skip


def test_usual_names_are_written_as_they_are_looked_for() -> None:
    names = [name for many in USUAL.values() for name in many]
    assert [spoken(name) for name in names] == names and len(set(names)) == len(names)
    assert spoken("SessionStart") == spoken("session_start") == spoken(" Session-Start ") == "session start"
