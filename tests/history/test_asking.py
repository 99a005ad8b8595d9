"""Questions in SQL get what the other commands say, in words that people use; nothing else can be read or written."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from history.recorded import MEMBERS, archive_all, member, record
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.outputs import OUTPUT
from simward.engine.phrases import ipv6_text, prefix_text
from simward.history.questions import QUESTIONS
from simward.history.views import EVENT_NAMES, LEFT_OUT, events_view, outputs_view, prefix, whole_address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearly all of it is history."""
    made = tmp_path_factory.mktemp("asking") / "work"
    record(made, days=6)
    archive_all(made)
    return made


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def asked(folder: Path, sql: str, *options: str) -> list[dict[str, Any]]:
    result = simward(folder, "history", "sql", sql, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in simward(folder, *arguments, "--json").stdout.splitlines()]


def test_events_are_as_the_command_events_has_them(folder: Path) -> None:
    """Every column that both have, in every row, from history and journal alike."""
    expected, found = told(folder, "events", "--ticks"), asked(folder, "select * from events order by id[3:]::int")
    assert len(found) == len(expected) > 100
    both = set(found[0]) & set(expected[0]) - {"flags"}
    assert {"imsi", "imei", "cell", "rat", "plmn", "apn", "gateway", "address", "session_id", "iccid", "kind"} <= both
    assert {"credentials", "result", "error_cause", "terminate_cause"} <= both
    assert "wrong" in {one["credentials"] for one in found}
    assert ("change-result", "nak", 404) in {(one["kind"], one["result"], one["error_cause"]) for one in found}
    for one, other in zip(found, expected, strict=True):
        assert {name: one[name] for name in both} == {name: other[name] for name in both}


def test_findings_are_as_the_command_findings_has_them(folder: Path) -> None:
    expected = told(folder, "findings")
    found = asked(folder, "select * from findings")
    for one, other in zip(found, expected, strict=True):
        assert {key: None if value is None else str(value) for key, value in other.items()} == one


@pytest.mark.parametrize(
    ("high", "low", "length"),
    [(0x20010DB800AA0000, 7, 128), (0x20010DB800AA0000, 7, 0), (0x20010DB864000001, 0, 64), (-1, -1, 128), (0, 1, 128),
     (1 << 48, 0, 128), (0x2001000000000001, 1, 127), (0x2001000000010000, 0x0000000100020003, 128),
     (0x2001000000020003, 0x0001000000000002, 128), (0x20010DB800000000, 0, 32), (0, 0, 0)],
)  # fmt: skip
def test_ipv6_is_written_as_the_commands_write_it(high: int, low: int, length: int) -> None:
    columns = f"{prefix('high', 'low', 'bits')}, {prefix('high', '', 'bits')}, {whole_address('high', 'low')}"
    asking = duckdb.connect(":memory:")
    row = f"SELECT {high}::BIGINT AS high, {low}::BIGINT AS low, {length} AS bits"
    (found,) = asking.execute(f"SELECT {columns} FROM ({row})").fetchall()
    assert [one or "" for one in found] == [
        prefix_text(high, low, length), prefix_text(high, 0, length), ipv6_text(high, low)
    ]  # fmt: skip


def test_outputs_and_subscriptions(folder: Path) -> None:
    refused = asked(folder, "select imsi, count(*) as n from outputs where kind = 'verdict' group by imsi")
    assert {one["imsi"] for one in refused} >= {member(MEMBERS - 1)["imsi"]}
    declared = asked(folder, "select * from subscriptions order by imsi")
    assert [one["imsi"] for one in declared] == [member(number)["imsi"] for number in range(MEMBERS)]
    assert declared[0]["msisdn"] == member(0)["msisdn"] and declared[0]["use_case"] == "water-meter"


