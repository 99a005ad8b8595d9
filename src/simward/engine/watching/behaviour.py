"""What detectors with `given = "behaviour"` are given: how the days of a subscription stand against its own past."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.rows import behaviour_at, behaviour_of, watch_meta_of


@njit
def look_at_behaviour(t, w, row, now_s):  # type: ignore[no-untyped-def]
    """Fill BEHAVED from what was settled last."""
    one, seen = behaviour_at(w, row), behaviour_of(w)
    seen.unusual = one["class"]
    seen.total = one.total
    seen.since_day = one.since
    first = np.int64(one.weighs[0]) & np.int64(127)
    seen.gathered_days = one.ages[first - np.int64(1)] if first != 0 else np.int64(0)
    seen.settled_day = watch_meta_of(w).settled_day
