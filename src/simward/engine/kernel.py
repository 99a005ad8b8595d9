"""The gate fold: one event after the other, in the order in which things happen.

It touches nothing but the arrays that it is given: no clock, no randomness, no I/O, no allocation. Every value that is
compared or stored is an explicit int64, so that interpreted and compiled runs give the same bytes. compose.py takes the
text of this module into the composed one, where the four `judge_...` are the detectors' judgements.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.layouts import STRANGERS
from simward.engine.rows import (
    detector_at,
    device_at,
    event_at,
    gateway_at,
    gateway_of_text,
    meta_of,
    result_at,
    segment_at,
    segment_state_at,
    session_at,
    set_class,
    set_gateway_of_text,
    settings_of,
    stranger_at,
    subscription_at,
    use_case_at,
)
from simward.engine.commands import fold_command, fold_effect_result, sweep
from simward.engine.effects import (
    ADDRESS_GIVEN,
    about_decision,
    bind_if_first,
    take_address,
    lock_subscription,
    release_subscription,
    write_disconnect,
    write_verdict,
)
from simward.engine.findings import LOCK, NOWHERE, QUARANTINE, REFUSE, about, new_output
from simward.engine.lookup import fetch_ahead, find_device, find_imsi, find_msisdn, mix, put_device
from simward.engine.sessions import (
    DISCONNECTING,
    START_BIT,
    START_SEEN,
    STOP_BIT,
    close_session,
    drop_older_epochs,
    find_ended,
    find_session,
    interim_seen,
    interim_token,
    make_way,
    open_session,
    remember_ended,
    remember_interim,
    session_hash,
)
from simward.engine.settle import NO_OPINION, settle

ACCESS_REQUEST, START, INTERIM, STOP, ACCOUNTING_ON, ACCOUNTING_OFF = 1, 2, 3, 4, 5, 6
TICK, COMMAND_FIRST, COMMAND_LAST, EFFECT_RESULT = 10, 20, 24, 30
SCOPE_SUBSCRIPTION, SCOPE_STRANGER, SCOPE_GATEWAY, SCOPE_SEGMENT = 0, 1, 2, 3
ALLOW, QUARANTINED, REJECT = 0, 1, 2
RELEASE_EXPIRY, RELEASE_RETURNED = 2, 3
LOCKED_BY_FINDING = 1
RULE_BOUND_DEVICE = 1
SAME_MOMENT_US = 2_000_000
OUTPUT_ROOM = 64
"""More outputs than one event can make (a sweep stops by itself before that)."""


def judge_subscription(t, row, event):  # type: ignore[no-untyped-def]
    """Let the detectors of this scope write their classes; defined where the kernel is composed."""
    raise NotImplementedError


judge_stranger = judge_gateway = judge_segment = judge_subscription


@njit
def find_subscription(t, event):  # type: ignore[no-untyped-def]
    """Whose event is it? 3GPP-IMSI, else User-Name, else Calling-Station-Id, each as IMSI or as MSISDN; -1 = nobody's."""
    if event.imsi != 0:
        return find_imsi(t, event.imsi)
    if event.user != 0:
        row = find_imsi(t, event.user)
        if row >= 0:
            return row
        row = find_msisdn(t, event.user)
        if row >= 0:
            return row
    if event.msisdn != 0:
        row = find_msisdn(t, event.msisdn)
        if row >= 0:
            return row
        return find_imsi(t, event.msisdn)
    return np.int64(NOWHERE)


@njit
def advance(t, event):  # type: ignore[no-untyped-def]
    """This event is new: it takes the next sequence number. A retransmission never gets here."""
    meta = meta_of(t)
    meta.sequence = np.int64(meta.sequence) + np.int64(1)
    meta.now = max(meta.now, event.received_at)


@njit
def gateway_row(t, event):  # type: ignore[no-untyped-def]
    """Row of the event's gateway, made where it is new; -1 where the table is full."""
    known = (gateway_of_text(t, event.gateway))
    if known > 0:
        return known - np.int64(1)
    row = np.int64(meta_of(t).gateways)
    if row >= t.gateways_room:
        return np.int64(NOWHERE)
    meta_of(t).gateways = row + np.int64(1)
    gateway_at(t, row).gateway = event.gateway
    gateway_at(t, row).client = event.client
    gateway_at(t, row).finding_head = NOWHERE
    set_gateway_of_text(t, event.gateway, row + np.int64(1))
    return row


