"""One day's fit, from top to bottom: cohorts, what they have in common, tables, totals, the day's gate, what is told as
one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simward import compiled
from simward.engine.behaviour.cohorts import mixed_16
from simward.engine.behaviour.layouts import (
    CHANNELS,
    MATURITIES,
    READY,
    ROLLED_UP,
    UNUSUAL,
    UP_SHARE,
    WARMING,
)
from simward.engine.behaviour.revision import Budget, CohortFinding, Node, Revision
from simward.engine.behaviour.settle import JUDGED_FROM_DAYS, measured, weighed
from simward.fitting.budget import NEVER, Gate, Rates, faded_rises, gate_of, rate_asked, rates_of, rises_of, weights_of
from simward.fitting.calibration import are_few, deviations_of, faded_deviations, in_use, pools_of, tables_of
from simward.fitting.cohorts import Cohorts, cohorts_of, upwards
from simward.fitting.shifts import (
    Peers,
    continued,
    history_of,
    peers_of,
    remembered,
    shifted,
    told_as_one,
    usual_shifts_of,
)

PART_LEAST, PART_SHARE = 20, 0.03
"""So many members, and such a share of a cohort, that change in the same channel on one day are told as one."""
PART_GATHERS_DAYS = 3
"""For so long are those that follow told with them: one cause shows in some a day or two later than in others."""
BITS = 2 * CHANNELS
MATURE_FROM = np.array([2, 5, 14])
"""scoring.maturity_of"""


@dataclass(frozen=True)
class _Day:
    """The rows that were heard on the day, and what is known of each."""

    rows: np.ndarray
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
    def known(self) -> int:
        """How many have learnt enough to be judged, those that are told already among them."""
        return int((self.rows["learnt"] >= JUDGED_FROM_DAYS).sum())

    @property
    def risen(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the judged: the total of the day before, this day's, and the group."""
        judged = self.judged
        # Judged for the first time it has risen from nothing, whatever was gathered while nobody looked.
        was = np.where(self.rows["learnt"] == JUDGED_FROM_DAYS, 0, self.rows["total"])
        return was[judged].astype(np.int64), self.totals[judged].astype(np.int64), self.group[judged]

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
    cohorts, heard, chosen = _heard(rows, use_cases, tenants, day)
    peers = peers_of(chosen, np.arange(len(chosen)), heard, before)
    pools, pool_of = pools_of(cohorts, before)
    history = history_of(heard, peers, day, before)
    usual_shifts = usual_shifts_of(heard, peers, history)
    today, bits, memory, rates = _scored(chosen, day, heard, peers, usual_shifts, pools, pool_of, before)

    rate_at = _rate_at(today, rates)
    # By all that are known: while most of a fleet is told as one, the others are not judged the more easily.
    judged, asked = int(today.judged.sum()), rate_asked(today.known, budget)
    above = np.flatnonzero(today.judged & (rate_at <= asked))
    parts, muted = _parts(today, above, heard, day)
    if before is not None:
        _mute_who_follow(muted, heard, before.findings, day)
    alone = above[~_is_muted(today, above, muted[heard.leaf_at[above]])]
    gate = gate_of(rate_at[alone], judged, asked, budget)

    lasting = before.findings if before is not None else ()
    moved = shifted(heard, peers, history, day, lasting)
    findings, ended = continued(told_as_one([*moved, *parts], heard), lasting, day, heard)
    arrays = {
        "keys": cohorts.keys.astype(np.int64), "cohorts": cohorts.cohorts, "muted": muted, "pools": pool_of,
        "widening": _widening(cohorts, budget), "shifts": peers.shifts,
        "usual_shifts": usual_shifts, "peer_centre": peers.peer_centre,
        "peer_spread": peers.peer_spread, "peer_scale": peers.peer_scale, "bits": bits,
        "thresholds": _thresholds(rates, len(pools), gate.rate),
        "keeps": _thresholds(rates, len(pools), gate.asked),
    }  # fmt: skip
    memory |= {
        "nodes": np.array(cohorts.nodes, np.int64).reshape(-1, 4),
        "history": remembered(history, heard, moved),
        "pool_nodes": np.array(pools, np.int64).reshape(-1, 4),
    }  # fmt: skip
    figures = _figures(today, gate, len(cohorts.nodes), len(above) - len(alone), rows)
    return Revision(day, arrays, memory, findings, ended, figures)