def test_what_is_asked_about_is_narrowed_by_time_and_subscription(folder: Path) -> None:
    who = member(2)
    for name in ("imsi", "iccid", "msisdn"):
        (found,) = asked(folder, "select count(*) as n, count(distinct imsi) as who from events", "--imsi", who[name])
        assert found["n"] > 10 and found["who"] == 1
    days = ("--since", "2026-11-24", "--until", "2026-11-25")
    (found,) = asked(folder, "select min(received_at) as first, max(received_at) as last from events", *days)
    assert found["first"] >= "2026-11-24T00:00" and found["last"] <= "2026-11-25T00:00:01"
    (raw,) = asked(folder, "select count(*) as n from raw_events", "--no-journal")
    (whole,) = asked(folder, "select count(*) as n from raw_events")
    assert 0 < raw["n"] < whole["n"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_ready_question_has_an_answer(folder: Path, name: str) -> None:
    result = simward(folder, "history", "ask", name, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout, name
    assert simward(folder, "history", "ask", name, "--show-sql").stdout.startswith("SELECT")


def test_answers_as_a_table_and_as_csv(folder: Path) -> None:
    query = "select kind, count(*) as n from events group by kind order by kind"
    counted = Counter(one["kind"] for one in told(folder, "events", "--ticks"))
    rows = list(csv.DictReader(io.StringIO(simward(folder, "history", "sql", query, "--csv").stdout)))
    assert {row["kind"]: int(row["n"]) for row in rows} == counted
    assert "accounting-start" in simward(folder, "history", "sql", query).stdout
    assert "busiest" in simward(folder, "history", "ask").stdout


@pytest.mark.parametrize("query", [
    "select * from read_csv('{file}')", "select * from read_text('{file}')", "select * from '{file}'",
    "copy (select 1) to '{file}'", "copy events to '{file}'", "attach '{file}' as x", "set threads = 1",
    "create table x as select 1", "drop view events", "select 1; select 2", "install httpfs", "load httpfs",
    "select * from glob('/*')", "insert into events select * from events", "pragma database_list",
    "export database '{file}'", "", "what", "select * from nothing",
    "with x as (select 1) insert into y select * from x", "call pragma_version()",
])  # fmt: skip
def test_nothing_else_is_read_and_nothing_written(folder: Path, tmp_path: Path, query: str) -> None:
    file = tmp_path / "file.csv"
    file.write_text("secret\n1\n")
    before = sorted(path.stat().st_mtime_ns for path in folder.rglob("*") if "history" in path.parts)
    result = simward(folder, "history", "sql", query.format(file=file))
    assert result.exit_code == 2 and "secret" not in result.stdout
    assert file.read_text() == "secret\n1\n"
    assert sorted(path.stat().st_mtime_ns for path in folder.rglob("*") if "history" in path.parts) == before


@pytest.mark.parametrize("arguments", [
    ["ask", "busyest"], ["sql", "select 1", "--json", "--csv"], ["sql", "select 1", "--imsi", "8900101000000099999"],
])  # fmt: skip
def test_wrong_use(folder: Path, arguments: list[str]) -> None:
    assert simward(folder, "history", *arguments).exit_code == 2


def test_status_says_what_is_kept(folder: Path, tmp_path: Path) -> None:
    said = json.loads(simward(folder, "history", "status", "--json").stdout)
    (counted,) = asked(folder, "select count(*) as n from raw_events", "--no-journal")
    assert said["events"] == counted["n"] and said["units"] >= 2 and said["octets"] > 1000
    assert said["keep_s"] == 400 * 86_400 and said["removed_up_to"] is None
    assert "units" in simward(folder, "history", "status").stdout
    assert simward(tmp_path / "new", "init").exit_code == 0
    assert "nothing yet" in simward(tmp_path / "new", "history", "status").stdout
    assert asked(tmp_path / "new", "select count(*) as n from events") == [{"n": 0}]


def test_every_field_has_its_column() -> None:
    for name in ev.EVENT.names or ():
        assert name in (*LEFT_OUT, *EVENT_NAMES) or f'AS "{name}"' in events_view()
    for name in OUTPUT.names or ():
        assert name in LEFT_OUT or f'AS "{name}"' in outputs_view()


def test_the_gate_loads_neither_arrow_nor_duckdb() -> None:
    import subprocess
    import sys

    code = "import simward.gate.serve, simward.watch.run, sys; print({'pyarrow', 'duckdb'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
