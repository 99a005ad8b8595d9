"""A group of which many members are struck: told once, told again where it grows, over where it halves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simward.detectors import authentication_failures, facts, signalling_storm, synchronised_reconnect

GROUP = np.dtype([("members", "i4"), ("told", "u1"), ("kind", "u1")])
ANOTHERS, OWN = 1, 4


class Struck:
    """A group with limit 10; the judgement in plain Python, on an octet as wide as the state's."""

    def __init__(self) -> None:
        self.group: Any = np.zeros(1, GROUP).view(np.recarray)[0]
        self.group.members, self.group.kind, self.group.told = 100, 3, ANOTHERS
        self.memory = SimpleNamespace(most=0, told=0, since_s=0)
        self.evidence = SimpleNamespace(was=0, now=0, expected=0)

    def judged(self, now_s: int, struck: int, cause: int = 0, *, excused: bool = False) -> int:
        judge = getattr(facts.judge_many, "py_func", facts.judge_many)
        return int(judge(self.memory, self.group, self.evidence, now_s, struck, 10, cause, excused, OWN))


def test_it_is_told_after_a_while_and_over_where_half_are_left() -> None:
    one = Struck()
    assert [one.judged(100, 9), one.judged(101, 20), one.judged(108, 20)] == [-1, -1, -1]
    assert one.judged(109, 20) == 3 and one.group.told == ANOTHERS | OWN
    assert one.judged(110, 29) == 3 and one.evidence.now == 20, "not yet half as many more"
    assert one.judged(111, 30) == 3 and one.evidence.now == 30
    assert one.judged(112, 14) == 0 and one.group.told == ANOTHERS, "what another says of the group stays"


@pytest.mark.parametrize(("cause", "excused"), [(facts.ANOTHER, False), (0, True)])
def test_what_is_explained_is_not_told(cause: int, excused: bool) -> None:
    one = Struck()
    assert [one.judged(at, 50, cause, excused=excused) for at in (100, 130, 160)] == [-1, -1, -1]


def test_what_may_be_anothers_waits_longer() -> None:
    one = Struck()
    assert [one.judged(at, 50, facts.PERHAPS) for at in (100, 119, 120)] == [-1, -1, 3]
    two = Struck()
    assert [two.judged(at, 50, facts.LIKELY) for at in (100, 139, 140)] == [-1, -1, 3]


def test_each_has_a_bit_of_its_own() -> None:
    bits = [authentication_failures.TOLD, signalling_storm.TOLD, synchronised_reconnect.TOLD,
            synchronised_reconnect.OUTAGE_TOLD]  # fmt: skip
    assert sum(bits) == np.bitwise_or.reduce(bits) < 256
