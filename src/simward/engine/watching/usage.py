"""What a subscription uses, counted from its sessions' counters inside compiled code.

Accounting counters only grow while a session lasts (RFC 2866 5.3, 5.4), so what counts is how far they have come since
the session was heard last: a record that is lost is made up for by the next, and one that comes twice or late adds
nothing. docs/decisions/0041 says what becomes of counters that fall.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import ACCOUNTING_START, ACCOUNTING_STOP, FLAG_TIMESTAMP
from simward.engine.watching.layouts import (
    BOTH_HOUR,
    BOTH_WEEK,
    COUNTED_EACH,
    COUNTERS,
    DAY,
    DOWN_DAY,
    DOWN_MONTH,
    HOUR,
    MONTH,
    UP_DAY,
    UP_MONTH,
    WEEK,
)
from simward.engine.watching.periods import DAY_S, HOUR_S, period_begins_s, share_of
from simward.engine.watching.rows import counted_at, usage_at, watch_meta_of, zero_counted

SECOND_US = 1_000_000
LOW, MOST, SESSIONS_MOST = 0xFFFFFFFF, (1 << 48) - 1, 0xFFFF
KEPT_OVER_S = 3_600
"""So long the counters of a session that ended are kept at least: its records may come late."""
CLOCKS_DIFFER_S = 300
WRAP, WRAPS_FROM = 1 << 32, 1 << 31


@njit
def counter(usage, which):  # type: ignore[no-untyped-def]
    """One of the counters of USAGE, octets."""
    return np.int64(usage.low[which]) | (np.int64(usage.high[which]) << np.int64(32))


@njit
def set_counter(usage, which, value):  # type: ignore[no-untyped-def]
    """Write one; what 48 bits cannot hold is cut off."""
    held = min(np.int64(value), np.int64(MOST))
    usage.low[which] = held & np.int64(LOW)
    usage.high[which] = held >> np.int64(32)


@njit
def begin_periods(usage, at_s):  # type: ignore[no-untyped-def]
    """Where a record is in a later hour than all before it, the counters of what is over begin anew."""
    hour = at_s // np.int64(HOUR_S)
    was_s = np.int64(usage.hour) * np.int64(HOUR_S)
    if hour <= np.int64(usage.hour):
        return
    usage.hour = hour
    set_counter(usage, BOTH_HOUR, np.int64(0))
    if at_s // np.int64(DAY_S) == was_s // np.int64(DAY_S):
        return
    set_counter(usage, UP_DAY, np.int64(0))
    set_counter(usage, DOWN_DAY, np.int64(0))
    usage.sessions_day = 0
    if period_begins_s(np.int64(WEEK), at_s) != period_begins_s(np.int64(WEEK), was_s):
        set_counter(usage, BOTH_WEEK, np.int64(0))
    if period_begins_s(np.int64(MONTH), at_s) != period_begins_s(np.int64(MONTH), was_s):
        set_counter(usage, UP_MONTH, np.int64(0))
        set_counter(usage, DOWN_MONTH, np.int64(0))
        usage.sessions_month = 0


@njit
def spread(usage, up, down, since_s, at_s):  # type: ignore[no-untyped-def]
    """Add octets that were used between two moments to the periods that they fall into.

    Evenly: what a session of a month tells in its Stop alone was not all used on that day.
    """
    if up + down == 0:
        return
    newest_s = np.int64(usage.hour) * np.int64(HOUR_S)
    both = up + down
    began_s = period_begins_s(np.int64(DAY), newest_s)
    set_counter(usage, UP_DAY, counter(usage, UP_DAY) + share_of(up, since_s, at_s, began_s))
    set_counter(usage, DOWN_DAY, counter(usage, DOWN_DAY) + share_of(down, since_s, at_s, began_s))
    set_counter(usage, BOTH_HOUR, counter(usage, BOTH_HOUR) + share_of(both, since_s, at_s, newest_s))
    began_s = period_begins_s(np.int64(WEEK), newest_s)
    set_counter(usage, BOTH_WEEK, counter(usage, BOTH_WEEK) + share_of(both, since_s, at_s, began_s))
    began_s = period_begins_s(np.int64(MONTH), newest_s)
    set_counter(usage, UP_MONTH, counter(usage, UP_MONTH) + share_of(up, since_s, at_s, began_s))
    set_counter(usage, DOWN_MONTH, counter(usage, DOWN_MONTH) + share_of(down, since_s, at_s, began_s))


@njit
def used_in(usage, period, now_s):  # type: ignore[no-untyped-def]
    """Octets in both directions in the hour, day, week or month that `now_s` is in."""
    newest_s = np.int64(usage.hour) * np.int64(HOUR_S)
    is_newest = newest_s <= now_s and now_s < newest_s + np.int64(HOUR_S)  # one hour is in one period of each kind
    if not is_newest and period_begins_s(period, newest_s) != period_begins_s(period, now_s):
        return np.int64(0)
    if period == HOUR:
        return counter(usage, BOTH_HOUR)
    if period == DAY:
        return counter(usage, UP_DAY) + counter(usage, DOWN_DAY)
    if period == WEEK:
        return counter(usage, BOTH_WEEK)
    return counter(usage, UP_MONTH) + counter(usage, DOWN_MONTH)


@njit
def find_counted(w, usage, name):  # type: ignore[no-untyped-def]
    """Row + 1 of the counters of a session, or 0."""
    at = np.int64(usage.session_head)
    while at != 0:
        if np.int64(counted_at(w, at - np.int64(1)).name) == name:
            return at
        at = np.int64(counted_at(w, at - np.int64(1)).next)
    return np.int64(0)


@njit
def leave_chain(w, usage, number):  # type: ignore[no-untyped-def]
    """Take a session's counters off their subscription's chain."""
    if np.int64(usage.session_head) == number:
        usage.session_head = counted_at(w, number - np.int64(1)).next
        return
    before = np.int64(usage.session_head)
    while np.int64(counted_at(w, before - np.int64(1)).next) != number:
        before = np.int64(counted_at(w, before - np.int64(1)).next)
    counted_at(w, before - np.int64(1)).next = counted_at(w, number - np.int64(1)).next


@njit
def spared(w, usage, at_s):  # type: ignore[no-untyped-def]
    """Row + 1 of counters of the subscription that a new session may have; 0 where it is to have a row more."""
    count, oldest, ended = np.int64(0), np.int64(0), np.int64(0)
    at = np.int64(usage.session_head)
    while at != 0:
        one = counted_at(w, at - np.int64(1))
        if oldest == 0 or one.heard_s <= counted_at(w, oldest - np.int64(1)).heard_s:
            oldest = at
        if one.over and np.int64(one.heard_s) + np.int64(KEPT_OVER_S) < at_s:
            ended = at
        count += np.int64(1)
        at = np.int64(one.next)
    if ended != 0:
        return ended
    if count < COUNTED_EACH:
        return np.int64(0)
    if not counted_at(w, oldest - np.int64(1)).over:
        watch_meta_of(w).counted_away = np.int64(watch_meta_of(w).counted_away) + np.int64(1)
    return oldest


@njit
def open_counted(w, usage, name, at_s):  # type: ignore[no-untyped-def]
    """Row + 1 for the counters of a session that was not heard of before, at the head of the chain."""
    meta = watch_meta_of(w)
    number = spared(w, usage, at_s)
    if number != 0:
        leave_chain(w, usage, number)
    elif np.int64(meta.counted_free) != 0:
        number = np.int64(meta.counted_free)
        meta.counted_free = counted_at(w, number - np.int64(1)).next
    else:
        number = np.int64(meta.counted) + np.int64(1)
        meta.counted = number
    zero_counted(w, number - np.int64(1))
    one = counted_at(w, number - np.int64(1))
    one.name = name
    one.next = usage.session_head
    one.duration_s = -1
    usage.session_head = number
    return number


@njit
def forget_usage(w, row):  # type: ignore[no-untyped-def]
    """Free the rows of a subscription's sessions."""
    usage, meta = usage_at(w, row), watch_meta_of(w)
    at = np.int64(usage.session_head)
    while at != 0:
        after = np.int64(counted_at(w, at - np.int64(1)).next)
        zero_counted(w, at - np.int64(1))
        counted_at(w, at - np.int64(1)).next = meta.counted_free
        meta.counted_free = at
        at = after
    usage.session_head = 0


