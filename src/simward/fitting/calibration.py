"""How rare a deviation is: tables from bins to bits of evidence, out of days that the baselines had not seen.

A day is scored by the baseline of the days before it, so that its deviations are out of sample. The body is empirical;
what is rarer than was seen often comes from a tail whose shape all pools have in common.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simward.engine.behaviour.layouts import CHANNELS, FAILED, LOWER, MATURITIES, ONE_BIT, POOLS_MAX, SCORE_BINS, Q
from simward.engine.behaviour.revision import ANY, FLEET, Node, Revision
from simward.engine.behaviour.scoring import BEYOND_KNEE_OF_TEN, BIN_WIDTH, KNEE
from simward.fitting.cohorts import Cohorts
from simward.fitting.tails import Tail, pooled_shape, scale_of

REMEMBERED = 0.97
"""What a day counts for a day later: about a month in all."""
POOL_LEAST = 2_000
"""Members of a use case that is calibrated by itself."""
ENOUGH = 4_000.0
"""Deviations from which a table can be made; with fewer, those of more pools, then of other maturities."""
TAIL_SHARE, TAIL_SHARE_OF_FEW, TAIL_LEAST, TAIL_ENOUGH = 0.02, 0.1, 25.0, 200.0
"""A tail begins where at most this share is (more, where few are known), with at least so many beyond; further out,
where there are many more."""
SETTLED_DAYS = 3
"""So many times what a day brings must be known of earlier days."""
BITS_MOST = 40.0
KNEE_BITS, BEYOND_KNEE = KNEE / ONE_BIT, BEYOND_KNEE_OF_TEN / 10
"""What one day says beyond so many bits counts for less: honest days have heavy tails, and what lasts is worse than a
spike."""
EDGES = np.sqrt((2.0 ** (np.arange(SCORE_BINS) * BIN_WIDTH / Q) - 1.0) / 256.0)
"""Where each bin begins, in scales."""


def pools_of(cohorts: Cohorts, before: Revision | None) -> tuple[list[Node], np.ndarray]:
    """The pools, and the pool of each cohort: its use case, where that is large enough, else the fleet's, 0.

    A pool keeps its number from one revision to the next.
    """
    earlier = [] if before is None else [tuple(int(part) for part in node) for node in before.memory["pool_nodes"]]
    pools: list[Node] = earlier or [FLEET]  # type: ignore[assignment]
    cases = {(node[0], node[1], ANY, ANY) for node in cohorts.nodes if node[1] != ANY}
    large = [case for case in cases if cohorts.members[case] >= POOL_LEAST and case not in pools]
    new = sorted(large, key=lambda case: (-cohorts.members[case], case))[: POOLS_MAX - len(pools)]
    pools = [*pools, *new]
    number = {node: at for at, node in enumerate(pools)}
    of = [number.get((node[0], node[1], ANY, ANY), 0) if node[1] != ANY else 0 for node in cohorts.nodes]
    return pools, np.array(of, np.uint8)


def faded_deviations(pools: int, before: Revision | None) -> np.ndarray:
    """The histogram of earlier days, a day later (MEMORY_ARRAYS)."""
    counts = np.zeros((pools, MATURITIES, CHANNELS, 2 * SCORE_BINS), np.float32)
    if before is not None:
        earlier = before.memory["deviations"]
        counts[: len(earlier)] = earlier * np.float32(REMEMBERED)
    return counts


def deviations_of(
    bins: np.ndarray, pool_at: np.ndarray, maturity_at: np.ndarray, pools: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """The histogram of a day's bins (settle.measure_day), each row counting for its weight."""
    size = 2 * SCORE_BINS
    counts = np.zeros((pools, MATURITIES, CHANNELS, size), np.float32)
    group = pool_at.astype(np.int64) * MATURITIES + maturity_at
    for channel in range(CHANNELS):
        at = bins[:, channel]
        known = at >= 0
        added = np.bincount(
            group[known] * size + at[known], None if weights is None else weights[known], pools * MATURITIES * size
        )
        counts[:, :, channel] = added.reshape(pools, MATURITIES, size)
    return counts


def are_few(earlier: np.ndarray, today: np.ndarray) -> np.ndarray:
    """Of which maturities (the second axis) are earlier days too few to judge a day by them alone?

    By maturities, since a whole fleet comes of age on one day.
    """
    others = tuple(axis for axis in range(earlier.ndim) if axis != 1)
    return np.asarray(earlier.sum(axis=others) < SETTLED_DAYS * today.sum(axis=others))


