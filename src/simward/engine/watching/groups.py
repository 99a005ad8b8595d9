"""Groups inside compiled code: found by what they have in common, joined and left, and how many of each fell silent."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.hashing import mix
from simward.engine.watching.layouts import (
    BY_INTERIMS,
    CELL,
    ENDED,
    GATEWAY,
    GATEWAY_GROUPS_MAX,
    GROUPS_MAX,
    KINDS_END,
    LATE,
    LIVE,
    MODEL,
    NETWORK,
    OVERDUE,
    SILENT,
    TOLD,
    UNJUDGED,
    USE_CASE,
)
from simward.engine.watching.rows import (
    group_at,
    group_seen,
    group_slot,
    set_group_slot,
    watch_meta_of,
    zero_group,
)
from simward.engine.watching.signal_layouts import FAILING, STORMING
from simward.engine.watching.witnesses import keep_witness

SECOND_US = 1_000_000
DUE_FALLS_US, DUE_SHARE = 28_800_000_000, 32
WINDOW_LEAST_US = 300_000_000
"""Two that fall silent within a few minutes fell together; where interims come more rarely, within one interval."""


@njit
def slot_of(w, kind, key, within):  # type: ignore[no-untyped-def]
    """Where the search for a group begins."""
    mixed = mix((np.int64(key) ^ (np.int64(within) << np.int64(36))) & np.int64(0x3FFFFFFFFFFFFFFF))
    return (mixed ^ (np.int64(kind) * np.int64(40503))) & w.group_mask


@njit
def put_group(w, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    group = group_seen(w, row)
    at = slot_of(w, group.kind, group.key, group.within)
    while group_slot(w, at) != 0:
        at = (at + np.int64(1)) & w.group_mask
    set_group_slot(w, at, np.int64(row) + np.int64(1))


@njit
def take_out(w, row):  # type: ignore[no-untyped-def]
    """Take a row out of the index and close the gap that it leaves, so that every search still arrives."""
    group = group_seen(w, row)
    at = slot_of(w, group.kind, group.key, group.within)
    while group_slot(w, at) != np.int64(row) + np.int64(1):
        at = (at + np.int64(1)) & w.group_mask
    hole = at
    while True:
        at = (at + np.int64(1)) & w.group_mask
        slot = group_slot(w, at)
        if slot == 0:
            break
        other = group_seen(w, slot - np.int64(1))
        begin = slot_of(w, other.kind, other.key, other.within)
        # May it move to the hole? Only if its search passes there before it comes to where it stands.
        if ((at - begin) & w.group_mask) >= ((at - hole) & w.group_mask):
            set_group_slot(w, hole, slot)
            hole = at
    set_group_slot(w, hole, np.int64(0))


@njit
def find_group(w, kind, key, within):  # type: ignore[no-untyped-def]
    """Row + 1 of a group, or 0."""
    at = slot_of(w, kind, key, within)
    while True:
        slot = group_slot(w, at)
        if slot == 0:
            return np.int64(0)
        group = group_seen(w, slot - np.int64(1))
        if group.key == key and np.int64(group.kind) == kind and np.int64(group.within) == within:
            return slot
        at = (at + np.int64(1)) & w.group_mask


@njit
def group_of(w, kind, key, within):  # type: ignore[no-untyped-def]
    """Row + 1 of a group, made where it is new; 0 where there is no room (which is counted)."""
    found = find_group(w, kind, key, within)
    if found != 0:
        return found
    meta = watch_meta_of(w)
    at = np.int64(meta.groups_free)
    full = kind == GATEWAY and np.int64(meta.gateways) >= GATEWAY_GROUPS_MAX
    if full or (at == 0 and np.int64(meta.groups) >= GROUPS_MAX):
        meta.groups_full = np.int64(meta.groups_full) + np.int64(1)
        return np.int64(0)
    if at != 0:
        meta.groups_free = group_at(w, at - np.int64(1)).members
    else:
        meta.groups = np.int64(meta.groups) + np.int64(1)
        at = np.int64(meta.groups)
    if kind == GATEWAY:
        meta.gateways = np.int64(meta.gateways) + np.int64(1)
    zero_group(w, at - np.int64(1))
    group = group_at(w, at - np.int64(1))
    group.kind = kind
    group.key = key
    group.within = within
    group.finding_head = 0
    group.known_s = np.int64(meta.now) // np.int64(SECOND_US)
    put_group(w, at - np.int64(1))
    return at


@njit
def free_if_unused(w, number):  # type: ignore[no-untyped-def]
    """Give up a group that nobody points at and nothing is open about; a gateway's habits are kept, and who stands in
    line (struck.py) leaves that first.
    """
    row = number - np.int64(1)
    group = group_at(w, row)
    if group.members > 0 or group.finding_head != 0 or group.struck_s != 0 or np.int64(group.kind) == GATEWAY:
        return
    take_out(w, row)
    zero_group(w, row)
    meta = watch_meta_of(w)
    group.members = meta.groups_free
    meta.groups_free = number


@njit
def pointer(one, kind):  # type: ignore[no-untyped-def]
    """Row + 1 of a subscription's group of a kind."""
    if kind == CELL:
        return np.int64(one.cell)
    if kind == GATEWAY:
        return np.int64(one.gateway)
    if kind == NETWORK:
        return np.int64(one.network)
    if kind == USE_CASE:
        return np.int64(one.use_case)
    return np.int64(one.model) if kind == MODEL else np.int64(one.software)


