"""How many of a group storm or fail together, inside compiled code, and from how many on that is more than usual.

Counted are members, never events: one device that goes mad is no storm of its cell. What is usual of a group is learnt
as a share of its members, the most of five weeks.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.groups import pointer
from simward.engine.watching.layouts import ALL_KINDS_END, CELL
from simward.engine.watching.rows import group_at
from simward.engine.watching.signal_layouts import STORMING
from simward.engine.watching.struck import strike
from simward.engine.watching.waves import in_thousandths, learn_wave, of_members
from simward.engine.watching.witnesses import keep_witness

STORM_LEAST, STORM_SHARE = 5, 5
"""A fifth of the members, and at least so many: what fewer do is told of each."""
FEW = STORM_LEAST * STORM_SHARE
"""What fewer members do is learnt as a share of so many."""
FAILURES_LEAST = 10
"""So many at least show wrong credentials within minutes; that is never usual."""
BEYOND_HABIT = 2
FAILURES_BEYOND = 3
YOUNG_S = 2 * 86_400
"""What a group does in its first days is how it is."""
YOUNG_SHARE = 2
HABIT_S = 35 * 86_400


@njit
def begin_sign(w, row, one, sign):  # type: ignore[no-untyped-def]
    """A subscription shows a sign from now on, and is counted so in its groups; one that is struck by that is judged
    soon.
    """
    one.signs = np.int64(one.signs) | sign
    number = np.int64(row) + np.int64(1)
    for kind in range(CELL, ALL_KINDS_END):
        at = pointer(one, kind)
        if at == 0:
            continue
        group = group_at(w, at - np.int64(1))
        if sign == STORMING:
            group.storming = np.int64(group.storming) + np.int64(1)
            keep_witness(group.storm_witnesses, number, np.int64(group.storming))
            count, limit = np.int64(group.storming), np.int64(group.storm_limit)
        else:
            group.failing = np.int64(group.failing) + np.int64(1)
            keep_witness(group.failures_witnesses, number, np.int64(group.failing))
            count, limit = np.int64(group.failing), np.int64(group.failures_limit)
        if count == limit:
            strike(w, at)


@njit
def end_sign(w, one, sign):  # type: ignore[no-untyped-def]
    """And does no more."""
    one.signs = np.int64(one.signs) & ~sign
    for kind in range(CELL, ALL_KINDS_END):
        at = pointer(one, kind)
        if at == 0:
            continue
        group = group_at(w, at - np.int64(1))
        if sign == STORMING:
            group.storming = np.int64(group.storming) - np.int64(1)
        else:
            group.failing = np.int64(group.failing) - np.int64(1)


@njit
def learnt(group, count, rise, limit, young):  # type: ignore[no-untyped-def]
    """How many there were at most since there were few, and what share of the members is learnt of that now.

    What rises may be the beginning of a storm: it is usual once it is over and was none, or the group is young.
    """
    most = max(np.int64(count), np.int64(rise))
    if 2 * count > most or most == 0:
        return most, np.int64(0)
    return np.int64(0), in_thousandths(group, most, np.int64(FEW)) if young or most < limit else np.int64(0)


@njit
def learn(group, now_s):  # type: ignore[no-untyped-def]
    """What is usual of a group, and from how many on it is more than that."""
    if group.known_s == 0:
        group.known_s = now_s  # of a snapshot that did not say
    if now_s - np.int64(group.habit_began_s) > HABIT_S:
        lately = now_s - np.int64(group.habit_began_s) <= np.int64(2 * HABIT_S)
        group.storm_habit_before = np.int64(group.storm_habit) if lately else np.int64(0)
        group.failures_habit_before = np.int64(group.failures_habit) if lately else np.int64(0)
        group.wave_habit_before = np.int64(group.wave_habit) if lately else np.int64(0)
        group.storm_habit, group.failures_habit, group.wave_habit = 0, 0, 0
        group.habit_began_s = now_s
    young = now_s - np.int64(group.known_s) < YOUNG_S
    members = np.int64(group.members)
    usual = of_members(group, group.storm_habit, group.storm_habit_before, np.int64(FEW))
    share = np.int64(YOUNG_SHARE if young else STORM_SHARE)
    group.storm_limit = max(np.int64(STORM_LEAST), np.int64(BEYOND_HABIT) * usual, (members + share - 1) // share)
    usual = of_members(group, group.failures_habit, group.failures_habit_before, np.int64(FEW))
    group.failures_limit = max(np.int64(FAILURES_LEAST), np.int64(FAILURES_BEYOND) * usual)
    group.storm_rise, share = learnt(group, group.storming, group.storm_rise, group.storm_limit, young)
    group.storm_habit = max(np.int64(group.storm_habit), share)
    group.failures_rise, share = learnt(group, group.failing, group.failures_rise, group.failures_limit, young)
    group.failures_habit = max(np.int64(group.failures_habit), share)
    learn_wave(group, now_s)
