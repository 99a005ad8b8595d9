"""The watch fold: one input after the other, as the gate journalled them.

Like the gate fold it touches nothing but the arrays that it is given: no clock, no randomness, no I/O, no allocation,
and every value is an explicit int64. `t` holds the gate's tables, `w` the watch's. compose.py takes the text of this
module into the composed one, where `judge_group` is the detectors' judgement.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import (
    ACCESS_REQUEST,
    ACCOUNTING_OFF,
    ACCOUNTING_ON,
    ACCOUNTING_STOP,
    COMMAND_PLAN,
    COMMAND_UNPLAN,
    TICK,
)
from simward.engine.places import happened_s
from simward.engine.rows import class_of, event_at, meta_of
from simward.engine.watching.ahead import look_ahead
from simward.engine.watching.behaviour import look_at_behaviour
from simward.engine.watching.cadence import look_at_cadence, note_word
from simward.engine.watching.days import count_day
from simward.engine.watching.findings import settle
from simward.engine.watching.groups import (
    SECOND_US,
    free_if_unused,
    group_of,
    move,
    put_group,
    set_stage,
    stand,
)
from simward.engine.watching.hearing import hear_subscription, is_group, session_name
from simward.engine.watching.layouts import (
    ACCOUNTED,
    ALL_KINDS_END,
    CELL,
    DATA,
    GATEWAY,
    IDLE,
    LOOK_AHEAD,
    TOLD,
    UNJUDGED,
)
from simward.engine.watching.periods import DAY_S
from simward.engine.watching.resting import group_rests_until_s, wake_subscriptions
from simward.engine.watching.rows import (
    about_at,
    cadence_of,
    group_at,
    group_rest_s,
    group_seen,
    is_group_kept,
    keep_group,
    pace_of,
    row_ahead,
    row_rest_s,
    set_group_rest,
    usage_at,
    use_of,
    watch_meta_of,
    watched_at,
    watched_seen,
    zero_behaviour,
    zero_rhythm,
    zero_signals,
    zero_usage,
    zero_watched,
)
from simward.engine.watching.signalling import look_at_signalling
from simward.engine.watching.signals import signal
from simward.engine.watching.silences import look_at_silence, note_deaf, note_plan
from simward.engine.watching.storm_causes import look_at_group
from simward.engine.watching.struck import in_line, next_in_line, return_to_line
from simward.engine.watching.subscription_findings import QUIET, end_about, look_at_aspect, look_at_use
from simward.engine.watching.sweeping import since_heard, slice_of, sweep
from simward.engine.watching.tallies import forget_calls
from simward.engine.watching.usage import count_record, forget_usage

OUTPUT_ROOM = 400
"""More outputs than one input can make (a tick stops by itself before that)."""
TICK_ROOM, SILENCE_ROOM, ABOUT_ROOM = 100, 60, 180
ABOUT_SWEEP_LEAST, ABOUT_SWEEP_TICKS = 1024, 10
HOUR_US = 3_600_000_000
DEAF_US = 10_000_000
"""A gate ticks each second. Where nothing came for longer it was not there, and nobody could be heard."""
GROUP_SWEEP_LEAST, GROUP_SWEEP_TICKS = 256, 10


def judge_group(t, w, row, event):  # type: ignore[no-untyped-def]
    """Let the detectors of a group's kind write their classes; defined where the kernel is composed."""
    raise NotImplementedError


def judge_use(t, w, row, event, detector):  # type: ignore[no-untyped-def]
    """Let one detector judge what stands in USE; likewise."""
    raise NotImplementedError


