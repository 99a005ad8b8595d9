"""What a cohort has in common: the shift of a day, where its members lie, and whether the shift is out of the ordinary.

An amount is its own centre plus the shift of its cohort plus what is its own on that day. The shift is the median of
what is left when each has its own centre taken off: a weekend, a firmware roll-out or an outage is in it, and one
subscription in a thousand is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simward.engine.behaviour.layouts import (
    CENTRE_OFFSET,
    CHANNELS,
    HIGHER,
    LOWER,
    SHARE_OFFSET,
    UP_SHARE,
    Q,
)
from simward.engine.behaviour.revision import ANY, HISTORY_DAYS, NO_SHIFT, CohortFinding, Node, Revision
from simward.engine.behaviour.scoring import EMPTY_BELOW, SCALE_LEAST, WINDOW_DAYS
from simward.fitting.cohorts import Cohorts, covers

SAMPLE_MOST = 20_000
"""So many members are enough for a median: its error is then a hundredth of how much they vary."""
LEARNT_LEAST = 50
MAD_TO_SCALE, MEAN_TO_SCALE = 1.4826, 1.2533
"""From a median or mean absolute deviation to a standard deviation, where it is normal."""
OFTEN, STILL = 6.0, 3.0
"""So many times as far off as is usual begins a finding, and keeps it."""
SHIFT_LEAST = Q // 5
"""A shift of less (15 %) is none that anybody must hear of."""
UNKNOWN_CHANCE, WEEK_UNKNOWN_CHANCE = Q // 2, Q // 6
"""How far off is thought usual while nothing is known, and while it is not known what a week is like."""
ENDS_AFTER_DAYS = 2
"""A finding ends on the second day in turn that is like others: what works itself out is not told each time."""
KNOWN_DAYS, WEEKS_LEAST, ENOUGH_DAYS = 4, 2, 20
"""Days, and days of the same day of the week, to go by; and so many days that one may be left out: else a week after
what was found a day like all others would be out of the ordinary, and it would be told twice."""
COVERED, EXPLAINED, MOSTLY = 0.8, 0.25, 0.5
"""Shares of a wider cohort's members in narrower ones that are shifted, too: with so many it is told instead of them;
with so many they are told instead of it, since they move its median; and with so many it is the same finding."""


@dataclass(frozen=True)
class Peers:
    """Per cohort and channel, Q10 (layouts.REVISION_ARRAYS)."""

    shifts: np.ndarray
    peer_centre: np.ndarray
    peer_spread: np.ndarray
    peer_scale: np.ndarray
    heard: np.ndarray
    """Per cohort: how many members were."""
    learnt: np.ndarray
    """How many of them had a past: without one there is no shift."""
    known: np.ndarray
    """Per cohort and channel: was the shift made from enough that had a past in the channel? Else it is 0."""


def peers_of(rows: np.ndarray, heard: np.ndarray, cohorts: Cohorts, before: Revision | None) -> Peers:
    """What each cohort has in common on a day; `heard` are the positions of the rows that were heard on it."""
    count = len(cohorts.nodes)
    made = [np.zeros((count, CHANNELS), np.int32) for _ in range(4)]
    made[3][:], number, learnt = Q, np.zeros(count, np.int64), np.zeros(count, np.int64)
    known = np.zeros((count, CHANNELS), bool)
    earlier = _by_node(before)
    for cohort, members in cohorts.rows_in(heard).items():
        number[cohort], learnt[cohort] = len(members), np.count_nonzero(rows["learnt"][heard[members]])
        step = max(1, len(members) // SAMPLE_MOST)
        chosen = heard[members[::step]]
        if len(chosen) == 0:
            continue
        was = earlier.get(cohorts.nodes[cohort])
        then = before.arrays["peer_scale"][was] if before is not None and was is not None else None
        values, known[cohort] = _cohort(rows[chosen], then)
        for array, value in zip(made, values):
            array[cohort] = value
    return Peers(made[0], made[1], made[2], made[3], number, learnt, known)


def _by_node(before: Revision | None) -> dict[Node, int]:
    if before is None:
        return {}
    return {tuple(int(part) for part in node): at for at, node in enumerate(before.memory["nodes"])}  # type: ignore[misc]


def _cohort(rows: np.ndarray, scale_before: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Shift, centre, spread and scale (4 x CHANNELS) of one cohort's members; of which channels there is a shift."""
    made, known = np.zeros((4, CHANNELS)), np.zeros(CHANNELS, bool)
    for channel in range(CHANNELS):
        then = None if scale_before is None else float(scale_before[channel])
        made[:, channel], known[channel] = _channel(rows, channel, then)
    return np.rint(made), known


