"""The published peers that statistics of behaviour are measured beside, each given what it needs: one score a day.

They are given more than they would have: only the channels that are attacked, none of which is ever empty; baselines
that end before the attack; and a threshold at which they raise exactly the budget on the very days, and in the very
cohorts, that they are tested on.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Score = Callable[[np.ndarray], np.ndarray]
TRAINED_WITH = 100_000
TRAINED_SLOWLY_WITH = 20_000


@dataclass(frozen=True)
class Baseline:
    """Mean and standard deviation of each subscription's octets over its honest days (members x 2)."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, days: np.ndarray) -> Baseline:
        """Of days x members x 2, NaN where there was nothing."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # who was never heard has no mean, and is not scored
            return cls(np.nanmean(days, axis=0), np.maximum(np.nanstd(days, axis=0), 0.1))

    def times(self, days: np.ndarray, members: np.ndarray) -> np.ndarray:
        """How many standard deviations each day is off; a direction in which nothing went is not off."""
        off = (days - self.mean[members]) / self.deviation[members]
        return np.asarray(np.where(np.isnan(off) & ~np.isnan(off).all(axis=-1, keepdims=True), 0.0, off))


def missing() -> str:
    """Which of the peers' libraries are not installed, "" = none."""
    return ", ".join(name for name in ("pyod", "river") if importlib.util.find_spec(name) is None)


def peers(training: np.ndarray, seed: int) -> dict[str, Score]:
    """Peer -> a score for rows of deviations (rows x 2, in standard deviations), the higher the odder.

    `training` has honest rows.
    """
    chance = np.random.default_rng(seed)
    rows = training[chance.choice(len(training), min(TRAINED_WITH, len(training)), replace=False)]
    scores: dict[str, Score] = {"mean + 3 sigma": lambda days: np.abs(days).max(axis=1)}
    if not missing():
        scores |= {"isolation forest (PyOD)": _isolation_forest(rows, seed), "ECOD (PyOD)": _ecod(rows)}
        scores["half-space trees (River)"] = _half_space_trees(rows[:TRAINED_SLOWLY_WITH], seed)
    return scores


def _isolation_forest(rows: np.ndarray, seed: int) -> Score:
    from pyod.models.iforest import IForest

    return _scored_by(IForest(n_estimators=200, max_samples=min(4096, len(rows)), random_state=seed).fit(rows))


def _ecod(rows: np.ndarray) -> Score:
    from pyod.models.ecod import ECOD

    return _scored_by(ECOD().fit(rows))


def _scored_by(model: object) -> Score:
    def score(days: np.ndarray) -> np.ndarray:
        parts = [model.decision_function(days[at : at + 100_000]) for at in range(0, len(days), 100_000)]  # type: ignore[attr-defined]
        return np.concatenate(parts)

    return score


def _half_space_trees(rows: np.ndarray, seed: int) -> Score:
    from river.anomaly import HalfSpaceTrees

    names = [f"c{channel}" for channel in range(rows.shape[1])]
    # Its trees cut a given range in halves: twenty standard deviations on each side.
    limits = dict.fromkeys(names, (-20.0, 20.0))
    model = HalfSpaceTrees(n_trees=25, height=12, window_size=1_000, limits=limits, seed=seed)
    for row in rows:
        model.learn_one(dict(zip(names, row.tolist())))

    def score(days: np.ndarray) -> np.ndarray:
        clipped = np.clip(days, -19.9, 19.9)
        return np.array([model.score_one(dict(zip(names, row.tolist()))) for row in clipped])

    return score
