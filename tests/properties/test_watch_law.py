"""The law behind the gate: any cut, any snapshot, live or refolded, compiled or not: the watch's bytes are the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from two_ways import compiled_and_interpreted
from watch_histories import (
    MEMBERS,
    START_AT,
    events_of,
    fleet,
    fold_all,
    fold_records,
    histories,
    records_of,
    removal,
)

from simward.engine import outputs as o
from simward.engine.journal import MemoryJournal
from simward.engine.watching.behind import Behind, restore_behind
from simward.engine.watching.signal_layouts import FAILING, STORMING

FEWER = settings(max_examples=25)
cuts = st.lists(st.sampled_from((1, 7, 100, 1000, 5000)), min_size=1, max_size=6)


@FEWER
@given(histories, cuts)
def test_any_cut_of_the_batches_gives_the_same_bytes(steps: list, sizes: list[int]) -> None:
    whole, pieces = fleet(), fleet()
    events = events_of(steps, whole)
    assert fold_all(whole, events, [len(events)]).tobytes() == fold_all(pieces, events, sizes).tobytes()
    assert whole.watch.digest() == pieces.watch.digest()


@FEWER
@given(histories, st.floats(0, 1), st.booleans())
def test_any_snapshot_and_the_tail_give_the_same_bytes(steps: list, share: float, removed: bool) -> None:
    live = fleet()
    events = events_of(steps, live)
    where = int(share * len(events))
    fold_all(live, events[:where], [700])
    if removed:
        removal(live, 1)
    with tempfile.TemporaryDirectory() as folder:
        live.save(Path(folder))
        journal = Reaching(live.sequence)
        again = restore_behind(Path(folder), journal)  # type: ignore[arg-type]
    assert again.watch.digest() == live.watch.digest() and again.gate.state.digest() == live.gate.state.digest()
    rest = events[where:]
    assert fold_all(live, rest, [900]).tobytes() == fold_all(again, rest, [400]).tobytes()
    assert again.watch.digest() == live.watch.digest()


class Reaching:
    """All that restoring asks of a journal before it reads it."""

    def __init__(self, last: int) -> None:
        self.first, self.last = 1, last


@FEWER
@given(histories, cuts)
def test_live_equals_what_folding_the_journal_gives(steps: list, sizes: list[int]) -> None:
    """Rows as the gate journalled them, in two other groupings; the beginning is a fleet that is there already."""
    live, journal = fleet(), MemoryJournal()
    events = events_of(steps, live)
    found = fold_all(live, events, sizes, journal)
    for group in (1, 1000):
        again, rows = fleet(), list(journal.rows())[1:]
        parts = [again.rows(rows[at : at + group], journal.layouts) for at in range(0, len(rows), group)]
        outputs = np.concatenate([part for part in parts if len(part)]) if any(map(len, parts)) else found[:0]
        outputs["event"] = 0
        assert outputs.tobytes() == found.tobytes()
        assert again.watch.digest() == live.watch.digest()


@FEWER
@given(histories, st.sets(st.integers(0, MEMBERS - 1), min_size=1))
def test_groups_count_whom_the_rows_name(steps: list, gone: set[int]) -> None:
    """Whatever happened: members, live and silent ones of each group are those whose rows point there."""
    behind = fleet()
    fold_all(behind, events_of(steps, behind), [500])
    check_counts(behind)
    for member in sorted(gone):
        removal(behind, member)
    check_counts(behind)


def check_counts(behind: Behind) -> None:
    """Count anew, row by row."""
    state = behind.watch.state
    watched = state.watched[: behind.watch.subscriptions]
    for row in range(int(state.watch_meta["groups"][0])):
        group = state.groups[row]
        if not group["kind"]:
            continue
        name = ("", "cell", "gateway", "network", "model", "software", "use_case")[int(group["kind"])]
        here = watched[watched[name] == row + 1]
        assert group["members"] == len(here)
        assert group["storming"] == np.count_nonzero(here["signs"] & STORMING)
        assert group["failing"] == np.count_nonzero(here["signs"] & FAILING)
        if name == "use_case":
            continue  # nobody counts its silent ones
        assert group["live"] == np.count_nonzero(here["standing"] == 1)
        silent = here[here["standing"] == 2]
        assert group["fell_now"] == np.count_nonzero(silent["fell_at"] >= group["window_at"])
        counted = (silent["fell_at"] < group["window_at"]) & (silent["fell_at"] >= group["window_before_at"])
        assert group["fell_before"] == np.count_nonzero(counted)
    open_rows = state.watch_findings["opened_sequence"] != 0
    assert np.count_nonzero(open_rows) == state.watch_meta["findings_live"][0]
    check_chains(behind)


def check_chains(behind: Behind) -> None:
    """Every open finding about a subscription, and every counted session, hangs on its subscription's chain, once."""
    state = behind.watch.state
    usage, about, counted = state.usage[: behind.watch.subscriptions], state.about, state.counted
    for head, table in (("finding_head", about), ("session_head", counted)):
        hanging = []
        for row in usage:
            at = int(row[head])
            while at:
                hanging.append(at - 1)
                at = int(table["next"][at - 1])
        in_use = about["subscription"] != 0 if table is about else counted["name"] != 0
        assert sorted(hanging) == np.flatnonzero(in_use).tolist()
    assert np.count_nonzero(about["subscription"]) == state.watch_meta["about_live"][0]
    hanging = []
    for at in state.called["head"][: behind.watch.subscriptions].tolist():
        while at:
            hanging.append(at - 1)
            at = int(state.tallies["next"][at - 1])
    assert sorted(hanging) == np.flatnonzero(state.tallies["key"]).tolist()


