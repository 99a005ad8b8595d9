"""From when on nobody who knows what is usual could take something for chance: an observer without any detector."""

from __future__ import annotations

import math

import numpy as np

CHANCE_MOST = 1e-9
"""Once in a billion times that somebody looks."""


def beyond_chance_at(at: np.ndarray, since: int, usual_a_us: float) -> int:
    """When what came at times `at` (us, from `since` on) was too much to be chance, us; 0 = at none of them.

    Chance: independent ones, of which `usual_a_us` come in a microsecond (Poisson).
    """
    for count, one in enumerate(np.sort(at).tolist(), 1):
        if at_least(count, usual_a_us * (one - since)) <= CHANCE_MOST:
            return int(one)
    return 0


def at_least(count: int, mean: float) -> float:
    """The probability that so many or more come where `mean` are usual: Poisson's tail, from its largest term on."""
    if count <= mean or mean <= 0:
        return 1.0 if count <= mean else 0.0
    term = total = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    while term > total * 1e-12:
        count += 1
        term *= mean / count
        total += term
    return total
