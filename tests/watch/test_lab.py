"""What the lab's watch finds is what the watch's own process finds in the journal of the same events."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from journalled import recorded

from simward.engine import outputs as out
from simward.engine.fold import Fold
from simward.engine.journal import INVENTORY, POLICY, Row, events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.lab.fleet import Fleet, make_fleet
from simward.lab.performance import BEGINS_AT, Cast, Programme, new_fold, perform, revisions
from simward.lab.population import Population
from simward.lab.scoring import chosen
from simward.watch.following import Follower

SUBSCRIPTIONS, DAYS, SEED, ROW_EVENTS = 200, 7, 3, 1000
TOGETHER = ("gateway-silent", "cell-silent")
"""What else is found behind the gate has stories of its own."""
SCENES = [(one, 1.0) for one in chosen(("gateway-silent", "cell-silent", "gateway-failover"))]


def journalled(folder: Path, fleet: Fleet) -> None:
    """Play the scenes through a fold that journals, as the gate does."""
    fold, rng = new_fold(fleet), np.random.default_rng([SEED, len(fleet), DAYS])
    population = Population.of(fleet, fold.state.texts.intern, rng)
    programme = Programme(population, Cast(population, SCENES, DAYS, rng).played, DAYS, rng)
    with closing(SqliteJournal.open(folder / "journal")) as journal:
        journal.register_kernel(fold.kernel, fold.manifest())
        tables, deltas = revisions(fleet)
        made: list[PolicyTables | InventoryDelta] = [tables, *deltas]
        for number, revision in enumerate(made, start=1):
            kind = POLICY if number == 1 else INVENTORY
            journal.append(Row(number, 1, kind, BEGINS_AT - 1, fold.kernel, revision.to_bytes(), b""))
        for events in programme.events():
            journal_day(journal, fold, population, events)


def journal_day(journal: SqliteJournal, fold: Fold, population: Population, events: np.ndarray) -> None:
    """A day's rows, cut elsewhere than the lab cuts; the addresses that are given show in the next day's events."""
    at, given = 0, []
    while at < len(events):
        first = fold.sequence + 1
        folded = fold.events(events[at : at + ROW_EVENTS])
        kept = events[at : at + folded.consumed][folded.kept]
        if len(kept):
            texts = fold.state.texts.take_new()
            journal.append(events_row(first, BEGINS_AT, fold.kernel, kept, folded.outputs.view(np.ndarray), texts))
        given.append(folded.outputs[folded.outputs["kind"] == out.ADDRESS_GIVEN].copy())
        at += folded.consumed
    addresses = np.concatenate(given)
    if len(addresses):
        population.take_addresses(addresses["imsi"], addresses["address"])


def test_the_watch_finds_the_same_in_the_journal(tmp_path: Path) -> None:
    fleet = make_fleet(SEED, SUBSCRIPTIONS)
    journalled(tmp_path, fleet)
    with closing(Follower(tmp_path)) as follower:
        follower.catch_up()
        numbered = [one["id"] for one in follower.behind.watch.manifest()["detectors"]]
    done = perform(fleet, SCENES, days=DAYS, seed=SEED)
    named = [(done.name(one), int(one["sequence"])) for one in done.findings]
    behind = [one for one in named if one[0].startswith(TOGETHER)]
    told = recorded(tmp_path)
    began = told[(told["kind"] == out.FINDING_BEGAN) & np.isin(told["detector"], list(map(numbered.index, TOGETHER)))]
    assert [sequence for _, sequence in behind] == [int(one["sequence"]) for one in began]
    assert {name for name, _ in behind} >= {"gateway-silent/stopped", "cell-silent/cell"}
