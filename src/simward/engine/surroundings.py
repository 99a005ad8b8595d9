"""What is known around an event beyond the subscription's row: filled before the detectors judge, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import AREA, FIXED, country_of, tac, travelled_impossibly
from simward.engine.hashing import mix
from simward.engine.layouts import MARK_TAKEN
from simward.engine.lookup import find_device
from simward.engine.places import (
    apart_m,
    countries_apart_m,
    happened_s,
    has_place,
    is_home,
    is_learning,
    locate,
    place_hash,
    root,
)
from simward.engine.planned import look_at_plans
from simward.engine.rows import (
    around_of,
    cell_at,
    device_at,
    model_at,
    pool_range_at,
    session_at,
    subscription_at,
    use_case_at,
)
from simward.engine.sessions import find_session

NOWHERE, UNKNOWN = -1, -1
INTERIM = 3
SECOND_US = 1_000_000
MODE_POOL = 4
OVERLAP_S = 60
"""Less than this two sessions may seem to overlap: the old one is still being taken down."""


@njit
def device_hash(imei):  # type: ignore[no-untyped-def]
    """31 bits, above 0, that name a device; 0 where none is reported."""
    return max(mix(imei) & np.int64(0x7FFFFFFF), np.int64(1)) if imei != 0 else np.int64(0)


@njit
def look_around(t, row, event):  # type: ignore[no-untyped-def]
    """Fill layouts.AROUND for an event of a known subscription, before anything of it is remembered."""
    around = around_of(t)
    subscription = subscription_at(t, row)
    use_case = use_case_at(t, subscription.use_case)
    received_s = np.int64(event.received_at) // np.int64(SECOND_US)
    around.event_s = happened_s(event)
    around.elapsed_s = UNKNOWN
    if subscription.heard_s != 0:
        around.elapsed_s = max(received_s - np.int64(subscription.heard_s), np.int64(0))
    around.placed = has_place(event) and around.event_s >= np.int64(subscription.place_s)
    look_where(t, subscription, use_case, event, around)
    around.jumped = 1 if travelled_impossibly(around, np.int64(use_case.mobility)) else 0
    around.in_pool = UNKNOWN
    if np.int64(use_case.binding_mode) == MODE_POOL and event.imei != 0:
        around.in_pool = in_ranges(t, np.int64(use_case.pool_from), np.int64(use_case.pool_count), event.imei)
    around.model, around.model_rats, around.declared_model = 0, 0, 0
    if t.model_count > 0:
        look_at_model(t, subscription, event, around)
    around.holder, around.two_devices = 0, 0
    if event.kind == INTERIM:
        look_at_sessions(t, row, subscription, event, around)
    around.planned_imei, around.left_imei, around.place_plan = 0, 0, 0
    if subscription.plans != 0:
        look_at_plans(t, subscription, event, around)


@njit
def look_where(t, subscription, use_case, event, around):  # type: ignore[no-untyped-def]
    """Is it at home, in its area, and how far from where it was?"""
    around.at_home, around.away_s = UNKNOWN, 0
    around.travelled_m, around.travel_s = UNKNOWN, 0
    around.from_centre_m, around.radius_m = UNKNOWN, np.int64(use_case.area_radius_m)
    if not around.placed:
        return
    if np.int64(use_case.mobility) == FIXED:
        home = is_home(subscription, place_hash(event.plmn, event.area, event.cell))
        if home or not is_learning(t, subscription, around.event_s):
            around.at_home = 1 if home else 0
        if not home and subscription.away_s != 0:
            around.away_s = around.event_s - np.int64(subscription.away_s)
    here = np.int64(NOWHERE)
    if np.int64(use_case.mobility) == AREA:
        here = locate(t, event.plmn, event.area, event.cell)
        if here >= 0:
            around.from_centre_m = from_centre_m(use_case, cell_at(t, here))
    moved = subscription.cell != event.cell or subscription.area != event.area or subscription.plmn != event.plmn
    if subscription.place_s == 0 or not moved:
        return
    around.travel_s = around.event_s - np.int64(subscription.place_s)
    if here < 0:
        here = locate(t, event.plmn, event.area, event.cell)
    before = np.int64(NOWHERE)
    if here >= 0:
        before = locate(t, subscription.plmn, subscription.area, subscription.cell)
    if before >= 0:
        around.travelled_m = apart_m(cell_at(t, before), cell_at(t, here))
    elif subscription.plmn != 0 and country_of(subscription.plmn) != country_of(event.plmn):
        around.travelled_m = countries_apart_m(t, subscription.plmn, event.plmn)


@njit
def from_centre_m(use_case, cell):  # type: ignore[no-untyped-def]
    """Metres from the centre of the use case's area."""
    x = np.int64(cell.x) - np.int64(use_case.area_x)
    y = np.int64(cell.y) - np.int64(use_case.area_y)
    z = np.int64(cell.z) - np.int64(use_case.area_z)
    return root(x * x + y * y + z * z)


