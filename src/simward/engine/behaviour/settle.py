"""A day is settled: each subscription's is scored and added to the evidence, a finding begins or ends, the baseline
learns.

`settle_day` is an input of the watch fold, with a journalled revision's arrays. `measure_day` and `weigh_day` change
nothing: with them the fit looks at the same day in the same way before it makes the revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit

from simward import compiled
from simward.engine.behaviour import cohorts as cohort_lookup
from simward.engine.behaviour import layouts, learning, logarithm, scoring
from simward.engine.behaviour.cohorts import key_16, key_of, position_of
from simward.engine.behaviour.layouts import (
    CHANNELS,
    DRIFTING,
    ONE_BIT,
    QUIET,
    READY,
    ROLLED_UP,
    SCORE_BINS,
    UNUSUAL,
    UP_SHARE,
    WARMING,
)
from simward.engine.behaviour.learning import teach_channel
from simward.engine.behaviour.scoring import (
    added,
    bin_of,
    faded,
    is_taught,
    maturity_of,
    peer_days_of,
    predicted,
    says_nothing,
    scale_squared,
    side_of,
    total_of,
    unexplained,
    variance,
)

JUDGED_FROM_DAYS = 2
"""So many days must a baseline have learnt before anything is found by it."""
DRIFT_DAYS = 14
"""A finding that is open for so long is what the subscription does now: its baseline learns it anew."""
RELEARNT_DAYS = 3
"""A baseline that learns anew is as sure of itself as after so many days."""


@njit
def _deviation(row, channel, day, cohort, shifts, peer_centre, peer_scale, peer_spread):  # type: ignore[no-untyped-def]
    """How far off a channel is (Q10), under which variance of days, and under which variance of the prediction
    (Q20)."""
    peers = peer_days_of(row, channel, peer_scale[cohort, channel], peer_spread[cohort, channel])
    squared = scale_squared(row, channel, peer_scale[cohort, channel])
    expected = predicted(row, channel, day, shifts[cohort, channel], peer_centre[cohort, channel], peers)
    return np.int64(row.features[channel]) - expected, squared, variance(row, channel, squared, peers)


@njit
def _is_scored(row, channel, peer_centre):  # type: ignore[no-untyped-def]
    """Is a channel's day one to be compared? A new subscription's is, with its peers; but for its share, its own."""
    if (row.learnt > 0 or channel == UP_SHARE) and not is_taught(row, channel):
        return False
    return not says_nothing(row, channel, peer_centre)


@njit
def _begins_anew(row, key):  # type: ignore[no-untyped-def]
    """Is this another use case, model or radio access than the one that the baseline was learnt under?"""
    return row.key != 0 and np.int64(row.key) != key_16(key)


def measure_day(  # type: ignore[no-untyped-def]
    rows, day, cohort_at, shifts, usual_shifts, peer_centre, peer_scale, peer_spread, bins
):  # type: ignore[no-untyped-def]
    """The bins of a day's deviations, into `bins` (i2, rows x CHANNELS): side * SCORE_BINS + bin, -1 = nothing to
    score.

    `cohort_at` (i4) is the cohort of each row. Changes no row.
    """
    for at in range(len(rows)):
        row = rows[at]
        heard = np.int64(row.features_day) == day and np.int64(row.settled_day) < day
        for channel in range(CHANNELS):
            bins[at, channel] = -1
            if heard and _is_scored(row, channel, peer_centre[cohort_at[at], channel]):
                off, _, squared = _deviation(
                    row, channel, day, cohort_at[at], shifts, peer_centre, peer_scale, peer_spread
                )
                cohort = cohort_at[at]
                off = unexplained(off, np.int64(shifts[cohort, channel]) - np.int64(usual_shifts[cohort, channel]))
                bins[at, channel] = side_of(off) * np.int64(SCORE_BINS) + bin_of(off, squared)


def weigh_day(rows, bins, pool_at, bits, ledgers, totals):  # type: ignore[no-untyped-def]
    """What the evidence comes to with these tables, into `ledgers` (i2, rows x CHANNELS) and `totals` (i4); no row
    changes.

    `bins` are those of `measure_day`, `pool_at` (u1) the pool of each row.
    """
    for at in range(len(rows)):
        row = rows[at]
        maturity = maturity_of(np.int64(row.learnt))
        for channel in range(CHANNELS):
            found = np.int64(bins[at, channel])
            if found < 0:
                ledgers[at, channel] = faded(row.ledger[channel])
                continue
            side = found // np.int64(SCORE_BINS)
            said = np.int64(bits[pool_at[at], maturity, channel, side, found % np.int64(SCORE_BINS)])
            ledgers[at, channel] = added(row.ledger[channel], side, said)
        totals[at] = total_of(ledgers[at])


@njit
def _gather(row, channel, value):  # type: ignore[no-untyped-def]
    """The evidence of a channel is `value` now: since when has it been on that side?"""
    before = np.int64(row.ledger[channel])
    if value == 0:
        row.ages[channel] = 0
    elif before == 0 or (before > 0) != (value > 0):
        row.ages[channel] = 1
    else:
        row.ages[channel] = min(np.int64(row.ages[channel]) + np.int64(1), np.int64(255))
    row.ledger[channel] = value


@njit
def _weigh(row):  # type: ignore[no-untyped-def]
    """Note the total, and which three channels weigh most in it."""
    row.total = total_of(row.ledger)
    taken = np.int64(0)
    for place in range(3):
        best, most = np.int64(-1), np.int64(0)
        for channel in range(CHANNELS):
            if taken & (np.int64(1) << np.int64(channel)) == 0 and abs(np.int64(row.ledger[channel])) > most:
                best, most = np.int64(channel), abs(np.int64(row.ledger[channel]))
        row.weighs[place] = 0
        if best >= 0:
            taken |= np.int64(1) << best
            row.weighs[place] = best + np.int64(1) + (np.int64(128) if row.ledger[best] < 0 else np.int64(0))


@njit
def _is_muted(row, muted):  # type: ignore[no-untyped-def]
    """Is what weighs most something that is told of its cohort, or of the fleet, as one?

    A share is not what moved, where anything else did: more down is less of it, and more up is more.
    """
    first = np.int64(row.weighs[0])
    if first & np.int64(127) == UP_SHARE + 1 and np.int64(row.weighs[1]) != 0:
        first = np.int64(row.weighs[1])
    bit = (first & np.int64(127)) - np.int64(1) + (np.int64(CHANNELS) if first >= 128 else np.int64(0))
    return (np.int64(muted) >> bit) & np.int64(1) == 1


@njit
def _conclude(row, day, threshold, keeps, widened, muted):  # type: ignore[no-untyped-def]
    """Does a finding begin, go on or end?"""
    total = np.int64(row.total)
    if total <= keeps // np.int64(2):
        row["class"] = QUIET
        row.state = READY if row.learnt >= JUDGED_FROM_DAYS else WARMING
        return
    if row["class"] == UNUSUAL or row.state == ROLLED_UP or row.learnt < JUDGED_FROM_DAYS:
        return
    row.state = READY
    if total > threshold + widened:
        if _is_muted(row, muted):
            row.state = ROLLED_UP
        else:
            row["class"] = UNUSUAL
            row.since = day


@njit
def _relearns(row, day, keeps):  # type: ignore[no-untyped-def]
    """Is what it does now what it is to learn: it was found to be benign, or has done it for long?"""
    if np.int64(row.total) > keeps and day <= np.int64(row.benign_until):
        return True
    if row["class"] == UNUSUAL and day - np.int64(row.since) >= DRIFT_DAYS:
        row.state = DRIFTING
    return row.state == DRIFTING


@njit
def _settle_heard(  # type: ignore[no-untyped-def]
    row, day, cohort, pool, muted, widening, shifts, usual_shifts, peer_centre, peer_scale, peer_spread, bits, limits,
    kept,
):  # fmt: skip
    """Settle a subscription that was heard on the day."""
    maturity = maturity_of(np.int64(row.learnt))
    drifts = row.state == DRIFTING
    for channel in range(CHANNELS):
        off, _, squared = _deviation(row, channel, day, cohort, shifts, peer_centre, peer_scale, peer_spread)
        off = unexplained(off, np.int64(shifts[cohort, channel]) - np.int64(usual_shifts[cohort, channel]))
        side, at = side_of(off), bin_of(off, squared)
        said = np.int64(0) if drifts else np.int64(bits[pool, maturity, channel, side, at])
        scored = _is_scored(row, channel, peer_centre[cohort, channel])
        _gather(row, channel, added(row.ledger[channel], side, said) if scored else faded(row.ledger[channel]))
    _weigh(row)
    threshold, keeps = np.int64(limits[pool, maturity]), np.int64(kept[pool, maturity])
    widened = np.int64(widening) * np.int64(ONE_BIT)
    if day <= np.int64(row.benign_until):
        widened += np.int64(row.widening) * np.int64(ONE_BIT)
    _conclude(row, day, threshold, keeps, widened, muted)
    anew = _relearns(row, day, keeps)
    if anew:
        row.learnt = min(np.int64(row.learnt), np.int64(RELEARNT_DAYS))
    for channel in range(CHANNELS):
        if says_nothing(row, channel, peer_centre[cohort, channel]):
            continue
        off, squared, whole = _deviation(row, channel, day, cohort, shifts, peer_centre, peer_scale, peer_spread)
        own = np.int64(row.features[channel]) - np.int64(shifts[cohort, channel])
        teach_channel(row, channel, day, own, off, squared, whole, anew)
    row.learnt = min(np.int64(row.learnt) + np.int64(1), np.int64(255))


@njit
def _settle_absent(row, pool, kept):  # type: ignore[no-untyped-def]
    """Settle one that was not heard: its evidence fades, and it learns nothing."""
    for channel in range(CHANNELS):
        _gather(row, channel, faded(row.ledger[channel]))
    _weigh(row)
    if np.int64(row.total) <= np.int64(kept[pool, maturity_of(np.int64(row.learnt))]) // np.int64(2):
        row["class"] = QUIET
        row.state = READY if row.learnt >= JUDGED_FROM_DAYS else WARMING


def settle_day(  # type: ignore[no-untyped-def]
    rows, use_cases, day, keys, cohorts, muted, pools, widening, shifts, usual_shifts, peer_centre, peer_scale,
    peer_spread, bits, thresholds, keeps,
):  # fmt: skip
    """Settle a day of all rows of BEHAVIOUR; returns how many were scored, and how many of them are unusual then.

    `use_cases` (i8) has the use case of each row; the rest are the arrays of a revision (layouts.REVISION_ARRAYS). A
    row that was settled up to this day already is left as it is.
    """
    scored, unusual = np.int64(0), np.int64(0)
    for at in range(len(rows)):
        row = rows[at]
        if row.features_day == 0 or np.int64(row.settled_day) >= day:
            continue
        key = key_of(row, use_cases[at])
        position = position_of(keys, key)
        cohort = np.int64(cohorts[position]) if position >= 0 else np.int64(0)
        pool = np.int64(pools[cohort])
        if np.int64(row.features_day) == day:
            if _begins_anew(row, key):
                row.learnt = 0
                row.taught = 0
            row.key = key_16(key)
            told_as_one = np.int64(muted[position]) if position >= 0 else np.int64(0)
            _settle_heard(
                row, day, cohort, pool, told_as_one, widening[cohort], shifts, usual_shifts, peer_centre, peer_scale,
                peer_spread, bits, thresholds, keeps,
            )  # fmt: skip
            scored += np.int64(1)
            if row["class"] == UNUSUAL:
                unusual += np.int64(1)
        else:
            _settle_absent(row, pool, keeps)
        row.settled_day = day
    return scored, unusual


SOURCES = (layouts, logarithm, cohort_lookup, scoring, learning)
settled = compiled.entry(settle_day, SOURCES)
"""`settle_day`, compiled."""
measured = compiled.entry(measure_day, SOURCES)
weighed = compiled.entry(weigh_day, SOURCES)
ARRAYS = (
    "keys", "cohorts", "muted", "pools", "widening", "shifts", "usual_shifts", "peer_centre", "peer_scale",
    "peer_spread", "bits", "thresholds", "keeps",
)  # fmt: skip


def settle(rows: np.ndarray, use_cases: np.ndarray, day: int, arrays: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """`settle_day` with the arrays of a revision by name."""
    given: list[Any] = [arrays[name] for name in ARRAYS]
    scored, unusual = settled(compiled.records(rows), use_cases, day, *given)
    return int(scored), int(unusual)