def _heard(
    rows: np.ndarray, use_cases: np.ndarray, tenants: np.ndarray, day: int
) -> tuple[Cohorts, Cohorts, np.ndarray]:
    """The cohorts of all that were ever heard, of those that were heard on the day, and the rows of these."""
    known = np.flatnonzero(rows["features_day"] != 0)
    keys_at = _keys(rows[known], use_cases[known])
    _forget_other_keys(rows, known, keys_at)
    cohorts = cohorts_of(keys_at, tenants)
    among = np.flatnonzero((rows["features_day"][known] == day) & (rows["settled_day"][known] < day))
    return cohorts, replace(cohorts, leaf_at=cohorts.leaf_at[among]), rows[known[among]]


def _scored(
    chosen: np.ndarray, day: int, heard: Cohorts, peers: Peers, usual_shifts: np.ndarray, pools: list[Node],
    pool_of: np.ndarray, before: Revision | None,
) -> tuple[_Day, np.ndarray, dict[str, np.ndarray], dict[tuple[int, int], Rates]]:  # fmt: skip
    """Score the day by earlier ones; returns it, the tables, what is to be remembered, and how rare totals are."""
    cohort_at = heard.cohort_at
    bins = np.full((len(chosen), CHANNELS), -1, np.int16)
    measured(
        compiled.records(chosen), day, cohort_at, peers.shifts, usual_shifts, peers.peer_centre, peers.peer_scale,
        peers.peer_spread, bins,
    )  # fmt: skip
    is_open = (chosen["class"] == UNUSUAL) | (chosen["state"] == ROLLED_UP)
    maturity = np.searchsorted(MATURE_FROM, chosen["learnt"], side="right")
    pool_at = pool_of[cohort_at]
    counted = bins[~is_open], pool_at[~is_open], maturity[~is_open], len(pools)
    earlier = faded_deviations(len(pools), before)
    present = deviations_of(*counted)
    bits = tables_of(in_use(earlier, present, are_few(earlier, present)))
    ledgers, totals = np.zeros((len(chosen), CHANNELS), np.int16), np.zeros(len(chosen), np.int32)
    weighed(compiled.records(chosen), bins, pool_at, bits, ledgers, totals)
    today = _Day(chosen, pool_at, maturity, totals, ledgers, is_open)

    rows = today.risen
    past, new = faded_rises(len(pools), before), rises_of(*rows, len(pools))
    few = are_few(past[1], new[1])
    rates = rates_of(in_use(past[0], new[0], few), in_use(past[1], new[1], few))
    weights = np.ones(len(chosen))
    weights[today.judged] = weights_of(rows[1], rows[2], past, new, ~few)
    rises, exposure = rises_of(*rows, len(pools), weights[today.judged])
    memory = {
        "deviations": earlier + deviations_of(*counted, weights[~is_open]), "rises": past[0] + rises,
        "exposure": past[1] + exposure,
    }  # fmt: skip
    return today, bits, memory, rates


def _keys(rows: np.ndarray, use_cases: np.ndarray) -> np.ndarray:
    """layouts.cohort_key of each row."""
    return (use_cases.astype(np.int64) << 40) | (rows["tac"].astype(np.int64) << 8) | rows["rat"].astype(np.int64)


def _forget_other_keys(rows: np.ndarray, known: np.ndarray, keys_at: np.ndarray) -> None:
    """A row with another key than it was settled under begins anew, here as when it is settled."""
    was = rows["key"][known]
    others = known[(was != 0) & (was != mixed_16(keys_at))]
    rows["learnt"][others] = rows["taught"][others] = 0