@njit
def gateway_epoch(t, event):  # type: ignore[no-untyped-def]
    """The epoch of the event's gateway; 0 where it was never seen."""
    known = (gateway_of_text(t, event.gateway))
    return np.int64(gateway_at(t, known - 1).epoch) if known > 0 else np.int64(0)


@njit
def seen_before(t, row, event):  # type: ignore[no-untyped-def]
    """Is this a retransmission of something that was folded? Reads only.

    A request is told by its authenticator (RFC 5080 2.2.2). An accounting record is told by what it says, since
    Acct-Delay-Time gives each transmission another authenticator (RFC 2866 5.2).
    """
    subscription = subscription_at(t, row)
    if event.kind == ACCESS_REQUEST:
        return event.request != 0 and subscription.last_request == event.request
    epoch = gateway_epoch(t, event)
    at = find_session(t, subscription, event)
    if at != NOWHERE and np.int64(session_at(t, at).epoch) == epoch:
        session = session_at(t, at)
        if event.kind == START:
            return (np.int64(session["flags"]) & START_SEEN) != 0
        return event.kind == INTERIM and interim_seen(session, event, interim_token(event))
    ended = find_ended(subscription, session_hash(event, epoch))
    if ended == NOWHERE:
        return False
    marks = np.int64(subscription.ended[ended])
    if event.kind == START:
        return (marks & START_BIT) != 0
    return (marks & STOP_BIT) != 0


@njit
def touch_session(t, row, event, gateway):  # type: ignore[no-untyped-def]
    """Keep the session table in step with an accounting record; returns the session's row or -1."""
    subscription = subscription_at(t, row)
    epoch = np.int64(gateway_at(t, gateway).epoch) if gateway >= 0 else np.int64(0)
    at = find_session(t, subscription, event)
    if event.kind == STOP:
        if at != NOWHERE:
            close_session(t, row, at, True)
            return np.int64(NOWHERE)
        name = session_hash(event, epoch)
        ended = find_ended(subscription, name)
        if ended == NOWHERE:
            remember_ended(subscription, name | np.int64(STOP_BIT))
        else:
            subscription.ended[ended] = np.int64(subscription.ended[ended]) | np.int64(STOP_BIT)
        return np.int64(NOWHERE)
    if at == NOWHERE:
        ended = find_ended(subscription, session_hash(event, epoch))
        if ended != NOWHERE and (np.int64(subscription.ended[ended]) & STOP_BIT) != 0:
            # A Start or interim that comes after its Stop opens nothing.
            if event.kind == START:
                subscription.ended[ended] = np.int64(subscription.ended[ended]) | np.int64(START_BIT)
            meta_of(t).late = np.int64(meta_of(t).late) + np.int64(1)
            return np.int64(NOWHERE)
        make_way(t, row, event)
        at = open_session(t, row, event, epoch, event.kind == START)
        if gateway >= 0:
            gateway_at(t, gateway).sessions = np.int64(gateway_at(t, gateway).sessions) + np.int64(1)
            gateway_at(t, gateway).started = np.int64(gateway_at(t, gateway).started) + np.int64(1)
    progress(session_at(t, at), event)
    return at


@njit
def progress(session, event):  # type: ignore[no-untyped-def]
    """What an accounting record adds to its session; counters only grow, so reordered records do no harm."""
    if event.kind == START:
        session["flags"] = np.int64(session["flags"]) | np.int64(START_SEEN)
        session.started_at = min(session.started_at, event.happened_at)
    else:
        remember_interim(session, interim_token(event))
    session.last_at = event.received_at
    session.duration_s = max(session.duration_s, event.duration_s)
    session.uplink_octets = max(session.uplink_octets, event.uplink_octets)
    session.downlink_octets = max(session.downlink_octets, event.downlink_octets)
    if event.address != 0:
        session.address = event.address
    if event.imei != 0:
        session.imei = event.imei
    session.client = event.client


