"""What the fold keeps of an event: its session, and the subscription's last known device and place. Inside compiled
code.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.addressing import FILTER_QUARANTINE, ipv6_mark, is_confined
from simward.engine.confining import filters_for
from simward.engine.findings import about, new_output
from simward.engine.hashing import mix
from simward.engine.layouts import MARK_JUMPED, MARK_TAKEN
from simward.engine.long_ids import keep_long_id
from simward.engine.lookup import find_device, put_device
from simward.engine.places import happened_s, remember_place
from simward.engine.planned import is_of_before
from simward.engine.rows import around_of, device_at, gateway_at, meta_of, session_at, subscription_at
from simward.engine.sessions import (
    CONFINED,
    START_BIT,
    START_SEEN,
    STOP_BIT,
    begins_anew,
    close_session,
    find_ended,
    find_session,
    interim_token,
    is_another_start,
    make_way,
    open_session,
    remember_ended,
    remember_interim,
    session_hash,
    start_token,
    with_token,
)

NOWHERE = -1
DEVICES_SPARE = 65_536
"""How many more devices than twice the subscriptions are remembered."""
ACCESS_REQUEST, START, STOP = 1, 2, 4
QUARANTINED = 1
DEVICE_SEEN = 17
SECOND_US, DAY_S = 1_000_000, 86_400


@njit
def touch_session(t, row, event, gateway):  # type: ignore[no-untyped-def]
    """Keep the session table in step with an accounting record; returns the session's row or -1."""
    subscription = subscription_at(t, row)
    epoch = np.int64(gateway_at(t, gateway).epoch) if gateway >= 0 else np.int64(0)
    at = find_session(t, subscription, event)
    if at != NOWHERE and event.kind == START and is_another_start(session_at(t, at), event):
        close_session(t, row, at, False)
        at = open_counted(t, row, event, epoch, gateway)
    if event.kind == STOP:
        if at != NOWHERE:
            session_at(t, at).heard_s = max(np.int64(session_at(t, at).heard_s), happened_s(event))
            close_session(t, row, at, True)
            return np.int64(NOWHERE)
        name = session_hash(t, event, epoch)
        ended = find_ended(subscription, name)
        if ended == NOWHERE:
            remember_ended(subscription, name, np.int64(STOP_BIT), happened_s(event), np.int64(0))
        else:
            subscription.ended[ended] = np.int64(subscription.ended[ended]) | np.int64(STOP_BIT)
        return np.int64(NOWHERE)
    if at == NOWHERE:
        ended = find_ended(subscription, session_hash(t, event, epoch))
        over = ended != NOWHERE and (np.int64(subscription.ended[ended]) & STOP_BIT) != 0
        if over and not (event.kind == START and begins_anew(subscription.ended[ended], event)):
            # A Start or interim that comes after its Stop opens nothing.
            if event.kind == START:
                subscription.ended[ended] = np.int64(subscription.ended[ended]) | np.int64(START_BIT)
            else:
                tokens = np.int64(subscription.ended_tokens[ended])
                subscription.ended_tokens[ended] = with_token(tokens, interim_token(event))
            meta_of(t).late = np.int64(meta_of(t).late) + np.int64(1)
            return np.int64(NOWHERE)
        make_way(t, row)
        at = open_counted(t, row, event, epoch, gateway)
    keep_long_id(t, at, event)  # where what opened it was not whole
    progress(t, row, session_at(t, at), event)
    return at


@njit
def open_counted(t, row, event, epoch, gateway):  # type: ignore[no-untyped-def]
    """Open a session and count it for its gateway."""
    at = open_session(t, row, event, epoch, event.kind == START)
    session_at(t, at).began_s = max(happened_s(event) - max(np.int64(event.duration_s), np.int64(0)), np.int64(0))
    session_at(t, at).prefix_mark = ipv6_mark(t, row, event.apn, event)
    note_quarantine(t, row, at, event)
    if gateway >= 0:
        gateway_at(t, gateway).sessions = np.int64(gateway_at(t, gateway).sessions) + np.int64(1)
        gateway_at(t, gateway).started = np.int64(gateway_at(t, gateway).started) + np.int64(1)
    return at


