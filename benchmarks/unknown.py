"""How many honest subscriptions are found, and how many attacked ones missed, by statistics alone and beside its
peers?"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.behaviour_fleet import KINDS, DayFleet, Kind, features_of
from benchmarks.report import Bar, save
from benchmarks.unknown_peers import Baseline, missing, peers
from simward.engine.behaviour.layouts import CENTRE_OFFSET, DOWN, UNUSUAL, UP
from simward.engine.behaviour.settle import settle
from simward.fitting import Budget, CohortFinding, Revision, fit_day

NAME = "unknown"
QUESTION = "statistical findings: honest ones per million subscription-days, recall of attacks, beside its peers"
BUDGET = 5.0
"""Findings per million subscription-days; no hard cap."""
SEED = 20_261_126
CALM = 0.3
"""Cohorts whose daily standard deviation of log octets is at most this have a bar."""
WARM_DAYS, APART_DAYS, TESTED_DAYS = 28, 7, 14
STRENGTHS = {2: 14, 3: 14, 10: 3, 100: 3}
"""What octets are multiplied by -> for how many days."""
WAYS = ("up", "down", "both")


@dataclass
class Attacked:
    """Copies of honest rows that go another way from one day on; the fit does not know of them."""

    strength: int
    way: str
    began: int
    members: np.ndarray
    rows: np.ndarray
    found: np.ndarray  # days until a finding began, -1 = none did
    days: list[np.ndarray] = field(default_factory=list)

    def lives(self, fleet: DayFleet, day: int, number: int, revision: Revision) -> None:
        """The day that the honest had, multiplied."""
        if number - self.began >= STRENGTHS[self.strength]:
            return
        amounts = fleet.made[self.members].copy()
        here = amounts[:, UP] >= 0
        for channel, name in ((UP, "up"), (DOWN, "down")):
            if self.way in (name, "both"):
                # Who attacks sends, whether or not the device would have on that day.
                usual = np.exp2((self.rows["centre"][here, channel].astype(float) - CENTRE_OFFSET) / 1024)
                sent = amounts[here, channel]
                amounts[here, channel] = np.where(sent > 0, sent, usual) * self.strength
        self.rows["features"][here] = features_of(amounts[here])
        self.rows["features_day"][here] = day
        self.days.append(logarithms(amounts))
        settle(self.rows, fleet.use_cases[self.members], day, revision.arrays)
        begun = (self.rows["class"] == UNUSUAL) & (self.found < 0)
        self.found[begun] = number - self.began + 1


def logarithms(amounts: np.ndarray) -> np.ndarray:
    """As the peers are given them: octaves of what was sent and received, NaN where there was nothing."""
    octets = np.floor(amounts[:, [UP, DOWN]])
    return np.where(octets > 0, np.log2(1 + np.maximum(octets, 0)), np.nan)


@dataclass
class Played:
    """What came of a fleet's days."""

    fleet: DayFleet
    begun: np.ndarray  # findings of each kind
    honest_days: np.ndarray  # subscription-days of each kind
    each_day: list[int]
    attacks: list[Attacked]
    kept: list[np.ndarray]
    cohort_findings: list[CohortFinding]


def play(seed: int, members: int, days: int, each: int, kept: int) -> Played:
    """An honest fleet, and attacks on copies of some of its first `kept` members, each as if it were the only one."""
    fleet, revision = DayFleet(seed, members), None
    chance = np.random.default_rng(seed + 1)
    kinds = len(KINDS)
    played = Played(fleet, np.zeros(kinds), np.zeros(kinds), [], [], [], [])
    for number in range(days):
        if number >= WARM_DAYS and (number - WARM_DAYS) % APART_DAYS == 0 and number + 3 <= days:
            chosen = _victims(fleet, number, each, kept, chance)
            for strength in STRENGTHS:
                for way in WAYS:
                    copies = fleet.rows[chosen].copy()
                    played.attacks.append(Attacked(strength, way, number, chosen, copies, np.full(len(chosen), -1)))
        day = fleet.next()
        played.kept.append(logarithms(fleet.made[:kept]).astype(np.float32))
        revision = fit_day(
            fleet.rows.copy(), fleet.use_cases, fleet.tenants, day, revision, Budget(BUDGET * members / 1e6)
        )
        was = fleet.rows["class"].copy()
        settle(fleet.rows, fleet.use_cases, day, revision.arrays)
        begun = (fleet.rows["class"] == UNUSUAL) & (was != UNUSUAL)
        played.begun += np.bincount(fleet.kind_at[begun], minlength=kinds)
        played.honest_days += np.bincount(fleet.kind_at[fleet.rows["features_day"] == day], minlength=kinds)
        played.each_day.append(int(begun.sum()))
        played.cohort_findings += [one for one in revision.findings if one.since == revision.day]
        for attack in played.attacks:
            attack.lives(fleet, day, number, revision)
    return played


