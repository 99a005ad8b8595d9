"""Every fuzz target holds for the inputs that a run begins with, and for some changed ones; atheris is not needed."""

from __future__ import annotations

import random

import pytest

from fuzz import dynauth, policy, receiver
from fuzz.__main__ import TARGETS

CHANGED = 3
MODULES = {"receiver": receiver, "dynauth": dynauth, "policy": policy}


@pytest.mark.parametrize("name", TARGETS)
def test_it_holds_for_its_seeds_and_some_changes(name: str) -> None:
    target, dice, checked = MODULES[name], random.Random(1), 0
    for seed in target.seeds():
        assert len(seed) <= 4_097
        target.check(seed)
        for _ in range(CHANGED if name != "policy" else 1):
            changed = bytearray(seed)
            for _ in range(dice.choice((1, 1, 2, 5))):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
            target.check(bytes(changed))
        checked += 1
    assert checked >= 10
