"""One day's fit, from top to bottom: cohorts, what they have in common, tables, totals, the day's gate, what is told as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simward import compiled
from simward.engine.behaviour.cohorts import mixed_16
from simward.engine.behaviour.layouts import (
    CHANNELS,
    MATURITIES,
    READY,
    ROLLED_UP,
    UNUSUAL,
    WARMING,
)
from simward.engine.behaviour.settle import JUDGED_FROM_DAYS, measured, weighed
from simward.fitting.budget import BEYOND_EXPECTED, NEVER, Gate, Rates, gate_of, rates_of, rises_with
from simward.fitting.calibration import deviations_with, pools_of, tables_of
from simward.fitting.cohorts import Cohorts, cohorts_of, upwards
from simward.engine.behaviour.revision import Budget, CohortFinding, Revision
from simward.fitting.shifts import continued, history_of, peers_of, shifted, told_as_one

PART_LEAST, PART_SHARE = 20, 0.03
"""So many members, and such a share of a cohort, that change in the same channel on one day are told as one."""
SETTLED_EXPOSURE = 50_000
MATURE_FROM = np.array([2, 5, 14])
"""scoring.maturity_of"""


@dataclass(frozen=True)
class _Day:
    """The rows that were heard on the day, and what is known of each."""

    rows: np.ndarray
    at: np.ndarray
    pool: np.ndarray
    maturity: np.ndarray
    totals: np.ndarray
    ledgers: np.ndarray
    open: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Which of them may begin a finding."""
        return np.asarray((self.rows["learnt"] >= JUDGED_FROM_DAYS) & ~self.open)

    @property
    def group(self) -> np.ndarray:
        """Pool and maturity as one number."""
        return np.asarray(self.pool.astype(np.int64) * MATURITIES + self.maturity)


def fit_day(
    rows: np.ndarray, use_cases: np.ndarray, tenants: np.ndarray, day: int, before: Revision | None, budget: Budget
) -> Revision:
    """The revision that a day is settled with.

    `rows`: BEHAVIOUR, a copy that becomes the fit's own, as they are when the day's features are made and before it is
    settled. `use_cases` (i8) is the use case of each row, `tenants` the tenant of each use case, `before` the revision
    of the day settled last.
    """
    known = np.flatnonzero(rows["features_day"] != 0)
    keys_at = _keys(rows[known], use_cases[known])
    _forget_other_keys(rows, known, keys_at)
    cohorts = cohorts_of(keys_at, tenants)
    heard_among = np.flatnonzero((rows["features_day"][known] == day) & (rows["settled_day"][known] < day))
    heard = Cohorts(
        cohorts.keys, cohorts.leaves, cohorts.nodes, cohorts.cohorts, cohorts.leaf_at[heard_among], cohorts.members
    )
    chosen = rows[known[heard_among]]
    peers = peers_of(chosen, np.arange(len(chosen)), heard, before)
    pools, pool_of = pools_of(cohorts, before)
    cohort_at = heard.cohort_at
    bins = np.full((len(chosen), CHANNELS), -1, np.int16)
    measured(
        compiled.records(chosen), use_cases[:0], day, cohort_at, peers.shifts, peers.peer_centre, peers.peer_scale,
        peers.peer_spread, bins,
    )  # fmt: skip
    open_ = (chosen["class"] == UNUSUAL) | (chosen["state"] == ROLLED_UP)
    maturity = np.searchsorted(MATURE_FROM, chosen["learnt"], side="right")
    pool_at = pool_of[cohort_at] if len(cohort_at) else np.zeros(0, np.uint8)
    counts = deviations_with(bins[~open_], pool_at[~open_], maturity[~open_], len(pools), before)
    bits = tables_of(counts)
    ledgers, totals = np.zeros((len(chosen), CHANNELS), np.int16), np.zeros(len(chosen), np.int32)
    weighed(compiled.records(chosen), bins, pool_at, bits, ledgers, totals)
    today = _Day(chosen, np.arange(len(chosen)), pool_at, maturity, totals, ledgers, open_)

    rises, exposure = _rises(today, len(pools), before, budget)
    rates = rates_of(rises, exposure)
    rate_at = _rate_at(today, rates)
    judged = int(today.judged.sum())
    asked = budget.a_day / max(judged, 1)
    above = np.flatnonzero(today.judged & (rate_at <= asked))
    history = history_of(heard, peers, day, before)
    lasting = before.findings if before is not None else ()
    parts, muted = _parts(today, above, heard, day)
    found = told_as_one([*shifted(heard, peers, history, day, lasting), *parts], heard)
    findings, ended = continued(found, lasting, day)
    alone = above[~_is_muted(today, above, muted[heard.leaf_at[above]])]
    gate = gate_of(rate_at[alone], judged, budget)
    arrays = {
        "keys": cohorts.keys.astype(np.int64), "cohorts": cohorts.cohorts, "muted": muted, "pools": pool_of,
        "widening": _widening(cohorts, budget), "shifts": peers.shifts, "peer_centre": peers.peer_centre,
        "peer_spread": peers.peer_spread, "peer_scale": peers.peer_scale, "bits": bits,
        "thresholds": _thresholds(rates, len(pools), gate.rate),
    }  # fmt: skip
    memory = {
        "nodes": np.array(cohorts.nodes, np.int64).reshape(-1, 4), "deviations": counts, "rises": rises,
        "exposure": exposure, "history": history, "pool_nodes": np.array(pools, np.int64).reshape(-1, 4),
    }  # fmt: skip
    return Revision(day, arrays, memory, findings, ended, _figures(today, gate, rates, len(cohorts.nodes), len(above) - len(alone), rows))


