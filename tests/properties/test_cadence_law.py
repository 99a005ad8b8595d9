"""The law, of what is kept of when and where subscriptions are heard: any cut, any snapshot, compiled or not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from cadence_histories import events_of, fleet
from hypothesis import given, settings
from hypothesis import strategies as st
from test_watch_law import Reaching, check_chains, check_counts
from two_ways import compiled_and_interpreted
from watch_histories import fold_all, removal

from simward.engine.watching.behind import Behind, restore_behind
from simward.engine.watching.layouts import DUE, KINDS_END, LATE, TOLD

FEWER = settings(max_examples=6)
seeds = st.integers(0, 1 << 20)


@FEWER
@given(seeds, st.lists(st.sampled_from((7, 100, 1000, 5000)), min_size=1, max_size=6))
def test_any_cut_of_the_batches_gives_the_same_bytes(seed: int, sizes: list[int]) -> None:
    whole, pieces = fleet(), fleet()
    events = events_of(seed, whole)
    assert fold_all(whole, events, [len(events)]).tobytes() == fold_all(pieces, events, sizes).tobytes()
    assert whole.watch.digest() == pieces.watch.digest()


@FEWER
@given(seeds, st.floats(0, 1))
def test_any_snapshot_and_the_tail_give_the_same_bytes(seed: int, share: float) -> None:
    live = fleet()
    events = events_of(seed, live)
    where = int(share * len(events))
    fold_all(live, events[:where], [700])
    with tempfile.TemporaryDirectory() as folder:
        live.save(Path(folder))
        again = restore_behind(Path(folder), Reaching(live.sequence))  # type: ignore[arg-type]
    assert fold_all(live, events[where:], [900]).tobytes() == fold_all(again, events[where:], [400]).tobytes()
    assert again.watch.digest() == live.watch.digest()


@FEWER
@given(seeds, st.sets(st.integers(0, 15), min_size=1))
def test_groups_count_who_is_due_and_late(seed: int, gone: set[int]) -> None:
    behind = fleet()
    fold_all(behind, events_of(seed, behind), [500])
    check_stages(behind)
    for member in sorted(gone):
        removal(behind, member)
    check_stages(behind)


def check_stages(behind: Behind) -> None:
    """Count anew, row by row."""
    check_counts(behind)
    check_chains(behind)
    state = behind.watch.state
    watched = state.watched[: behind.watch.subscriptions]
    names = ("", "cell", "gateway", "network", "model", "software")
    assert len(names) == KINDS_END, "all but use cases"
    for row in range(int(state.watch_meta["groups"][0])):
        if 0 < state.groups["kind"][row] < KINDS_END:  # the silence of use cases is not judged
            here = watched[watched[names[int(state.groups["kind"][row])]] == row + 1]
            assert state.groups["due"][row] == np.count_nonzero((here["stage"] >= DUE) & (here["stage"] < TOLD))
            assert state.groups["late"][row] == np.count_nonzero((here["stage"] >= LATE) & (here["stage"] < TOLD))


PROGRAM = """
import hashlib
from cadence_histories import *
from watch_histories import fold_all
behind = fleet()
found = fold_all(behind, events_of(25, behind), [333])
names = [one["id"] for one in behind.watch.manifest()["detectors"]]
print(len(found), sorted({names[int(one["detector"])] for one in found}), hashlib.sha256(found.tobytes()).hexdigest(),
      behind.watch.digest())
"""


def test_compiled_equals_interpreted() -> None:
    """The same history in two processes, one without the compiler."""
    said = compiled_and_interpreted(PROGRAM)
    assert said[0] == said[1]
    for detector in ("'silent'", "cell-silent", "off-schedule", "roaming-unexpected"):
        assert detector in said[0]
