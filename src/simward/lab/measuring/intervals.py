"""How sure a count is: exact Poisson intervals of rates, Wilson's of shares, and percentiles."""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of the mean of which `count` was seen (Garwood 1936: by the gamma distribution).

    Of none seen the upper end is 3.69: two-sided, where the rule of three is one-sided.
    """
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if count == 0 else _gamma_quantile(count, tail)
    return low, _gamma_quantile(count + 1, 1 - tail)


def wilson_interval(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); all there is where nothing was tried."""
    if of == 0:
        return 0.0, 1.0
    share, square = found / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of all do not exceed; None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _gamma_quantile(shape: float, share: float) -> float:
    """Where the gamma distribution with unit scale reaches a share: by halving, to nine digits."""
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 20
    for _ in range(100):
        middle = (low + high) / 2
        if _gamma_share(shape, middle) < share:
            low = middle
        else:
            high = middle
        if high - low <= 1e-10 * high:
            break
    return (low + high) / 2


def _gamma_share(shape: float, value: float) -> float:
    """The regularised lower incomplete gamma function P(shape, value): its series, or above the mode its fraction."""
    if value <= 0:
        return 0.0
    front = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1:
        term = total = 1.0 / shape
        step = shape
        while term > total * 1e-16:
            step += 1
            term *= value / step
            total += term
        return front * total
    # Lentz's method for the continued fraction of Q = 1 - P.
    tiny = 1e-300
    b = value + 1 - shape
    c, d = 1 / tiny, 1 / b
    fraction = d
    for number in range(1, 100_000):
        a = -number * (number - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return 1 - front * fraction
