"""How a baseline learns: clipped, so that an attack does not teach it, and slower the more evidence there is of one."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.behaviour.layouts import CENTRE_OFFSET, ONE_BIT, UP_SHARE
from simward.engine.behaviour.scoring import WINDOW_DAYS, is_taught, is_weekend

CLIP_TIMES = 2
"""A day moves the centre by no more than it would if it were so many scales off."""
FIRST_CLIP_TIMES = 8
"""A first day is compared with peers, who may be far apart; but for the share that goes up, which is a trait."""
DEVIATION_CLIP_TIMES = 3
SUSPECTED = 6 * ONE_BIT
"""With so much evidence in a channel, it learns at a quarter of its rate."""
SCALE_WINDOW_DAYS = 32
WEEKEND_PRIOR_DAYS = 5
WEEKEND_CLIP_TIMES = 4
"""A weekend of its own is learnt from few days, so each may say more."""
MEAN_TO_SCALE = 1283
"""1024 times sqrt(pi / 2): from a mean absolute deviation to a standard deviation's worth."""


@njit
def root_of(value):  # type: ignore[no-untyped-def]
    """The whole part of a square root."""
    guess, bit = np.int64(0), np.int64(1) << np.int64(40)
    left = np.int64(value)
    while bit > left:
        bit >>= np.int64(2)
    while bit != 0:
        if left >= guess + bit:
            left -= guess + bit
            guess = (guess >> np.int64(1)) + bit
        else:
            guess >>= np.int64(1)
        bit >>= np.int64(2)
    return guess


@njit
def rounded(value, divisor):  # type: ignore[no-untyped-def]
    """value / divisor, to the nearest whole number, halves away from 0."""
    half = divisor // np.int64(2)
    return (value + half) // divisor if value >= 0 else -((-value + half) // divisor)


@njit
def _within(value, least, most):  # type: ignore[no-untyped-def]
    return min(max(value, np.int64(least)), np.int64(most))


@njit
def teach_channel(row, channel, day, amount, deviation, squared, whole, is_relearning):  # type: ignore[no-untyped-def]
    """Move centre and scale of a channel by a day.

    `amount` (Q10) is the day's, less its cohort's shift; `deviation` is how far it was off the prediction, `squared`
    the variance of days and `whole` that of the prediction (Q20). One that is learnt anew is not clipped: what it does
    now is what is to be learnt.
    """
    learnt = np.int64(row.learnt)
    scale = root_of(squared)
    if not is_taught(row, channel):
        row.taught = np.int64(row.taught) | (np.int64(1) << np.int64(channel))
        most = FIRST_CLIP_TIMES * root_of(whole)
        first = amount if channel == UP_SHARE else _within(deviation, -most, most) + amount - deviation
        row.centre[channel] = _within(first + np.int64(CENTRE_OFFSET), 0, 65_535)
        row.scale[channel] = _within(scale, 0, 65_535)
        row.weekend[channel] = 0
        return
    centre = np.int64(row.centre[channel]) - np.int64(CENTRE_OFFSET)
    window = min(learnt + np.int64(1), np.int64(WINDOW_DAYS))
    off = amount - centre - (np.int64(row.weekend[channel]) if is_weekend(day) else np.int64(0))
    beyond = _within(off, -WEEKEND_CLIP_TIMES * scale, WEEKEND_CLIP_TIMES * scale)
    if not is_relearning:
        off = _within(off, -CLIP_TIMES * scale, CLIP_TIMES * scale)
        if abs(np.int64(row.ledger[channel])) >= SUSPECTED:
            window *= np.int64(4)
    row.centre[channel] = _within(centre + rounded(off, window) + np.int64(CENTRE_OFFSET), 0, 65_535)
    if is_weekend(day):
        # Two days a week; the first ones say little, since a weekend is like other days until it is known not to be.
        window = max(window // np.int64(3), np.int64(0)) + np.int64(WEEKEND_PRIOR_DAYS)
        row.weekend[channel] = _within(np.int64(row.weekend[channel]) + rounded(beyond, window), -32_768, 32_767)
    # A prediction from few days is off by its own uncertainty, too: sqrt(n / (n + 1)) is 2n / (2n + 1), nearly.
    twice = np.int64(2) * learnt
    seen = min(abs(deviation), DEVIATION_CLIP_TIMES * scale) * twice // (twice + np.int64(1))
    seen = (seen * np.int64(MEAN_TO_SCALE)) >> np.int64(10)
    window = min(learnt + np.int64(1), np.int64(SCALE_WINDOW_DAYS))
    was = np.int64(row.scale[channel])
    row.scale[channel] = _within(was + rounded(seen - was, window), 0, 65_535)
