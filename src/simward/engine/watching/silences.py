"""Who has said nothing against its cadence, inside compiled code: for how long that is silence, and what explains it.

A group that fell silent is the cause of its members' silence: where at least five of it are late and at least half of
those whose cadence is known, or nothing at all is heard of it. The late ones are counted long before the first of them
is overdue, so the cause is known by then, and nothing is told of its members one by one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import COMMAND_PLAN
from simward.engine.recognising import find_subscription
from simward.engine.rows import subscription_at, use_case_at
from simward.engine.tables import STATE_BITS
from simward.engine.watching.cadence import day_of
from simward.engine.watching.groups import SECOND_US, pointer, set_stage
from simward.engine.watching.layouts import (
    CELL,
    DEAF_KEPT,
    DUE,
    GATEWAY,
    KINDS_END,
    LATE,
    LIVE,
    MODEL,
    NETWORK,
    OVERDUE,
    SILENT,
    SOFTWARE,
    TOLD,
    UNJUDGED,
)
from simward.engine.watching.periods import DAY_S
from simward.engine.watching.rows import group_at, group_seen, watch_knobs_at, watch_meta_of, watched_at
from simward.engine.watching.signal_layouts import APART_LATE, WITNESSES
from simward.engine.watching.witnesses import are_several, is_apart, is_denser, set_apart

MINUTE_S, HOUR_S = 60, 3_600
ESTABLISHED_DAYS, HABIT_DAYS = 3, 28
"""On so many days must it have been heard: one that was tested once and put on a shelf owes nothing yet."""
LONGEST_GAPS, HABIT_LEAST_S = 6, 7 * DAY_S
LEAST = 5
"""Fewer that are late together may be chance."""
ACTIVE_US = 900_000_000
"""So long after it explained one a group still counts as the cause: longer than a sweep takes."""
PLANNED_MOST_DAYS, PLANNED_CYCLE = 127, 255
ALONE, WAITS = 0, -1
"""What `cause_of` says where no group explains a silence: it is this one's own, or that will be seen."""


@njit
def note_deaf(w, since, until):  # type: ignore[no-untyped-def]
    """The gate did not run from `since` to `until`, us."""
    meta = watch_meta_of(w)
    at = np.int64(meta.deaf_at) % np.int64(DEAF_KEPT)
    meta.deaf_from[at] = since
    meta.deaf_until[at] = until
    meta.deaf_at = (at + np.int64(1)) % np.int64(DEAF_KEPT)


@njit
def was_deaf(w, since):  # type: ignore[no-untyped-def]
    """Did the gate not run at some time since then?"""
    meta = watch_meta_of(w)
    newest = (np.int64(meta.deaf_at) + np.int64(DEAF_KEPT - 1)) % np.int64(DEAF_KEPT)
    return np.int64(meta.deaf_until[newest]) > since


@njit
def listened_us(w, since, now):  # type: ignore[no-untyped-def]
    """How long the gate has listened since then, us; of what was before the oldest pause that is kept, nothing counts
    where all that are kept were since.
    """
    meta = watch_meta_of(w)
    oldest = np.int64(meta.deaf_at) % np.int64(DEAF_KEPT)
    since = max(since, np.int64(meta.deaf_from[oldest]))
    heard = now - since
    for at in range(DEAF_KEPT):
        begin, end = np.int64(meta.deaf_from[at]), np.int64(meta.deaf_until[at])
        if end > since:
            heard -= end - max(begin, since)
    return max(heard, np.int64(0))


@njit
def plan_until(one, today, until):  # type: ignore[no-untyped-def]
    """A work order has it from now on and until that day (days since 1970); kept for 127 days at most."""
    if until >= today:
        last = min(until, today + np.int64(PLANNED_MOST_DAYS))
        one.planned = np.int64(1) + last % np.int64(PLANNED_CYCLE)