def judge_uses(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Let each that judges what a subscription uses do so, and its findings begin and end; likewise."""
    raise NotImplementedError


judge_cadences = judge_signallings = judge_behaviours = judge_uses
"""The same for what is heard of a subscription, for what it signals, and of what stands in BEHAVED; likewise."""


def may_rest(w, row):  # type: ignore[no-untyped-def]
    """Has no detector of a group's kind said anything of it just now, and does each wait for its members alone?
    Likewise.
    """
    raise NotImplementedError


def look_at_given(t, w, row, now_s, detector):  # type: ignore[no-untyped-def]
    """Fill the record, other than USE, that a detector is given; likewise."""
    raise NotImplementedError


@njit
def judged(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Have a group judged, and its findings begin and end."""
    group = group_at(w, row)
    group.unheard_us = since_heard(w, group.last_at, event.received_at) if group.last_at != 0 else np.int64(0)
    judge_group(t, w, row, event)
    group.unheard_us = 0  # it is told to the detectors alone: kept, it would change at each tick
    return settle(w, row, position, made, index)


@njit
def gateway_of(w, event, row):  # type: ignore[no-untyped-def]
    """Row + 1 of the group of an event's gateway (0 = there was no room): mostly the one it came through before."""
    if row >= 0:
        number = np.int64(watched_seen(w, row).gateway)
        if is_group(w, number, np.int64(event.gateway), np.int64(event.client)):
            return number
    return group_of(w, np.int64(GATEWAY), np.int64(event.gateway), np.int64(event.client))


@njit
def hear_gateway(t, w, row, event, position, made):  # type: ignore[no-untyped-def]
    """A gateway says something, of a subscription or (row -1) of none; returns its row + 1 (0 = there was no room),
    made and index.
    """
    number = gateway_of(w, event, row)
    if number == 0:
        return number, made, np.int64(0)
    made, index = judged(t, w, number - np.int64(1), event, position, made, np.int64(0))
    group = group_at(w, number - np.int64(1))
    group.last_at = event.received_at
    if group.off != 0 and event.kind != ACCOUNTING_OFF:
        group.ended_at = event.received_at
    group.off = 1 if event.kind == ACCOUNTING_OFF else 0
    if event.kind == ACCOUNTING_ON or event.kind == ACCOUNTING_OFF:
        group.epoch_at = event.received_at
        wake_subscriptions(w)  # whose sessions it ended
    return number, made, index


@njit
def hear_signal(t, w, row, event, gateway, position, made, index):  # type: ignore[no-untyped-def]
    """Count what it signals; where that is much, have it judged by itself. Returns made and index."""
    if signal(w, row, watched_at(w, row), event, gateway):
        now_s = np.int64(event.received_at) // np.int64(SECOND_US)
        look_at_use(w, row, np.int64(DATA), now_s)
        look_at_signalling(t, w, row, now_s)
        made, index = judge_signallings(t, w, row, event, position, made, index)
    return made, index


@njit
def use_data(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Count what an accounting record says was used, and judge it; a request uses nothing yet."""
    usage = usage_at(w, row)
    now_s = np.int64(event.received_at) // np.int64(SECOND_US)
    if usage.known_day == 0:
        usage.known_day = now_s // np.int64(DAY_S)
    at_s = happened_s(event)
    if event.kind == ACCESS_REQUEST:
        count_day(w, row, event, np.int64(0), np.int64(0), np.int64(0), at_s, at_s)
        return made, index
    up, down, since_s, begun = count_record(w, row, event, session_name(event), at_s)
    count_day(w, row, event, up, down, begun, since_s, at_s)
    look_at_use(w, row, np.int64(DATA), now_s)
    use = use_of(w)
    use.apn = event.apn
    bit = np.int64(1) << np.int64(DATA)
    use.is_first = 0 if np.int64(usage.services) & bit else 1
    usage.services = np.int64(usage.services) | bit | np.int64(ACCOUNTED)
    return judge_uses(t, w, row, event, position, made, index)


@njit
def judge_word(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Judge that a subscription was heard, and when and where, as note_word put it into CADENCE."""
    look_at_use(w, row, np.int64(DATA), np.int64(event.received_at) // np.int64(SECOND_US))
    cadence, gateway = cadence_of(w), np.int64(watched_at(w, row).gateway)
    cadence.sessions = usage_at(w, row).sessions_day
    if gateway == 0:
        return judge_cadences(t, w, row, event, position, made, index)
    group, hour = group_at(w, gateway - np.int64(1)), np.int64(event.received_at) // np.int64(HOUR_US)
    if np.int64(group.told_hour) != hour:
        group.told_hour, group.told_count = hour, 0
    cadence.told_lately, cadence.members = group.told_count, group.members
    before = index
    made, index = judge_cadences(t, w, row, event, position, made, index)
    if index != before:
        group.told_count = np.int64(group.told_count) + np.int64(1)
    return made, index


@njit
def sweep_silences(t, w, event, position, made, index):  # type: ignore[no-untyped-def]
    """A tick looks for silence among the next sixtieth of the subscriptions."""
    meta, now = watch_meta_of(w), np.int64(event.received_at)
    count, last = np.int64(meta_of(t).subscriptions), index + np.int64(SILENCE_ROOM)
    pace, now_s = pace_of(w), now // np.int64(SECOND_US)
    following = np.int64(meta.silence_sweep) if np.int64(meta.silence_sweep) < count else np.int64(0)
    for _ in range(slice_of(count)):
        if index >= last:
            break
        row = following
        following = row + np.int64(1) if row + np.int64(1) < count else np.int64(0)
        unseen = np.int64(pace.silences_unseen)
        if unseen > 0:
            pace.silences_unseen = unseen - np.int64(1)
        elif now_s < row_rest_s(w, row) and pace.never == 0:
            continue
        limit_s, by_habit = look_at_silence(t, w, row, now)
        if limit_s == 0:
            continue
        look_at_cadence(t, w, row, now_s)
        cadence = cadence_of(w)
        cadence.is_overdue, cadence.limit_s, cadence.by_habit = 1, limit_s, by_habit
        look_at_use(w, row, np.int64(DATA), now_s)
        before = index
        made, index = judge_cadences(t, w, row, event, position, made, index)
        if index != before and usage_at(w, row).finding_head != 0:  # else there was no room to tell it, and it waits
            set_stage(w, watched_at(w, row), row, np.int64(TOLD))
    meta.silence_sweep = following
    return made, index


@njit
def sweep_about(t, w, event, position, made, index):  # type: ignore[no-untyped-def]
    """A tick looks at the next tenth of the open findings about subscriptions: what they say may be over by now."""
    meta = watch_meta_of(w)
    count, last = np.int64(meta.about), index + np.int64(ABOUT_ROOM)
    share = (count + ABOUT_SWEEP_TICKS - 1) // np.int64(ABOUT_SWEEP_TICKS)
    for _ in range(min(count, max(np.int64(ABOUT_SWEEP_LEAST), share))):
        if index >= last:
            break
        at = np.int64(meta.about_sweep) % count
        meta.about_sweep = (at + np.int64(1)) % count
        finding = about_at(w, at)
        if finding.subscription == 0:
            continue
        row, k = np.int64(finding.subscription) - np.int64(1), np.int64(finding.detector)
        now_s = np.int64(event.received_at) // np.int64(SECOND_US)
        look_at_use(w, row, np.int64(finding.service), now_s)
        look_at_given(t, w, row, now_s, k)
        look_at_aspect(w, row, k, np.int64(finding.aspect))
        judge_use(t, w, row, event, k)
        if class_of(w, k) == QUIET:
            end_about(t, w, row, at + np.int64(1), position, made, index)
            made, index = made + np.int64(1), index + np.int64(1)
    return made


@njit
def judge_struck(t, w, event, position, made, index):  # type: ignore[no-untyped-def]
    """The groups that were struck a moment ago do not wait for their turn; the wide ones, which may explain the narrow
    ones, come first.
    """
    for place in range(ALL_KINDS_END - CELL):
        kind = np.int64(ALL_KINDS_END - 1 - place)
        for _ in range(in_line(w, kind)):
            if index > TICK_ROOM:
                return made, index
            number = next_in_line(w, kind)
            look_at_group(w, number - np.int64(1), np.int64(event.received_at))
            made, index = judged(t, w, number - np.int64(1), event, position, made, index)
            return_to_line(w, number, np.int64(event.received_at) // np.int64(SECOND_US))
    return made, index


@njit
def sweep_groups(t, w, event, position, made, index):  # type: ignore[no-untyped-def]
    """A tick looks at the next tenth of the groups, but at none that rests."""
    meta, pace, now = watch_meta_of(w), pace_of(w), np.int64(event.received_at)
    count, now_s = np.int64(meta.groups), now // np.int64(SECOND_US)
    share = (count + GROUP_SWEEP_TICKS - 1) // np.int64(GROUP_SWEEP_TICKS)
    for _ in range(min(count, max(np.int64(GROUP_SWEEP_LEAST), share))):
        if index > TICK_ROOM:
            break
        at = np.int64(meta.group_sweep) if np.int64(meta.group_sweep) < count else np.int64(0)
        meta.group_sweep = at + np.int64(1) if at + np.int64(1) < count else np.int64(0)
        if (now_s < group_rest_s(w, at) and pace.never == 0) or group_seen(w, at).kind == 0:
            continue
        keep_group(w, at)
        look_at_group(w, at, now)
        before = index
        made, index = judged(t, w, at, event, position, made, index)
        if index != before:
            free_if_unused(w, at + np.int64(1))
        elif is_group_kept(w, at) and may_rest(w, at):
            set_group_rest(w, at, group_rests_until_s(group_seen(w, at), now))
    return made, index


@njit
def fold_tick(t, w, event, position, made):  # type: ignore[no-untyped-def]
    """Time has passed: who has fallen silent, and what does that say about the next tenth of the groups?"""
    pace, now = pace_of(w), np.int64(event.received_at)
    resting = now // np.int64(SECOND_US) < pace.rows_rest_s and pace.never == 0
    if not resting:
        sweep(t, w, now)
    made, index = judge_struck(t, w, event, position, made, np.int64(0))
    made, index = sweep_groups(t, w, event, position, made, index)
    if not resting or pace.rows_rest_s == 0:
        made, index = sweep_silences(t, w, event, position, made, index)
    return sweep_about(t, w, event, position, made, index)


def fold(tables, watch, count, first):  # type: ignore[no-untyped-def]
    """Fold events in order, the first of which has the sequence `first` in the gate's journal.

    Returns how many were consumed and how many outputs were made; stops early where the outputs might not fit.
    """
    t, w = tables[0], watch[0]
    made = np.int64(0)
    meta = watch_meta_of(w)
    for position in range(count):
        if made + OUTPUT_ROOM > w.outputs_room:
            return np.int64(position), made
        if position % LOOK_AHEAD == 0:
            look_ahead(t, w, np.int64(position), min(np.int64(position) + np.int64(LOOK_AHEAD), np.int64(count)))
        event = event_at(w, position)
        kind = np.int64(event.kind)
        if event.received_at - meta.now > DEAF_US:
            if meta.now != 0:
                note_deaf(w, np.int64(meta.now), np.int64(event.received_at))
            meta.listening_since = event.received_at
        meta.sequence = first + np.int64(position)
        meta.now = max(meta.now, event.received_at)
        if ACCESS_REQUEST <= kind <= ACCOUNTING_STOP:
            row = row_ahead(w, position % LOOK_AHEAD)
            gateway, made, index = hear_gateway(t, w, row, event, np.int64(position), made)
            if row >= 0:
                is_judged = note_word(t, w, row, event, gateway)
                made, index = hear_signal(t, w, row, event, gateway, np.int64(position), made, index)
                hear_subscription(t, w, row, event, gateway)
                made, index = use_data(t, w, row, event, np.int64(position), made, index)
                if is_judged:
                    made, index = judge_word(t, w, row, event, np.int64(position), made, index)
        elif kind == ACCOUNTING_ON or kind == ACCOUNTING_OFF:
            _, made, _ = hear_gateway(t, w, np.int64(-1), event, np.int64(position), made)
        elif kind == TICK:
            made = fold_tick(t, w, event, np.int64(position), made)
        elif kind == COMMAND_PLAN or kind == COMMAND_UNPLAN:
            note_plan(t, w, event)
    return np.int64(count), made


def forget(tables, watch, rows, at, made, index):  # type: ignore[no-untyped-def]
    """Forget removed subscriptions: they are in no group any more, and what was found about them is over.

    Returns how many outputs were made.
    """
    t, w = tables[0], watch[0]
    for position in range(len(rows)):
        row = np.int64(rows[position])
        while usage_at(w, row).finding_head != 0:
            end_about(t, w, row, np.int64(usage_at(w, row).finding_head), np.int64(0), made, index)
            made, index = made + np.int64(1), index + np.int64(1)
        forget_usage(w, row)
        forget_calls(w, row)
        zero_usage(w, row)
        zero_behaviour(w, row)
        zero_rhythm(w, row)
        zero_signals(w, row)
        one = watched_at(w, rows[position])
        stand(w, one, rows[position], np.int64(IDLE), at, np.int64(0))
        set_stage(w, one, rows[position], np.int64(UNJUDGED))
        for kind in range(CELL, ALL_KINDS_END):
            move(w, one, np.int64(kind), np.int64(0))
        zero_watched(w, rows[position])
    return made


def judge_days(tables, watch, rows, event, made, index):  # type: ignore[no-untyped-def]
    """Have detectors of behaviour judge what was settled of subscriptions, and their findings begin, go on and end.

    `event` is an array of one event, a tick: when. Returns how many outputs were made.
    """
    t, w = tables[0], watch[0]
    now_s = np.int64(event[0].received_at) // np.int64(SECOND_US)
    for position in range(len(rows)):
        row = np.int64(rows[position])
        look_at_use(w, row, np.int64(DATA), now_s)
        look_at_behaviour(t, w, row, now_s)
        made, index = judge_behaviours(t, w, row, event[0], np.int64(0), made, index)
    return made


def build_index(watch):  # type: ignore[no-untyped-def]
    """Fill an empty index of groups from the table."""
    from_groups(watch[0])


@njit
def from_groups(w):  # type: ignore[no-untyped-def]
    """Enter every group in use."""
    for row in range(watch_meta_of(w).groups):
        if group_at(w, row).kind != 0:
            put_group(w, np.int64(row))
