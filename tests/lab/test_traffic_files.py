"""Made-up traffic as files: read back by the product's own importers, it is what the folds were given."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from simward.engine.texts import Texts
from simward.errors import UsageError
from simward.inputs.capture import Capture, port_table
from simward.inputs.event_files import EventFile
from simward.lab.traffic.kinds import APNS
from simward.lab.traffic.members import BEGINS_AT, DAY_S, DAY_US
from simward.lab.traffic.programme import Plan, Programme
from simward.lab.traffic_files import TEXTS, weeks_later, write_traffic

PLAN = Plan(3, 60, 5, ("sim-moved", "premium-calls"), times=1, warm_up_days=0, tick_s=60)
SAME = (
    "received_at", "happened_at", "imsi", "msisdn", "imei", "software", "plmn", "cell", "area", "rat", "kind", "flags",
    "uplink_octets", "downlink_octets", "duration_s", "request", "session_id", "session_id_octets", "cause",
    "credentials",
)  # fmt: skip
LATER_US = 14 * DAY_US


def nothing(day: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("traffic") / "fleet"
    counts = write_traffic(made, PLAN, radius=False, later_us=LATER_US, progress=nothing)
    assert counts["events"] > 300 and counts["happenings"]
    return made


def test_files_of_events_are_what_the_folds_are_given(folder: Path) -> None:
    texts = Texts()
    read = [events for path in sorted((folder / "events").iterdir()) for events in EventFile(path, texts).events()]
    given = [events[events["kind"] < 10].copy() for day in Programme(PLAN, TEXTS).days() for events in day.slices()]
    one, other = np.concatenate(read), np.concatenate(given)
    other["received_at"] += LATER_US
    other["happened_at"] += LATER_US
    for name in SAME:
        assert (one[name] == other[name]).all(), name
    assert {texts.text(int(number)).decode() for number in np.unique(one["apn"])} <= set(APNS)


def test_a_capture_holds_as_many_packets_each_readable(tmp_path: Path) -> None:
    counts = write_traffic(tmp_path / "fleet", PLAN, radius=True, later_us=0, progress=nothing)
    capture = Capture(tmp_path / "fleet" / "radius.pcap", port_table())
    for _ in capture.requests():
        pass
    assert capture.counts == {"request": counts["events"]} and not capture.damage


def test_calls_have_the_columns_of_the_shipped_template(folder: Path) -> None:
    with (folder / "calls.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert rows and len({row["CallReference"] for row in rows}) == len(rows)
    assert any(row["CalledNumber"].startswith("999829") for row in rows), "premium"


def test_the_truth_says_what_happened_to_whom(folder: Path) -> None:
    told = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    moved = [one for one in told if one["happening"] == "sim-moved"]
    assert len(moved) == 3 and all(len(one["imsi"]) == 1 and not one["honest"] for one in moved)
    assert all(one["began_at"] >= BEGINS_AT + LATER_US for one in told)


def test_a_folder_with_something_in_it_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        write_traffic(folder, PLAN, radius=False, later_us=0, progress=nothing)


@pytest.mark.parametrize("after_days", [100, 30, 29, -400])
def test_days_are_moved_by_whole_weeks_to_end_before_a_moment(after_days: int) -> None:
    ends_s = BEGINS_AT / 1e6 + after_days * DAY_S
    later_us = weeks_later(30, ends_s)
    assert later_us % (7 * DAY_US) == 0
    assert 0 <= ends_s * 1e6 - (BEGINS_AT + later_us + 30 * DAY_US) < 7 * DAY_US


def test_days_that_would_begin_before_time_does_are_refused() -> None:
    with pytest.raises(UsageError, match="30 days that are over by 1970-01-11 begin before 1970"):
        weeks_later(30, 10 * DAY_S)