@njit
def is_newer(one, event, at_s):  # type: ignore[no-untyped-def]
    """Did this record happen after all of its session that were counted? Acct-Session-Time tells best (it is no
    clock); where that has begun anew, only an Event-Timestamp does that is believed, and it began after the session
    was heard last: what has lasted for weeks comes late, whatever the clock of its gateway says.
    """
    known = event.duration_s >= 0 and one.duration_s >= 0
    if known and event.duration_s > one.duration_s:
        return True
    since_s = at_s - np.int64(one.heard_s)
    if since_s <= 0 or not known:
        return since_s > 0
    stamped = (np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP)) != 0
    believed = stamped and np.int64(event.happened_at) // np.int64(SECOND_US) == at_s
    return believed and np.int64(event.duration_s) <= since_s + np.int64(CLOCKS_DIFFER_S)


@njit
def is_late(one, event, at_s):  # type: ignore[no-untyped-def]
    """Did a record that is not newer happen before what was counted? Counters that are larger then are from before they
    fell, and say nothing that is new.
    """
    if event.duration_s >= 0 and one.duration_s >= 0:
        return event.duration_s < one.duration_s
    return at_s < np.int64(one.heard_s)


@njit
def grown(counted, reported, newer, both_fell):  # type: ignore[no-untyped-def]
    """How far a counter has come since it was counted.

    One that fell has begun anew (the gateway lost it), except where it alone fell, from the upper half of 32 bits: a
    gateway without Acct-Input-Gigawords (RFC 2869 5.1) has no more, and starts at 0 again.
    """
    if reported < 0:
        return np.int64(0)
    if reported >= counted:
        return reported - counted
    if not newer:
        return np.int64(0)
    if not both_fell and counted >= np.int64(WRAPS_FROM) and counted < np.int64(WRAP):
        return reported + np.int64(WRAP) - counted
    return reported


