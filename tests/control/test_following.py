"""The control process follows the journals: whatever befalls it, each fact is taken once, under the same ids."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from journalled import FAST, JournalledFleet, a_bad_day
from story import IMSI

from simward.control import following, inventory_mirror
from simward.control.following import Following
from simward.engine import journal
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.registry import inventory
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.facts import Fact
from simward.settings import Endpoint, GateSettings, Settings
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
        monkeypatch.setattr(following, "PART_OUTPUTS", dice.choice((1, 3, 50)))
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
    """A taker that fails now and then, after others have written; at each fact once, since a row may have many."""

    def __init__(self, dice: random.Random) -> None:
        self._dice, self.raised = dice, 0
        self._failed: set[str] = set()

    def take(self, connection: sa.Connection, fact: Fact) -> None:
        if fact.id not in self._failed and self._dice.random() < 0.3:
            self._failed.add(fact.id)
            self.raised += 1
            raise Trouble


def mirrored(registry: Registry) -> list[tuple[Any, ...]]:
    s = t.subscription.c
    with registry.reading() as connection:
        found = sa.select(s.imsi, s.iccid, s.tenant, s.use_case, s.segment, s.state).order_by(s.imsi)
        return [tuple(row) for row in connection.execute(found)]


def test_the_inventory_is_mirrored_in_pieces_that_may_be_written_again(
    day: Path, tmp_path: Path, truth: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault after any piece: the cursor has not moved, and all of it is there in the end."""
    monkeypatch.setattr(inventory_mirror, "PIECE", 7)
    follower = opened(day, tmp_path)
    faults = iter(range(1, 100))
    real = inventory.note_declared
    left = next(faults)

    def failing(connection: sa.Connection, lines: Any) -> None:
        nonlocal left
        real(connection, lines)
        left -= 1
        if left == 0:
            left = next(faults)
            raise Trouble

    monkeypatch.setattr(inventory, "note_declared", failing)
    raised = 0
    while True:
        try:
            if not follower.step():
                break
        except Trouble:
            raised += 1
            assert follower.cursor.gate == 1, "a revision that is not whole has not been taken"
    assert raised == 6, "after each piece once"
    follower.close()
    assert contents(follower.registry) == truth
    assert len(mirrored(follower.registry)) == 40


def test_what_was_followed_before_the_inventory_was_mirrored_is_made_up_for(day: Path, tmp_path: Path) -> None:
    follower = opened(day, tmp_path)
    catch_up(follower)
    whole = mirrored(follower.registry)
    with follower.registry.writing() as connection:  # as a version before left it
        connection.execute(sa.delete(t.subscription))
        connection.execute(sa.delete(t.cursor).where(t.cursor.c.name == inventory_mirror.CURSOR))
    follower = opened(day, tmp_path)
    assert mirrored(follower.registry) == whole and len(whole) == 40
    follower.close()


def test_who_owns_a_use_case_is_said_of_its_members_when_a_policy_says_so(tmp_path: Path) -> None:
    fleet = JournalledFleet(tmp_path / "data")
    policy = FAST.replace("use_case: meter", "use_case: meter\ntenant: water")
    tables = compile_policy(read_policies({"story.yaml": policy}), Settings(Path("/nowhere"), GateSettings()))
    gone = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + 3, IMSI + 4]), [])
    for sequence, kind, revision in ((3, journal.POLICY, tables), (4, journal.INVENTORY, gone)):
        row = journal.Row(sequence, 1, kind, fleet.now, fleet.fold.kernel, revision.to_bytes(), b"")
        fleet.journal.append(row)
    fleet.close()
    (tmp_path / "registry").mkdir()
    follower = opened(tmp_path / "data", tmp_path / "registry")
    catch_up(follower)
    rows = mirrored(follower.registry)
    assert len(rows) == 38 and {row[2] for row in rows} == {"water"}
    assert f"{IMSI + 3}"[1:] not in {row[0] for row in rows}
