"""The law: under one kernel, folding from the start or any snapshot, in any cut, gives the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from histories import IMSI, MEMBERS, START_AT, events_of, fleet, fold_all, hear, histories, inventory, tables
from hypothesis import given
from hypothesis import strategies as st
from two_ways import compiled_and_interpreted

from simward.engine import events as e
from simward.engine.apply import revision_row
from simward.engine.fold import Fold
from simward.engine.journal import MemoryJournal, events_row
from simward.engine.layouts import RECORDS_KEPT
from simward.engine.replay import replay
from simward.engine.snapshot import newest_snapshot
from simward.engine.start import from_snapshot, restore, save

cuts = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@given(histories, cuts)
def test_any_cut_of_the_batches_gives_the_same_bytes(steps: list, sizes: list[int]) -> None:
    whole, pieces = fleet(), fleet()
    events = events_of(steps, whole)
    one = fold_all(whole, events, [len(events)])
    many = fold_all(pieces, events, sizes)
    for left, right in zip(one, many, strict=True):
        assert left.tobytes() == right.tobytes()
    assert whole.state.digest() == pieces.state.digest()


@given(histories, st.integers(0, 59))
def test_any_snapshot_and_the_tail_give_the_same_bytes(steps: list, where: int) -> None:
    live = fleet()
    events = events_of(steps, live)
    where = min(where, len(events))
    with tempfile.TemporaryDirectory() as folder:
        if where:
            fold_all(live, events[:where], [7])
        save(live, Path(folder))
        snapshot = newest_snapshot(Path(folder) / "snapshots")
        assert snapshot is not None
        again = from_snapshot(snapshot)
        assert again.state.digest() == live.state.digest()
    if where < len(events):
        assert fold_all(live, events[where:], [9])[0].tobytes() == fold_all(again, events[where:], [4])[0].tobytes()
    assert again.state.digest() == live.state.digest()


@given(histories, cuts)
def test_live_equals_replay_of_what_was_journalled(steps: list, sizes: list[int]) -> None:
    journal, live = MemoryJournal(), Fold.new()
    journal.register_kernel(live.kernel, live.manifest())
    journal.append(revision_row(live, tables(), 1))
    journal.append(revision_row(live, inventory(), 2))
    for text in (b"pgw1", b"pgw2", b"client1", b"meters.iot", b"internet"):
        live.state.texts.intern(text)
    events, at, turn = events_of(steps, live), 0, 0
    while at < len(events):
        first = live.sequence + 1
        folded = live.events(hear(live, events[at : at + sizes[min(turn, len(sizes) - 1)]]))
        batch = events[at : at + folded.consumed][folded.kept]
        if len(batch):
            outputs = folded.outputs.view(np.ndarray).copy()
            texts = live.state.texts
            whole_ids = texts.whole_ids.among(batch)
            journal.append(events_row(first, 3, live.kernel, batch, outputs, texts.take_new(), whole_ids=whole_ids))
        at += folded.consumed
        turn += 1
    fold = Fold.new()
    for row, outputs in replay(journal, fold):
        recorded = np.frombuffer(row.outputs, outputs.dtype).copy()
        for array in (recorded, outputs):
            array["event"] = 0
        assert recorded.tobytes() == outputs.tobytes()
    assert fold.state.digest() == live.state.digest()
    with tempfile.TemporaryDirectory() as folder:
        assert restore(Path(folder), journal).state.digest() == live.state.digest()


RETRANSMITTED = (e.ACCESS_REQUEST, e.ACCOUNTING_START, e.ACCOUNTING_INTERIM, e.ACCOUNTING_STOP, e.ACCOUNTING_ON)


@given(histories, st.integers(1, 20), st.booleans())
def test_a_retransmission_changes_nothing(steps: list, delay_s: int, restarted: bool) -> None:
    """Sent again at once or some seconds later, with another Acct-Delay-Time and so another authenticator."""
    fold = fleet()
    events = events_of(steps, fold)
    for number in range(len(events)):
        event = events[number : number + 1]
        folded = fold.events(hear(fold, event))
        if int(event["kind"][0]) not in RETRANSMITTED:
            continue
        answer = folded.results.view(np.ndarray).copy()
        before = fold.state.digest()
        again = event.copy()
        again["received_at"] += delay_s * 1_000_000  # happened_at is the same: received_at - Acct-Delay-Time
        if int(event["kind"][0]) != e.ACCESS_REQUEST:
            again["request"] += 5_000_000
        if restarted:
            with tempfile.TemporaryDirectory() as folder:
                save(fold, Path(folder))
                snapshot = newest_snapshot(Path(folder) / "snapshots")
                assert snapshot is not None
                fold = from_snapshot(snapshot)
            restarted = False  # once a history is enough
        repeated = fold.events(hear(fold, again))
        assert not repeated.kept[0], f"step {number} was folded twice"
        assert not len(repeated.outputs)
        assert fold.state.digest() == before
        answer["duplicate"] = 1
        if int(event["kind"][0]) == e.ACCESS_REQUEST:
            addresses = ("address", "ipv6_high", "ipv6_low")
            for name in ("verdict", "detector", "class", *addresses, "generation", "class_token"):
                assert answer[name][0] == repeated.results[name][0], name


records = st.lists(
    st.tuples(
        st.sampled_from((e.ACCOUNTING_START, e.ACCOUNTING_INTERIM, e.ACCOUNTING_INTERIM, e.ACCOUNTING_STOP)),
        st.integers(0, 1),  # session
        st.integers(0, 40),  # duration
    ),
    min_size=1,
    max_size=30,
)


@given(records, st.lists(st.integers(1, RECORDS_KEPT), max_size=20))
def test_no_recent_record_of_a_stranger_is_folded_twice(told: list, back: list[int]) -> None:
    """Not only the last: a stranger may have two sessions, and what is repeated may be older than what came since."""
    fold, now = fleet(), START_AT
    new: list[np.ndarray] = []
    for number, (kind, session, duration) in enumerate(told):
        now += 1_000_000
        event = e.empty(1)
        event["kind"], event["imsi"], event["request"] = kind, IMSI + MEMBERS, 1_000 + number
        event["received_at"] = event["happened_at"] = now
        event["gateway"] = event["client"] = fold.state.texts.find(b"pgw1")
        event["session_id_octets"], event["session_id"][0, 0] = 1, session
        event["duration_s"] = duration if kind != e.ACCOUNTING_START else -1
        if fold.events(event).kept[0]:
            new.append(event)
        before = fold.state.digest()
        for place in back:
            if place > len(new):
                continue
            again = new[-place].copy()
            again["request"], again["received_at"] = 9_000 + place, now
            assert not fold.events(again).kept[0], f"record {place} from the end, after {number + 1}"
        assert fold.state.digest() == before


PROGRAM = """
import numpy as np
from histories import *
rng = np.random.default_rng(20)
steps = [
    (KINDS[rng.integers(len(KINDS))], int(rng.integers(MEMBERS + 1)), DEVICES[rng.integers(len(DEVICES))],
     int(rng.integers(-1, 3)),
     int(rng.integers(3)), ("meters.iot", "internet", "")[rng.integers(3)],
     (100101, 199999, 0)[rng.integers(3)],
     (b"pgw1", b"pgw2")[rng.integers(2)], int(rng.integers(1, 900)))
    for _ in range(1500)
]
fold = fleet()
outputs, results, kept = fold_all(fold, events_of(steps, fold), [64])
import hashlib
print(len(outputs), int(kept.sum()),
      hashlib.sha256(outputs.tobytes() + results.tobytes()).hexdigest(), fold.state.digest(),
      int(fold.state.meta["long_ids"][0]))
"""


def test_compiled_equals_interpreted() -> None:
    """The same 1,500 steps in two processes, one without the compiler."""
    said = compiled_and_interpreted(PROGRAM)
    assert said[0] == said[1]
    assert int(said[0].split()[0]) > 500, "a history in which nothing happens shows nothing"
    assert int(said[0].split()[-1]) > 10, "nor one without long ids"
