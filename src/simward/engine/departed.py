"""Disconnects of sessions whose subscription was removed from the inventory, inside compiled code: until they have
their proof.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.rows import departed_at, meta_of


@njit
def settle_departed(t, event, index):  # type: ignore[no-untyped-def]
    """What became of the effect `index` of the event's subject is known: it need not be sent again after a restart."""
    meta = meta_of(t)
    at = find_departed(t, np.int64(event.subject), np.int64(index))
    if at < 0 or departed_at(t, at).settled:
        return
    departed_at(t, at).settled = 1
    meta.departed_open = np.int64(meta.departed_open) - np.int64(1)
    if meta.departed_open == 0:
        meta.departed = 0


@njit
def find_departed(t, sequence, index):  # type: ignore[no-untyped-def]
    """Row of the effect with this name, or -1; the table is sorted by it."""
    low, high = np.int64(0), np.int64(meta_of(t).departed)
    while low < high:
        middle = (low + high) // 2
        row = departed_at(t, middle)
        before = row.effect_index < index if row.effect_sequence == sequence else row.effect_sequence < sequence
        if before:
            low = middle + 1
        else:
            high = middle
    if low < np.int64(meta_of(t).departed):
        row = departed_at(t, low)
        if row.effect_sequence == sequence and row.effect_index == index:
            return low
    return np.int64(-1)
