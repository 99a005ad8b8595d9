"""A tick looks, inside compiled code, at whether the next slice of the subscriptions has sent what it owes."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.rows import meta_of
from simward.engine.watching.groups import SECOND_US, WINDOW_LEAST_US, stand
from simward.engine.watching.layouts import ENDED, IDLE, LIVE, SILENT
from simward.engine.watching.resting import (
    ENDED_INTERVALS,
    MISSED_INTERVALS,
    NEVER_S,
    begin_round,
    interval_of,
    row_rests_until_s,
)
from simward.engine.watching.rows import (
    group_seen,
    pace_of,
    row_rest_s,
    set_row_rest,
    watch_meta_of,
    watched_at,
)
from simward.engine.watching.signalling import forget_explained
from simward.engine.watching.signals import rest

SWEEP_LEAST, SWEEP_TICKS = 1024, 60


@njit
def since_heard(w, last_at, now):  # type: ignore[no-untyped-def]
    """How long somebody has said nothing while the gate listened, us."""
    return now - max(np.int64(last_at), np.int64(watch_meta_of(w).listening_since))


@njit
def look_after(t, w, row, now):  # type: ignore[no-untyped-def]
    """The sweep looks at one subscription: has it sent what it owes, and does it owe it still?"""
    one = watched_at(w, row)
    if one.standing == IDLE:
        return
    interval_us = interval_of(t, row, one) * np.int64(SECOND_US)
    unheard_us = since_heard(w, one.heard_at, now)
    if one.standing == ENDED:
        if unheard_us > ENDED_INTERVALS * max(interval_us, np.int64(WINDOW_LEAST_US)):
            stand(w, one, row, np.int64(IDLE), now, np.int64(0))
    elif one.gateway != 0 and group_seen(w, np.int64(one.gateway) - np.int64(1)).epoch_at > one.heard_at:
        stand(w, one, row, np.int64(IDLE), now, np.int64(0))  # RFC 2866 5.1: all sessions of the gateway are over
    elif one.standing == LIVE and unheard_us > MISSED_INTERVALS * interval_us:
        stand(w, one, row, np.int64(SILENT), now, interval_us)


@njit
def slice_of(count):  # type: ignore[no-untyped-def]
    """A sixtieth of the subscriptions, and at least so many as take no time."""
    return min(count, max(np.int64(SWEEP_LEAST), (count + SWEEP_TICKS - 1) // np.int64(SWEEP_TICKS)))


@njit
def sweep(t, w, now):  # type: ignore[no-untyped-def]
    """A tick looks at the next slice of the subscriptions, but at none that rests."""
    meta, pace, now_s = watch_meta_of(w), pace_of(w), now // np.int64(SECOND_US)
    count = np.int64(meta_of(t).subscriptions)
    begin_round(w, count)
    if count == 0:
        return
    following, seen, rest_s = np.int64(meta.sweep) % count, np.int64(0), np.int64(NEVER_S)
    for _ in range(slice_of(count)):
        at = following
        following = at + np.int64(1) if at + np.int64(1) < count else np.int64(0)
        until_s = row_rest_s(w, at)
        if now_s >= until_s or seen < pace.sweep_unseen or pace.never != 0:
            look_after(t, w, at, now)
            one = watched_at(w, at)
            if one.signs:
                rest(w, at, one, now_s)
            if one.explained:
                forget_explained(one, now_s)
            until_s = row_rests_until_s(t, w, at, now)
            set_row_rest(w, at, until_s)
        seen += np.int64(1)
        rest_s = min(rest_s, until_s)
    meta.sweep = following
    pace.sweep_unseen = max(np.int64(0), np.int64(pace.sweep_unseen) - seen)
    pace.rows_rest_s = rest_s if seen == count else np.int64(0)