def _channel(
    rows: np.ndarray, channel: int, scale_before: float | None
) -> tuple[tuple[float, float, float, float], bool]:
    """The same of one channel, of those to whom the day says something of it (scoring.says_nothing)."""
    if channel == UP_SHARE:
        rows = rows[rows["features"][:, channel] != 0]
        if len(rows) == 0:
            return (0.0, float(SHARE_OFFSET), float(Q), float(Q)), False
    amounts = rows["features"][:, channel].astype(np.int32)
    centres = rows["centre"][:, channel].astype(np.int32) - CENTRE_OFFSET
    learnt = np.minimum(rows["learnt"], WINDOW_DAYS).astype(np.int32)
    taught = (rows["taught"] >> channel) & 1 == 1
    known = taught & ((amounts != 0) | (centres <= EMPTY_BELOW))
    shift, scale, is_known = 0.0, 0.0, bool(known.sum() >= LEARNT_LEAST)
    if is_known:
        left = (amounts - centres)[known]
        shift = float(np.median(left))
        scale = _scale((left - shift) / np.sqrt(1 + 1 / learnt[known]))
    levels = np.where(taught & (learnt >= 2), centres, amounts - shift)
    if np.median(levels) > EMPTY_BELOW:
        levels = levels[levels > -shift]
    centre = float(np.median(levels))
    spread = max(_scale(levels - centre), 1.0)
    if not is_known:
        scale = spread
    elif scale_before is not None:
        scale = 0.8 * scale_before + 0.2 * scale
    return (shift, centre, spread, max(scale, SCALE_LEAST)), is_known


def _scale(off: np.ndarray) -> float:
    """A standard deviation's worth by the median; by the mean where more than half are the same."""
    absolute = np.abs(off)
    median = MAD_TO_SCALE * float(np.median(absolute))
    return median if median > 0 else MEAN_TO_SCALE * float(absolute.mean())


def history_of(cohorts: Cohorts, peers: Peers, day: int, before: Revision | None) -> np.ndarray:
    """The shifts of the last days of each cohort, this one's last."""
    history = np.full((len(cohorts.nodes), HISTORY_DAYS, CHANNELS), NO_SHIFT, np.int32)
    if before is not None and 0 < day - before.day < HISTORY_DAYS:
        gap, earlier = day - before.day, _by_node(before)
        for cohort, node in enumerate(cohorts.nodes):
            if node in earlier:
                history[cohort, : HISTORY_DAYS - gap] = before.memory["history"][earlier[node], gap:]
    known = peers.known & (peers.learnt >= LEARNT_LEAST)[:, None]
    history[:, -1] = np.where(known, peers.shifts, NO_SHIFT)
    return history


def remembered(history: np.ndarray, cohorts: Cohorts, found: list[CohortFinding]) -> np.ndarray:
    """The history that later days are held against: without a day on which the cohort was `found` to be shifted.

    As long as enough is known without it: what a new cohort is like, or what has changed for good, is learnt.
    """
    kept = history.copy()
    number = {node: cohort for cohort, node in enumerate(cohorts.nodes)}
    for one in found:
        cohort = number[one.node]
        if np.count_nonzero((history[cohort, :-1] != NO_SHIFT).any(axis=1)) >= ENOUGH_DAYS:
            kept[cohort, -1] = NO_SHIFT
    return kept


def _same_weekdays(history: np.ndarray) -> np.ndarray:
    """Which of the earlier days of a cohort are known, and of the last one's day of the week."""
    same = np.arange(HISTORY_DAYS - 1) % 7 == (HISTORY_DAYS - 1) % 7
    return np.asarray(same & (history[:-1, 0] != NO_SHIFT))