@njit
def set_pointer(one, kind, number):  # type: ignore[no-untyped-def]
    """Point a subscription at its group of a kind."""
    if kind == CELL:
        one.cell = number
    elif kind == GATEWAY:
        one.gateway = number
    elif kind == NETWORK:
        one.network = number
    elif kind == USE_CASE:
        one.use_case = number
    elif kind == MODEL:
        one.model = number
    else:
        one.software = number


@njit
def count_stage(group, stage, by):  # type: ignore[no-untyped-def]
    """Count a member in (1) or out (-1) as it stands to its cadence."""
    if UNJUDGED < stage and stage < TOLD:
        group.due = np.int64(group.due) + by
    if stage == LATE or stage == OVERDUE:
        group.late = np.int64(group.late) + by


@njit
def set_stage(w, one, row, stage):  # type: ignore[no-untyped-def]
    """Change how a subscription stands to its cadence, and count it so in its groups."""
    before = np.int64(one.stage)
    if before == stage:
        return
    one.stage = stage
    for kind in range(CELL, KINDS_END):
        number = pointer(one, kind)
        if number != 0:
            group = group_at(w, number - np.int64(1))
            count_stage(group, before, np.int64(-1))
            count_stage(group, stage, np.int64(1))
            if stage == LATE:
                keep_witness(group.late_witnesses, np.int64(row) + np.int64(1), np.int64(group.late))


@njit
def count_member(group, one, change):  # type: ignore[no-untyped-def]
    """Count a member that comes (1) or goes (-1): as it stands, and by its signs."""
    if np.int64(one.signs) & np.int64(STORMING):
        group.storming = np.int64(group.storming) + change
    if np.int64(one.signs) & np.int64(FAILING):
        group.failing = np.int64(group.failing) + change
    if np.int64(group.kind) == USE_CASE:
        return  # whose silence is not judged
    if one.standing == LIVE:
        group.live = np.int64(group.live) + change
    elif one.standing == ENDED:
        group.ended = np.int64(group.ended) + change
    count_stage(group, np.int64(one.stage), change)


@njit
def move(w, one, kind, number):  # type: ignore[no-untyped-def]
    """A subscription is in another group of a kind from now on (0 = in none); how it stands goes with it."""
    before = pointer(one, kind)
    if before == number:
        return
    set_pointer(one, kind, number)
    if number != 0:
        group = group_at(w, number - np.int64(1))
        group.members = np.int64(group.members) + np.int64(1)
        count_member(group, one, np.int64(1))
    if before != 0:
        group = group_at(w, before - np.int64(1))
        group.members = np.int64(group.members) - np.int64(1)
        count_member(group, one, np.int64(-1))
        free_if_unused(w, before)


