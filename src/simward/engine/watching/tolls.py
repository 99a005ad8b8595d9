"""How many of a model or use case call premium numbers at once, inside compiled code, and which of the two explains it.

Counted are subscriptions, once an hour of when they called, so that late records fall into the hour that they are of.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.rows import subscription_at
from simward.engine.watching.groups import group_of
from simward.engine.watching.layouts import USE_CASE
from simward.engine.watching.periods import HOUR_S
from simward.engine.watching.rows import group_at, watch_meta_of, watched_at

MOSTLY, OF = 4, 5
"""A model that holds four fifths of a use case's callers explains them; else the use case does."""
OWN, ANOTHERS = 0, 1


@njit
def callers(group):  # type: ignore[no-untyped-def]
    """So many lately: in the newest hour and the one before it."""
    return np.int64(group.callers_now) + np.int64(group.callers_before)


@njit
def add_caller(w, number, hour):  # type: ignore[no-untyped-def]
    """One more called in an hour; `number` is the group's row + 1. What is older than the hour before is past."""
    group = group_at(w, number - np.int64(1))
    newest = np.int64(group.callers_hour)
    if hour > newest:
        group.callers_before = group.callers_now if hour == newest + np.int64(1) else 0
        group.callers_now = 1
        group.callers_hour = hour
    elif hour == newest:
        group.callers_now = np.int64(group.callers_now) + np.int64(1)
    elif hour == newest - np.int64(1):
        group.callers_before = np.int64(group.callers_before) + np.int64(1)
    else:
        return
    group.callers_at = watch_meta_of(w).now


@njit
def count_caller(t, w, row, at_s):  # type: ignore[no-untyped-def]
    """A subscription calls a premium number for the first time in an hour."""
    hour, model = at_s // np.int64(HOUR_S), np.int64(watched_at(w, row).model)
    case = group_of(w, np.int64(USE_CASE), np.int64(subscription_at(t, row).use_case), np.int64(0))
    for number in (model, case):
        if number != 0:
            add_caller(w, number, hour)
    if model == 0 or case == 0:
        return
    of_model, of_case = group_at(w, model - np.int64(1)), group_at(w, case - np.int64(1))
    explains = OF * callers(of_model) >= MOSTLY * callers(of_case)
    of_model.callers_cause = OWN if explains else ANOTHERS
    of_case.callers_cause = ANOTHERS if explains else OWN
