"""What the watch fold asks memory for ahead of the events that need it, inside compiled code: it decides nothing."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import ACCESS_REQUEST, ACCOUNTING_STOP
from simward.engine.recognising import find_subscription
from simward.engine.rows import event_at, fetch_use_case
from simward.engine.watching.rows import (
    fetch_counted,
    fetch_group,
    found_at,
    row_ahead,
    set_row_ahead,
    usage_at,
    watched_seen,
)


@njit
def look_ahead(t, w, begin, end):  # type: ignore[no-untyped-def]
    """Seek the rows of the next events, all at once: one after the other, each would wait for memory.

    Which row a subscription has changes with revisions alone, so not before these events are folded: what the gate fold
    found of the same events need not be sought again.
    """
    for position in range(begin, end):
        event = event_at(w, position)
        told = ACCESS_REQUEST <= event.kind and event.kind <= ACCOUNTING_STOP
        row = np.int64(-1)
        if told:
            row = found_at(w, position) if w.found != 0 else find_subscription(t, event)
        set_row_ahead(w, position - begin, row)
        if row >= 0:
            fetch_use_case(t, row)
    for position in range(begin, end):
        row = row_ahead(w, position - begin)
        if row >= 0:
            fetch_counted(w, np.int64(usage_at(w, row).session_head))
            fetch_group(w, np.int64(watched_seen(w, row).cell))
