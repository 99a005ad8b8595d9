"""The day of a subscription is counted as records and requests come: where the watch's tables and BEHAVIOUR meet."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import tac
from simward.engine.behaviour.counting import DAY_S, count_asked, count_started, count_used
from simward.engine.events import ACCESS_REQUEST, ACCOUNTING_START
from simward.engine.watching.rows import behaviour_at, watch_meta_of

SECOND_US = 1_000_000


@njit
def count_day(w, row, event, up, down, begun, since_s, at_s):  # type: ignore[no-untyped-def]
    """Count what an event newly told: octets up and down and a session's time since `since_s`, whether one began."""
    one, meta = behaviour_at(w, row), watch_meta_of(w)
    if meta.settled_day == 0:  # the first that is ever counted: what there is to settle begins with its day
        meta.settled_day = np.int64(event.received_at) // np.int64(SECOND_US * DAY_S) - np.int64(1)
    if event.kind == ACCESS_REQUEST:
        count_asked(one, at_s)
    else:
        late = count_used(one, np.int64(meta.settled_day), up, down, begun, since_s, at_s)
        meta.counted_late = np.int64(meta.counted_late) + late
        if event.kind == ACCOUNTING_START:
            count_started(one, at_s)
    if event.imei != 0:
        one.tac = tac(event.imei)
    if event.rat != 0:
        one.rat = event.rat


@njit
def count_recorded_day(w, row, record, at_s, now_s):  # type: ignore[no-untyped-def]
    """Count what a call detail record says of a session that no accounting tells of."""
    meta = watch_meta_of(w)
    if meta.settled_day == 0:
        meta.settled_day = now_s // np.int64(DAY_S) - np.int64(1)
    ends_s = min(at_s + max(np.int64(record.duration_s), np.int64(0)), now_s)
    up, down = max(np.int64(record.uplink_octets), np.int64(0)), max(np.int64(record.downlink_octets), np.int64(0))
    late = count_used(behaviour_at(w, row), np.int64(meta.settled_day), up, down, np.int64(1), at_s, ends_s)
    meta.counted_late = np.int64(meta.counted_late) + late