@njit
def note_plan(t, w, event):  # type: ignore[no-untyped-def]
    """A work order has a subscription, or has it no longer: it may be silent meanwhile."""
    row = find_subscription(t, event)
    if row < 0:
        return
    one = watched_at(w, row)
    one.planned = 0
    if event.kind == COMMAND_PLAN:
        plan_until(one, day_of(event.received_at // SECOND_US), day_of(event.prefix_low // SECOND_US))


@njit
def is_planned_now(one, today):  # type: ignore[no-untyped-def]
    """Has a work order it? What is over is forgotten here, at the latest within a sweep."""
    if one.planned == 0:
        return False
    left = (np.int64(one.planned) - np.int64(1) - today) % np.int64(PLANNED_CYCLE)
    if left > PLANNED_MOST_DAYS:
        one.planned = 0
        return False
    return True


@njit
def slack_s(every_s):  # type: ignore[no-untyped-def]
    """How much later than its time a word may come, s."""
    return min(every_s // np.int64(2), np.int64(HOUR_S))


@njit
def declared_s(t, w, row, one):  # type: ignore[no-untyped-def]
    """After how long a subscription is late, and silent, by what its use case declares, s; 0 where that is nothing.

    One that owes interims cannot be heard more often than those come: of two in a row one may be lost.
    """
    use_case = subscription_at(t, row).use_case
    knobs = watch_knobs_at(w, use_case).silent
    every, after = np.int64(knobs.every_s), np.int64(knobs.silent_after_s)
    if every == 0 and after == 0:
        return np.int64(0), np.int64(0)
    if after == 0:
        after = 2 * every + slack_s(every)
    if every == 0:
        every = after // np.int64(2)
    if one.standing == LIVE or one.standing == SILENT:
        interim_s = np.int64(use_case_at(t, use_case).interim_interval_s)
        every = max(every, np.int64(one.habit_s), interim_s)
        after = max(after, 2 * every + slack_s(every))
    return min(every + slack_s(every), after - after // np.int64(8)), after


@njit
def patience_s(t, w, row, one):  # type: ignore[no-untyped-def]
    """The same, by its own habit where nothing is declared; and 1 where it is by habit."""
    late_s, silent_s = declared_s(t, w, row, one)
    if silent_s != 0:
        return late_s, silent_s, np.int64(0)
    longest_s = np.int64(one.longest_min) * np.int64(MINUTE_S)
    late_s = longest_s + longest_s // np.int64(4) + np.int64(HOUR_S)
    return late_s, max(LONGEST_GAPS * longest_s, late_s, np.int64(HABIT_LEAST_S)), np.int64(1)


@njit
def is_judged(t, row, one, by_habit, now_s):  # type: ignore[no-untyped-def]
    """Is anything expected of it? Not before it is in use, nor while it is out of use or a work order has it."""
    if (np.int64(subscription_at(t, row).lifecycle) & np.int64(STATE_BITS)) != 0:
        return False
    least = np.int64(HABIT_DAYS if by_habit != 0 else ESTABLISHED_DAYS)
    return np.int64(one.days_heard) >= least and not is_planned_now(one, day_of(now_s))


@njit
def share_late(group):  # type: ignore[no-untyped-def]
    """How many are late, and of how many that were counted on of late."""
    return np.int64(group.late), max(np.int64(group.late), np.int64(group.due), np.int64(group.due_most))


@njit
def is_of_narrower(w, group, witness):  # type: ignore[no-untyped-def]
    """Is one who is late of a narrower group of which far more are?"""
    late, due = share_late(group)
    for kind in range(CELL, KINDS_END):
        number = pointer(witness, np.int64(kind))
        if number == 0 or kind == np.int64(group.kind):
            continue
        its, of = share_late(group_at(w, number - np.int64(1)))
        if its >= LEAST and of < due and is_denser(its, of, late, due):
            return True
    return False


@njit
def look_at_late(w, row):  # type: ignore[no-untyped-def]
    """Write whether several narrower groups explain that many of a group are late: then it does not."""
    group = group_at(w, row)
    set_apart(group, np.int64(APART_LATE), False)
    if group.late < LEAST:
        return
    seen, own = np.int64(0), np.int64(0)
    for place in range(WITNESSES):
        number = np.int64(group.late_witnesses[place])
        if number == 0:
            continue
        witness = watched_at(w, number - np.int64(1))
        is_late = witness.stage == LATE or witness.stage == OVERDUE
        if is_late and pointer(witness, np.int64(group.kind)) == np.int64(row) + np.int64(1):
            seen += np.int64(1)
            own += np.int64(1 if is_of_narrower(w, group, witness) else 0)
    set_apart(group, np.int64(APART_LATE), are_several(own, seen))


@njit
def may_explain(group, late_from):  # type: ignore[no-untyped-def]
    """Is it the group that fell silent, for one of it who was late from `late_from` (us) on?

    Whoever left it lately was heard elsewhere, and counts as well: else those who stay behind with an old software, or
    in a network that the fleet has left, would look like a cause.
    """
    late, due, most = np.int64(group.late), np.int64(group.due), np.int64(group.due_most)
    if late < LEAST or 2 * due < most or is_apart(group, np.int64(APART_LATE)):
        return False
    return 2 * late >= max(due, most) or group.last_at < late_from


@njit
def is_told(group):  # type: ignore[no-untyped-def]
    """Is its silence told, however that was noticed?"""
    return group.lasting != 0 or group.stopped != 0 or group.off != 0


@njit
def told_cause(w, one):  # type: ignore[no-untyped-def]
    """Kind of the narrowest of its groups whose silence is told, or that said it goes down; 0 = none."""
    for kind in (CELL, SOFTWARE, MODEL, GATEWAY, NETWORK):
        number = pointer(one, np.int64(kind))
        if number != 0 and is_told(group_seen(w, number - np.int64(1))):
            return np.int64(kind)
    return np.int64(ALONE)


@njit
def fresh_cause(w, one, late_from):  # type: ignore[no-untyped-def]
    """Kind of the group that explains the silence best: of those that have most of the late ones, the smallest."""
    most = np.int64(0)
    for kind in range(CELL, KINDS_END):
        number = pointer(one, np.int64(kind))
        if number != 0 and may_explain(group_seen(w, number - np.int64(1)), late_from):
            most = max(most, np.int64(group_seen(w, number - np.int64(1)).late))
    best, size = np.int64(ALONE), np.int64(0)
    for kind in range(CELL, KINDS_END):
        number = pointer(one, np.int64(kind))
        if number == 0:
            continue
        group = group_seen(w, number - np.int64(1))
        if may_explain(group, late_from) and 5 * np.int64(group.late) >= 4 * most:
            if best == ALONE or np.int64(group.due) < size:
                best, size = np.int64(kind), np.int64(group.due)
    return best


@njit
def cause_of(w, one, now, late_from, may_wait):  # type: ignore[no-untyped-def]
    """What explains that one is overdue: the kind of a group, ALONE, or WAITS."""
    kind = told_cause(w, one)
    if kind == ALONE:
        kind = fresh_cause(w, one, late_from)
    if kind != ALONE:
        group = group_seen(w, pointer(one, kind) - np.int64(1))
        if may_explain(group, late_from) and group.stopped == 0 and group.off == 0:
            group_at(w, pointer(one, kind) - np.int64(1)).overdue_at = now
        return kind
    for kind in range(CELL, KINDS_END):
        number = pointer(one, np.int64(kind))
        if number == 0:
            continue
        # A small group that nobody has heard of since this one was missed may be falling silent as a whole.
        group = group_seen(w, number - np.int64(1))
        if may_wait and np.int64(group.due) >= LEAST and group.last_at < late_from:
            return np.int64(WAITS)
    return np.int64(ALONE)


@njit
def owed_since(w, one):  # type: ignore[no-untyped-def]
    """Since when a word of it is missed, us: its last one, or the end of an outage in which it may have lost one."""
    since = np.int64(one.heard_at)
    for kind in range(CELL, KINDS_END):
        number = pointer(one, np.int64(kind))
        if number != 0:
            since = max(since, np.int64(group_seen(w, number - np.int64(1)).ended_at))
    return since


@njit
def look_at_silence(t, w, row, now):  # type: ignore[no-untyped-def]
    """The sweep looks at one subscription: how does it stand to its cadence?

    After how long it is silent, s, where that is to be told or was told, else 0; and 1 where it is by its own habit.
    """
    one, now_s = watched_at(w, row), now // np.int64(SECOND_US)
    if one.heard_at == 0:
        return np.int64(0), np.int64(0)
    late_s, silent_s, by_habit = patience_s(t, w, row, one)
    if not is_judged(t, row, one, by_habit, now_s):
        set_stage(w, one, row, np.int64(UNJUDGED))
        return np.int64(0), by_habit
    if one.stage == TOLD:
        return silent_s, by_habit
    since = np.int64(one.heard_at)
    unheard_s = (now - since) // np.int64(SECOND_US)
    if unheard_s >= late_s:
        since = owed_since(w, one)
        unheard_s = listened_us(w, since, now) // np.int64(SECOND_US)
        if was_deaf(w, since):
            silent_s += late_s  # one word may have come when nobody listened
    if unheard_s < silent_s:
        set_stage(w, one, row, np.int64(LATE if unheard_s >= late_s else DUE))
        return np.int64(0), by_habit
    set_stage(w, one, row, np.int64(OVERDUE))
    late_from = since + late_s * np.int64(SECOND_US)
    if cause_of(w, one, now, late_from, unheard_s < silent_s + late_s) != ALONE:
        return np.int64(0), by_habit
    return silent_s, by_habit
