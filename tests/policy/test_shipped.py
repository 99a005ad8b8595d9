"""The shipped use cases do what the tables beside them say, through the fold that the gate runs."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from simward.detectors import of_gate
from simward.engine import events as ev
from simward.engine.fold import Fold
from simward.engine.outputs import FINDING_BEGAN, VERDICT_NAMES
from simward.engine.tables import DECLARED, InventoryDelta
from simward.errors import Problem
from simward.identity import Plmn, rat_number
from simward.initial import INVENTORY
from simward.policy.load import load_policies
from simward.policy.wanted import policy_warnings, read_tables, read_wanted
from simward.settings import Settings, write_initial

POLICIES = Path(__file__).resolve().parents[2] / "policies"
NAMES = sorted(path.stem for path in POLICIES.glob("*.yaml"))
MEMBERS = 1000


def fold_with(name: str, declared_imei: int) -> tuple[Fold, int]:
    """A fold in which a shipped use case has a thousand members, and the IMSI of one of them."""
    fold = Fold.new()
    _, tables = read_tables(Settings(POLICIES.parent))
    fold.policy(tables, 1)
    lines = np.zeros(MEMBERS, DECLARED)
    lines["imsi"] = 1_001_010_000_000_000 + np.arange(MEMBERS)
    lines["iccid"] = 100_101_000_000_000_000 + np.arange(MEMBERS)
    lines["imei"][7] = declared_imei
    fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), [name]), 2)
    return fold, int(lines["imsi"][7])


def asks(fold: Fold, imsi: int, step: dict[str, str], minute: int) -> tuple[str, str]:
    """One Access-Request: the verdict, and the findings that began with it."""
    event = ev.empty(1)
    event["kind"], event["imsi"], event["request"] = ev.ACCESS_REQUEST, imsi, minute + 1
    event["received_at"] = event["happened_at"] = 60_000_000 * (minute + 1)
    event["imei"] = int(step["imei"] or 0)
    event["software"] = int(step["software"] or -1)
    event["plmn"], event["rat"] = Plmn.parse(step["plmn"]).number, rat_number(step["rat"])
    event["apn"], event["gateway"] = fold.state.texts.intern(step["apn"].encode()), fold.state.texts.intern(b"pgw1")
    folded = fold.events(event)
    began = [
        f"{of_gate()[one['detector']].id}/{of_gate()[one['detector']].classes[one['class'] - 1]}"
        for one in folded.outputs
        if one["kind"] == FINDING_BEGAN
    ]
    return VERDICT_NAMES[folded.results["verdict"][0]], " ".join(sorted(began))


def stories() -> list[tuple[str, str, list[dict[str, str]]]]:
    """(use case, case, its steps) of every table."""
    found = []
    for name in NAMES:
        with (POLICIES / f"{name}.cases.csv").open(newline="") as file:
            for case, steps in groupby(csv.DictReader(file), key=lambda step: step["case"]):
                found.append((name, case, list(steps)))
    return found


@pytest.mark.parametrize(("name", "case", "steps"), stories(), ids=[f"{name}: {case}" for name, case, _ in stories()])
def test_case(name: str, case: str, steps: list[dict[str, str]]) -> None:
    fold, imsi = fold_with(name, int(steps[0].get("declared") or 0))
    said = [asks(fold, imsi, step, minute) for minute, step in enumerate(steps)]
    assert said == [(step["verdict"], " ".join(sorted(step["findings"].split()))) for step in steps]


def test_all_of_them_stand_together_and_are_listed() -> None:
    policy = load_policies(POLICIES)
    assert sorted(policy.of("use_case")) == NAMES
    assert all(f"]({name}.yaml)" in (POLICIES / "README.md").read_text() for name in NAMES)


def test_nothing_is_doubtful_about_them() -> None:
    warnings = policy_warnings(*read_tables(Settings(POLICIES.parent)))
    assert [str(one) for one in warnings if not one.what.startswith("not enforced yet")] == []


def test_the_folder_that_init_makes_is_right(tmp_path: Path) -> None:
    write_initial(tmp_path / "new")
    wanted = read_wanted(Settings.load(tmp_path / "new"))
    assert len(wanted.inventory) == INVENTORY.count("\n") - 1

    def doubtful(one: Problem) -> bool:
        return not one.what.startswith("not enforced yet")

    assert [str(one) for one in wanted.warnings if doubtful(one)] == []