@njit
def fell(group):  # type: ignore[no-untyped-def]
    """How many are silent that fell silent within the last two windows, or since something was found."""
    return np.int64(group.fell_now) + np.int64(group.fell_before)


@njit
def well(group):  # type: ignore[no-untyped-def]
    """How many were not struck: they owe and send, or ended their sessions in good order while others were silent."""
    return np.int64(group.live) + np.int64(group.ended)


@njit
def count_were(group):  # type: ignore[no-untyped-def]
    """The most that could have fallen silent with those that did: whoever ends or leaves later was well at the time."""
    group.were = max(np.int64(group.were), fell(group) + well(group)) if fell(group) > 0 else np.int64(0)


@njit
def keep_due(group, now):  # type: ignore[no-untyped-def]
    """Keep how many were counted on of late: it falls by half in a week, from when there are fewer on."""
    if np.int64(group.due) >= np.int64(group.due_most):
        group.due_most = group.due
        group.due_most_at = 0
    elif group.due_most_at == 0:
        group.due_most_at = now
    elif now - group.due_most_at >= DUE_FALLS_US:
        most = np.int64(group.due_most)
        group.due_most = most - max(np.int64(1), most // np.int64(DUE_SHARE))
        group.due_most_at = now


@njit
def roll(group, now):  # type: ignore[no-untyped-def]
    """Move the windows on; not while what they count is told or a wider cause looked at: nobody is forgotten."""
    if group.lasting == BY_INTERIMS or now < group.held_until:
        return
    window_us = max(np.int64(group.window_us), np.int64(WINDOW_LEAST_US))
    if now - group.window_at < window_us:
        return
    if now - group.window_at < 2 * window_us:
        group.fell_before = group.fell_now
        group.window_before_at = group.window_at
    else:
        group.fell_before = 0
        group.window_before_at = now
    group.fell_now = 0
    group.window_at = now
    if group.fell_before == 0:
        group.first_fell_at = 0
        group.window_us = 0
        group.were = 0
    else:
        group.first_fell_at = max(group.first_fell_at, group.window_before_at)


@njit
def stand(w, one, row, standing, now, interval_us):  # type: ignore[no-untyped-def]
    """Change how a subscription stands, and count it so in its groups."""
    before = np.int64(one.standing)
    if before == standing:
        return
    fell_at = one.fell_at
    one.standing = standing
    one.fell_at = now if standing == SILENT else np.int64(0)
    for kind in range(CELL, KINDS_END):
        number = pointer(one, kind)
        if number == 0:
            continue
        group = group_at(w, number - np.int64(1))
        if before == LIVE:
            group.live = np.int64(group.live) - np.int64(1)
        elif before == ENDED:
            group.ended = np.int64(group.ended) - np.int64(1)
        elif before == SILENT:
            if fell_at >= group.window_at:
                group.fell_now = max(np.int64(0), np.int64(group.fell_now) - np.int64(1))
            elif fell_at >= group.window_before_at:
                group.fell_before = max(np.int64(0), np.int64(group.fell_before) - np.int64(1))
        if standing == LIVE:
            group.live = np.int64(group.live) + np.int64(1)
        elif standing == ENDED:
            group.ended = np.int64(group.ended) + np.int64(1)
        elif standing == SILENT:
            roll(group, now)
            group.fell_now = np.int64(group.fell_now) + np.int64(1)
            group.window_us = max(np.int64(group.window_us), interval_us)
            keep_witness(group.witnesses, np.int64(row) + np.int64(1), fell(group))
            group.last_fell_at = now
            if group.first_fell_at == 0:
                group.first_fell_at = now
            count_were(group)
