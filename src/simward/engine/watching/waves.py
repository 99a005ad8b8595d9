"""Who of a group connects within the same seconds, inside compiled code, again and again or after an outage.

Tens of seconds are counted, and two that follow each other make a wave where more than is usual of the group are in
them. What comes back after the outage of a gateway is counted there, and is in no wave.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.groups import pointer
from simward.engine.watching.layouts import ALL_KINDS_END, CELL
from simward.engine.watching.rows import group_at
from simward.engine.watching.signal_layouts import WITNESSES
from simward.engine.watching.struck import strike

TEN_S = 10
WAVE_LEAST, WAVE_SHARE = 20, 4
"""A quarter of the members within twenty seconds, and at least so many."""
BEYOND_HABIT = 2
YOUNG_S = 3 * 86_400
"""What a group does in its first days is how it is: meters may well report together each midnight."""
SAME_WAVE_S = 40
"""What comes so soon after is the same wave, that was looked at while it came."""
AGAIN_WITHIN_S = 26 * 3_600
FRESH_S = 120
THOUSAND = 1000
BACK_GAP_S = 300


@njit
def hit(w, row, one, at_s):  # type: ignore[no-untyped-def]
    """A subscription connects, and nothing explains that: it may be one of many."""
    tens = at_s // np.int64(TEN_S)
    for kind in range(CELL, ALL_KINDS_END):
        number = pointer(one, kind)
        if number == 0:
            continue
        group = group_at(w, number - np.int64(1))
        passed = tens - np.int64(group.tens)
        if passed > 0:
            group.wave_before = np.int64(group.wave_now) if passed == 1 else np.int64(0)
            group.wave_now = 0
            group.tens = tens
        elif passed < 0:
            continue  # its record came late
        group.wave_now = np.int64(group.wave_now) + np.int64(1)
        together = np.int64(group.wave_now) + np.int64(group.wave_before)
        if group.wave_most == 0:
            group.wave_since_s = at_s
        if together > group.wave_most:
            group.wave_most = together
        left = np.int64(group.wave_limit) - together
        if left < 0 or left >= WITNESSES:
            continue
        group.wave_witnesses[left] = np.int64(row) + np.int64(1)
        if left == 0:  # whoever connects by chance after that was in no wave
            strike(w, number)


@njit
def come_back(w, number, at_s):  # type: ignore[no-untyped-def]
    """A subscription connects after the outage of a gateway."""
    gateway = group_at(w, number - np.int64(1))
    if gateway.back == 0 or at_s - np.int64(gateway.back_s) > BACK_GAP_S:
        gateway.back = 0
        gateway.back_began_s = at_s
    gateway.back = np.int64(gateway.back) + np.int64(1)
    gateway.back_s = max(np.int64(gateway.back_s), at_s)
    strike(w, number)


@njit
def in_thousandths(group, count, few):  # type: ignore[no-untyped-def]
    """So many members of a group as a share of all, or of `few` where there are fewer: that one of one does something
    says nothing about what half of forty would be.
    """
    members = max(np.int64(group.members), np.int64(few))
    return min(np.int64(count) * np.int64(THOUSAND) // members, np.int64(THOUSAND))


@njit
def of_members(group, habit, before, few):  # type: ignore[no-untyped-def]
    """How many members a learnt share is now."""
    share = max(np.int64(habit), np.int64(before))
    return (share * max(np.int64(group.members), np.int64(few)) + np.int64(THOUSAND - 1)) // np.int64(THOUSAND)


@njit
def wave_limit(group):  # type: ignore[no-untyped-def]
    """How many within twenty seconds are more than usual."""
    usual = of_members(group, group.wave_habit, group.wave_habit_before, np.int64(WAVE_LEAST * WAVE_SHARE))
    return max(np.int64(WAVE_LEAST), np.int64(group.members) // np.int64(WAVE_SHARE), np.int64(BEYOND_HABIT) * usual)


@njit
def roll_waves(group, now_s):  # type: ignore[no-untyped-def]
    """Was there a wave since the group was looked at last?"""
    most = np.int64(group.wave_most)
    young = now_s - np.int64(group.known_s) < YOUNG_S
    if most == 0 or young or most < wave_limit(group):
        return
    since_s = now_s - np.int64(group.wave_s)
    if group.waves > 0 and since_s <= SAME_WAVE_S:
        group.wave = max(np.int64(group.wave), most)
    else:
        again = group.waves > 0 and since_s <= AGAIN_WITHIN_S
        group.waves = min(np.int64(group.waves) + np.int64(1), np.int64(1_000_000)) if again else np.int64(1)
        group.wave_gap_s = now_s - np.int64(group.wave_began_s) if again else np.int64(0)
        group.wave = max(np.int64(group.wave), most) if again else most
        group.wave_began_s = now_s
    group.wave_s = now_s
    group.wave_most = 0


@njit
def learn_wave(group, now_s):  # type: ignore[no-untyped-def]
    """What connects together and is no wave is how the group is."""
    roll_waves(group, now_s)
    group.wave_limit = wave_limit(group)
    most = np.int64(group.wave_most)
    if most > 0 and now_s - np.int64(group.wave_since_s) >= SAME_WAVE_S:  # a wave that is still rising is no habit
        share = in_thousandths(group, most, np.int64(WAVE_LEAST * WAVE_SHARE))
        group.wave_habit = max(np.int64(group.wave_habit), share)
        group.wave_most = 0


@njit
def is_wave(group, now_s):  # type: ignore[no-untyped-def]
    """Has one come a moment ago?"""
    return group.waves > 0 and now_s - np.int64(group.wave_s) <= FRESH_S
