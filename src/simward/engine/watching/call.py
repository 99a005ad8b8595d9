"""What a detector that is given "call" judges: how often a subscription called costly numbers lately."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.call_records import INTERNATIONAL, PREMIUM
from simward.engine.watching.layouts import DAY, HOUR, MONTH, VOICE
from simward.engine.watching.rows import call_of
from simward.engine.watching.tallies import ANY, times_of, used_of


@njit
def look_at_call(t, w, row, now_s):  # type: ignore[no-untyped-def]
    """Fill CALL with what holds at a moment, whichever record told of it."""
    call, hour, day = call_of(w), np.int64(HOUR), np.int64(DAY)
    call.service = VOICE
    call.destination = 0
    call.at_s = now_s
    call.premium_day = times_of(w, row, np.int64(ANY), np.int64(PREMIUM), day, now_s)
    call.premium_month = times_of(w, row, np.int64(ANY), np.int64(PREMIUM), np.int64(MONTH), now_s)
    call.premium_s_hour = used_of(w, row, np.int64(VOICE), np.int64(PREMIUM), hour, now_s)
    call.international_hour = times_of(w, row, np.int64(VOICE), np.int64(INTERNATIONAL), hour, now_s)
    call.international_day = times_of(w, row, np.int64(VOICE), np.int64(INTERNATIONAL), day, now_s)