def _keys(rows: np.ndarray, use_cases: np.ndarray) -> np.ndarray:
    """layouts.cohort_key of each row."""
    return (use_cases.astype(np.int64) << 40) | (rows["tac"].astype(np.int64) << 8) | rows["rat"].astype(np.int64)


def _forget_other_keys(rows: np.ndarray, known: np.ndarray, keys_at: np.ndarray) -> None:
    """A row with another key than it was settled under begins anew, here as when it is settled."""
    was = rows["key"][known]
    others = known[(was != 0) & (was != mixed_16(keys_at))]
    rows["learnt"][others] = rows["taught"][others] = 0


def _rises(today: _Day, pools: int, before: Revision | None, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
    """budget.rises_with, of the rows that are judged."""
    judged = today.judged
    # Judged for the first time it has risen from nothing, whatever was gathered while nobody looked.
    was = np.where(today.rows["learnt"] == JUDGED_FROM_DAYS, 0, today.rows["total"]).astype(np.int64)[judged]
    now, group = today.totals[judged].astype(np.int64), today.group[judged]
    weights = np.ones(len(now))
    if before is not None:
        limits = before.arrays["thresholds"].reshape(-1)
        limit = np.where(group < len(limits), limits[np.minimum(group, len(limits) - 1)], NEVER)
        through = (now > limit) & (was <= limit) & _is_settled(before)[np.minimum(group, len(limits) - 1)]
        if through.sum() > BEYOND_EXPECTED * max(budget.a_day, 1.0):
            weights[through] = BEYOND_EXPECTED * max(budget.a_day, 1.0) / through.sum()
    return rises_with(was, now, group, weights, pools, before)


def _is_settled(before: Revision) -> np.ndarray:
    """Of which pools and maturities have so many days been seen that the threshold that was in force means something?"""
    return np.asarray(before.memory["exposure"].reshape(-1) >= SETTLED_EXPOSURE)


def _rate_at(today: _Day, rates: dict[tuple[int, int], Rates]) -> np.ndarray:
    """Findings a subscription-day, were each row's total the threshold of its like."""
    found = np.ones(len(today.rows))
    group = today.group
    for (pool, maturity), of in rates.items():
        at = np.flatnonzero(group == pool * MATURITIES + maturity)
        found[at] = of.at(today.totals[at].astype(float))
    return found


def _strongest(today: _Day, above: np.ndarray) -> np.ndarray:
    """The bit of `muted` of what weighs most in each."""
    ledgers = today.ledgers[above]
    channel = np.abs(ledgers.astype(np.int32)).argmax(axis=1)
    lower = ledgers[np.arange(len(above)), channel] < 0
    return np.asarray(channel + CHANNELS * lower)


def _is_muted(today: _Day, above: np.ndarray, muted: np.ndarray) -> np.ndarray:
    return np.asarray((muted.astype(np.int64) >> _strongest(today, above)) & 1 == 1)


def _parts(today: _Day, above: np.ndarray, heard: Cohorts, day: int) -> tuple[list[CohortFinding], np.ndarray]:
    """Where so many members of a leaf, or of one above it, change alike that they are told as one."""
    muted = np.zeros(len(heard.keys), np.uint16)
    if len(above) < PART_LEAST:
        return [], muted
    strongest, leaf_at = _strongest(today, above), heard.leaf_at
    on_day = np.bincount(leaf_at, minlength=len(heard.leaves))
    tally: dict[tuple[tuple[int, int, int, int], int], int] = {}
    size: dict[tuple[int, int, int, int], int] = {}
    for leaf, node in enumerate(heard.leaves):
        for wider in upwards(node)[:-1]:
            size[wider] = size.get(wider, 0) + int(on_day[leaf])
    pairs, counts = np.unique(leaf_at[above] * 16 + strongest, return_counts=True)
    for pair, count in zip(pairs, counts):
        for node in upwards(heard.leaves[int(pair) // 16])[:-1]:
            tally[node, int(pair) % 16] = tally.get((node, int(pair) % 16), 0) + int(count)
    parts = []
    for (node, bit), count in tally.items():
        if count < PART_LEAST or count < PART_SHARE * size[node]:
            continue
        parts.append(
            CohortFinding(
                node, bit % CHANNELS, bit // CHANNELS, day, day, size[node], count / size[node], 0, 0, 0, "part"
            )
        )
        for leaf, own in enumerate(heard.leaves):
            if node in upwards(own):
                muted[leaf] |= np.uint16(1 << bit)
    return parts, muted


def _widening(cohorts: Cohorts, budget: Budget) -> np.ndarray:
    """Whole bits by which each cohort's threshold is higher since it was found to be benign."""
    bits = [max([budget.benign.get(wider, 0) for wider in upwards(node)]) for node in cohorts.nodes]
    return np.clip(bits, 0, 255).astype(np.uint8)


def _thresholds(rates: dict[tuple[int, int], Rates], pools: int, rate: float) -> np.ndarray:
    made = np.full((pools, MATURITIES), NEVER, np.int32)
    for (pool, maturity), of in rates.items():
        if rate > 0:
            made[pool, maturity] = of.level(rate)
    return made


def _figures(
    today: _Day, gate: Gate, rates: dict[tuple[int, int], Rates], cohorts: int, told_as_one_: int, rows: np.ndarray
) -> dict[str, float]:
    """What is shown of the fit: the budget in use, and how many are in which state."""
    judged = int(today.judged.sum())
    states = np.bincount(rows["state"][rows["features_day"] != 0], minlength=5)
    return {
        "heard": len(today.rows), "judged": judged, "cohorts": cohorts, "asked_a_day": gate.asked * judged,
        "expected_a_day": gate.rate * judged, "above": gate.above, "passed": gate.passed, "told_as_one": told_as_one_,
        "gate_is_budget": float(gate.held_by == "budget"), "gate_is_cap": float(gate.held_by == "cap"),
        "warming": int(states[WARMING]) + int(states[0]), "ready": int(states[READY]),
    }  # fmt: skip
