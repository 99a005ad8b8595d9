"""Which group explains a storm, wrong credentials or a wave best, inside compiled code: one finding for the cause.

Whoever is struck is so in each of its groups. The witnesses of a group (witnesses.py) are asked what else they belong
to. The cause is the narrowest group that holds most of all that were struck; but where they are of several narrower
ones, each struck far more densely, those are causes of their own: of a fleet of which eight cells storm at once, the
eight are told and not the fleet.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.causes import find_cause
from simward.engine.watching.groups import SECOND_US, count_were, keep_due, pointer, roll
from simward.engine.watching.layouts import ALL_KINDS_END, CELL, GATEWAY, MODEL, NETWORK, SOFTWARE, USE_CASE
from simward.engine.watching.rows import group_at, watched_at
from simward.engine.watching.signal_layouts import (
    APART_FAILURES,
    APART_STORM,
    APART_WAVE,
    FAILING,
    STORMING,
    TOLD_FAILURES,
    TOLD_OUTAGE,
    TOLD_RECONNECT,
    TOLD_STORM,
    WITNESSES,
)
from simward.engine.watching.silences import ACTIVE_US, look_at_late
from simward.engine.watching.storms import learn
from simward.engine.watching.struck import strike
from simward.engine.watching.waves import is_wave, roll_waves
from simward.engine.watching.witnesses import are_several, is_apart, is_denser, is_most, set_apart

THIS, PERHAPS, OTHER, LIKELY = 0, 1, 2, 3
"""What a cause says: nothing explains it better; something wider may be on its way; another group does; or something
wider is half-way to being struck, and this one not by so much that it stands out.
"""
STORM, FAILURES, WAVE = 0, 1, 2
"""What is compared."""
SHARE, SHARE_KEPT = 60, 50
"""So many of a hundred witnesses must be of a narrower group for it to explain a wide one, and to go on doing so."""


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
def is_on_its_way(group, what):  # type: ignore[no-untyped-def]
    """Is it struck by half as many as are more than usual? Waves come within seconds, and are waited for anyway."""
    if what == STORM:
        return 2 * group.storming >= group.storm_limit
    return what == FAILURES and 2 * group.failing >= group.failures_limit


@njit
def explained_by(group, what):  # type: ignore[no-untyped-def]
    """Row + 1 of the narrower group that explains it, or 0 where no such one does."""
    if what == STORM:
        return np.int64(group.storm_by)
    return np.int64(group.failures_by) if what == FAILURES else np.int64(group.wave_by)


@njit
def is_bystander(group, what):  # type: ignore[no-untyped-def]
    """Does something else explain what struck the group, by what was seen of it last?"""
    if what == STORM:
        return group.storm_cause == OTHER
    return group.failures_cause == OTHER if what == FAILURES else group.wave_cause == OTHER


@njit
def apart_of(what):  # type: ignore[no-untyped-def]
    """Its bit in GROUP.apart."""
    if what == STORM:
        return np.int64(APART_STORM)
    return np.int64(APART_FAILURES if what == FAILURES else APART_WAVE)


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
def is_better(group, other, what, now_s):  # type: ignore[no-untyped-def]
    """Does `other`, a narrower group, hold most of what struck `group`?"""
    its = amount(other, what)
    return is_struck(other, what, now_s) and is_most(its, amount(group, what)) and is_narrower(other, group)


@njit
def ask(w, row, witness, what, now_s):  # type: ignore[no-untyped-def]
    """What a witness says of the cause; row + 1 of a narrower group that is it; and whether a narrower one, struck far
    more densely, is at least its own cause.
    """
    group = group_at(w, row)
    mine, most = amount(group, what), amount(group, what)
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(witness, kind)
        if number == 0:
            continue
        other = group_at(w, number - np.int64(1))
        if what == WAVE:
            roll_waves(other, now_s)
        # A bystander is no cause of anything; what struck it is asked itself, where the witness is of that.
        if is_struck(other, what, now_s) and not is_bystander(other, what):
            most = max(most, amount(other, what))
    said, by, has_own = np.int64(THIS if is_most(mine, most) else OTHER), np.int64(0), False
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(witness, kind)
        if number == 0 or number == np.int64(row) + np.int64(1):
            continue
        other = group_at(w, number - np.int64(1))
        its = amount(other, what)
        struck = is_struck(other, what, now_s)
        # Many cells at once may be the first of a model.
        rises = not struck or (is_bystander(other, what) and explained_by(other, what) == 0)
        if said != OTHER and rises and not is_most(mine, its):
            stands_out = struck or is_most(mine, np.int64(group.members)) or not is_on_its_way(other, what)
            said = max(said, np.int64(PERHAPS if stands_out else LIKELY))
        if struck and is_narrower(other, group):
            has_own = has_own or is_denser(its, np.int64(other.members), mine, np.int64(group.members))
            if is_most(its, most):
                said = np.int64(OTHER)
                by = number if is_better(group, other, what, now_s) else by
    return said, by, has_own


@njit
def shows(w, row, number, sign):  # type: ignore[no-untyped-def]
    """Is the witness still a member that shows the sign? (A wave has none: who was in it stays a witness.)"""
    if number == 0:
        return False
    one = watched_at(w, np.int64(number) - np.int64(1))
    kind = np.int64(group_at(w, row).kind)
    return pointer(one, kind) == np.int64(row) + np.int64(1) and (sign == 0 or np.int64(one.signs) & sign != 0)


@njit
def share_of(w, row, witnesses, sign, number):  # type: ignore[no-untyped-def]
    """How many of a hundred witnesses are in another group too; all, where there are none."""
    seen, there = np.int64(0), np.int64(0)
    kind = np.int64(group_at(w, number - np.int64(1)).kind)
    for place in range(WITNESSES):
        if shows(w, row, witnesses[place], sign):
            seen += np.int64(1)
            if pointer(watched_at(w, np.int64(witnesses[place]) - np.int64(1)), kind) == number:
                there += np.int64(1)
    return np.int64(100) * there // seen if seen > 0 else np.int64(100)


@njit
def cause_of(w, row, witnesses, sign, before, what, is_told, fades, now_s):  # type: ignore[no-untyped-def]
    """What explains it, and by which narrower group; as before where nobody can witness it.

    A group that once explained it does so until it does no more: witnesses may be some who were struck by chance. And
    what is told is not taken apart into several while it fades, nor what several explain put together.
    """
    group = group_at(w, row)
    by = explained_by(group, what)
    if by > 0:
        other = group_at(w, by - np.int64(1))
        kept = other.kind != 0 and is_better(group, other, what, now_s)
        if kept and share_of(w, row, witnesses, sign, by) >= SHARE_KEPT:
            return np.int64(OTHER), by
    seen, own, others, unsure, likely = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for place in range(WITNESSES):
        if not shows(w, row, witnesses[place], sign):
            continue
        witness = watched_at(w, np.int64(witnesses[place]) - np.int64(1))
        said, better, has_own = ask(w, row, witness, what, now_s)
        if better != 0 and share_of(w, row, witnesses, sign, better) >= SHARE:
            return np.int64(OTHER), better
        seen += np.int64(1)
        own += np.int64(1 if has_own else 0)
        others += np.int64(1 if said == OTHER else 0)
        unsure += np.int64(1 if said == PERHAPS or said == LIKELY else 0)
        likely += np.int64(1 if said == LIKELY else 0)
    if seen == 0:
        return np.int64(before), np.int64(0)
    apart = apart_of(what)
    set_apart(group, apart, not is_told and (are_several(own, seen) or (fades and is_apart(group, apart))))
    if is_apart(group, apart) or 2 * others > seen:
        return np.int64(OTHER), np.int64(0)
    if 2 * likely > seen:
        return np.int64(LIKELY), np.int64(0)
    return np.int64(PERHAPS if 2 * (others + unsure) > seen else THIS), np.int64(0)


@njit
def find_storm_cause(w, row, now_s):  # type: ignore[no-untyped-def]
    """Write what explains the storm of a group."""
    group = group_at(w, row)
    is_told = np.int64(group.told) & np.int64(TOLD_STORM | TOLD_RECONNECT | TOLD_OUTAGE) != 0  # by another name
    if is_told or is_struck(group, np.int64(STORM), now_s):
        group.storm_cause, group.storm_by = cause_of(
            w, row, group.storm_witnesses, np.int64(STORMING), group.storm_cause, np.int64(STORM), is_told,
            group.storming < group.storm_rise, now_s,
        )  # fmt: skip
    else:
        group.storm_cause, group.storm_by = THIS, 0
        set_apart(group, np.int64(APART_STORM), False)


@njit
def find_failures_cause(w, row, now_s):  # type: ignore[no-untyped-def]
    """Write what explains the wrong credentials in a group."""
    group = group_at(w, row)
    is_told = np.int64(group.told) & np.int64(TOLD_FAILURES) != 0
    if is_told or is_struck(group, np.int64(FAILURES), now_s):
        group.failures_cause, group.failures_by = cause_of(
            w, row, group.failures_witnesses, np.int64(FAILING), group.failures_cause, np.int64(FAILURES), is_told,
            group.failing < group.failures_rise, now_s,
        )  # fmt: skip
    else:
        group.failures_cause, group.failures_by = THIS, 0
        set_apart(group, np.int64(APART_FAILURES), False)


@njit
def find_wave_cause(w, row, now_s):  # type: ignore[no-untyped-def]
    """Write what explains that members of a group connected together."""
    group = group_at(w, row)
    is_told = np.int64(group.told) & np.int64(TOLD_RECONNECT) != 0
    if is_wave(group, now_s):
        group.wave_cause, group.wave_by = cause_of(
            w, row, group.wave_witnesses, np.int64(0), group.wave_cause, np.int64(WAVE), is_told, False, now_s
        )
    elif not is_told:
        group.wave_cause, group.wave_by = THIS, 0


@njit
def stay_in_line(w, row, now_s):  # type: ignore[no-untyped-def]
    """Is it struck for a cause of its own, and not told yet? Then it is judged at each tick until it is: its limit may
    have come down to what had struck it before.
    """
    group, told = group_at(w, row), np.int64(group_at(w, row).told)
    storms = group.storm_cause != OTHER and is_struck(group, np.int64(STORM), now_s)
    fails = group.failures_cause != OTHER and is_struck(group, np.int64(FAILURES), now_s)
    if (storms and told & np.int64(TOLD_STORM) == 0) or (fails and told & np.int64(TOLD_FAILURES) == 0):
        strike(w, np.int64(row) + np.int64(1))


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
    look_at_late(w, row)
    learn(group, now_s)
    find_storm_cause(w, row, now_s)
    find_failures_cause(w, row, now_s)
    find_wave_cause(w, row, now_s)
    stay_in_line(w, row, now_s)


assert (CELL, GATEWAY, NETWORK, MODEL, SOFTWARE, USE_CASE) == (1, 2, 3, 4, 5, 6), "order_of names them all"
