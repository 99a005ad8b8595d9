"""Several inputs become one in the order of time, whatever the cut of their batches; ticks stand at full seconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simward.engine import events as ev
from simward.engine.journal import POLICY, Row
from simward.inputs.merging import TICKS_IN_A_SILENCE_MAX, Monotone, Piece, merged, ticking


def at(*times: int, imsi: int = 1) -> np.ndarray:
    made = ev.empty(len(times))
    made["received_at"], made["kind"], made["imsi"] = times, ev.ACCESS_REQUEST, imsi
    return made


def told(stream: Iterator[Piece]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for piece in stream:
        if isinstance(piece, Row):
            found.append((piece.at, -1))
        else:
            assert np.all(np.diff(piece["received_at"]) >= 0)
            found += list(zip(piece["received_at"].tolist(), piece["imsi"].tolist()))
    return found


inputs = st.lists(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 4)), max_size=12), min_size=1, max_size=4)


@given(inputs)
def test_merging_is_sorting_whatever_the_batches(drawn: list[list[tuple[int, int]]]) -> None:
    streams, expected = [], []
    for number, pieces in enumerate(drawn):
        times = np.sort(np.array([time for time, _ in pieces], np.int64))
        events = at(*times.tolist(), imsi=number + 1)
        expected.append(events)
        cuts = np.cumsum([size for _, size in pieces])
        streams.append(list(np.split(events, cuts[cuts < len(events)])))
    whole = np.concatenate(expected)
    whole = whole[np.argsort(whole["received_at"], kind="stable")]
    found = told(merged(streams))
    assert [time for time, _ in found] == whole["received_at"].tolist()
    assert sorted(found) == sorted(zip(whole["received_at"].tolist(), whole["imsi"].tolist()))


def test_a_revision_counts_from_its_time() -> None:
    row = Row(1, 1, POLICY, 20, "k", b"", b"")
    found = told(merged([[at(10, 20), row, at(30)], [at(5, 21, 25, imsi=2)]]))
    assert found == [(5, 2), (10, 1), (20, 1), (20, -1), (21, 2), (25, 2), (30, 1)]
    assert told(merged([[row, at(30)], [at(5, 21, imsi=2)]])) == [(5, 2), (20, -1), (21, 2), (30, 1)]


def test_what_comes_late_counts_as_come_when_it_was_read() -> None:
    late = Monotone([at(1, 5), at(3, 7), at(2)])
    assert [one["received_at"].tolist() for one in late] == [[1, 5], [5, 7], [7]]
    assert late.late == 2


def test_ticks_stand_at_full_seconds_between_events() -> None:
    pieces = list(ticking([at(1_500_000, 1_700_000), at(3_000_000, 3_200_000), at(4_900_000)]))
    said = [(int(event["received_at"]), int(event["kind"])) for piece in pieces for event in piece]
    assert [time for time, kind in said if kind == ev.TICK] == [2_000_000, 3_000_000, 4_000_000]
    assert said == sorted(said, key=lambda one: one[0])


def test_a_silence_of_weeks_is_listened_to() -> None:
    """Ticks more than ten seconds apart say that the gate did not run, and nothing counts as silent then."""
    day = 86_400_000_000
    pieces = [piece for piece in ticking([at(day, day + 5, 30 * day, 31 * day)]) if not isinstance(piece, Row)]
    times = np.concatenate(pieces)["received_at"]
    assert np.all(np.diff(times) >= 0) and np.diff(times).max() <= 10_000_000
    assert max(map(len, pieces)) <= 2 * TICKS_IN_A_SILENCE_MAX + 2, "in pieces"
    assert times[-1] == 31 * day and np.count_nonzero(np.concatenate(pieces)["kind"] != ev.TICK) == 4


def test_a_silence_of_years_has_a_bounded_number_of_ticks() -> None:
    day = 86_400_000_000
    found = np.concatenate([piece for piece in ticking([at(day), at(800 * day)]) if not isinstance(piece, Row)])
    ticks = found[found["kind"] == ev.TICK]["received_at"]
    assert len(ticks) == TICKS_IN_A_SILENCE_MAX and ticks[-1] == 800 * day and np.all(np.diff(ticks) > 0)
