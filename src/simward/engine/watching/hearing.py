"""A word of a subscription inside compiled code: which groups it is in by that, and what it owes from now on."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import tac
from simward.engine.events import ACCESS_REQUEST, ACCOUNTING_INTERIM, ACCOUNTING_STOP
from simward.engine.rows import subscription_at
from simward.engine.watching.groups import SECOND_US, group_of, move, pointer, set_stage, stand
from simward.engine.watching.layouts import (
    CELL,
    DUE,
    ENDED,
    GATEWAY,
    IDLE,
    KINDS_END,
    LATE,
    LIVE,
    MODEL,
    NETWORK,
    SILENT,
    SOFTWARE,
    USE_CASE,
)
from simward.engine.watching.rows import group_at, group_seen, watched_at

HABIT_SHARE, LATE_SHARE = 8, 16


@njit
def session_name(event):  # type: ignore[no-untyped-def]
    """31 bits, above 0, of what names a session: Acct-Session-Id and gateway (RFC 2866 5.5)."""
    value = np.int64(event.gateway) ^ (np.int64(event.client) << np.int64(16))
    for position in range(np.int64(event.session_id_octets)):
        value = ((value ^ np.int64(event.session_id[position])) * np.int64(16777619)) & np.int64(0xFFFFFFFF)
    return max(np.int64(1), (value ^ (value >> np.int64(15))) & np.int64(0x7FFFFFFF))


@njit
def learn_habit(one, name, at):  # type: ignore[no-untyped-def]
    """The longest usual time between two interims of one session: what comes twice raises it, and it falls slowly.

    Once is an absence. Handovers bring interims between those that are owed. How long the first took after the Start
    says nothing: it may come by the gateway's clock.
    """
    if np.int64(one.session) != name or one.reported == 0:
        return
    gap_s = (at - one.heard_at) // np.int64(SECOND_US)
    habit_s = np.int64(one.habit_s)
    if gap_s <= 0 or gap_s > 1_000_000:
        return
    if habit_s == 0:
        one.habit_s = gap_s
    elif gap_s > habit_s:
        one.habit_s = max(habit_s, min(gap_s, np.int64(one.late_s)))
        one.late_s = gap_s
    else:
        one.habit_s = habit_s + (gap_s - habit_s) // np.int64(HABIT_SHARE)
        late_s = np.int64(one.late_s) - np.int64(one.late_s) // np.int64(LATE_SHARE)
        one.late_s = late_s if late_s > habit_s else np.int64(0)


@njit
def is_group(w, number, key, within):  # type: ignore[no-untyped-def]
    """Is it the group with this row + 1? Cheaper to ask than to seek it."""
    if number == 0:
        return False
    group = group_seen(w, number - np.int64(1))
    return np.int64(group.key) == key and np.int64(group.within) == within


@njit
def join(w, one, kind, key, within):  # type: ignore[no-untyped-def]
    """A subscription is in this group of a kind, whether or not it was."""
    if not is_group(w, pointer(one, kind), key, within):
        move(w, one, kind, group_of(w, kind, key, within))


@njit
def place(t, w, row, one, event, gateway):  # type: ignore[no-untyped-def]
    """Which groups a subscription is in, by its newest word; what that does not report stays as it was."""
    use_case = np.int64(subscription_at(t, row).use_case)
    if one.use_case == 0 or group_at(w, np.int64(one.use_case) - np.int64(1)).key != use_case:
        number = group_of(w, np.int64(USE_CASE), use_case, np.int64(0)) if use_case != 0 else np.int64(0)
        move(w, one, np.int64(USE_CASE), number)
    if gateway != 0:
        move(w, one, np.int64(GATEWAY), gateway)
    if event.cell != 0:
        join(w, one, np.int64(CELL), np.int64(event.cell), np.int64(event.plmn))
    if event.plmn != 0:
        join(w, one, np.int64(NETWORK), np.int64(event.plmn), np.int64(0))
    if event.imei != 0:
        model = np.int64(tac(event.imei))
        join(w, one, np.int64(MODEL), model, np.int64(0))
        if event.software >= 0:
            join(w, one, np.int64(SOFTWARE), model * np.int64(100) + np.int64(event.software), np.int64(0))
        elif one.software != 0 and group_at(w, np.int64(one.software) - np.int64(1)).key // np.int64(100) != model:
            move(w, one, np.int64(SOFTWARE), np.int64(0))  # another model, of which that is not known


@njit
def hear_subscription(t, w, row, event, gateway):  # type: ignore[no-untyped-def]
    """A word of a subscription: where it is, and what it owes from now on."""
    one = watched_at(w, row)
    now = np.int64(event.received_at)
    standing = np.int64(IDLE if one.standing == SILENT else one.standing)
    if event.kind != ACCESS_REQUEST:
        name = session_name(event)
        if event.kind == ACCOUNTING_STOP:
            # Another session than the one that spoke last may go on: then it is that one that owes.
            if np.int64(one.session) == name or one.session == 0:
                standing = np.int64(ENDED)
        else:
            if event.kind == ACCOUNTING_INTERIM:
                learn_habit(one, name, now)
            one.session = name
            # RFC 2869 5.16: what a gateway is set to overrides what it is told; it owes what it has been seen to do.
            standing = np.int64(LIVE if one.habit_s > 0 else IDLE)
        one.reported = 1 if event.kind == ACCOUNTING_INTERIM else 0
    if one.standing == SILENT:
        stand(w, one, row, np.int64(IDLE), now, np.int64(0))
    if one.stage >= LATE:
        set_stage(w, one, row, np.int64(DUE))
    place(t, w, row, one, event, gateway)
    stand(w, one, row, standing, now, np.int64(0))
    one.heard_at = now
    for kind in range(CELL, KINDS_END):
        number = pointer(one, kind)
        if number != 0 and kind != GATEWAY:
            group_at(w, number - np.int64(1)).last_at = now