@njit
def note_quarantine(t, row, at, event):  # type: ignore[no-untyped-def]
    """Was this session let in to quarantine? By the decision that its Class names, else by the last one for its APN."""
    subscription, session = subscription_at(t, row), session_at(t, at)
    if subscription.last_verdict != QUARANTINED:
        return
    if event.class_token != 0 and event.class_token != subscription.decided_sequence:
        return
    if event.class_token == 0 and event.apn != subscription.apn:
        return
    # An address that is given later is none that it has instead of the quarantine's.
    unaddressed = event.class_token != 0 and session.address == 0 and session.prefix_mark == 0
    if filters_for(t, row, session) & FILTER_QUARANTINE or unaddressed or is_confined(t, row, session):
        session["flags"] = np.int64(session["flags"]) | np.int64(CONFINED)
        session.confined_by = subscription.last_detector


@njit
def progress(t, row, session, event):  # type: ignore[no-untyped-def]
    """What an accounting record adds to its session; times only grow, so that a reordered record does no harm."""
    if event.kind == START:
        session["flags"] = np.int64(session["flags"]) | np.int64(START_SEEN)
        session.start_token = start_token(event)
    else:
        remember_interim(session, interim_token(event))
    session.heard_s = max(np.int64(session.heard_s), happened_s(event))
    if event.imei != 0:
        session.imei_mark = max(mix(event.imei) & np.int64(0x7FFFFFFF), np.int64(1))
    if event.address != 0:
        session.address = event.address
    mark = ipv6_mark(t, row, session.apn, event)
    if mark != 0:
        session.prefix_mark = mark


@njit
def note_jump(subscription, event_s):  # type: ignore[no-untyped-def]
    """It went farther than anything travels: when, and whether it had within the day before."""
    again = subscription.jumped_s != 0 and event_s - np.int64(subscription.jumped_s) < DAY_S
    marks = np.int64(subscription.marks)
    subscription.marks = marks | np.int64(MARK_JUMPED) if again else marks & ~np.int64(MARK_JUMPED)
    subscription.jumped_s = event_s


@njit
def remember(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """The subscription's last known device and network: what findings compare with. Another device is an output."""
    subscription = subscription_at(t, row)
    subscription.heard_s = max(
        np.int64(subscription.heard_s), np.int64(event.received_at) // np.int64(SECOND_US)
    )
    if event.kind != STOP and around_of(t).jumped:
        note_jump(subscription, np.int64(around_of(t).event_s))
    remember_place(t, row, event)
    of_before = subscription.plans != 0 and is_of_before(t, subscription, event)
    if event.imei != 0 and not of_before:
        taken = np.int64(subscription.marks) & MARK_TAKEN and event.kind <= START
        if event.imei != subscription.last_imei or taken:
            remember_device(t, row, event)
        if event.imei != subscription.last_imei and event.kind != STOP:  # a Stop may come long after it was moved
            output = new_output(t, made, event, position, index, DEVICE_SEEN)
            about(output, t, row)
            output.was = subscription.last_imei
            output.now = event.imei
            made += 1
            index += 1
        if event.software >= 0 or event.imei != subscription.last_imei:
            subscription.last_software = event.software
        subscription.last_imei = event.imei
    if event.plmn != 0:
        subscription.plmn = event.plmn
    if event.apn != 0:
        subscription.apn = event.apn
    if event.rat != 0:
        subscription.rat = event.rat
    if event.gateway != 0:
        subscription.gateway = event.gateway
    return made, index


@njit
def remember_device(t, row, event):  # type: ignore[no-untyped-def]
    """Which subscription a device was last seen to move into; bounded, so a flood of made-up IMEIs is only counted."""
    meta = meta_of(t)
    subscription_at(t, row).marks = np.int64(subscription_at(t, row).marks) & ~np.int64(MARK_TAKEN)
    at = find_device(t, event.imei)
    if at == NOWHERE:
        at = np.int64(meta.devices)
        if at >= 2 * np.int64(meta.subscriptions) + np.int64(DEVICES_SPARE):
            meta.device_overflow = np.int64(meta.device_overflow) + np.int64(1)
            return
        meta.devices = at + np.int64(1)
        device_at(t, at).imei = event.imei
        put_device(t, event.imei, at)
    elif np.int64(device_at(t, at).subscription) != row:
        holder = subscription_at(t, device_at(t, at).subscription)
        # One card may carry several IMSIs: they take turns in one device, and that is no copy.
        other_card = holder.iccid != subscription_at(t, row).iccid
        if other_card and holder.session_count > 0 and holder.last_imei == event.imei:
            holder.marks = np.int64(holder.marks) | np.int64(MARK_TAKEN)
    if np.int64(device_at(t, at).subscription) != row or device_at(t, at).moved_s == 0:
        device_at(t, at).moved_s = happened_s(event)
    device_at(t, at).subscription = row
