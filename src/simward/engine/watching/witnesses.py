"""Some of those struck in a group, kept to be asked what else they have in common, inside compiled code.

What befalls a device does so in each of its groups. Where most of a wide group's witnesses are of narrower groups that
are struck far more densely, several things happened at once, and the wide group is only where they did.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.hashing import mix
from simward.engine.watching.signal_layouts import WITNESSES

DENSER, MOST_SHARE = 2, 60
"""A group is a cause of its own where twice the share of its members is struck as of a wider one's; or four fifths of
them where of the wider one no more than so many in a hundred are. So what struck most members of a group is not
explained by several others."""
WITNESSES_LEAST = 3
"""Fewer cannot say that several groups explain it."""


@njit
def keep_witness(witnesses, number, count):  # type: ignore[no-untyped-def]
    """Keep a member (row + 1) that is struck as the `count`th, so that each is as likely to be among those kept.

    Which one gives way follows from the numbers, so that it is the same each time.
    """
    place = count - np.int64(1)
    if count > WITNESSES:
        place = mix(number ^ (count << np.int64(31))) % count
    if place < WITNESSES:
        witnesses[place] = number


@njit
def is_most(part, whole):  # type: ignore[no-untyped-def]
    """Is `part` four fifths of `whole`? What is missing then is chance, or on its way."""
    return part * 5 >= whole * 4


@njit
def is_denser(struck, members, of_wider, members_of_wider):  # type: ignore[no-untyped-def]
    """Is a far larger share of a group struck than of a wider one?"""
    if struck * members_of_wider >= DENSER * of_wider * members:
        return True
    return is_most(struck, members) and 100 * of_wider <= MOST_SHARE * members_of_wider


@njit
def are_several(own, seen):  # type: ignore[no-untyped-def]
    """Do so many of the witnesses that were seen have a cause of their own that several explain it?"""
    return seen >= WITNESSES_LEAST and 3 * own >= 2 * seen


@njit
def is_apart(group, what):  # type: ignore[no-untyped-def]
    """Did several narrower groups explain it when it was looked at last? `what` is one of APART_*."""
    return np.int64(group.apart) & what != 0


@njit
def set_apart(group, what, so):  # type: ignore[no-untyped-def]
    """Several narrower groups explain it, or they do not."""
    group.apart = np.int64(group.apart) | what if so else np.int64(group.apart) & ~what