@njit
def in_ranges(t, first, count, imei):  # type: ignore[no-untyped-def]
    """1 where the device lies in one of the ranges (sorted, without overlaps), else 0."""
    low, high = np.int64(first), np.int64(first) + np.int64(count)
    while low < high:
        middle = (low + high) >> np.int64(1)
        if pool_range_at(t, middle).last < imei:
            low = middle + np.int64(1)
        else:
            high = middle
    found = low < np.int64(first) + np.int64(count) and pool_range_at(t, low).first <= imei
    return np.int64(1) if found else np.int64(0)


@njit
def find_model(t, code):  # type: ignore[no-untyped-def]
    """Position of a TAC in the owner's table, or -1."""
    low, high = np.int64(0), np.int64(t.model_count)
    while low < high:
        middle = (low + high) >> np.int64(1)
        if model_at(t, middle).tac < code:
            low = middle + np.int64(1)
        else:
            high = middle
    if low < t.model_count and model_at(t, low).tac == code:
        return low
    return np.int64(NOWHERE)


@njit
def look_at_model(t, subscription, event, around):  # type: ignore[no-untyped-def]
    """What the owner's table says about the reported device, and about the declared one."""
    if event.imei != 0:
        at = find_model(t, tac(event.imei))
        if at >= 0:
            around.model = model_at(t, at).model
            around.model_rats = model_at(t, at).rats
    if subscription.declared_imei != 0:
        at = find_model(t, tac(subscription.declared_imei))
        if at >= 0:
            around.declared_model = model_at(t, at).model


@njit
def look_at_sessions(t, row, subscription, event, around):  # type: ignore[no-untyped-def]
    """Does a session that goes on prove that a device or a subscription is live twice?

    Only an interim proves anything: a session that began before the other was last heard, and still reports, was live
    together with it. A session whose Stop was lost never reports again.
    """
    mine = find_session(t, subscription, event)
    if mine == NOWHERE:
        return
    session = session_at(t, mine)
    device = device_hash(event.imei)
    if device == 0:
        device = np.int64(session.imei_mark)
    if device == 0:
        return
    at = np.int64(subscription.session_head)
    while at != NOWHERE:
        other = session_at(t, at)
        if at != mine and other.imei_mark != 0 and other.imei_mark != device:
            if np.int64(other.heard_s) > np.int64(session.began_s) + np.int64(OVERLAP_S):
                around.two_devices = 1
        at = np.int64(other.next)
    if np.int64(subscription.marks) & MARK_TAKEN and device == device_hash(subscription.last_imei):
        around.holder = other_holder(t, row, subscription, session)


@njit
def other_holder(t, row, subscription, session):  # type: ignore[no-untyped-def]
    """IMSI of the other subscription that took the device over while this session went on, and is live in it; or 0."""
    at = find_device(t, subscription.last_imei)
    if at == NOWHERE:
        return np.int64(0)
    device = device_at(t, at)
    other = subscription_at(t, device.subscription)
    if np.int64(device.subscription) == row or other.last_imei != subscription.last_imei or other.session_count == 0:
        return np.int64(0)
    if np.int64(device.moved_s) <= np.int64(session.began_s) + np.int64(OVERLAP_S):
        return np.int64(0)
    return np.int64(other.imsi)
