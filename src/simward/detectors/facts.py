"""Constants and small pure functions that detectors share; compiled with them."""

from __future__ import annotations

import numpy as np
from numba import njit

NONE = 0
NOT_REPORTED = 0
NO_SOFTWARE = -1
TIED = 2
"""`marks` of a subscription that a command bound to its device (engine/layouts.py MARK_TIED)."""

# Where a use case lets its devices be (engine/tables.py holds the list; a test keeps the two equal).
FREE, FIXED, AREA = 0, 1, 2
MOBILITIES = {"free": FREE, "fixed": FIXED, "area": AREA}

# Event kinds that detectors ask about (engine/events.py holds the list; a test keeps the two equal).
ACCESS_REQUEST = 1
ACCOUNTING_START = 2
ACCOUNTING_INTERIM = 3
ACCOUNTING_STOP = 4
ACCOUNTING_ON = 5
ACCOUNTING_OFF = 6
TICK = 10

# EVENT.credentials (engine/events.py).
CREDENTIALS_NOT_ASKED, CREDENTIALS_RIGHT, CREDENTIALS_WRONG = 0, 1, 2


@njit
def tac(imei):  # type: ignore[no-untyped-def]
    """Type Allocation Code: the first 8 of the 14 digits (TS 23.003 6.2.1)."""
    return imei // 1_000_000


@njit
def country_of(plmn):  # type: ignore[no-untyped-def]
    """The mobile country code of a network (prefix-1 decimal of 5 or 6 digits)."""
    shortened = np.int64(plmn) // np.int64(100) if plmn < 1_000_000 else np.int64(plmn) // np.int64(1000)
    return shortened % np.int64(1000)


@njit
def imeisv(imei, software):  # type: ignore[no-untyped-def]
    """Device and software version as one number for evidence: IMEI * 1000 + software + 1 (0 = version not reported)."""
    return imei * 1000 + software + 1


@njit
def area_number(plmn, area):  # type: ignore[no-untyped-def]
    """A tracking or location area with its network as one number for evidence; 0 where none is reported."""
    return np.int64(plmn) * np.int64(33_554_432) + np.int64(area) + np.int64(1) if area >= 0 else np.int64(0)


@njit
def farthest_m(around, mobility):  # type: ignore[no-untyped-def]
    """How far a device of such a fleet can have come since it was heard where it was before, m.

    Five minutes are added, since the clocks of two gateways may differ by as much.
    """
    kilometres_an_hour = 1000
    if mobility == FIXED:
        kilometres_an_hour = 150
    elif mobility == AREA:
        kilometres_an_hour = 300
    return (around.travel_s + 300) * kilometres_an_hour * 1000 // 3600


@njit
def travelled_impossibly(around, mobility):  # type: ignore[no-untyped-def]
    """Is it farther from where it was than anything of its kind travels? Below 50 km a cell's own size explains it."""
    return around.travelled_m > 50_000 and around.travelled_m > farthest_m(around, mobility)


# Storms: groups of whose members many do the same at once (engine/watching/storms.py).
PERHAPS, ANOTHER, LIKELY = 1, 2, 3
"""Does another group explain it better? One may; one does; or one is half-way to it."""
WAIT_S, WAIT_LONG_S, WAIT_LONGEST_S = 8, 20, 40
"""What the first cell of a storm shows may be that of its model a moment later."""


@njit
def wait_s(cause):  # type: ignore[no-untyped-def]
    """How long a struck group is looked at before it is told."""
    if cause == LIKELY:
        return WAIT_LONGEST_S
    return WAIT_LONG_S if cause == PERHAPS else WAIT_S


@njit
def without(bits, bit):  # type: ignore[no-untyped-def]
    """A set of bits without one; wide enough for the complement, which an unsigned octet is not."""
    return np.int64(bits) & ~np.int64(bit)


@njit
def judge_many(memory, group, evidence, now_s, struck, limit, cause, is_excused, bit):  # type: ignore[no-untyped-def]
    """Are more of a group's members struck than is usual, and does nothing else explain it? Told again where half as
    many more are; over when half are left. `memory` is most, told and since_s; `bit` is its own in what is told of it.
    """
    if memory.most == 0:
        if struck < limit or limit == 0 or cause == ANOTHER or is_excused:
            memory.since_s = 0
            return np.int64(-1)
        if memory.since_s == 0:
            memory.since_s = now_s
        if now_s - memory.since_s < wait_s(cause):
            return np.int64(-1)
        memory.told = struck
    memory.most = max(memory.most, struck)
    if 2 * struck < memory.most or cause == ANOTHER:
        evidence.was, evidence.now, evidence.expected = group.members, memory.most, limit
        memory.most = memory.told = memory.since_s = 0
        group.told = without(group.told, bit)
        return np.int64(0)
    if 2 * memory.most >= 3 * memory.told:
        memory.told = memory.most
    group.told = np.int64(group.told) | np.int64(bit)
    evidence.was, evidence.now, evidence.expected = group.members, memory.told, limit
    return np.int64(group.kind)
