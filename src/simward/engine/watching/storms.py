"""How many of a group storm or fail together, inside compiled code, and which of their groups explains it best.

Counted are members, never events: one device that goes mad is no storm of its cell. What is usual of a group is learnt
as a share of its members, the most of five weeks.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.causes import find_cause
from simward.engine.watching.groups import SECOND_US, count_were, keep_due, pointer, roll
from simward.engine.watching.layouts import (
    ALL_KINDS_END,
    CELL,
    GATEWAY,
    MODEL,
    NETWORK,
    SOFTWARE,
    USE_CASE,
)
from simward.engine.watching.rows import group_at, watched_at
from simward.engine.watching.signal_layouts import FAILING, STORMING
from simward.engine.watching.silences import ACTIVE_US
from simward.engine.watching.waves import in_thousandths, is_wave, learn_wave, of_members, roll_waves, strike

THIS, PERHAPS, OTHER = 0, 1, 2
"""What a cause says: nothing explains it better; something wider may be on its way; another group does."""
STORM, FAILURES, WAVE = 0, 1, 2
"""What is compared."""
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
            group.storm_witness = number
            count, limit = np.int64(group.storming), np.int64(group.storm_limit)
        else:
            group.failing = np.int64(group.failing) + np.int64(1)
            group.failures_witness = number
            count, limit = np.int64(group.failing), np.int64(group.failures_limit)
        if count == limit:
            strike(w, row, kind)


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


@njit
def amount(group, what):  # type: ignore[no-untyped-def]
    """How many members it struck."""
    if what == STORM:
        return np.int64(group.storming)
    return np.int64(group.failing) if what == FAILURES else np.int64(group.wave)


@njit
def is_struck(group, what, now_s):  # type: ignore[no-untyped-def]
    """Is that more than is usual of the group?"""
    if what == STORM:
        return group.storm_limit > 0 and group.storming >= group.storm_limit
    if what == FAILURES:
        return group.failures_limit > 0 and group.failing >= group.failures_limit
    return is_wave(group, now_s)


@njit
def order_of(kind):  # type: ignore[no-untyped-def]
    """Of two groups with as many members: what a device is made for and made of explains what it does, before where
    it happens to be.
    """
    if kind == MODEL or kind == SOFTWARE:
        return kind - np.int64(MODEL)
    if kind == USE_CASE:
        return np.int64(2)
    return kind + np.int64(2)


@njit
def is_narrower(group, other):  # type: ignore[no-untyped-def]
    """Has the group fewer members?"""
    if group.members != other.members:
        return group.members < other.members
    return order_of(np.int64(group.kind)) < order_of(np.int64(other.kind))


@njit
def is_most(part, whole):  # type: ignore[no-untyped-def]
    """Is `part` four fifths of `whole`?"""
    return part * 5 >= whole * 4


@njit
def is_better(group, other, what, now_s):  # type: ignore[no-untyped-def]
    """Does `other`, a narrower group, hold most of what struck `group`?"""
    its = amount(other, what)
    return is_struck(other, what, now_s) and is_most(its, amount(group, what)) and is_narrower(other, group)


@njit
def cause_among(w, row, witness, what, now_s):  # type: ignore[no-untyped-def]
    """Which of a struck subscription's groups explains it: the narrowest that holds most of all that were struck.

    Returns the cause, and row + 1 of a narrower group that is it.
    """
    group = group_at(w, row)
    mine, most = amount(group, what), amount(group, what)
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(witness, kind)
        if number != 0:
            other = group_at(w, number - np.int64(1))
            roll_waves(other, now_s)
            if is_struck(other, what, now_s):
                most = max(most, amount(other, what))
    said, by = np.int64(THIS if is_most(mine, most) else OTHER), np.int64(0)
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(witness, kind)
        if number == 0 or number == np.int64(row) + np.int64(1):
            continue
        other = group_at(w, number - np.int64(1))
        its = amount(other, what)
        if is_struck(other, what, now_s):
            if is_most(its, most) and is_narrower(other, group):
                said = np.int64(OTHER)
                by = number if is_better(group, other, what, now_s) else by
        elif said == THIS and not is_most(mine, its):
            said = np.int64(PERHAPS)
    return said, by


@njit
def cause_of(w, row, number, sign, before, by, what, now_s):  # type: ignore[no-untyped-def]
    """What explains it, and by which group; as before where nobody can witness it.

    A group that once explained it does so until it does no more: a witness may be one who was struck by chance.
    """
    if by != 0:
        other = group_at(w, np.int64(by) - np.int64(1))
        if other.kind != 0 and is_better(group_at(w, row), other, what, now_s):
            return np.int64(OTHER), np.int64(by)
    if not shows(w, row, number, sign):
        return np.int64(before), np.int64(0)
    return cause_among(w, row, watched_at(w, np.int64(number) - np.int64(1)), what, now_s)


@njit
def shows(w, row, number, sign):  # type: ignore[no-untyped-def]
    """Is the witness still a member that shows the sign? (A wave has none: who was in it stays a witness.)"""
    if number == 0:
        return False
    one = watched_at(w, np.int64(number) - np.int64(1))
    kind = np.int64(group_at(w, row).kind)
    return pointer(one, kind) == np.int64(row) + np.int64(1) and (sign == 0 or np.int64(one.signs) & sign != 0)


@njit
def find_causes(w, row, now_s):  # type: ignore[no-untyped-def]
    """Write what explains the storm, the wrong credentials and the wave of a group."""
    group = group_at(w, row)
    if group.storming > 0:
        group.storm_cause, group.storm_by = cause_of(
            w, row, group.storm_witness, np.int64(STORMING), group.storm_cause, group.storm_by, np.int64(STORM), now_s
        )
    if group.failing > 0:
        group.failures_cause, group.failures_by = cause_of(
            w, row, group.failures_witness, np.int64(FAILING), group.failures_cause, group.failures_by,
            np.int64(FAILURES), now_s,
        )  # fmt: skip
    if is_wave(group, now_s):
        group.wave_cause, group.wave_by = cause_of(
            w, row, group.wave_witness, np.int64(0), group.wave_cause, group.wave_by, np.int64(WAVE), now_s
        )


@njit
def look_at_group(w, row, now):  # type: ignore[no-untyped-def]
    """What is usual of a group by now (us), and what explains what befalls it."""
    group, now_s = group_at(w, row), now // np.int64(SECOND_US)
    roll(group, now)
    count_were(group)
    keep_due(group, now)
    overdue_at = np.int64(group.overdue_at)
    group.overdue = 1 if overdue_at != 0 and now - overdue_at <= ACTIVE_US else 0
    find_cause(w, row, now)
    learn(group, now_s)
    find_causes(w, row, now_s)


assert (CELL, GATEWAY, NETWORK, MODEL, SOFTWARE, USE_CASE) == (1, 2, 3, 4, 5, 6), "order_of names them all"