@njit
def remember(t, row, event):  # type: ignore[no-untyped-def]
    """The subscription's last known device, place and network."""
    subscription = subscription_at(t, row)
    if event.imei != 0:
        if event.imei != subscription.last_imei:
            remember_device(t, row, event)
        if event.software >= 0 or event.imei != subscription.last_imei:
            subscription.last_software = event.software
        subscription.last_imei = event.imei
    if event.cell != 0:
        subscription.cell = event.cell
    if event.area >= 0:
        subscription.area = event.area
    if event.plmn != 0:
        subscription.plmn = event.plmn
    if event.apn != 0:
        subscription.apn = event.apn
    if event.rat != 0:
        subscription.rat = event.rat
    subscription.gateway = event.gateway
    subscription.last_at = event.received_at


@njit
def remember_device(t, row, event):  # type: ignore[no-untyped-def]
    """Which subscription a device was last seen to move into; bounded, so a flood of made-up IMEIs is only counted."""
    meta = meta_of(t)
    at = find_device(t, event.imei)
    if at == NOWHERE:
        at = np.int64(meta.devices)
        if at >= t.devices_room:
            meta.device_overflow = np.int64(meta.device_overflow) + np.int64(1)
            return
        meta.devices = at + np.int64(1)
        device_at(t, at).imei = event.imei
        put_device(t, event.imei, at)
    elif np.int64(device_at(t, at).subscription) != row:
        device_at(t, at).moves = np.int64(device_at(t, at).moves) + np.int64(1)
    device_at(t, at).subscription = row
    device_at(t, at).last_at = event.received_at


@njit
def fold_known(t, row, event, position, made):  # type: ignore[no-untyped-def]
    """An event of a subscription that the inventory knows."""
    subscription = subscription_at(t, row)
    result = result_at(t, position)
    result.row = row
    result.known = 1
    result.use_case = subscription.use_case
    if seen_before(t, row, event):
        result.duplicate = 1
        about_decision(t, row, result)
        return made
    advance(t, event)
    index = np.int64(0)
    gateway = gateway_row(t, event)
    if gateway >= 0:
        gateway_at(t, gateway).last_at = event.received_at
    drop_older_epochs(t, row)
    made, index = release_if_due(t, row, event, position, made, index)
    session = np.int64(NOWHERE)
    if event.kind != ACCESS_REQUEST:
        session = touch_session(t, row, event, gateway)
    if event.kind == STOP:
        remember(t, row, event)
        return made
    judge_subscription(t, row, event)
    made, index, strongest, decider, deciding = settle(
        t, subscription, row, row, np.int64(subscription.use_case), SCOPE_SUBSCRIPTION, np.int64(-1), event, position, made,
        index,
    )
    if event.kind == ACCESS_REQUEST and strongest < REFUSE:
        made, index, strongest, decider, deciding = give_address(
            t, row, event, position, made, index, strongest, decider, deciding
        )
    if strongest >= LOCK and not subscription.locked:
        made, index = lock_subscription(t, row, LOCKED_BY_FINDING, decider, event, position, made, index)
    if strongest < REFUSE and event.kind != INTERIM:
        made, index = bind_if_first(t, row, event, position, made, index)
    remember(t, row, event)
    if event.kind == ACCESS_REQUEST:
        verdict = REJECT if strongest >= REFUSE else (QUARANTINED if strongest >= QUARANTINE else ALLOW)
        subscription.last_request = event.request
        subscription.decided_sequence = meta_of(t).sequence
        subscription.last_verdict = verdict
        subscription.last_detector = decider
        subscription.last_class = deciding
        if verdict != ALLOW:
            write_verdict(t, row, verdict, decider, deciding, strongest, event, position, made, index)
            made += 1
        about_decision(t, row, result)
    elif session != NOWHERE and must_go(t, row, session, strongest):
        made, index = write_disconnect(t, row, session, decider, deciding, event, position, made, index)
    return made


