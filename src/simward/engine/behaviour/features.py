"""What was counted on a day becomes its features: an amount for each channel, all on one logarithmic scale."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.behaviour.layouts import (
    DOWN,
    FAILED,
    HOURS,
    SESSION_TIME,
    SESSIONS,
    SHARE_OFFSET,
    UP,
    UP_SHARE,
    Q,
)
from simward.engine.behaviour.logarithm import log2_q10

THURSDAY = 3
"""1970-01-01 was one: so many days after a Monday."""
SHARED_LEAST = 8 * Q
"""With less than 256 octets up, or down, there is no saying what share goes up."""


@njit
def hours_in(bits):  # type: ignore[no-untyped-def]
    """How many of the day's 24 hours are marked."""
    count, left = np.int64(0), np.int64(bits)
    while left != 0:
        left &= left - np.int64(1)
        count += np.int64(1)
    return count


@njit
def weigh_shares(row):  # type: ignore[no-untyped-def]
    """What goes up for each octet that comes down, of the finished day: to be done again whenever either changed."""
    up, down = np.int64(row.features[UP]), np.int64(row.features[DOWN])
    if up < SHARED_LEAST or down < SHARED_LEAST:
        row.features[UP_SHARE] = 0
    else:
        row.features[UP_SHARE] = min(max(np.int64(SHARE_OFFSET) + up - down, np.int64(1)), np.int64(65_535))


@njit
def _mark_hours(row):  # type: ignore[no-untyped-def]
    """Note at which hours of the week there was traffic, and how many of them are new."""
    day_of_week = (np.int64(row.day) + np.int64(THURSDAY)) % np.int64(7)
    row.new_hours = 0
    for part in range(3):  # three octets a weekday
        at = np.int64(3) * day_of_week + np.int64(part)
        marked = (np.int64(row.hours) >> np.int64(8 * part)) & np.int64(0xFF)
        before = np.int64(row.presence[at])
        row.new_hours = np.int64(row.new_hours) + hours_in(marked & ~before)
        row.presence[at] = before | marked


@njit
def finish_row(row):  # type: ignore[no-untyped-def]
    """The day that a row of BEHAVIOUR counts is over: its features, its hours, and counters that begin anew."""
    row.features[UP] = log2_q10(np.int64(row.up_low) | (np.int64(row.up_high) << np.int64(32)))
    row.features[DOWN] = log2_q10(np.int64(row.down_low) | (np.int64(row.down_high) << np.int64(32)))
    row.features[SESSIONS] = log2_q10(np.int64(row.sessions))
    row.features[SESSION_TIME] = log2_q10(np.int64(row.session_s))
    row.features[HOURS] = log2_q10(hours_in(row.hours))
    row.features[FAILED] = log2_q10(np.int64(row.failed))
    weigh_shares(row)
    _mark_hours(row)
    row.features_day = row.day
    row.day = 0
    row.hours = 0
    row.up_low = 0
    row.down_low = 0
    row.up_high = 0
    row.down_high = 0
    row.session_s = 0
    row.sessions = 0
    row.failed = 0


@njit
def finish_day(rows, at):  # type: ignore[no-untyped-def]
    """The same by position in an array of BEHAVIOUR."""
    finish_row(rows[at])