@njit
def begins_anew(one, event, at_s):  # type: ignore[no-untyped-def]
    """Is it a Start of another session with the name of one that was counted?"""
    if event.kind != ACCOUNTING_START or at_s <= np.int64(one.heard_s):
        return False
    return one.over or (np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP)) != 0


@njit
def count_session(usage):  # type: ignore[no-untyped-def]
    """One session more."""
    usage.sessions_day = min(np.int64(usage.sessions_day) + np.int64(1), np.int64(SESSIONS_MOST))
    usage.sessions_month = min(np.int64(usage.sessions_month) + np.int64(1), np.int64(SESSIONS_MOST))


@njit
def count_record(w, row, event, name, at_s):  # type: ignore[no-untyped-def]
    """Count what an accounting record of a subscription says of one session.

    Returns what of it is new: octets up and down, since when (s), and 1 where the session began.
    """
    usage = usage_at(w, row)
    begin_periods(usage, at_s)
    number = find_counted(w, usage, name)
    fresh = number == 0
    if fresh:
        number = open_counted(w, usage, name, at_s)
        count_session(usage)
    one = counted_at(w, number - np.int64(1))
    if not fresh and begins_anew(one, event, at_s):
        count_session(usage)
        after = one.next
        zero_counted(w, number - np.int64(1))
        one.name, one.next, one.duration_s = name, after, -1
        fresh = True
    lasted_s = max(np.int64(event.duration_s), np.int64(0))
    since_s = at_s - lasted_s if fresh else np.int64(one.heard_s)
    up, down = np.int64(event.uplink_octets), np.int64(event.downlink_octets)
    was_up = np.int64(one.up_low) | (np.int64(one.up_high) << np.int64(32))
    was_down = np.int64(one.down_low) | (np.int64(one.down_high) << np.int64(32))
    newer = fresh or is_newer(one, event, at_s)
    both_fell = 0 <= up < was_up and 0 <= down < was_down
    if not newer and is_late(one, event, at_s):
        up, down = np.int64(-1), np.int64(-1)  # as if it did not say
    known = not fresh or event.duration_s >= 0 or event.kind == ACCOUNTING_START
    new_up, new_down, begun = np.int64(0), np.int64(0), np.int64(0)
    if known:  # of a session that may be weeks old, and does not say so, the first record only says where it stands
        new_up, new_down = grown(was_up, up, newer, both_fell), grown(was_down, down, newer, both_fell)
        begun = np.int64(1 if fresh else 0)
        spread(usage, new_up, new_down, since_s, at_s)
    if up >= 0 and (newer or up > was_up):
        one.up_low, one.up_high = min(up, np.int64(MOST)) & np.int64(LOW), min(up, np.int64(MOST)) >> np.int64(32)
    if down >= 0 and (newer or down > was_down):
        one.down_low, one.down_high = (
            min(down, np.int64(MOST)) & np.int64(LOW), min(down, np.int64(MOST)) >> np.int64(32)
        )  # fmt: skip
    if newer:
        one.heard_s = max(at_s, np.int64(one.heard_s))
        if event.duration_s >= 0:
            one.duration_s = event.duration_s
    if event.kind == ACCOUNTING_STOP:
        one.over = 1
    return new_up, new_down, since_s if known else at_s, begun


assert COUNTERS == 6, "begin_periods and spread name them all"
