"""Machine code that is called without a look at the types: the same results, and a check that tells of other types."""

from __future__ import annotations

import numpy as np
import pytest

from simward import compiled
from simward.engine import events, outputs
from simward.engine.outputs import RESULT
from simward.gate.metrics import count_folded

pytestmark = pytest.mark.skipif(compiled.INTERPRETED, reason="nothing is compiled")


def counted(call: object, inputs: np.ndarray) -> list[int]:
    kinds, verdicts, repeated = (np.zeros(size, np.int64) for size in (256, 256, 1))
    call(inputs, np.zeros(len(inputs), RESULT), kinds, verdicts, repeated)  # type: ignore[operator]
    return np.flatnonzero(kinds).tolist()


def test_the_first_call_and_those_after_it_say_the_same() -> None:
    count = compiled.settled_entry(count_folded, depends=[events, outputs])
    inputs = events.empty(3)
    inputs["kind"] = [events.ACCESS_REQUEST, events.ACCOUNTING_START, events.TICK]
    expected = sorted({events.ACCESS_REQUEST, events.ACCOUNTING_START, events.TICK})
    assert [counted(count, inputs), counted(count, inputs), counted(count, inputs[:0])] == [expected, expected, []]


def test_other_types_are_refused_where_the_types_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMWARD_CHECK_TYPES", "1")
    count = compiled.settled_entry(count_folded, depends=[events, outputs])
    counted(count, events.empty(1))
    counted(count, events.empty(2))
    for other in (np.zeros(2, RESULT), events.empty(4)[::2]):
        with pytest.raises(TypeError, match="count_folded takes"):
            counted(count, other)
