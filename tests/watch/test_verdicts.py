"""What a person found to be benign is an input of the watch's fold: journalled, taken, and gone when it expires."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from behaving import FIRST_DAY, IMSI, days_of, journal_of
from click.testing import CliRunner
from journalled import recorded

from simward.behaviour_settings import BehaviourSettings
from simward.cli import cli
from simward.engine import outputs as o
from simward.engine.behaviour.cohort_numbers import Cohort, cohort_number
from simward.engine.verdict_files import Verdict, leave, waiting
from simward.engine.watching.own_inputs import VERDICT, OwnInput
from simward.engine.watching.settling import FIRST_INDEX, take_own
from simward.watch.following import Follower

MEMBERS, DAYS, DEVIANT = 300, 16, 4
LEAP = {(day, DEVIANT): 1000.0 for day in (11, 12, 13, 14, 15)}
SETTINGS = BehaviourSettings()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("weeks") / "data"
    journal_of(data_dir, MEMBERS, days_of(MEMBERS, DAYS, LEAP))
    return data_dir


@pytest.fixture
def folder(weeks: Path, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal").symlink_to(weeks / "journal")
    (tmp_path / "simward.toml").write_text("[gate]\n")
    return tmp_path


def until_found(data_dir: Path) -> tuple[Follower, str]:
    """Follow until the deviant is found; the id of the finding."""
    follower = Follower(data_dir, SETTINGS)
    while follower.step():
        for output in recorded(data_dir):
            if output["kind"] == o.FINDING_BEGAN and output["imsi"] == IMSI + DEVIANT:
                return follower, f"w0/{output['sequence']}/{output['index']}"
    raise AssertionError("it was not found")


def test_a_benign_device_is_allowed_more_and_its_finding_ends(folder: Path) -> None:
    data_dir = folder / "data"
    follower, finding = until_found(data_dir)
    said = CliRunner().invoke(cli, ["--dir", str(folder), "benign", finding, "--because", "a test", "--for", "20d"])
    assert said.exit_code == 0, said.output
    today = follower.behind.watch.now // 86_400_000_000
    follower.verdicts._looked_at = 0.0
    for _ in range(4):
        follower.step()
    row = follower.behind.watch.state.behaviour[DEVIANT]
    assert 20 <= int(row["benign_until"]) - today <= 21 and row["widening"] >= 16 and row["class"] == 0
    ended = [one for one in recorded(data_dir) if one["kind"] == o.FINDING_ENDED and one["imsi"] == IMSI + DEVIANT]
    assert len(ended) == 1 and not list(waiting(data_dir)) and follower.verdicts.taken == 1
    follower.catch_up()
    began = [one for one in recorded(data_dir) if one["kind"] == o.FINDING_BEGAN and one["imsi"] == IMSI + DEVIANT]
    assert len(began) == 1, "what it does now is allowed"
    story = CliRunner().invoke(cli, ["--dir", str(folder), "explain", str(IMSI + DEVIANT)[1:].zfill(15)]).output
    assert f"said that {finding} is benign, and more is allowed until 2026-" in story and ": a test" in story
    digest, found = follower.behind.watch.digest(), recorded(data_dir)
    follower.close()
    again = Follower(data_dir, SETTINGS)  # from the start: there is no snapshot
    again.catch_up()
    assert again.behind.watch.digest() == digest and recorded(data_dir).tobytes() == found.tobytes()
    again.close()


def test_a_verdict_is_taken_back(folder: Path) -> None:
    data_dir = folder / "data"
    follower, finding = until_found(data_dir)
    for moment, for_s in enumerate((None, 0)):
        leave(data_dir, Verdict(finding, for_s, "so", "ada", moment))
        follower.verdicts._looked_at = 0.0
        for _ in range(6):
            follower.step()
    row = follower.behind.watch.state.behaviour[DEVIANT]
    assert row["benign_until"] == 0 and row["widening"] == 0 and follower.verdicts.taken == 2
    follower.close()


def test_what_is_no_finding_of_behaviour_is_counted_and_dropped(folder: Path) -> None:
    data_dir = folder / "data"
    follower = Follower(data_dir, SETTINGS)
    leave(data_dir, Verdict("w0/17/1024", None, "so", "ada", 1))
    (data_dir / "watch" / "verdicts" / "000000000000000001-00001.json").write_text("{}")
    follower.step()
    follower.verdicts._looked_at = 0.0
    follower.step()
    assert follower.verdicts.dropped == 2 and not list(waiting(data_dir))
    follower.close()
    said = CliRunner().invoke(cli, ["--dir", str(folder), "benign", "0/17/0", "--because", "so"])
    assert said.exit_code == 2 and "no finding of the watch" in said.output


def test_a_cohort_is_remembered_until_it_expires(folder: Path) -> None:
    follower = Follower(folder / "data", SETTINGS)
    follower.step()
    watch, cohort = follower.behind.watch, Cohort(0, 1, 35_000_001, 6)
    for until in (FIRST_DAY + 3, FIRST_DAY + 4):
        take_own(watch, OwnInput(VERDICT, {"cohort": list(cohort), "until_day": until, "bits": 20}), watch.sequence, 1)
    kept = watch.state.benign_cohorts[watch.state.benign_cohorts["until_day"] > 0]
    assert len(kept) == 1 and kept["cohort"][0] == cohort_number(cohort) and kept["until_day"][0] == FIRST_DAY + 4
    assert np.all(kept["bits"] == 20)
    follower.close()


def test_what_a_benign_cohort_did_ends_and_is_not_told_again(tmp_path: Path) -> None:
    """Half of the fleet, one model, sends eight times as much for good: a firmware that was meant."""
    data_dir, moved = tmp_path / "data", range(1, MEMBERS + 100, 2)
    more = {(day, member): 8.0 for day in range(10, DAYS) for member in moved}
    journal_of(data_dir, MEMBERS + 100, days_of(MEMBERS + 100, DAYS, more))
    follower = Follower(data_dir, SETTINGS)

    def said(kind: int) -> list[np.ndarray]:
        outputs = recorded(data_dir)
        return [one for one in outputs if one["kind"] == kind and one["subject"] and not one["imsi"]]

    while not said(o.FINDING_BEGAN):
        assert follower.step()
    (began,) = said(o.FINDING_BEGAN)
    leave(data_dir, Verdict(f"w0/{began['sequence']}/{began['index']}", None, "new firmware", "ada", 1))
    follower.verdicts._looked_at = 0.0
    while not said(o.FINDING_ENDED):
        assert follower.step()
    (ended,) = said(o.FINDING_ENDED)
    assert follower.verdicts.taken == 1 and ended["index"] == FIRST_INDEX, "with the verdict, and not when it fades"
    follower.catch_up()
    assert len(said(o.FINDING_BEGAN)) == 1, "it goes on, and is allowed to"
    digest = follower.behind.watch.digest()
    follower.close()
    again = Follower(data_dir, SETTINGS)
    again.catch_up()
    assert again.behind.watch.digest() == digest
    again.close()