def _victims(fleet: DayFleet, number: int, each: int, kept: int, chance: np.random.Generator) -> np.ndarray:
    """Of each kind so many that are known for ten days and about whom nothing is found."""
    fit = (fleet.begins < number - 10) & (fleet.rows["class"] != UNUSUAL)
    fit[kept:] = False
    of = [np.flatnonzero(fit & (fleet.kind_at == kind)) for kind in range(len(KINDS))]
    return np.concatenate([chance.choice(one, min(each, len(one)), replace=False) for one in of])


def recall(played: Played, strength: int, calm: float = CALM) -> dict[str, float]:
    """Of the attacked in calm cohorts: the share that was found, by way; and how soon."""
    said: dict[str, float] = {}
    everyone = []
    for way in WAYS:
        of = [one for one in played.attacks if (one.strength, one.way) == (strength, way)]
        found = np.concatenate([one.found[played.fleet.daily_sd[one.members] <= calm] for one in of])
        said[way] = float((found > 0).mean())
        everyone.append(found)
    found = np.concatenate(everyone)
    hits = found[found > 0]
    return said | {
        "all": float((found > 0).mean()), "attacked": len(found),
        "within_3_days": float(((found > 0) & (found <= 3)).mean()),
        "median_days": float(np.median(hits)) if len(hits) else -1.0,
    }  # fmt: skip


def beside_peers(played: Played, seed: int) -> dict[str, dict[str, float]]:
    """Recall of each peer in calm cohorts, at a threshold that brings exactly the budget on the honest of these."""
    honest = np.array(played.kept)
    baseline = Baseline.of(honest[:WARM_DAYS])
    everyone = np.arange(honest.shape[1])
    learnt = ~np.isnan(baseline.mean).any(axis=1)
    training = baseline.times(honest[WARM_DAYS - 7 : WARM_DAYS], everyone)[:, learnt].reshape(-1, 2)
    tested = honest[WARM_DAYS:][:TESTED_DAYS]
    calm = learnt & (played.fleet.daily_sd[everyone] <= CALM)
    told = {}
    for name, score in peers(training[~np.isnan(training).any(axis=1)], seed).items():
        scores = _scores(score, baseline.times(tested, everyone))
        scores[:, ~calm] = -np.inf
        threshold = _threshold(scores, max(1, round(BUDGET * np.isfinite(scores).sum() / 1e6)))
        told[name] = {
            f"x{strength}": _found_by(score, baseline, threshold, played, strength) for strength in (10, 100)
        }
    return told


def _scores(score: object, days: np.ndarray) -> np.ndarray:
    """Days x members; an absent one is not scored."""
    flat = days.reshape(-1, 2)
    known = ~np.isnan(flat).any(axis=1)
    made = np.full(len(flat), -np.inf)
    made[known] = score(flat[known])  # type: ignore[operator]
    return made.reshape(days.shape[:2])


def _threshold(scores: np.ndarray, allowed: int) -> float:
    """The level above which so many runs of days lie; a run is one finding."""
    peaks = scores[np.isfinite(scores)]
    for level in np.sort(peaks)[::-1][: 50 * allowed + 50]:
        above = scores >= level
        runs = int(above[0].sum() + (above[1:] & ~above[:-1]).sum())
        if runs > allowed:
            return float(level)
    return float(peaks.max())


