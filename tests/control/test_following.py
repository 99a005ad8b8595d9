"""The control process follows the journals: whatever befalls it, each fact is taken once, under the same ids."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from journalled import JournalledFleet, a_bad_day

from simward.control import following
from simward.control.following import Following
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.facts import Fact
from simward.settings import Endpoint
from simward.watch.following import Follower

NOW = 1_800_000_000_000_000
ENDPOINTS = (Endpoint("app", "webhook", events=("finding.*",)), Endpoint("all", "webhook"))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both journals of a bad day, followed by nobody yet."""
    data_dir = tmp_path_factory.mktemp("day") / "data"
    fleet = JournalledFleet(data_dir)
    for _ in a_bad_day(fleet):
        pass
    fleet.close()
    follower = Follower(data_dir)
    follower.catch_up()
    follower.close()
    return data_dir


def opened(data_dir: Path, folder: Path, *takers: Any) -> Following:
    """A follower with the registry of `folder`."""
    registry = Registry.open(sqlite_url(folder))
    registry.migrate()
    return Following(data_dir, registry, [Announcing(ENDPOINTS, lambda: NOW), *takers], [Auditing()])


def catch_up(follower: Following) -> None:
    while follower.step():
        pass
    follower.close()


def contents(registry: Registry) -> dict[str, list[Any]]:
    """All that follows from the journals."""
    with registry.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in (t.finding, t.effect, t.subscription, t.announcement, t.delivery, t.subject, t.journal_text)
        }


@pytest.fixture(scope="module")
def truth(day: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What a follower that nothing befalls makes of it."""
    follower = opened(day, tmp_path_factory.mktemp("truth"))
    catch_up(follower)
    return contents(follower.registry)


def test_a_bad_day_is_mirrored_and_announced(truth: dict[str, list[Any]]) -> None:
    findings = [row[5] for row in truth["finding"]]
    assert sorted(findings) == ["cell-silent", "cell-silent", "cell-silent", "gateway-silent"]
    assert [row[3] for row in truth["announcement"]] == [
        "policy.applied", "policy.applied", "finding.raised", "finding.ended", "finding.raised", "gateway.silent",
        "finding.raised", "finding.ended", "finding.ended", "finding.raised", "finding.ended",
    ]  # fmt: skip
    said = {endpoint: [row for row in truth["delivery"] if row[2] == endpoint] for endpoint in ("app", "all")}
    assert {name: len(rows) for name, rows in said.items()} == {"app": 8, "all": 11}


@pytest.mark.parametrize("seed", range(4))
def test_cut_anywhere_the_same_is_there_in_the_end(
    day: Path, tmp_path: Path, truth: dict[str, list[Any]], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of any size, a new process after any of them, and a fault inside any transaction: nothing twice or lost."""
    dice = random.Random(seed)
    faults = Faults(dice)
    follower = opened(day, tmp_path, faults)
    steps = 0
    while True:
        monkeypatch.setattr(following, "STEP_ROWS", dice.choice((1, 2, 7, 40)))
        try:
            rows = follower.step()
        except Trouble:
            rows = 1
        steps += 1
        if not rows:
            break
        if dice.random() < 0.2:
            follower.close()
            follower = opened(day, tmp_path, faults)
    assert faults.raised > 0
    assert steps > 5
    follower.close()
    assert contents(follower.registry) == truth


class Trouble(Exception):
    """Something goes wrong in the middle of a transaction."""


class Faults:
    """A taker that fails now and then, after others have written."""

    def __init__(self, dice: random.Random) -> None:
        self._dice, self.raised = dice, 0

    def take(self, connection: sa.Connection, fact: Fact) -> None:
        if self._dice.random() < 0.5:
            self.raised += 1
            raise Trouble
