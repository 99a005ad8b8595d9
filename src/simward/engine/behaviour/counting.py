"""A subscription's day is counted, inside compiled code: what each record of it adds to its row of BEHAVIOUR.

By when things happened, by UTC. What was used between two records is spread evenly over the days between, as
watching/usage.py has it; a day that has ended is added to until it is settled. What of it comes later counts on the day
after it, so that days are as long for whoever reports each six hours; what comes later still is dropped, which is
counted.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.behaviour.features import finish_row, weigh_shares
from simward.engine.behaviour.layouts import DOWN, FAILED, SESSION_TIME, SESSIONS, UP
from simward.engine.behaviour.logarithm import INDEX_BITS, TABLE, log2_q10

DAY_S, HOUR_S = 86_400, 3_600
LOW, MOST, COUNT_MOST, SECONDS_MOST = 0xFFFFFFFF, (1 << 48) - 1, 0xFFFF, 0xFFFFFFFF


@njit
def amount_of(feature):  # type: ignore[no-untyped-def]
    """The amount of a feature: the reverse of log2_q10, to a thousandth."""
    octave, part = np.int64(feature) >> np.int64(10), np.int64(feature) & np.int64(1023)
    low, high = np.int64(0), np.int64(len(TABLE) - 1)
    while low < high:  # the first of the table that is as large
        middle = (low + high) // np.int64(2)
        if TABLE[middle] < part:
            low = middle + np.int64(1)
        else:
            high = middle
    grown = (low + (np.int64(1) << np.int64(INDEX_BITS))) << octave
    half = np.int64(1) << np.int64(INDEX_BITS - 1)
    return ((grown + half) >> np.int64(INDEX_BITS)) - np.int64(1)


@njit
def octets_up(row):  # type: ignore[no-untyped-def]
    """Octets up of the day being counted."""
    return np.int64(row.up_low) | (np.int64(row.up_high) << np.int64(32))


@njit
def octets_down(row):  # type: ignore[no-untyped-def]
    """Octets down of the day being counted."""
    return np.int64(row.down_low) | (np.int64(row.down_high) << np.int64(32))


@njit
def add_octets(row, up, down):  # type: ignore[no-untyped-def]
    """Add to the day being counted; what 48 bits cannot hold is cut off."""
    up, down = min(octets_up(row) + up, np.int64(MOST)), min(octets_down(row) + down, np.int64(MOST))
    row.up_low, row.up_high = up & np.int64(LOW), up >> np.int64(32)
    row.down_low, row.down_high = down & np.int64(LOW), down >> np.int64(32)


@njit
def add_late(row, channel, amount):  # type: ignore[no-untyped-def]
    """Add to the day that has ended and is not settled yet."""
    if amount > 0:
        row.features[channel] = log2_q10(amount_of(row.features[channel]) + np.int64(amount))


@njit
def of_day(amount, since_s, at_s, day):  # type: ignore[no-untyped-def]
    """How much of what came evenly between two moments came on a day."""
    began_s = np.int64(day) * np.int64(DAY_S)
    if since_s >= at_s:
        return amount if began_s <= at_s and at_s < began_s + DAY_S else np.int64(0)
    inside_s = min(at_s, began_s + np.int64(DAY_S)) - max(since_s, began_s)
    if inside_s <= 0:
        return np.int64(0)
    whole_s = at_s - since_s
    return amount // whole_s * inside_s + amount % whole_s * inside_s // whole_s


@njit
def begin_day(row, day):  # type: ignore[no-untyped-def]
    """A record of a later day than the one being counted: that one is over."""
    if np.int64(row.day) != 0:
        finish_row(row)
    row.day = day


@njit
def count_today(row, up, down, begun, lasted_s, at_s):  # type: ignore[no-untyped-def]
    """Add to the day being counted."""
    if up + down != 0:
        add_octets(row, up, down)
    if lasted_s != 0:
        row.session_s = min(np.int64(row.session_s) + lasted_s, np.int64(SECONDS_MOST))
    if begun != 0:
        row.sessions = min(np.int64(row.sessions) + begun, np.int64(COUNT_MOST))
    if up + down + begun > 0:
        row.hours = np.int64(row.hours) | (np.int64(1) << (at_s % np.int64(DAY_S) // np.int64(HOUR_S)))


@njit
def count_used(row, settled_day, up, down, begun, since_s, at_s):  # type: ignore[no-untyped-def]
    """Count what a record newly told of a session: octets and time between `since_s` and `at_s`, and 1 where it began.

    Returns 1 where it is of a day that is settled already, or of one before the day that waits to be: it came too late.
    """
    day = at_s // np.int64(DAY_S)
    if day > np.int64(row.day):
        begin_day(row, day)
    lasted_s, counting = max(np.int64(0), at_s - since_s), np.int64(row.day)
    if day == counting and since_s >= counting * np.int64(DAY_S):
        count_today(row, up, down, begun, lasted_s, at_s)
        return np.int64(0)
    if day == counting:
        up_today, down_today = of_day(up, since_s, at_s, day), of_day(down, since_s, at_s, day)
        lasted_today_s = of_day(lasted_s, since_s, at_s, day)
        if settled_day >= day - 1:
            up_today += of_day(up, since_s, at_s, day - np.int64(1))
            down_today += of_day(down, since_s, at_s, day - np.int64(1))
            lasted_today_s += of_day(lasted_s, since_s, at_s, day - np.int64(1))
        count_today(row, up_today, down_today, begun, lasted_today_s, at_s)
    waiting = np.int64(row.features_day)
    if waiting <= settled_day or waiting == counting:
        return np.int64(1 if day < counting else 0)
    add_late(row, UP, of_day(up, since_s, at_s, waiting))
    add_late(row, DOWN, of_day(down, since_s, at_s, waiting))
    add_late(row, SESSION_TIME, of_day(lasted_s, since_s, at_s, waiting))
    if up + down > 0:
        weigh_shares(row)
    if day == waiting:
        add_late(row, SESSIONS, begun)
    return np.int64(1 if day < waiting else 0)


@njit
def count_asked(row, at_s):  # type: ignore[no-untyped-def]
    """Count a request: it has failed unless a session begins."""
    day = at_s // np.int64(DAY_S)
    if day > np.int64(row.day):
        begin_day(row, day)
    if day == np.int64(row.day):
        row.failed = min(np.int64(row.failed) + np.int64(1), np.int64(COUNT_MOST))


@njit
def count_started(row, at_s):  # type: ignore[no-untyped-def]
    """A session began: one request less has failed."""
    if at_s // np.int64(DAY_S) == np.int64(row.day) and np.int64(row.failed) > 0:
        row.failed = np.int64(row.failed) - np.int64(1)


assert FAILED == 5, "a failed start is told by what did not come, so never late"