def _found_by(score: object, baseline: Baseline, threshold: float, played: Played, strength: int) -> float:
    found = []
    for one in played.attacks:
        if one.strength == strength:
            days = np.array([baseline.times(day, one.members) for day in one.days])
            hits = (_scores(score, days) > threshold).any(axis=0)
            found.append(hits[played.fleet.daily_sd[one.members] <= CALM])
    return float(np.concatenate(found).mean())


def roll_out(seed: int, members: int) -> tuple[int, int]:
    """One model of ten changes threefold: findings of cohorts, and of its subscriptions, in the week that follows."""
    fleet = DayFleet(seed, members, (*KINDS[:4], Kind(0.25), *KINDS[5:]))
    revision, told, alone = None, 0, 0
    for number in range(35):
        day = fleet.next()
        if number >= 28:
            amounts = fleet.made[(fleet.kind_at == 4) & (fleet.made[:, UP] >= 0)].copy()
            amounts[:, [UP, DOWN]] *= 3
            fleet.rows["features"][(fleet.kind_at == 4) & (fleet.made[:, UP] >= 0)] = features_of(amounts)
        revision = fit_day(
            fleet.rows.copy(), fleet.use_cases, fleet.tenants, day, revision, Budget(BUDGET * members / 1e6)
        )
        was = fleet.rows["class"].copy()
        settle(fleet.rows, fleet.use_cases, day, revision.arrays)
        if number >= 28:
            told += sum(one.since == revision.day for one in revision.findings)
            alone += int(((fleet.rows["class"] == UNUSUAL) & (was != UNUSUAL) & (fleet.kind_at == 4)).sum())
    return told, alone


def measure(folder: Path, members: int, days: int, each: int, kept: int, *, quick: bool) -> dict[str, object]:
    """Play it, and set it beside the bars."""
    if missing():
        print(f"{NAME}: left out, since not installed (requirements-peers.lock): {missing()}")
    played = play(SEED, members, days, each, kept)
    honest = float(played.honest_days.sum())
    rate = 1e6 * float(played.begun.sum()) / honest
    recalls = {f"x{strength}": recall(played, strength) for strength in STRENGTHS}
    leak = recall(played, 3, calm=0.2)
    others = beside_peers(played, SEED)
    best = max(one["x10"] for one in others.values())
    told, alone = roll_out(SEED + 2, max(4_000, members // 10))
    figures = {
        "subscriptions": members, "honest_subscription_days": honest, "seed": SEED, "budget_per_million": BUDGET,
        "honest_findings": float(played.begun.sum()), "honest_findings_per_million": rate,
        "honest_findings_per_million_by_kind": {
            f"sd {kind.daily_sd}": 1e6 * float(begun) / max(float(of), 1)
            for kind, begun, of in zip(KINDS, played.begun, played.honest_days)
        },
        "honest_findings_of_the_first_two_weeks": sum(played.each_day[:14]),
        "recall": recalls, "slow_leak_x3_sd_at_most_0.2": leak, "peers": others,
        "cohort_findings_of_an_honest_fleet": len(played.cohort_findings),
        "roll_out": {"cohort_findings": told, "subscription_findings": alone},
    }  # fmt: skip
    bars = [
        Bar("honest findings per million subscription-days, budget 5", rate, 2 * BUDGET, "findings", at_most=True),
        Bar("the same, at least 0.3 of the budget", rate, 0.3 * BUDGET, "findings"),
        Bar("recall of x100 for 3 days, daily sd at most 0.3", recalls["x100"]["all"], 0.95, "share"),
        Bar("recall of x10 for 3 days, daily sd at most 0.3", recalls["x10"]["all"], 0.70, "share"),
        Bar("beyond the best peer, recall of x10", recalls["x10"]["all"] - best, 0.0, "share"),
        Bar("slow leak (x3, daily sd at most 0.2): median time", 24 * leak["median_days"], 72, "h", at_most=True),
        Bar("a roll-out: findings of cohorts", told, 1, "findings", at_most=True),
        Bar("the same, not unseen", told, 1, "findings"),
    ]  # fmt: skip
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, 1_000, 32, 3, 200, quick=True)
    return measure(here, 200_000, 56, 60, 40_000, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
