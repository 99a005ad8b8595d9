"""Which subscriptions and groups a tick need not look at, inside compiled code, and until when.

A tick looks at slices of both. Of most of them a look changes nothing, and that it would change nothing until some
moment follows from what is kept of them: they rest until then, or until something is done with their row, which the
accessors `watched_at` and `group_at` take note of. That is reckoned beside the state, is no part of it, and changes no
octet of it (docs/decisions/0055).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.rows import subscription_at, use_case_at
from simward.engine.watching.groups import DUE_FALLS_US, SECOND_US, WINDOW_LEAST_US, fell
from simward.engine.watching.layouts import DUE, ENDED, IDLE, LIVE, UNJUDGED
from simward.engine.watching.rows import pace_of, watched_seen
from simward.engine.watching.signal_layouts import FAILING, STORMING
from simward.engine.watching.silences import is_judged, patience_s
from simward.engine.watching.storms import HABIT_S, YOUNG_S
from simward.engine.watching.waves import is_wave

MISSED_INTERVALS = 3
"""So many intervals without a word are silence: one record may be lost, and the next may be late."""
ENDED_INTERVALS = MISSED_INTERVALS + 2
"""So long an end in good order counts: a silence that began before it is noticed by then, and two windows are over."""
NEVER_S = 0xFFFFFFFF
AT_ONCE = 0


@njit
def interval_of(t, row, one):  # type: ignore[no-untyped-def]
    """How often an interim is owed, s: its habit, or what the gateway is told, where that is longer."""
    return max(np.int64(one.habit_s), np.int64(use_case_at(t, subscription_at(t, row).use_case).interim_interval_s))


@njit
def row_rests_until_s(t, w, row, now):  # type: ignore[no-untyped-def]
    """Until when no look at a subscription changes anything: neither at what it owes, nor at its cadence."""
    one = watched_seen(w, row)
    shows = np.int64(one.signs) & np.int64(STORMING | FAILING)
    if shows != 0 or one.explained != 0 or one.planned != 0 or one.stage > DUE:
        return np.int64(AT_ONCE)
    until_s, heard_s = np.int64(NEVER_S), np.int64(one.heard_at) // np.int64(SECOND_US)
    if one.standing == ENDED:
        interval_us = max(interval_of(t, row, one) * np.int64(SECOND_US), np.int64(WINDOW_LEAST_US))
        until_s = heard_s + np.int64(ENDED_INTERVALS) * interval_us // np.int64(SECOND_US)
    elif one.standing == LIVE:
        until_s = heard_s + np.int64(MISSED_INTERVALS) * interval_of(t, row, one)
    if one.heard_at == 0:
        return until_s if one.standing == IDLE and one.stage == UNJUDGED else np.int64(AT_ONCE)
    late_s, _, by_habit = patience_s(t, w, row, one)
    if not is_judged(t, row, one, by_habit, now // np.int64(SECOND_US)):
        return until_s if one.stage == UNJUDGED else np.int64(AT_ONCE)
    return min(until_s, heard_s + late_s) if one.stage == DUE else np.int64(AT_ONCE)


@njit
def group_rests_until_s(group, now):  # type: ignore[no-untyped-def]
    """Until when no look at a group changes anything, where the one at `now` changed nothing: at most five minutes."""
    now_s = now // np.int64(SECOND_US)
    stirs = fell(group) > 0 or group.storming > 0 or group.failing > 0 or group.overdue != 0 or group.finding_head != 0
    if stirs or group.wave_most > 0 or is_wave(group, now_s):
        return np.int64(AT_ONCE)
    until = np.int64(group.window_at) + max(np.int64(group.window_us), np.int64(WINDOW_LEAST_US))
    if group.due_most_at != 0:
        until = min(until, np.int64(group.due_most_at) + np.int64(DUE_FALLS_US))
    until_s = min(until // np.int64(SECOND_US), np.int64(group.habit_began_s) + np.int64(HABIT_S))
    grown_s = np.int64(group.known_s) + np.int64(YOUNG_S)
    return min(until_s, grown_s) if now_s < grown_s else until_s


@njit
def wake_subscriptions(w):  # type: ignore[no-untyped-def]
    """Something happened that is kept of none of them, and may matter to each: all are looked at once."""
    pace = pace_of(w)
    pace.rows_rest_s, pace.sweep_wakes, pace.silences_wake = 0, 1, 1


@njit
def begin_round(w, count):  # type: ignore[no-untyped-def]
    """Where they were woken a whole round of looks begins."""
    pace = pace_of(w)
    if pace.sweep_wakes != 0:
        pace.sweep_wakes, pace.sweep_unseen = 0, count
    if pace.silences_wake != 0:
        pace.silences_wake, pace.silences_unseen = 0, count
