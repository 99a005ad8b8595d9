"""Laws of a backtest: the policy that was in force changes nothing, and neither do the cuts of the record into rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from properties.histories import POLICY, START_AT, beside, events_of, histories, inventory
from simward.backtest.report import subscriptions, summary
from simward.backtest.run import Backtest
from simward.engine.fold import Fold
from simward.engine.journal import INVENTORY, MemoryJournal, Row, events_row
from simward.engine.journal import POLICY as POLICY_ROW
from simward.engine.tables import PolicyTables
from simward.history.base import Base
from simward.history.runs import Piece, gathered
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

NOWHERE = Path("/nowhere")
ROOMY = POLICY.replace("10.64.0.0/30", "10.64.0.0/24")


class Record(MemoryJournal):
    """A journal in memory with the face of a whole journal, as far as a backtest looks."""

    base = Base()

    def units(self, after: int = 0) -> list[Any]:
        """No history."""
        return []

    def texts(self) -> Iterator[tuple[int, bytes]]:
        """None that the fold does not have."""
        return iter(self.named)

    def runs(self, after: int = 0) -> Iterator[Piece]:
        """See WholeJournal."""
        return gathered(self.rows(after), self.layouts)

    named: tuple[tuple[int, bytes], ...] = ()


def in_force() -> PolicyTables:
    """The policy of the histories with room in its pool: a revision withholds addresses that sessions may hold."""
    return compiled(ROOMY)


def compiled(text: str) -> PolicyTables:
    """A policy beside the same cells and models."""
    return compile_policy(read_policies({"law.yaml": text}), Settings(NOWHERE, GateSettings()), beside())


def recorded(steps: list[tuple], sizes: list[int]) -> Record:
    """A history as its gate recorded it, in rows of these sizes over and over."""
    record, fold = Record(), Fold.new()
    fold.policy(in_force(), START_AT)
    fold.inventory(inventory(), START_AT)
    for text in (b"pgw1", b"pgw2", b"client1", b"meters.iot", b"internet"):
        fold.state.texts.intern(text)
    record.named = tuple(enumerate(fold.state.texts.all()))
    record.register_kernel(fold.kernel, fold.manifest())
    record.append(Row(1, 1, POLICY_ROW, START_AT, fold.kernel, in_force().to_bytes(), b""))
    record.append(Row(2, 1, INVENTORY, START_AT, fold.kernel, inventory().to_bytes(), b""))
    events, at, turn = events_of(steps, fold), 0, 0
    while at < len(events):
        batch = events[at : at + sizes[turn % len(sizes)]]
        first = fold.sequence + 1
        folded = fold.events(batch)
        outputs, kept = np.array(folded.outputs.view(np.ndarray)), batch[: folded.consumed][folded.kept]
        if len(kept):
            record.append(events_row(first, int(kept["received_at"][-1]), fold.kernel, kept, outputs))
        at, turn = at + folded.consumed, turn + 1
    return record


def tried(record: Record, policy: PolicyTables, since: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a backtest says."""
    run = Backtest(record, policy, since)  # type: ignore[arg-type]
    run.run(NOWHERE)
    return summary(run), list(subscriptions(run))


sizes = st.lists(st.integers(1, 20), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(histories, sizes, st.floats(0, 1))
def test_the_policy_that_was_in_force_changes_nothing(steps: list[tuple], cut: list[int], part: float) -> None:
    record = recorded(steps, cut)
    if record.last <= 2:
        return
    ended = max(row.at for row in record.rows())
    said, people = tried(record, in_force(), START_AT + int((ended - START_AT) * part))
    cuts = said["cuts"]
    assert cuts["would_be_new"] == cuts["were_and_would_not_be"] == 0 and cuts["would_be"] == cuts["were"]
    assert all(one["would_be"] == one["were"] for one in [*said["by_day"], *said["findings"]])
    assert all(one["cuts"] == one["were"] and one["new"] == 0 for one in people)
    assert said["open_loop"] == dict.fromkeys(said["open_loop"], 0)


def stricter() -> PolicyTables:
    """Another policy: more is cut, and limits hold other things."""
    return compiled(ROOMY.replace("network-not-permitted: refuse", "network-not-permitted: lock").replace("40%", "80%"))


@settings(max_examples=40, deadline=None)
@given(histories, sizes, sizes, st.integers(0, 100_000))
def test_any_cut_of_the_record_says_the_same(
    steps: list[tuple], one: list[int], other: list[int], after_s: int
) -> None:
    first, second = recorded(steps, one), recorded(steps, other)
    if first.last <= 2 or max(row.at for row in first.rows()) < START_AT + after_s * 1_000_000:
        return
    policy, since = stricter(), START_AT + after_s * 1_000_000
    assert tried(first, policy, since) == tried(second, policy, since)


def test_the_record_is_that_of_the_gate() -> None:
    """What the laws above fold is no empty record."""
    assert recorded([(1, 0, 35000000000001, 1, 0, "", 0, b"pgw1", 1)], [1]).last == 3
