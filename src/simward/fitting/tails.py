"""Tails of distributions beyond what was seen often: a generalised Pareto distribution over a high level.

By probability-weighted moments (Hosking and Wallis, Technometrics 29, 1987), which need no search, and hold with few
dozens of values. The shape is kept between an exponential tail and a very heavy one: evidence is rather thought too
weak than too strong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SHAPE_LEAST, SHAPE_MOST = 0.0, 0.8


class Tail(NamedTuple):
    """P(X > x | X > begins) = (1 + shape * (x - begins) / scale) ** (-1 / shape)."""

    begins: float
    scale: float
    shape: float

    def beyond(self, values: np.ndarray) -> np.ndarray:
        """The probability of more than each of `values`, given more than `begins`."""
        excess = np.maximum(values - self.begins, 0.0) / self.scale
        if self.shape < 1e-6:
            return np.exp(-excess)
        return np.asarray((1.0 + self.shape * excess) ** (-1.0 / self.shape))

    def level(self, probability: float) -> float:
        """The value that is exceeded with this probability, given more than `begins`; 0 < probability <= 1."""
        if self.shape < 1e-6:
            return self.begins - self.scale * float(np.log(probability))
        return self.begins + self.scale / self.shape * (probability**-self.shape - 1.0)


def moments(excess: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The first two probability-weighted moments, E[X] and E[X (1 - F(X))], of weighted values (any order)."""
    order = np.argsort(excess)
    values, weight = excess[order], weights[order]
    total = weight.sum()
    not_beyond = (np.cumsum(weight) - 0.5 * weight) / total
    return float((values * weight).sum() / total), float((values * weight * (1.0 - not_beyond)).sum() / total)


def shape_of(first: float, second: float) -> float:
    """The shape by the two moments: 0 = exponential, above = heavier."""
    if first <= 0 or first - 2 * second <= 0:
        return SHAPE_LEAST
    return float(np.clip(2.0 - first / (first - 2.0 * second), SHAPE_LEAST, SHAPE_MOST))


def scale_of(first: float, shape: float) -> float:
    """The scale that has the mean excess `first` with this shape."""
    return max(first * (1.0 - shape), 1e-9)


def pooled_shape(pieces: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """One shape of several sets of excesses (values, weights), each measured by its own mean."""
    values, weights = [], []
    for excess, weight in pieces:
        if weight.sum() > 0 and (mean := float((excess * weight).sum() / weight.sum())) > 0:
            values.append(excess / mean)
            weights.append(weight)
    if not values:
        return SHAPE_LEAST
    return shape_of(*moments(np.concatenate(values), np.concatenate(weights)))
