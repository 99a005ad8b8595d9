"""Groups that were struck a moment ago, inside compiled code: they stand in a line to be judged at each tick.

There is a line for each kind, so that a model that is struck with a thousand cells does not wait behind them. A group
stands in it once, and the line goes through the groups' own rows, so it is never full: a tick judges the first of it,
each goes back to its end, and leaves it once nothing has struck it for a while.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.groups import SECOND_US, free_if_unused
from simward.engine.watching.layouts import CELL
from simward.engine.watching.rows import group_at, watch_meta_of

STRUCK_S = 40
"""So long after it was struck a group is judged out of turn."""
STRUCK_EACH = 128
"""So many of each kind at one tick; those behind them have their turn at the next, or in the sweep."""


@njit
def get_in_line(w, number):  # type: ignore[no-untyped-def]
    """The last of the groups of its kind."""
    meta, group = watch_meta_of(w), group_at(w, number - np.int64(1))
    place = np.int64(group.kind) - np.int64(CELL)
    if meta.struck_count[place] == 0:
        meta.struck_first[place] = number
    else:
        group_at(w, np.int64(meta.struck_last[place]) - np.int64(1)).struck_next = number
    meta.struck_last[place] = number
    meta.struck_count[place] = np.int64(meta.struck_count[place]) + np.int64(1)


@njit
def strike(w, number):  # type: ignore[no-untyped-def]
    """A group (row + 1) is struck as of now."""
    group = group_at(w, number - np.int64(1))
    if group.struck_s == 0:
        get_in_line(w, number)
    group.struck_s = np.int64(watch_meta_of(w).now) // np.int64(SECOND_US)


@njit
def in_line(w, kind):  # type: ignore[no-untyped-def]
    """How many groups of a kind are to be judged at this tick."""
    return min(np.int64(watch_meta_of(w).struck_count[kind - np.int64(CELL)]), np.int64(STRUCK_EACH))


@njit
def next_in_line(w, kind):  # type: ignore[no-untyped-def]
    """Row + 1 of the first of a kind, which is taken out of the line; there must be one."""
    meta, place = watch_meta_of(w), kind - np.int64(CELL)
    number = np.int64(meta.struck_first[place])
    group = group_at(w, number - np.int64(1))
    meta.struck_first[place] = group.struck_next
    group.struck_next = 0
    meta.struck_count[place] = np.int64(meta.struck_count[place]) - np.int64(1)
    return number


@njit
def return_to_line(w, number, now_s):  # type: ignore[no-untyped-def]
    """It was judged: it gets in line again, or leaves."""
    group = group_at(w, number - np.int64(1))
    if now_s - np.int64(group.struck_s) <= STRUCK_S:
        get_in_line(w, number)
    else:
        group.struck_s = 0
        free_if_unused(w, number)
