"""How many of a model or use case call premium numbers at once, inside compiled code, and which of the two explains it.

Counted are subscriptions, each in the newest hour in which it called, so that late records fall into the hour that they
are of, and one that goes on calling is still one. The most is what counts: records of a day may come at once, and tell
of few callers at its end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.rows import subscription_at
from simward.engine.watching.groups import group_of
from simward.engine.watching.layouts import USE_CASE
from simward.engine.watching.rows import group_at, watch_meta_of, watched_at

MOSTLY, OF = 4, 5
"""A model that holds four fifths of a use case's callers explains them; else the use case does."""

@njit
def callers(group):  # type: ignore[no-untyped-def]
    """So many lately: in the newest hour and the one before it."""
    return np.int64(group.callers_now) + np.int64(group.callers_before)


@njit
def add_caller(w, number, hour, moved):  # type: ignore[no-untyped-def]
    """One more called in an hour; `number` is the group's row + 1, `moved` 1 where it was counted in the hour before.
    What is older than that is past."""
    group = group_at(w, number - np.int64(1))
    newest = np.int64(group.callers_hour)
    if hour > newest:
        left = max(np.int64(group.callers_now) - moved, np.int64(0))
        group.callers_before = left if hour == newest + np.int64(1) else 0
        group.callers_now = 1
        group.callers_hour = hour
    elif hour == newest:
        group.callers_now = np.int64(group.callers_now) + np.int64(1)
        group.callers_before = max(np.int64(group.callers_before) - moved, np.int64(0))
    elif hour == newest - np.int64(1):
        group.callers_before = np.int64(group.callers_before) + np.int64(1)
    else:
        return
    if group.callers_at != watch_meta_of(w).now:
        group.callers_at, group.callers_most = watch_meta_of(w).now, 0
    group.callers_most = max(np.int64(group.callers_most), callers(group))


@njit
def explains(w, model, of_case):  # type: ignore[no-untyped-def]
    """Does a model (row + 1) explain those of a use case?"""
    return OF * np.int64(group_at(w, model - np.int64(1)).callers_most) >= MOSTLY * np.int64(of_case.callers_most)


@njit
def count_caller(t, w, row, hour, before):  # type: ignore[no-untyped-def]
    """A subscription calls a premium number in an hour (since 1970) later than that of its last, `before`."""
    model, moved = np.int64(watched_at(w, row).model), np.int64(1 if before == hour - np.int64(1) else 0)
    case = group_of(w, np.int64(USE_CASE), np.int64(subscription_at(t, row).use_case), np.int64(0))
    for number in (model, case):
        if number != 0:
            add_caller(w, number, hour, moved)
    if model == 0 or case == 0:
        return
    of_case = group_at(w, case - np.int64(1))
    if explains(w, model, of_case):
        of_case.callers_cause = model
        group_at(w, model - np.int64(1)).callers_cause = 0
        return
    group_at(w, model - np.int64(1)).callers_cause = case
    other = np.int64(of_case.callers_cause)
    if other != 0 and not explains(w, other, of_case):
        group_at(w, other - np.int64(1)).callers_cause = case
        of_case.callers_cause = 0
