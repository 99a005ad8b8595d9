"""The hour, day, week and month that a moment is in, by UTC and inside compiled code; weeks begin on Mondays."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.layouts import DAY, HOUR, WEEK

HOUR_S, DAY_S = 3600, 86_400
THURSDAY = 3
"""1970-01-01 was one: so many days after a Monday."""


@njit
def month_of(day):  # type: ignore[no-untyped-def]
    """The first day of the month that a day is in, both counted from 1970-01-01.

    By years that begin in March, of which 400 have 146,097 days (the Gregorian calendar's cycle).
    """
    since_march = np.int64(day) + np.int64(719_468)
    of_cycle = since_march % np.int64(146_097)
    year = (of_cycle - of_cycle // 1460 + of_cycle // 36_524 - of_cycle // 146_096) // np.int64(365)
    of_year = of_cycle - (np.int64(365) * year + year // 4 - year // 100)
    month = (np.int64(5) * of_year + np.int64(2)) // np.int64(153)
    return np.int64(day) - (of_year - (np.int64(153) * month + np.int64(2)) // np.int64(5))


@njit
def period_begins_s(period, at_s):  # type: ignore[no-untyped-def]
    """When the period that a moment is in began, s."""
    if period == HOUR:
        return at_s - at_s % np.int64(HOUR_S)
    day = at_s // np.int64(DAY_S)
    if period == DAY:
        return day * np.int64(DAY_S)
    if period == WEEK:
        return (day - (day + np.int64(THURSDAY)) % np.int64(7)) * np.int64(DAY_S)
    return month_of(day) * np.int64(DAY_S)


@njit
def period_ends_s(period, began_s):  # type: ignore[no-untyped-def]
    """When the period that began then ends, s."""
    if period == HOUR:
        return began_s + np.int64(HOUR_S)
    if period == DAY:
        return began_s + np.int64(DAY_S)
    if period == WEEK:
        return began_s + np.int64(7 * DAY_S)
    # 31 days on it is always the next month: no month is longer, and none shorter by as much.
    return month_of(began_s // np.int64(DAY_S) + np.int64(31)) * np.int64(DAY_S)


@njit
def share_of(amount, since_s, at_s, began_s):  # type: ignore[no-untyped-def]
    """How much of what was used evenly between `since_s` and `at_s` was used in the period that began at `began_s`."""
    if at_s < began_s:
        return np.int64(0)
    if since_s >= began_s or since_s >= at_s:
        return amount
    whole, part = at_s - since_s, at_s - began_s
    return amount // whole * part + amount % whole * part // whole