def expectation(history: np.ndarray, scale: np.ndarray, heard: int) -> tuple[np.ndarray, np.ndarray]:
    """What earlier days make likely of the last day's shift of one cohort, and how far off that it usually is.

    By the same day of the week, where two such days are known. Channels may have different days behind them: one that
    is new has none.
    """
    expected, chance = np.zeros(CHANNELS), np.zeros(CHANNELS)
    masks, which = np.unique(history[:-1] != NO_SHIFT, axis=1, return_inverse=True)
    for group in range(masks.shape[1]):
        alike = np.ravel(which) == group
        expected[alike], chance[alike] = _expectation(history[:, alike], scale[alike], heard)
    return expected, chance


def _expectation(history: np.ndarray, scale: np.ndarray, heard: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of channels of which the same days are known."""
    known = history[:-1, 0] != NO_SHIFT
    past = np.where(known[:, None], history[:-1], 0).astype(float)
    if known.sum() < KNOWN_DAYS:
        expected = past[known][-1] if known.any() else history[-1].astype(float)
        return expected, np.full(history.shape[1], float(UNKNOWN_CHANCE))
    same = _same_weekdays(history)
    weekly = int(same.sum()) >= WEEKS_LEAST
    expected = np.median(past[same] if weekly else past[known][-14:], axis=0)
    if weekly:
        off = [past[at] - past[at - 7] for at in range(7, HISTORY_DAYS - 1) if known[at] and known[at - 7]]
        usual = MAD_TO_SCALE * np.median(np.abs(off), axis=0) / np.sqrt(2) if off else np.zeros(history.shape[1])
    else:
        usual = MAD_TO_SCALE * np.median(np.abs(past[known][-14:] - expected), axis=0)
    if not weekly:
        usual = np.maximum(usual, WEEK_UNKNOWN_CHANCE)
    sampled = MEAN_TO_SCALE * scale / np.sqrt(max(heard, 1))
    return expected, np.maximum(np.maximum(usual, sampled), SHIFT_LEAST / 10)


def usual_shifts_of(cohorts: Cohorts, peers: Peers, history: np.ndarray) -> np.ndarray:
    """What earlier days make likely of each cohort's shifts, Q10; the day's own where nothing is known."""
    usual = peers.shifts.copy()
    for cohort in np.flatnonzero(peers.learnt >= LEARNT_LEAST).tolist():
        expected, _ = expectation(history[cohort], peers.peer_scale[cohort], int(peers.heard[cohort]))
        known = (history[cohort] != NO_SHIFT).sum(axis=0) > KNOWN_DAYS
        usual[cohort] = np.where(known & (history[cohort, -1] != NO_SHIFT), np.rint(expected), peers.shifts[cohort])
    return usual


def shifted(
    cohorts: Cohorts, peers: Peers, history: np.ndarray, day: int, lasting: tuple[CohortFinding, ...]
) -> list[CohortFinding]:
    """A finding of each cohort whose shift is out of the ordinary, with the channel in which it is most so."""
    found = []
    for cohort, node in enumerate(cohorts.nodes):
        if peers.learnt[cohort] < LEARNT_LEAST:
            continue
        expected, chance = expectation(history[cohort], peers.peer_scale[cohort], int(peers.heard[cohort]))
        off = np.where(history[cohort, -1] == NO_SHIFT, 0, peers.shifts[cohort] - expected)
        times = np.where(np.abs(off) >= SHIFT_LEAST, np.abs(off) / chance, 0.0)
        if times[:UP_SHARE].max() > OFTEN:
            times[UP_SHARE] = 0.0  # more of one is another share: what moved says more
        channel = int(times.argmax())
        goes_on = any(is_same(one.node, node, cohorts) for one in lasting)
        if times[channel] > (STILL if goes_on else OFTEN):
            one = CohortFinding(
                node, channel, HIGHER if off[channel] > 0 else LOWER, day, day, int(peers.heard[cohort]), 1.0,
                int(peers.shifts[cohort, channel]), round(expected[channel]), round(chance[channel]), "shift",
            )  # fmt: skip
            found.append(one)
    return found


def _wider(node: Node) -> list[Node]:
    """What may be told instead of several of such nodes, the narrowest first: the model, the use case, the tenant."""
    tenant, use_case, tac, _ = node
    wider = [(tenant, use_case, tac, ANY), (tenant, ANY, tac, ANY)] if tac != ANY else []
    if use_case != ANY:
        wider.append((tenant, use_case, ANY, ANY))
    return [*wider, (tenant, ANY, ANY, ANY)]


def told_as_one(found: list[CohortFinding], cohorts: Cohorts) -> list[CohortFinding]:
    """One finding instead of many: of the cohorts of a model, a use case or a tenant that nearly all have it.

    Of a cohort and a narrower one the narrower is told, where it explains most of the wider.
    """
    kept = [
        one
        for one in found
        if _inside(one, found, cohorts) < EXPLAINED * cohorts.members.get(one.node, 1)
        and not any(
            covers(other.node, one.node)
            and other.node != one.node
            and _inside(other, found, cohorts) < EXPLAINED * cohorts.members.get(other.node, 1)
            for other in found
        )
    ]
    while True:
        merged = _merged_once(kept, cohorts)
        if merged is None:
            return kept
        kept = merged


def _inside(one: CohortFinding, found: list[CohortFinding], cohorts: Cohorts) -> int:
    """Members of narrower cohorts that have a finding of their own."""
    return sum(
        cohorts.members.get(other.node, 0)
        for other in found
        if other.node != one.node and covers(one.node, other.node)
    )


def _merged_once(found: list[CohortFinding], cohorts: Cohorts) -> list[CohortFinding] | None:
    candidates = {node: None for one in found for node in _wider(one.node) if node != one.node}
    for node in sorted(candidates, key=lambda node: (members_under(node, cohorts), node.count(ANY), node)):
        of = [one for one in found if covers(node, one.node)]
        total = members_under(node, cohorts)
        if len({one.node for one in of}) < 2 or sum(cohorts.members.get(one.node, 0) for one in of) < COVERED * total:
            continue
        largest = max(of, key=lambda one: one.members)
        told = CohortFinding(
            node, largest.channel, largest.side, largest.since, largest.day, sum(one.members for one in of),
            largest.share, largest.shift_q, largest.expected_q, largest.chance_q, largest.kind,
        )  # fmt: skip
        return [one for one in found if one not in of] + [told]
    return None


def members_under(node: Node, cohorts: Cohorts) -> int:
    """How many rows a node covers; a model is not a node of the tree."""
    if node in cohorts.members:
        return cohorts.members[node]
    return sum(cohorts.members[leaf] for leaf in cohorts.leaves if covers(node, leaf))


def is_same(one: Node, other: Node, cohorts: Cohorts) -> bool:
    """Are findings of these nodes one and the same: is one within the other, and most of it?

    What befalls a model in a week in which its whole use case is busier is something else.
    """
    if not covers(one, other) and not covers(other, one):
        return False
    sizes = members_under(one, cohorts), members_under(other, cohorts)
    return one == other or min(sizes) >= MOSTLY * max(sizes)


def continued(
    found: list[CohortFinding], lasting: tuple[CohortFinding, ...], day: int, cohorts: Cohorts
) -> tuple[tuple[CohortFinding, ...], tuple[CohortFinding, ...]]:
    """Today's findings as they go on from yesterday's, and those of yesterday's that are over.

    One that is a little wider or narrower than one that goes on is that one: it is not told twice. Nor is what one
    quiet day interrupts (ENDS_AFTER_DAYS).
    """
    going: dict[Node, CohortFinding] = {}
    for one in found:
        old = next((was for was in lasting if is_same(was.node, one.node, cohorts)), None)
        node, since = (old.node, old.since) if old is not None else (one.node, day)
        if node not in going or going[node].members < one.members:
            going[node] = CohortFinding(
                node, one.channel, one.side, since, day, one.members, one.share, one.shift_q, one.expected_q,
                one.chance_q, one.kind,
            )  # fmt: skip
    for was in lasting:
        if was.node not in going and day - was.day < ENDS_AFTER_DAYS:
            going[was.node] = was
    return tuple(going.values()), tuple(was for was in lasting if was.node not in going)