def _rate_at(today: _Day, rates: dict[tuple[int, int], Rates]) -> np.ndarray:
    """Findings a subscription-day, were each row's total the threshold of its like."""
    found = np.ones(len(today.rows))
    group = today.group
    for (pool, maturity), of in rates.items():
        at = np.flatnonzero(group == pool * MATURITIES + maturity)
        found[at] = of.at(today.totals[at].astype(float))
    return found


def _strongest(today: _Day, above: np.ndarray) -> np.ndarray:
    """The bit of `muted` of what weighs most in each; of the share, only where it is all there is (settle._is_muted):
    it goes up where more is sent, and down where more is received."""
    ledgers = today.ledgers[above]
    weight = np.abs(ledgers.astype(np.int32))
    weight[(weight[:, :UP_SHARE] > 0).any(axis=1), UP_SHARE] = 0
    channel = weight.argmax(axis=1)
    lower = ledgers[np.arange(len(above)), channel] < 0
    return np.asarray(channel + CHANNELS * lower)


def _is_muted(today: _Day, above: np.ndarray, muted: np.ndarray) -> np.ndarray:
    return np.asarray((muted.astype(np.int64) >> _strongest(today, above)) & 1 == 1)


def _parts(today: _Day, above: np.ndarray, heard: Cohorts, day: int) -> tuple[list[CohortFinding], np.ndarray]:
    """Where so many members of a leaf, or of a cohort above it, rise on one side that they are told as one.

    All channels of that side are muted: who sends ten times as much is found by this channel here, by that one there.
    """
    muted = np.zeros(len(heard.keys), np.uint16)
    if len(above) < PART_LEAST:
        return [], muted
    strongest = _strongest(today, above)
    of_leaf = np.bincount(heard.leaf_at[above] * BITS + strongest, minlength=len(heard.leaves) * BITS)
    on_day = np.bincount(heard.leaf_at, minlength=len(heard.leaves))
    tally: dict[Node, np.ndarray] = {}
    size: dict[Node, int] = {}
    for leaf, node in enumerate(heard.leaves):
        for wider in upwards(node)[:-1]:
            size[wider] = size.get(wider, 0) + int(on_day[leaf])
            counts = of_leaf[leaf * BITS : (leaf + 1) * BITS]
            tally[wider] = tally[wider] + counts if wider in tally else counts
    parts = []
    for node, counts in tally.items():
        for side in range(2):
            channels = counts[side * CHANNELS : (side + 1) * CHANNELS]
            risen = int(channels.sum())
            if risen < PART_LEAST or risen < PART_SHARE * size[node]:
                continue
            channel = int(channels.argmax())
            parts.append(
                CohortFinding(node, channel, side, day, day, size[node], risen / size[node], 0, 0, 0, "part")
            )
            _mute(muted, heard, node, side)
    return parts, muted


def _mute(muted: np.ndarray, heard: Cohorts, node: Node, side: int) -> None:
    """What members of a node do on a side is told as one, and so are shares, whichever way they go."""
    shares = 1 << UP_SHARE | 1 << CHANNELS + UP_SHARE
    for leaf, own in enumerate(heard.leaves):
        if node in upwards(own):
            muted[leaf] |= np.uint16(((1 << CHANNELS) - 1) << (side * CHANNELS) | shares)


def _mute_who_follow(muted: np.ndarray, heard: Cohorts, lasting: tuple[CohortFinding, ...], day: int) -> None:
    """Who rises a day or two after a part of its cohort did is one of that part, too few as they are by then."""
    for one in lasting:
        if one.kind == "part" and day - one.since < PART_GATHERS_DAYS:
            _mute(muted, heard, one.node, one.side)


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
    today: _Day, gate: Gate, cohorts: int, told_as_one_: int, rows: np.ndarray
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
