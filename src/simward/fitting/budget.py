"""How many findings the owner wants becomes a threshold, by how often totals of evidence rise through each level.

A finding begins where a subscription's total rises through the threshold, so what is counted is rises, not days above:
evidence lasts, and a subscription that is above for a week is one finding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simward.engine.behaviour.layouts import MATURITIES, ONE_BIT
from simward.engine.behaviour.revision import TOTAL_BIN, TOTAL_BINS, Budget, Revision
from simward.fitting.calibration import REMEMBERED
from simward.fitting.tails import Tail, pooled_shape, scale_of

RISES_LEAST, RISES_ENOUGH = 30.0, 200.0
"""A tail begins where at least so many rises are; as far out as there are enough."""
TAIL_SHARE, TAIL_SHARE_OF_FEW = 0.01, 0.1
BEYOND_EXPECTED, ALWAYS_COUNTED = 2.0, 1.0
AIMED_AT = 0.4
"""Share of the budget that thresholds aim at: it is asked for as a most, and estimates of what is so rare err."""
LEVELS = np.arange(TOTAL_BINS) * TOTAL_BIN / ONE_BIT
"""Bits."""
FARTHEST = 32 * ONE_BIT
"""Rises are counted up to here: how far beyond it an attack goes says nothing of how far the honest may."""
COUNTED_LEAST = 3.0
"""What is expected fewer times than this in all that was seen was not counted, but reckoned."""
NEVER = 65_536
"""A threshold (Q8) that no total reaches."""


def faded_rises(pools: int, before: Revision | None) -> tuple[np.ndarray, np.ndarray]:
    """Rises through each level on earlier days, a day later, and the subscription-days that they are of."""
    rises = np.zeros((pools, MATURITIES, TOTAL_BINS), np.float32)
    exposure = np.zeros((pools, MATURITIES), np.float32)
    if before is not None:
        earlier = before.memory["rises"]
        rises[: len(earlier)] = earlier * np.float32(REMEMBERED)
        exposure[: len(earlier)] = before.memory["exposure"] * np.float32(REMEMBERED)
    return rises, exposure


def rises_of(
    was: np.ndarray, now: np.ndarray, group: np.ndarray, pools: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The same of one day, each judged row counting for its weight.

    `was`, `now`: totals (Q8) of the day before and this day; `group` = pool * MATURITIES + maturity.
    """
    groups, size = pools * MATURITIES, TOTAL_BINS + 1
    exposure = np.bincount(group, minlength=groups).astype(np.float32)
    was, now = np.minimum(was, FARTHEST), np.minimum(now, FARTHEST)
    up = now > was
    weight = None if weights is None else weights[up]
    begins = np.minimum(was[up] // TOTAL_BIN + 1, TOTAL_BINS)
    ends = np.minimum(now[up] // TOTAL_BIN + 1, TOTAL_BINS)
    steps = np.bincount(group[up] * size + begins, weight, groups * size)
    steps = steps - np.bincount(group[up] * size + ends, weight, groups * size)
    rises = np.maximum(steps.reshape(-1, size).cumsum(axis=1)[:, :TOTAL_BINS], 0)
    return rises.astype(np.float32).reshape(pools, MATURITIES, TOTAL_BINS), exposure.reshape(pools, MATURITIES)


def weights_of(
    now: np.ndarray, group: np.ndarray, earlier: tuple[np.ndarray, np.ndarray], today: tuple[np.ndarray, np.ndarray],
    settled: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """What each judged row of a day counts for in what is remembered of it.

    1 but where more rise through a level than twice what earlier days make likely: an attack on many at once would else
    be what days are like from now on. Only in maturities that are `settled` (calibration.are_few are not). What is so
    from now on is learnt all the same, a little later.
    """
    rate = earlier[0] / np.maximum(earlier[1], 1.0)[:, :, None]
    expected = (rate * today[1][:, :, None])[:, settled].sum(axis=(0, 1))
    seen = today[0][:, settled].sum(axis=(0, 1))
    most = np.maximum(BEYOND_EXPECTED * expected, ALWAYS_COUNTED)
    # Of who rises far all lower levels count, too: so no level counts for more than its most.
    share = np.minimum.accumulate(np.minimum(1.0, most / np.maximum(seen, 1e-9)))
    weights = share[np.minimum(now // TOTAL_BIN, TOTAL_BINS - 1)]
    return np.asarray(np.where(settled[group % MATURITIES], weights, 1.0))


@dataclass(frozen=True)
class Rates:
    """Of one pool and maturity: findings a subscription-day at each level, and their tail."""

    share: np.ndarray
    tail: Tail
    begins: int
    days: float
    """Subscription-days that they were counted in."""

    def at(self, totals: np.ndarray) -> np.ndarray:
        """Findings a subscription-day were each of these totals (Q8) the threshold."""
        bits = totals / ONE_BIT
        inner = np.interp(bits, LEVELS[: self.begins + 1], self.share[: self.begins + 1])
        found = np.where(bits > self.tail.begins, self.share[self.begins] * self.tail.beyond(bits), inner)
        return np.asarray(np.where(found * self.days < COUNTED_LEAST, np.maximum(found, np.exp2(-bits)), found))

    def level(self, rate: float) -> int:
        """The threshold (Q8) at which there are so many a subscription-day.

        What is rarer than could be counted takes evidence that says itself that it is: a small fleet that has been
        regular for a week is not for ever.
        """
        least = -np.log2(rate) if rate * self.days < COUNTED_LEAST else 0.0
        return min(max(self._counted(rate), int(np.ceil(least * ONE_BIT))), NEVER - 1)

    def _counted(self, rate: float) -> int:
        body = self.share[: self.begins + 1]
        if rate >= body[-1]:
            below = np.flatnonzero(body <= rate)
            return int(np.ceil(LEVELS[below[0]] * ONE_BIT))
        return min(int(np.ceil(self.tail.level(rate / body[-1]) * ONE_BIT)), NEVER - 1)


def _falling(counts: np.ndarray) -> np.ndarray:
    """Rises by level, as they must be: none through a higher level without one through a lower."""
    return np.asarray(np.maximum.accumulate(counts[::-1].astype(float))[::-1])


def _begins(counts: np.ndarray, exposure: float) -> int:
    """The level at which the tail begins; -1 = there are too few rises that are rare."""
    share = min(max(TAIL_SHARE, 2 * RISES_LEAST / max(exposure, 1.0)), TAIL_SHARE_OF_FEW)
    usable = np.flatnonzero((counts >= RISES_LEAST) & (counts <= share * exposure))
    if len(usable) == 0:
        return -1
    many = np.flatnonzero(counts >= RISES_ENOUGH)
    return int(max(usable[0], min(many[-1] if len(many) else 0, usable[-1])))


def rates_of(rises: np.ndarray, exposure: np.ndarray) -> dict[tuple[int, int], Rates]:
    """The rates of each pool and maturity; of those that were seen little, those of their likes together."""
    sources = {}
    for pool in range(len(rises)):
        for maturity in range(MATURITIES):
            choices = (
                (rises[pool, maturity], exposure[pool, maturity]),
                (rises[:, maturity].sum(axis=0), exposure[:, maturity].sum()),
                (rises[pool].sum(axis=0), exposure[pool].sum()),
                (rises.sum(axis=(0, 1)), exposure.sum()),
            )
            counts, days = next((one for one in choices if _begins(_falling(one[0]), one[1]) >= 0), choices[-1])
            sources[pool, maturity] = (_falling(counts), float(days))
    pieces = {key: _tail_excess(counts, days) for key, (counts, days) in sources.items()}
    shape = pooled_shape([one for one in pieces.values() if one is not None])
    return {key: _rates(*sources[key], shape) for key in sources}


def _tail_excess(counts: np.ndarray, days: float) -> tuple[np.ndarray, np.ndarray] | None:
    begins = _begins(counts, days)
    if begins < 0:
        return None
    ended = counts[begins:] - np.append(counts[begins + 1 :], 0.0)
    return (np.arange(len(ended)) + 0.5) * TOTAL_BIN / ONE_BIT, ended


def _rates(counts: np.ndarray, days: float, shape: float) -> Rates:
    piece = _tail_excess(counts, days)
    if piece is None:
        # Too few for a tail of their own: how often anything rises at all (by the rule of succession: a fleet of ten is
        # not held to what a million days would show), and from there on bits at half of what they say.
        share = min((counts[1] + 1.0) / (days + 1.0), 1.0)
        return Rates(np.array([1.0, share]), Tail(LEVELS[1], 2.0 / np.log(2), 0.0), 1, days)
    begins = _begins(counts, days)
    excess, weight = piece
    scale = scale_of(float((excess * weight).sum() / max(weight.sum(), 1e-9)), shape)
    return Rates(counts / max(days, 1.0), Tail(LEVELS[begins], scale, shape), begins, days)


@dataclass(frozen=True)
class Gate:
    """What lets a finding begin on a day: its rate must be at most `rate`, findings a subscription-day."""

    rate: float
    asked: float
    above: int
    passed: int
    held_by: str  # "budget", "false-discovery" or "cap"


def rate_asked(known: int, budget: Budget) -> float:
    """Findings a subscription-day that thresholds are made for, where so many are known well enough to be judged."""
    return AIMED_AT * budget.a_day / max(known, 1)


def gate_of(rates: np.ndarray, judged: int, asked: float, budget: Budget) -> Gate:
    """The day's gate. `rates` are those of totals that may begin a finding (Rates.at), `judged` is of how many rows,
    `asked` the rate that thresholds are made for.

    The second gate is Benjamini and Hochberg's step-up (J. R. Statist. Soc. B 57, 1995) among what the budget lets
    through; the cap takes the rarest.
    """
    ordered = np.sort(rates[rates <= asked])
    above = len(ordered)
    rate, held_by = asked, "budget"
    expected = judged * ordered
    passing = np.flatnonzero(expected <= budget.false_share * np.arange(1, above + 1))
    passed = int(passing[-1]) + 1 if len(passing) else 0
    if passed < above:
        rate, held_by = (float(ordered[passed - 1]) if passed else 0.0), "false-discovery"
    if budget.hard_cap is not None and passed > budget.hard_cap:
        passed = budget.hard_cap
        rate, held_by = (float(ordered[passed - 1]) if passed else 0.0), "cap"
    return Gate(rate, asked, above, passed, held_by)