@njit
def give_address(t, row, event, position, made, index, strongest, decider, deciding):  # type: ignore[no-untyped-def]
    """See to it that an allowed subscription has its address; an empty pool is a finding of the segment."""
    subscription = subscription_at(t, row)
    segment = np.int64(use_case_at(t, subscription.use_case).segment)
    if segment == 0:
        return made, index, strongest, decider, deciding
    if strongest == QUARANTINE and subscription.quarantine_address == 0 and segment_at(t, segment).quarantine_first != 0:
        subscription.quarantine_address = take_address(t, segment, True)
    if strongest >= QUARANTINE or subscription.address != 0 or segment_at(t, segment).pool_first == 0:
        return made, index, strongest, decider, deciding
    for k in range(t.detector_count):
        set_class(t, k, NO_OPINION)
    judge_segment(t, segment, event)
    made, index, response, detector, cls = settle(
        t, segment_state_at(t, segment), segment, np.int64(-1), np.int64(subscription.use_case), SCOPE_SEGMENT, np.int64(-1), event, position,
        made, index,
    )
    if response > strongest:
        strongest, decider, deciding = response, detector, cls
    state = segment_state_at(t, segment)
    if state.left > 0:
        subscription.address = take_address(t, segment, False)
        state.left = np.int64(state.left) - np.int64(1)
        state.given = np.int64(state.given) + np.int64(1)
        output = new_output(t, made, event, position, index, ADDRESS_GIVEN)
        about(output, t, row)
        output.address = subscription.address
        made += 1
        index += 1
    return made, index, strongest, decider, deciding


@njit
def must_go(t, row, session, strongest):  # type: ignore[no-untyped-def]
    """Does this live session have to be cut? A quarantined one may stay if it already has the quarantine address."""
    if np.int64(session_at(t, session)["flags"]) & DISCONNECTING:
        return False
    if strongest >= REFUSE:
        return True
    if strongest != QUARANTINE:
        return False
    subscription = subscription_at(t, row)
    return session_at(t, session).address != subscription.quarantine_address or subscription.quarantine_address == 0


