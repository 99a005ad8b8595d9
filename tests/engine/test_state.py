"""The state's tables, and where the kernel is told that they are."""

from __future__ import annotations

from simward.engine.fold import Fold
from simward.engine.layouts import ADDRESSED, OWN, SCRATCH
from simward.engine.state import LAYOUTS, SAVED
from simward.engine.tables import POLICY_ARRAYS


def test_the_kernel_is_told_of_every_array_and_of_no_other() -> None:
    state = Fold.new().state
    tables = state.tables()
    assert len(set(ADDRESSED)) == len(ADDRESSED)
    assert [name for name in ADDRESSED if not int(tables[name][0])] == ["events"], "which the batch fills in"
    assert sorted(SCRATCH) == sorted(state.scratch)
    assert set(POLICY_ARRAYS) == set(state.policy.arrays())


def test_what_is_saved_is_the_states_own() -> None:
    assert set(SAVED) <= set(OWN)
    assert set(LAYOUTS) == set(SAVED) - {"commands"}, "which are plain numbers"
