"""What a detector is given of one subscription's signalling, inside compiled code: rates as of now, and what explains
them."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.groups import pointer
from simward.engine.watching.layouts import ALL_KINDS_END, CELL
from simward.engine.watching.rows import group_at, signalling_of, signals_at, watched_at
from simward.engine.watching.signal_layouts import TOLD_STORM
from simward.engine.watching.signals import COUNTED, MINUTE_MOST, faded, minutes_since

EXPLAINED_H = 4
"""So many hours it stays explained: who was in a storm may be heard in a neighbouring cell, and its hour lasts on."""


@njit
def mark_of(now_s):  # type: ignore[no-untyped-def]
    """The hour as WATCHED.explained has it: above 0, and around after ten days."""
    return (now_s // np.int64(3600)) % np.int64(255) + np.int64(1)


@njit
def is_explained(one, mark):  # type: ignore[no-untyped-def]
    """Did something explain it within the last hours?"""
    return one.explained != 0 and (mark - np.int64(one.explained)) % np.int64(255) <= EXPLAINED_H


@njit
def forget_explained(one, now_s):  # type: ignore[no-untyped-def]
    """The sweep looks at one that was explained once: were the mark kept, it would come round in ten days."""
    if not is_explained(one, mark_of(now_s)):
        one.explained = 0


@njit
def in_two_minutes(lately, passed):  # type: ignore[no-untyped-def]
    """How many in the minute at hand, and the one before it, some minutes later."""
    count = np.int64(lately)
    now, before = count & np.int64(MINUTE_MOST), count >> np.int64(4)
    if passed == 0:
        return now + before
    return now if passed == 1 else np.int64(0)


@njit
def look_at_signalling(t, w, row, now_s):  # type: ignore[no-untyped-def]
    """Fill SIGNALLING."""
    signals, record, one = signals_at(w, row), signalling_of(w), watched_at(w, row)
    passed = max(np.int64(0), minutes_since(signals, now_s))
    record.failed_hour = faded(signals.failed, passed) // np.int64(COUNTED)
    record.sessions_hour = faded(signals.sessions, passed) // np.int64(COUNTED)
    record.wrong_hour = faded(signals.wrong, passed) // np.int64(COUNTED)
    record.failed_minutes = in_two_minutes(signals.failed_lately, passed)
    record.sessions_minutes = in_two_minutes(signals.sessions_lately, passed)
    record.usual_s = np.int64(signals.usual_min) * np.int64(60)
    told, mark = np.int64(0), mark_of(now_s)
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(one, kind)
        if number != 0:
            told = told | np.int64(group_at(w, number - np.int64(1)).told)
    if told != 0:
        one.explained = mark
    elif is_explained(one, mark):
        told = np.int64(TOLD_STORM)
    record.explained = told