@njit
def release_if_due(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """End a lock that has expired, or whose bound device is back, before this event is judged."""
    subscription = subscription_at(t, row)
    if not subscription.locked:
        return made, index
    if subscription.locked_until != 0 and event.received_at >= subscription.locked_until:
        return release_subscription(t, row, RELEASE_EXPIRY, event, position, made, index)
    if (
        subscription.locked == LOCKED_BY_FINDING
        and np.int64(use_case_at(t, subscription.use_case).release_rule) == RULE_BOUND_DEVICE
        and detector_at(t, subscription.lock_detector).about_device
        and subscription.bound_imei != 0
        and event.imei == subscription.bound_imei
        and event.kind <= START
    ):
        return release_subscription(t, row, RELEASE_RETURNED, event, position, made, index)
    return made, index


@njit
def fold_stranger(t, event, position, made):  # type: ignore[no-untyped-def]
    """An event of nobody in the inventory: one row of a small table that forgets the oldest in its place."""
    result = result_at(t, position)
    name = event.imsi
    if name == 0:
        name = event.user
    if name == 0:
        name = event.msisdn
    stranger = stranger_at(t, mix(name) & np.int64(STRANGERS - 1))
    here = stranger.used and stranger.imsi == name
    record = event.request
    if event.kind != ACCESS_REQUEST:
        record = session_hash(event, event.kind) ^ interim_token(event)
    if here and record != 0 and stranger.last_request == record:
        result.duplicate = 1
        result.verdict = stranger.last_verdict
        result["class"] = stranger.last_class
        result.class_token = stranger.decided_sequence
        result.detector = stranger_detector(t)
        return made
    advance(t, event)
    index = np.int64(0)
    row = np.int64(mix(name) & np.int64(STRANGERS - 1))
    if stranger.used and not here:
        for k in range(t.detector_count):
            set_class(t, k, 0)
        made, index, _, _, _ = settle(
            t, stranger, row, np.int64(-1), np.int64(0), SCOPE_STRANGER, np.int64(-1), event, position, made, index
        )
    gateway = gateway_row(t, event)
    if gateway >= 0:
        gateway_at(t, gateway).last_at = event.received_at
    stranger.imsi = name
    stranger.used = 1
    stranger.last_at = event.received_at
    stranger.last_request = record
    judge_stranger(t, row, event)
    wanted = np.int64(settings_of(t).unknown_response)
    made, index, strongest, decider, deciding = settle(
        t, stranger, row, np.int64(-1), np.int64(0), SCOPE_STRANGER, wanted, event, position, made, index
    )
    if event.kind != ACCESS_REQUEST:
        return made
    verdict = REJECT if strongest >= REFUSE else ALLOW
    stranger.last_verdict = verdict
    stranger.last_class = deciding
    stranger.decided_sequence = meta_of(t).sequence
    result.verdict = verdict
    result.detector = decider
    result["class"] = deciding
    result.class_token = stranger.decided_sequence
    if verdict != ALLOW:
        write_verdict(t, np.int64(-1), verdict, decider, deciding, strongest, event, position, made, index)
        made += 1
    return made


@njit
def stranger_detector(t):  # type: ignore[no-untyped-def]
    """The number of the (one) detector whose scope is strangers."""
    for k in range(t.detector_count):
        if np.int64(detector_at(t, k).scope) == SCOPE_STRANGER:
            return np.int64(k)
    return np.int64(0)


@njit
def fold_gateway(t, event, position, made):  # type: ignore[no-untyped-def]
    """Accounting-On or Accounting-Off: the gateway's sessions are over (RFC 2866 5.1)."""
    known = (gateway_of_text(t, event.gateway))
    if known > 0:
        gateway = gateway_at(t, known - 1)
        again = gateway.epoch_at != 0 and abs(event.happened_at - gateway.epoch_at) <= SAME_MOMENT_US
        # Without a clock of its own a gateway that repeats itself is told by having begun nothing since.
        idle = gateway.epoch_at != 0 and gateway.started == 0 and event.received_at - gateway.last_at < 60 * SAME_MOMENT_US
        if again or idle:
            result_at(t, position).duplicate = 1
            return made
    advance(t, event)
    row = gateway_row(t, event)
    if row < 0:
        return made
    gateway = gateway_at(t, row)
    judge_gateway(t, row, event)
    made, _, _, _, _ = settle(
        t, gateway, row, np.int64(-1), np.int64(0), SCOPE_GATEWAY, np.int64(-1), event, position, made, np.int64(0)
    )
    gateway.epoch = np.int64(gateway.epoch) + np.int64(1)
    gateway.epoch_at = event.happened_at
    gateway.last_at = event.received_at
    gateway.sessions = 0
    gateway.started = 0
    return made


@njit
def clear_result(result):  # type: ignore[no-untyped-def]
    """A result that says: allowed, nobody known, nothing to give."""
    result.verdict = ALLOW
    result.duplicate = 0
    result.detector = 0
    result["class"] = 0
    result.known = 0
    result.spare = 0
    result.use_case = 0
    result.row = NOWHERE
    result.generation = 0
    result.address = 0
    result.session_timeout_s = 0
    result.interim_interval_s = 0
    result.class_token = 0


def fold(t, count):  # type: ignore[no-untyped-def]
    """Fold events in order; returns how many were consumed and how many outputs were made.

    Stops early where the outputs might not fit: the caller comes again with the rest, and any cut gives the same state.
    """
    made = np.int64(0)
    for position in range(count):
        if made + OUTPUT_ROOM > t.outputs_room:
            return np.int64(position), made
        fetch_ahead(t, position, count)
        event = event_at(t, position)
        clear_result(result_at(t, position))
        kind = np.int64(event.kind)
        if ACCESS_REQUEST <= kind <= STOP:
            row = find_subscription(t, event)
            if row >= 0:
                made = fold_known(
                    t, row, event, position, made
                )
            else:
                made = fold_stranger(t, event, position, made)
        elif kind == ACCOUNTING_ON or kind == ACCOUNTING_OFF:
            made = fold_gateway(t, event, position, made)
        elif COMMAND_FIRST <= kind <= COMMAND_LAST:
            made = fold_command(t, find_subscription(t, event), event, position, made)
        elif kind == EFFECT_RESULT:
            made = fold_effect_result(t, find_subscription(t, event), event, position, made)
        else:
            advance(t, event)
            if kind == TICK:
                made = sweep(t, event, position, made)
    return np.int64(count), made