def in_use(earlier: np.ndarray, today: np.ndarray, few: np.ndarray) -> np.ndarray:
    """What a day is judged by: earlier days alone, so that it cannot speak for itself; while there are too few, all."""
    shape = [1] * earlier.ndim
    shape[1] = len(few)
    return np.asarray(earlier + np.where(few.reshape(shape), today, np.float32(0)))


def _sources(counts: np.ndarray) -> Iterator[tuple[tuple[int, int, int], np.ndarray]]:
    """For each table the counts that it is made of (2 x SCORE_BINS)."""
    pools = len(counts)
    of_all = counts.sum(axis=0)
    of_ages = counts.sum(axis=1)
    for pool in range(pools):
        for maturity in range(MATURITIES):
            for channel in range(CHANNELS):
                chosen = counts[pool, maturity, channel]
                for other in (of_ages[pool, channel], of_all[maturity, channel], of_all[:, channel].sum(axis=0)):
                    if chosen.sum() >= ENOUGH:
                        break
                    chosen = other
                yield (pool, maturity, channel), chosen.reshape(2, SCORE_BINS).astype(float)


def _tail_begins(beyond: np.ndarray, total: float) -> int:
    """The bin at which a tail begins, given how many are in each bin or a later one; -1 = there are too few."""
    share = min(max(TAIL_SHARE, 2 * TAIL_LEAST / max(total, 1.0)), TAIL_SHARE_OF_FEW)
    enough = np.flatnonzero((beyond >= TAIL_LEAST) & (beyond <= share * total))
    if len(enough) == 0:
        return -1
    many = np.flatnonzero(beyond >= TAIL_ENOUGH)
    return int(max(enough[0], min(many[-1] if len(many) else 0, enough[-1])))


def _excesses(counts: np.ndarray, begins: int) -> tuple[np.ndarray, np.ndarray]:
    """How far beyond the beginning of a tail the values lie, and how many there are."""
    last = EDGES[-1] * 1.03
    middle = (EDGES + np.append(EDGES[1:], last)) / 2
    return middle[begins:] - EDGES[begins], counts[begins:]


def tables_of(counts: np.ndarray) -> np.ndarray:
    """bits (layouts.REVISION_ARRAYS) of a histogram of deviations.

    Of a deviation on one side: -log2(2 P(as far or farther on this side)), at least 0, so that on an ordinary day each
    side brings as much.
    """
    bits = np.zeros((len(counts), MATURITIES, CHANNELS, 2, SCORE_BINS), np.uint16)
    sources = list(_sources(counts))
    shapes = {}
    for channel in range(CHANNELS):
        for side in range(2):
            pieces = []
            for (_, _, which), both in sources:
                if which == channel and both.sum() > 0:
                    begins = _tail_begins(_beyond(both[side]), both.sum())
                    if begins >= 0:
                        pieces.append(_excesses(both[side], begins))
            shapes[channel, side] = pooled_shape(pieces)
    for (pool, maturity, channel), both in sources:
        for side in range(2):
            if (channel, side) == (FAILED, LOWER):
                continue  # that nothing fails is no evidence of anything
            said = _bits_of(both[side], float(both.sum()), shapes[channel, side])
            bits[pool, maturity, channel, side] = np.rint(said * ONE_BIT)
    return bits


def _beyond(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts[::-1].cumsum()[::-1])


def _bits_of(counts: np.ndarray, total: float, shape: float) -> np.ndarray:
    beyond = _beyond(counts)
    if total < TAIL_LEAST:
        share = 0.5 * np.exp(-EDGES)
    else:
        share = (beyond + 0.5) / (total + 1.0)
        begins = _tail_begins(beyond, total)
        if begins >= 0:
            excess, weight = _excesses(counts, begins)
            scale = scale_of(float((excess * weight).sum() / weight.sum()), shape)
            share[begins:] = share[begins] * Tail(EDGES[begins], scale, shape).beyond(EDGES[begins:])
    said = np.clip(-np.log2(np.clip(2.0 * share, 1e-300, 1.0)), 0.0, BITS_MOST)
    said = np.minimum(said, KNEE_BITS) + BEYOND_KNEE * np.maximum(said - KNEE_BITS, 0.0)
    said[0] = 0.0  # where nearly nobody is on this side at all, to be there by a hair is no evidence either
    return np.asarray(np.maximum.accumulate(said))
