"""What records seem to show and do not: contexts left hanging, ids used again, cells that are elsewhere. And copies."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from simward.cli import cli
from simward.engine import events as ev
from simward.inputs.rates import SubscriptionDays, rates

HEADER = "imsi,session_id,start,end,imei,ul_bytes,lat,lon\n"
BEGAN_S = 1_767_603_600
HOUR_S = 3600
A, B = "35000000000001", "35000000000028"
OSLO, BERGEN = "59.91,10.75", "60.39,5.32"


def row(subscriber: int, session: str, hours: tuple[float, float], device: str, octets: int, place: str = OSLO) -> str:
    began, ended = (round(BEGAN_S + one * HOUR_S) for one in hours)
    return f"00101000000{subscriber:04},{session},{began},{ended},{device},{octets},{place}\n"


def found_in(
    folder: Path, rows: list[str], *more: str
) -> tuple[Counter[str], dict[str, Any], dict[str, dict[str, float]]]:
    """Findings, what the conversion said, and the rates."""
    (folder / "r.csv").write_text(HEADER + "".join(rows))
    made = CliRunner().invoke(cli, ["convert", str(folder / "r.csv"), "--into", str(folder / "s"), "--json", *more])
    assert made.exit_code == 0, made.output
    words = ["--dir", str(folder / "s"), "replay", "--gate-only", str(folder / "s" / "events.parquet"), "--json"]
    summary = json.loads(CliRunner().invoke(cli, words).stdout.splitlines()[-1])["summary"]
    return Counter(summary["by_class"]), json.loads(made.stdout.splitlines()[-1]), summary["rates"]


def test_a_context_that_was_left_hanging_is_no_copy(tmp_path: Path) -> None:
    rows = [row(1, "a", (0, 1), A, 10), row(1, "b", (0.5, 1.5), B, 10), row(1, "b", (1.5, 2.5), B, 10)]
    rows += [row(1, "a", (hour, hour + 1), A, 0) for hour in (1, 2, 3)]
    found, _, told = found_in(tmp_path, rows)
    assert "cloned-subscription/two-devices" not in found
    assert told["clones"] == {"findings": 0, "rate": 0.0, "in_subscription_days": 10_000}


def test_a_context_left_hanging_is_no_copy_without_session_ids(tmp_path: Path) -> None:
    rows = [row(1, "", (hour, hour + 1), A, 0 if hour else 10, BERGEN) for hour in range(6)]
    rows += [row(1, "", (hour + 0.5, hour + 0.6), B, 10) for hour in range(2, 6)]
    rows += [row(2, "", (hour, hour + 1), "35000000000077", 10, BERGEN) for hour in range(6)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["idle_rows"] == 5 and not [one for one in found if "two" in one or "too-fast" in one]


@pytest.mark.parametrize("session", ["", "a"])
def test_parts_that_have_the_place_of_the_beginning_are_no_copy(tmp_path: Path, session: str) -> None:
    rows = [row(1, session, (hour, hour + 1), A, 10) for hour in range(8)]
    rows += [row(1, f"b{step}" if session else "", (5 + step / 4, 5.1 + step / 4), A, 10, BERGEN) for step in range(4)]
    rows += [row(2, f"c{hour}", (hour, hour + 0.5), B, 10, BERGEN) for hour in range(6)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["continued_rows"] == 7 and not [one for one in found if "two" in one or "too-fast" in one]


def test_two_devices_that_both_go_on_moving_data_are_two(tmp_path: Path) -> None:
    rows = [row(1, "a", (hour, hour + 1), A, 10) for hour in range(4)]
    rows += [row(1, "b", (hour + 0.5, hour + 1.5), B, 10) for hour in range(3)]
    found, _, told = found_in(tmp_path, rows)
    assert found["cloned-subscription/two-devices"] == 1 and told["clones"]["rate"] == 10_000.0


def test_an_id_that_is_used_again_is_another_session(tmp_path: Path) -> None:
    rows = [row(1, "7", (0, 1), A, 10), row(1, "7", (1, 2), A, 10)]
    rows += [row(1, "7", (99, 100), A, 10), row(1, "7", (100, 101), B, 10)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["events"] == 4 + 3 + 3 and not found["cloned-subscription/two-devices"]


def test_a_cell_that_is_elsewhere_accuses_nobody(tmp_path: Path) -> None:
    rows = []
    for one in range(1, 5):
        for step in range(6):
            place = BERGEN if step % 2 else f"59.9{one},10.75"
            rows.append(row(one, f"s{step}", (step / 10, step / 10 + 0.1), f"3500000000000{one}", 10, place))
    found, made, _ = found_in(tmp_path, rows)
    assert made["doubted_cells"] >= 1
    assert not found["cloned-subscription/two-places"] and not found["impossible-travel/too-fast"]


def test_one_row_from_far_away_accuses_nobody(tmp_path: Path) -> None:
    rows = [row(1, f"s{step}", (step, step + 0.1), A, 10) for step in range(6)]
    rows.append(row(1, "far", (2.12, 2.2), A, 10, BERGEN))
    rows += [row(2, f"b{step}", (step, step + 0.1), B, 10, BERGEN) for step in range(6)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["far_rows"] == 1 and not found["impossible-travel/too-fast"]
    with (tmp_path / "s" / "cells.csv").open() as file:
        assert {(line["plmn"], line["latitude"]) for line in csv.DictReader(file)} == {
            ("00101", "59.910000"), ("00101", "60.390000"),
        }  # fmt: skip


def test_a_copy_in_another_town_comes_again_and_is_found(tmp_path: Path) -> None:
    rows = [row(1, f"s{step}", (step / 10, step / 10 + 0.1), A, 10, BERGEN if step % 2 else OSLO) for step in range(12)]
    rows += [row(2, f"b{step}", (step, step + 0.1), B, 10, BERGEN) for step in range(6)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["far_rows"] == 0 and found["cloned-subscription/two-places"] == 1


def test_a_wrong_cell_that_only_one_is_in_accuses_nobody(tmp_path: Path) -> None:
    """Of few people in many cells, hardly anybody can bear witness: but a copy would be where others are, or move."""
    rows = [row(1, f"h{day}.{one}", (24 * day + one / 2, 24 * day + one / 2 + 0.1), A, 10, f"59.9{one},10.75")
            for day in range(6) for one in range(6)]  # fmt: skip
    rows += [row(1, f"w{day}.{one}", (24 * day + one / 2 + 0.2, 24 * day + one / 2 + 0.3), A, 10, "48.85,2.35")
             for day in range(6) for one in range(5)]  # fmt: skip
    found, made, _ = found_in(tmp_path, rows)
    assert made["doubted_cells"] == 1
    assert not found["cloned-subscription/two-places"] and not found["impossible-travel/too-fast"]
    other = [one.replace(A, B) if "48.85" in one else one for one in rows]
    found, made, _ = found_in(tmp_path, other)
    assert made["doubted_cells"] == 0 and found["cloned-subscription/two-places"] >= 1


def test_off_the_coast_of_africa_is_nowhere(tmp_path: Path) -> None:
    rows = [row(1, f"s{step}", (step / 10, step / 10 + 0.1), A, 10, "0,0" if step % 2 else OSLO) for step in range(12)]
    found, _, _ = found_in(tmp_path, rows)
    assert not found["cloned-subscription/two-places"] and not found["impossible-travel/too-fast"]


def test_one_imei_in_three_forms_is_one_device(tmp_path: Path) -> None:
    forms = (A, f"{A}7", f"{A}01", f"{A}02", "000000000000000", "004999010640000")
    rows = [row(1, f"s{step}", (step / 2, step / 2 + 1), forms[step % 6], 10) for step in range(24)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["devices"] == 1 and made["unread"]["device"] == 8
    assert not found["cloned-subscription/two-devices"] and not found["device-change/not-reported"]
    assert {one.partition("/")[2] for one in found if one.startswith("device-change")} <= {"software"}


def test_a_serial_number_of_zeros_is_a_device(tmp_path: Path) -> None:
    """Made-up records begin to count there, and so does who plants a copy."""
    rows = [row(1, "a", (hour, hour + 1), "350000000000000", 10) for hour in range(4)]
    rows += [row(1, "b", (hour + 0.5, hour + 1.5), B, 10) for hour in range(3)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["devices"] == 2 and found["cloned-subscription/two-devices"] == 1


def test_a_placeholder_among_devices_is_none(tmp_path: Path) -> None:
    rows = []
    for one in range(1, 15):
        rows += [row(one, f"a{hour}", (hour, hour + 1), f"350000000{one:05}", 10) for hour in range(4)]
        rows += [row(one, "p", (hour + 0.5, hour + 1.5), "35555555555555", 10) for hour in (1, 2)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["shared_devices"] == 0 and made["unread"]["device"] == 28 and not found


def test_the_place_of_a_session_is_where_it_began(tmp_path: Path) -> None:
    """Who leaves a session behind that ends hours later has not been in two places."""
    rows = [row(1, "a", (0, 5), A, 10), row(1, "b", (4.9, 5.5), A, 10, BERGEN), row(1, "c", (5.1, 5.7), A, 10, BERGEN)]
    found, _, _ = found_in(tmp_path, rows)
    assert not found["impossible-travel/too-fast"]


def test_a_device_that_many_name_is_a_model(tmp_path: Path) -> None:
    rows = [row(one, "a", (hour, hour + 1), "some phone", 10) for one in range(1, 13) for hour in range(4)]
    found, made, _ = found_in(tmp_path, rows)
    assert made["shared_devices"] == 1 and found == Counter()


def in_two_devices(subscriber: int) -> list[str]:
    rows = [row(subscriber, "a", (hour, hour + 1), f"350000000{subscriber:05}", 10) for hour in range(4)]
    return rows + [row(subscriber, "b", (hour + 0.5, hour + 1.5), f"351000000{subscriber:05}", 10) for hour in range(3)]


def test_customers_with_several_sims_are_no_copies(tmp_path: Path) -> None:
    rows = [one for subscriber in range(1, 13) for one in in_two_devices(subscriber)]
    found, made, _ = found_in(tmp_path, rows)
    assert "12 subscriptions are in two at the same time" in made["notes"][0] and found == Counter()
    (tmp_path / "m.yaml").write_text("doubt: false\n")
    found, made, _ = found_in(tmp_path, rows, "--mapping", str(tmp_path / "m.yaml"))
    assert not made["notes"] and found["cloned-subscription/two-devices"] == 12


def test_one_copy_in_a_hundred_is_found(tmp_path: Path) -> None:
    others = [(one, hour) for one in range(2, 101) for hour in (1, 3)]
    rows = [row(one, f"x{hour}", (hour, hour + 1), f"350000000{one:05}", 10) for one, hour in others]
    found, made, _ = found_in(tmp_path, rows + in_two_devices(1))
    assert found["cloned-subscription/two-devices"] == 1 and not made["notes"]


def test_a_small_folder_asks_for_few_statistical_findings(tmp_path: Path) -> None:
    found_in(tmp_path, [row(1, f"s{day}", (24 * day, 24 * day + 1), A, 10) for day in range(4)])
    words = ["--dir", str(tmp_path / "s"), "replay", str(tmp_path / "s" / "events.parquet"), "--json"]
    summary = json.loads(CliRunner().invoke(cli, words).stdout.splitlines()[-1])["summary"]
    assert summary["findings_a_day"] == 1 / 4000 and summary["budget_is_derived"] and summary["subscription_days"] == 4


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_subscription_days_are_counted_in_any_cut(cut: int) -> None:
    rows = np.zeros(6, ev.EVENT)
    rows["imsi"] = [1, 2, 1, 1, 0, 1]
    rows["received_at"] = np.array([0, 1, 2, 86_400, 86_401, 200_000]) * 1_000_000
    rows["kind"] = ev.ACCOUNTING_START
    days = SubscriptionDays()
    for begin in range(0, 6, cut):
        days.take(rows[begin : begin + cut])
    assert days.count == 4
    told = rates(Counter({"copied-device/two-subscriptions": 1, "cohort-shift/more": 2}), days.count)
    assert told["clones"]["rate"] == 2500.0 and told["statistical"]["rate"] == 500.0
    assert rates(Counter(), 0)["clones"]["rate"] is None