@FEWER
@given(st.integers(0, 1 << 32), st.integers(1, 400), st.lists(st.floats(0, 1), max_size=4), st.integers(0, MEMBERS - 1))
def test_records_give_the_same_bytes_in_any_cut_and_from_any_snapshot(
    seed: int, count: int, shares: list[float], gone: int
) -> None:
    """At one place: how many are given at a time changes nothing but the indexes of what is found."""
    whole, pieces = fleet(), fleet()
    records = records_of(np.random.default_rng(seed), count, START_AT)
    found, parts = fold_records(whole, records), []
    for part in np.split(records, sorted(int(share * count) for share in shares)):
        parts.append(fold_records(pieces, part))
        with tempfile.TemporaryDirectory() as folder:
            pieces.save(Path(folder))
            pieces = restore_behind(Path(folder), Reaching(pieces.sequence))  # type: ignore[arg-type]
    for name in ("imsi", "detector", "class", "now", "expected", "kind", "severity"):
        assert np.concatenate([part[name] for part in parts]).tolist() == found[name].tolist()
    for name, array in whole.watch.state.saved(MEMBERS).items():
        if name != "about":  # where the indexes are
            assert array.tobytes() == pieces.watch.state.saved(MEMBERS)[name].tobytes(), name
    check_chains(whole)
    removal(whole, gone)
    check_chains(whole)


PROGRAM = """
from watch_histories import *
rng = np.random.default_rng(21)
behind = fleet()
found = fold_all(behind, events_of(a_long_one(rng), behind), [333])
told = fold_records(behind, records_of(rng, 5000, behind.watch.now))
found = np.concatenate([found, told, removal(behind, 2), removal(behind, 7)])
import hashlib
print(len(found), sorted({int(one["kind"]) for one in found}), hashlib.sha256(found.tobytes()).hexdigest(),
      behind.watch.digest())
"""


def test_compiled_equals_interpreted() -> None:
    """The same history in two processes, one without the compiler."""
    said = compiled_and_interpreted(PROGRAM)
    assert said[0] == said[1]
    assert int(said[0].split()[0]) >= 4, "a history in which nothing is found shows nothing"
    assert str([o.FINDING_BEGAN, o.FINDING_UPDATED, o.FINDING_ENDED]) in said[0]
