"""A use case that is added before others moves their numbers: baselines, verdicts and the fit's memory go along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from behaving import FIRST_DAY, MODEL, POLICY, days_of, journal_of
from hypothesis import given, settings
from hypothesis import strategies as st

from simward.behaviour_settings import BehaviourSettings
from simward.engine import journal as j
from simward.engine.behaviour.cohort_numbers import ANY, MANY, Cohort, cohort_number, cohort_of
from simward.engine.behaviour.cohorts import mixed_16
from simward.engine.behaviour.layouts import cohort_key
from simward.engine.behaviour.renumbering import Renumbering
from simward.engine.behaviour.revision import FLEET, Revision
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.watching.layouts import USE_CASE
from simward.engine.watching.own_inputs import VERDICT, OwnInput, newest_fit
from simward.engine.watching.settling import take_own
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings
from simward.watch.following import Follower

MEMBERS, DAYS = 300, 6
DAY_US = 86_400_000_000
ADDED = POLICY + "---\nuse_case: camera\ntenant: acme\n"
NAMES = {"use_cases": ["", "meter", "tracker"], "tenants": ["default", "beta"]}


def test_where_names_are_only_appended_nothing_moves() -> None:
    more = {"use_cases": [*NAMES["use_cases"], "zebra"], "tenants": [*NAMES["tenants"], "zeta"]}
    assert Renumbering.between(NAMES, NAMES) is None and Renumbering.between(NAMES, more) is None


def test_what_is_gone_is_nobodys() -> None:
    moved = Renumbering.between(NAMES, {"use_cases": ["", "camera", "tracker"], "tenants": ["default"]})
    assert moved is not None
    assert moved.node((1, 2, 7, 6)) == (2, 2, 7, 6) and moved.node(FLEET) == FLEET
    gone = cohort_of(moved.cohort(cohort_number(Cohort(ANY, 1, 7, ANY))))
    assert gone.use_case >= 3 and moved.cohort(MANY) == MANY


@settings(max_examples=30, deadline=None)
@given(st.permutations(["meter", "tracker", "camera", "lift"]))
def test_there_and_back_is_where_it_was(order: list[str]) -> None:
    old = {"use_cases": ["", "meter", "tracker", "camera", "lift"], "tenants": ["default"]}
    new = {"use_cases": ["", *order], "tenants": ["default"]}
    there, back = Renumbering.between(old, new), Renumbering.between(new, old)
    if there is None or back is None:
        assert there is back
        return
    for number in range(5):
        name = cohort_number(Cohort(ANY, number, 7, 6)) if number else MANY
        assert back.cohort(there.cohort(name)) == name


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    journal_of(tmp_path / "data", MEMBERS, days_of(MEMBERS, DAYS, {}))
    return tmp_path / "data"


def test_a_use_case_that_comes_first_has_nobody_begin_anew(data_dir: Path) -> None:
    follower = Follower(data_dir, BehaviourSettings())
    follower.catch_up()
    watch, at = follower.behind.watch, (FIRST_DAY + DAYS) * DAY_US
    cohort = Cohort(ANY, 1, MODEL, 6)
    said = {"cohort": list(cohort), "until_day": FIRST_DAY + 99, "bits": 20}
    take_own(watch, OwnInput(VERDICT, said), watch.sequence, at)
    before = watch.state.behaviour[:MEMBERS].copy()
    assert np.all(before["learnt"] >= 3) and np.all(before["key"] != 0)
    fit = Revision.read(newest_fit(watch, follower.own))
    assert {int(one[1]) for one in fit.memory["nodes"]} == {ANY, 1}

    def of_use_cases() -> list[tuple[int, int]]:
        groups = watch.state.groups[watch.state.groups["kind"] == USE_CASE]
        return [(int(one["key"]), int(one["members"])) for one in groups]

    assert of_use_cases() == [(1, MEMBERS)]
    journal = SqliteJournal.open(data_dir / "journal")
    tables = compile_policy(read_policies({"fleet.yaml": ADDED}), Settings(Path("/nowhere"), GateSettings()))
    assert list(tables.names["use_cases"]) == ["", "camera", "meter"]
    (last,) = journal.rows(after=journal.last - 1)
    journal.append(j.Row(last.last + 1, 1, j.POLICY, at, last.kernel, tables.to_bytes(), b""))
    journal.close()
    follower.catch_up()
    rows = watch.state.behaviour[:MEMBERS]
    keys = np.array([cohort_key(2, int(one["tac"]), int(one["rat"])) for one in rows])
    assert np.array_equal(rows["key"], mixed_16(keys)), "the baseline is that of the same use case"
    (verdict,) = watch.state.benign_cohorts[watch.state.benign_cohorts["until_day"] > 0]
    assert int(verdict["cohort"]) == cohort_number(cohort._replace(use_case=2)), "and not of camera, of another tenant"
    moved = Revision.read(newest_fit(watch, follower.own))
    assert {int(one[1]) for one in moved.memory["nodes"]} == {ANY, 2}
    assert of_use_cases() == [(2, MEMBERS)]
    path = follower.behind.save(data_dir)
    digest = watch.digest()
    follower.close()
    again = Follower(data_dir, BehaviourSettings())
    assert path.exists() and again.behind.watch.digest() == digest
    same = Revision.read(newest_fit(again.behind.watch, again.own))
    assert np.array_equal(same.memory["nodes"], moved.memory["nodes"])
    again.close()
