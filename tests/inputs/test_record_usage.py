"""What records add up to, whatever rows they came in."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from inputs.test_record_import import AT, CSV, HEADER, KEEP_S
from simward.cli import cli
from simward.engine.call_records import LAYOUT, RECORD, records_row
from simward.inputs import record_usage
from simward.inputs.record_import import RecordImport
from simward.inputs.record_usage import SUMS, UsageSums

LINES = [
    "1;MOC;2026-09-21 10:00:00;001010000000001;99950000001;00101;+999829001;65;;",
    "2;MOC;2026-09-21 11:00:00;001010000000001;99950000001;00102;+99912345;30;;",
    "3;MOC;2026-09-21 12:00:00;001010000000001;;00102;;5;;",
    "4;SMS-MO;2026-09-21 13:00:00;001010000000002;;00101;+999829001;;;",
    "5;SMS-MO;2026-09-21 13:00:01;001010000000002;;00101;+4712345678;;;",
    "6;PDP;2026-09-21 13:30:00;001010000000002;;00101;x;60;10;20",
    "7;MOC;2026-09-20 10:00:00;;99950000009;;+4712345678;7;;",
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    assert CliRunner().invoke(cli, ["--dir", str(tmp_path / "work"), "init"]).exit_code == 0
    path = tmp_path / "hour.csv"
    path.write_text("\n".join([HEADER, *LINES]) + "\n")
    with closing(RecordImport(tmp_path / "work" / "data", KEEP_S)) as into:
        assert into.run(path, CSV, AT).records == len(LINES)
    return tmp_path / "work"


def usage(work: Path, *words: str) -> list[dict]:
    done = CliRunner().invoke(cli, ["--dir", str(work), "cdr", "usage", "--json", *words])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_calls_by_class_messages_and_octets(work: Path) -> None:
    premium, messages, number = usage(work)
    assert (premium["imsi"], premium["msisdn"], premium["calls"], premium["premium_calls"]) == (
        "001010000000001", None, 3, 1
    )  # fmt: skip
    assert premium["voice_s"] == {"other": 5, "home": 0, "national": 30, "international": 0, "premium": 65}
    assert (premium["first_at"][:16], premium["last_at"][:16]) == ("2026-09-21T10:00", "2026-09-21T12:00")
    assert (messages["messages"], messages["premium_messages"], messages["data_sessions"]) == (2, 1, 1)
    assert (messages["uplink_octets"], messages["downlink_octets"]) == (10, 20)
    assert (number["imsi"], number["msisdn"], number["voice_s"]["international"]) == (None, "+99950000009", 7)


def test_by_network_and_time_and_of_one(work: Path) -> None:
    assert [(one["network"], one["calls"]) for one in usage(work, "001010000000001", "--by-network")] == [
        ("00101", 1), ("00102", 2)
    ]  # fmt: skip
    assert [one["calls"] for one in usage(work, "--until", "2026-09-21")] == [1]
    assert usage(work, "--since", "2026-09-22") == []
    assert [one["msisdn"] for one in usage(work, "+99950000009")] == ["+99950000009"]


def test_for_people(work: Path) -> None:
    shown = CliRunner().invoke(cli, ["--dir", str(work), "cdr", "usage", "--top", "1"])
    assert "001010000000001" in shown.stdout and "001010000000002" not in shown.stdout
    assert "and 2 more" in shown.stderr


def test_any_cut_into_rows_adds_up_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_usage, "PARTS_MOST", 3)
    chance = np.random.default_rng(7)
    records = np.zeros(1_000, RECORD)
    records["imsi"], records["kind"] = chance.integers(0, 20, 1_000), chance.integers(1, 4, 1_000)
    records["msisdn"], records["destination"] = chance.integers(0, 3, 1_000), chance.integers(0, 5, 1_000)
    records["duration_s"] = chance.integers(-1, 100, 1_000)
    records["uplink_octets"] = chance.integers(-1, 1 << 40, 1_000)
    made = []
    for size in (1_000, 37):
        sums = UsageSums()
        rows = [records_row(at + 1, 1, records[at : at + size]) for at in range(0, 1_000, size)]
        sums.take(rows, {LAYOUT.id: LAYOUT})
        made.append(sorted(sums.table().to_pylist(), key=lambda one: (one["imsi"], one["msisdn"])))
    assert made[0] == made[1]
    assert sum(one["calls"] + one["messages"] + one["data_sessions"] for one in made[0]) == 1_000
    assert set(made[0][0]) == {"imsi", "msisdn", *SUMS, "first_at", "last_at"}
