"""Where a subscription is, in compiled code: distances, countries, and the areas in which a fixed device is at home."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import FIXED, country_of
from simward.engine.hashing import mix
from simward.engine.lookup import find_cell
from simward.engine.rows import country_at, subscription_at, use_case_at
from simward.engine.tables import AREA_KIND

NOWHERE = -1
UNKNOWN = -1
SECOND_US = 1_000_000
CELL_SHIFT = 56
CLOCK_BELIEVED_S = 7 * 86_400
"""A report that is older than this by its own clock comes from a clock that is wrong, not from a long queue."""
RETURNS_TO_LEARN = 3
"""So often must a fixed device have come home from a neighbouring area for it to count as home too."""


@njit
def happened_s(event):  # type: ignore[no-untyped-def]
    """When an event happened, in seconds: never later than it was received, nor older than can be believed."""
    received = np.int64(event.received_at) // np.int64(SECOND_US)
    reported = np.int64(event.happened_at) // np.int64(SECOND_US)
    if reported > received or reported < received - np.int64(CLOCK_BELIEVED_S):
        return received
    return reported


@njit
def has_place(event):  # type: ignore[no-untyped-def]
    """Does the event say where it is?"""
    return event.plmn != 0 and (event.cell != 0 or event.area >= 0)


@njit
def place_hash(plmn, area, cell):  # type: ignore[no-untyped-def]
    """31 bits, above 0, that name a tracking area, or a cell where no area is reported."""
    value = np.int64(area) + np.int64(1)
    if area < 0:
        value = np.int64(cell) ^ np.int64(0x5555)
    return max(mix(mix(value & np.int64(0x3FFFFFFFFFFFFFFF)) ^ np.int64(plmn)) & np.int64(0x7FFFFFFF), np.int64(1))


@njit
def root(square):  # type: ignore[no-untyped-def]
    """The whole part of a square root, by Newton's method over integers: the same compiled and interpreted."""
    square = np.int64(square)
    if square < 2:
        return square
    guess = np.int64(1) << np.int64(26)
    while True:
        better = (guess + square // guess) >> np.int64(1)
        if abs(better - guess) <= 1:
            break
        guess = better
    while better * better > square:
        better -= np.int64(1)
    return better


@njit
def apart_m(one, other):  # type: ignore[no-untyped-def]
    """Metres between two points, straight through the earth: never more than the way over it."""
    x = np.int64(one.x) - np.int64(other.x)
    y = np.int64(one.y) - np.int64(other.y)
    z = np.int64(one.z) - np.int64(other.z)
    return root(x * x + y * y + z * z)


@njit
def locate(t, plmn, area, cell):  # type: ignore[no-untyped-def]
    """Position of a cell in the owner's table, or of its whole area where only that is listed; -1 = not listed."""
    if t.cell_mask <= 0 or plmn == 0:
        return np.int64(NOWHERE)
    if cell != 0:
        at = find_cell(t, plmn, cell)
        if at >= 0:
            return at
    if area >= 0:
        return find_cell(t, plmn, (np.int64(AREA_KIND) << np.int64(CELL_SHIFT)) | np.int64(area))
    return np.int64(NOWHERE)


@njit
def countries_apart_m(t, one, other):  # type: ignore[no-untyped-def]
    """At least so far from anywhere in one country to anywhere in the other; -1 where the table does not know both."""
    here, there = country_at(t, country_of(one)), country_at(t, country_of(other))
    if here.radius_m == 0 or there.radius_m == 0:
        return np.int64(UNKNOWN)
    return max(apart_m(here, there) - np.int64(here.radius_m) - np.int64(there.radius_m), np.int64(0))


@njit
def is_home(subscription, place):  # type: ignore[no-untyped-def]
    """Is this area among those where the device is at home?"""
    for position in range(len(subscription.homes)):
        if subscription.homes[position] == place:
            return True
    return False


@njit
def is_learning(t, subscription, event_s):  # type: ignore[no-untyped-def]
    """Are the homes of this fixed device still being learnt?"""
    learn_s = np.int64(use_case_at(t, subscription.use_case).learn_s)
    return subscription.learn_from_s == 0 or event_s < np.int64(subscription.learn_from_s) + learn_s


@njit
def add_home(subscription, place):  # type: ignore[no-untyped-def]
    """Give an area one of the places for homes; False where all are taken."""
    for position in range(len(subscription.homes)):
        if subscription.homes[position] == 0:
            subscription.homes[position] = place
            return True
    return False


@njit
def forget_homes(subscription):  # type: ignore[no-untyped-def]
    """Begin to learn anew: the device was moved, and that is meant."""
    for position in range(len(subscription.homes)):
        subscription.homes[position] = 0
    subscription.learn_from_s = 0
    subscription.away_s = 0
    subscription.away = 0
    subscription.returns = 0


@njit
def remember_place(t, row, event):  # type: ignore[no-untyped-def]
    """Take over where the event says that the subscription is, unless something newer is known."""
    event_s = happened_s(event)
    subscription = subscription_at(t, row)
    if not has_place(event) or event_s < np.int64(subscription.place_s):
        return
    subscription.cell = event.cell
    subscription.area = event.area
    subscription.place_s = event_s
    if np.int64(use_case_at(t, subscription.use_case).mobility) != FIXED:
        return
    place = place_hash(event.plmn, event.area, event.cell)
    if subscription.learn_from_s == 0:
        subscription.learn_from_s = event_s
    if is_home(subscription, place):
        come_home(subscription)
    elif not (is_learning(t, subscription, event_s) and add_home(subscription, place)):
        stay_away(subscription, place, event_s)


@njit
def come_home(subscription):  # type: ignore[no-untyped-def]
    """Back in a home area: the area in between is a neighbour if this has happened often enough."""
    if subscription.away_s == 0:
        return
    subscription.away_s = 0
    subscription.returns = min(np.int64(subscription.returns) + np.int64(1), np.int64(255))
    if subscription.returns >= RETURNS_TO_LEARN and add_home(subscription, subscription.away):
        subscription.away = 0
        subscription.returns = 0


@njit
def stay_away(subscription, place, event_s):  # type: ignore[no-untyped-def]
    """Note since when it is in no home area, and in which it is; another one than last time is counted anew."""
    if subscription.away_s == 0:
        subscription.away_s = event_s
    if subscription.away != place:
        subscription.away = place
        subscription.returns = 0
