"""The gate fold: one event after the other, in the order in which things happen.

It touches nothing but the arrays that it is given: no clock, no randomness, no I/O, no allocation. Every value that is
compared or stored is an explicit int64, so that interpreted and compiled runs give the same bytes. compose.py takes the
text of this module into the composed one, where the four `judge_...` are the detectors' judgements.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import tac
from simward.engine.addressing import (
    delegated_at,
    gives_ipv6,
    hold_number,
    ipv6_low_at,
    may_be_confined,
    number_held,
    place_of,
    prefix_at,
    segment_of,
    serves,
)
from simward.engine.commands import fold_command, fold_effect_result, sweep
from simward.engine.confining import confine, let_out
from simward.engine.departed import end_departed_of, note_departed
from simward.engine.effects import (
    ADDRESS_GIVEN,
    DISCONNECT,
    about_decision,
    bind_if_first,
    binding_mode,
    has_expired,
    is_locked,
    lock_subscription,
    release_subscription,
    take_address,
    write_disconnect,
    write_verdict,
)
from simward.engine.events import FLAG_TIMESTAMP
from simward.engine.findings import LOCK, NOWHERE, QUARANTINE, REFUSE, about, new_output
from simward.engine.hashing import mix
from simward.engine.layouts import STRANGERS
from simward.engine.lookup import fetch_ahead, find_gateway
from simward.engine.places import CLOCK_BELIEVED_S, happened_s
from simward.engine.planned import carry_out, expect_device
from simward.engine.recognising import advance, find_subscription, gateway_row, seen_before
from simward.engine.remembering import remember, touch_session
from simward.engine.rows import (
    detector_at,
    event_at,
    gateway_at,
    meta_of,
    result_at,
    segment_at,
    segment_state_at,
    session_at,
    set_class,
    settings_of,
    stranger_at,
    subscription_at,
    use_case_at,
    zero_result,
)
from simward.engine.session_names import name_session
from simward.engine.sessions import DISCONNECTING, drop_older_epochs, session_hash
from simward.engine.settle import NO_OPINION, settle
from simward.engine.strangers import forget_stranger, record_name, record_seen, remember_record
from simward.engine.surroundings import in_ranges, look_around

ACCESS_REQUEST, START, INTERIM, STOP, ACCOUNTING_ON, ACCOUNTING_OFF = 1, 2, 3, 4, 5, 6
TICK, COMMAND_FIRST, COMMAND_LAST, EFFECT_RESULT, CHANGE_RESULT = 10, 20, 29, 30, 31
SCOPE_SUBSCRIPTION, SCOPE_STRANGER, SCOPE_GATEWAY, SCOPE_SEGMENT = 0, 1, 2, 3
ALLOW, QUARANTINED, REJECT = 0, 1, 2
RELEASE_EXPIRY, RELEASE_RETURNED = 2, 3
LOCKED_BY_FINDING = 1
RULE_BOUND_DEVICE = 1
MODE_MODEL, MODE_POOL = 3, 4
SAME_MOMENT_US = 2_000_000
REPEATED_US = 600_000_000
CLOCK_BELIEVED_US = CLOCK_BELIEVED_S * 1_000_000
OUTPUT_ROOM = 64
"""More outputs than one event can make (a sweep stops by itself before that)."""


def judge_subscription(t, row, event):  # type: ignore[no-untyped-def]
    """Let the detectors of this scope write their classes; defined where the kernel is composed."""
    raise NotImplementedError


judge_stranger = judge_gateway = judge_segment = judge_subscription


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
        about_decision(t, row, event, result)
        return made
    advance(t, event)
    index = np.int64(0)
    gateway = gateway_row(t, event)
    if gateway >= 0:
        gateway_at(t, gateway).last_at = event.received_at
    drop_older_epochs(t, row)
    if event.kind != ACCESS_REQUEST:
        note_departed(t, event)
    plan = np.int64(0)
    if subscription.plans != 0 and event.kind != STOP:
        plan = expect_device(t, row, event)
    made, index = release_if_due(t, row, event, position, made, index)
    if event.kind != STOP:
        look_around(t, row, event)
    session = np.int64(NOWHERE)
    if event.kind != ACCESS_REQUEST:
        session = touch_session(t, row, event, gateway)
    if event.kind == STOP:
        made, index = remember(t, row, event, position, made, index)
        return made
    judge_subscription(t, row, event)
    made, index, strongest, decider, deciding = settle(
        t,
        subscription,
        row,
        row,
        np.int64(subscription.use_case),
        SCOPE_SUBSCRIPTION,
        np.int64(-1),
        event,
        position,
        made,
        index,
    )
    if event.kind == ACCESS_REQUEST and strongest < REFUSE:
        made, index, strongest, decider, deciding = give_address(
            t, row, event, position, made, index, strongest, decider, deciding
        )
    if strongest >= LOCK and not is_locked(subscription):
        made, index = lock_subscription(t, row, LOCKED_BY_FINDING, decider, event, position, made, index)
    if subscription.plans != 0:
        made, index = carry_out(t, row, plan, strongest, event, position, made, index)
    if strongest < QUARANTINE and event.kind != INTERIM:
        made, index = bind_if_first(t, row, event, position, made, index)
    made, index = remember(t, row, event, position, made, index)
    if event.kind == ACCESS_REQUEST:
        verdict = REJECT if strongest >= REFUSE else (QUARANTINED if strongest >= QUARANTINE else ALLOW)
        if verdict == QUARANTINED and not may_be_confined(t, row, event):
            verdict = REJECT  # nowhere to put it
        subscription.last_request = event.request
        subscription.decided_sequence = meta_of(t).sequence
        subscription.last_verdict = verdict
        subscription.last_detector = decider
        subscription.last_class = deciding
        if verdict != ALLOW:
            write_verdict(t, row, verdict, decider, deciding, strongest, event, position, made, index)
            made += 1
        about_decision(t, row, event, result)
    elif session != NOWHERE and strongest == QUARANTINE:
        made, index = confine(t, row, session, decider, deciding, event, position, made, index)
    elif session != NOWHERE and strongest >= REFUSE and not np.int64(session_at(t, session)["flags"]) & DISCONNECTING:
        made, index = write_disconnect(
            t, row, session, decider, deciding, False, event, position, made, index
        )
    if strongest < QUARANTINE:
        made, index = let_out(t, row, False, event, position, made, index)
    return made


@njit
def give_address(t, row, event, position, made, index, strongest, decider, deciding):  # type: ignore[no-untyped-def]
    """See to it that an allowed subscription has its address; an empty pool is a finding of the segment."""
    subscription = subscription_at(t, row)
    place = place_of(t, subscription.use_case, event.apn)
    segment = segment_of(t, subscription.use_case, place)
    if segment == 0:
        return made, index, strongest, decider, deciding
    if (
        strongest == QUARANTINE
        and number_held(subscription, place, True) == 0
        and serves(t, segment, True, event)
    ):
        hold_number(subscription, place, True, take_address(t, segment, True))
    if strongest >= QUARANTINE or number_held(subscription, place, False) != 0 or not serves(t, segment, False, event):
        return made, index, strongest, decider, deciding
    for k in range(t.detector_count):
        set_class(t, k, NO_OPINION)
    judge_segment(t, segment, event)
    made, index, response, detector, cls = settle(
        t,
        segment_state_at(t, segment),
        segment,
        np.int64(-1),
        np.int64(subscription.use_case),
        SCOPE_SEGMENT,
        np.int64(-1),
        event,
        position,
        made,
        index,
    )
    if response > strongest:
        strongest, decider, deciding = response, detector, cls
    state = segment_state_at(t, segment)
    if state.left > 0:
        number = take_address(t, segment, False)
        hold_number(subscription, place, False, number)
        state.left = np.int64(state.left) - np.int64(1)
        state.given = np.int64(state.given) + np.int64(1)
        output = new_output(t, made, event, position, index, ADDRESS_GIVEN)
        about(output, t, row)
        pool = segment_at(t, segment)
        output.subject = number
        output.result = place
        output.address = 0 if pool.bare else number
        if pool.prefix_length:
            output.was = prefix_at(t, segment, False, number)
        if pool.delegated_length:
            output.now = delegated_at(t, segment, number)
        if gives_ipv6(pool, False):
            output.before[0] = pool.ipv6_high
            output.before[1] = ipv6_low_at(t, segment, False, number)
        output.expected = np.int64(pool.prefix_length) * np.int64(256) + np.int64(pool.delegated_length)
        made += 1
        index += 1
    return made, index, strongest, decider, deciding


@njit
def belongs(t, subscription, event):  # type: ignore[no-untyped-def]
    """Is this the bound device, or (where a model or a pool is bound) one of its model or pool?"""
    use_case = use_case_at(t, subscription.use_case)
    mode = binding_mode(t, subscription)
    if mode == MODE_POOL:
        pool_from, pool_count = np.int64(use_case.pool_from), np.int64(use_case.pool_count)
        return event.imei != 0 and in_ranges(t, pool_from, pool_count, event.imei) == 1
    if subscription.bound_imei == 0:
        return False
    if mode == MODE_MODEL:
        return event.imei != 0 and tac(event.imei) == tac(subscription.bound_imei)
    return event.imei == subscription.bound_imei


@njit
def release_if_due(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """End a lock (or quarantine) that has expired, or whose bound device is back, before this event is judged."""
    subscription = subscription_at(t, row)
    if not subscription.locked:
        return made, index
    if has_expired(subscription, event):
        return release_subscription(t, row, RELEASE_EXPIRY, event, position, made, index)
    if (
        subscription.locked == LOCKED_BY_FINDING
        and np.int64(use_case_at(t, subscription.use_case).release_rule) == RULE_BOUND_DEVICE
        and detector_at(t, subscription.lock_detector).about_device
        and belongs(t, subscription, event)
        and event.kind <= START
        # A Start that waited in a gateway since before the lock says nothing about who is there now.
        and happened_s(event) >= np.int64(subscription.locked_s)
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
    asked = event.kind == ACCESS_REQUEST
    record = np.int64(event.request) if asked else record_name(t, event)
    if here and record != 0 and (stranger.last_request == record if asked else record_seen(stranger, record)):
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
        forget_stranger(stranger)
    gateway = gateway_row(t, event)
    if gateway >= 0:
        gateway_at(t, gateway).last_at = event.received_at
    stranger.imsi = name
    stranger.used = 1
    stranger.last_at = event.received_at
    if asked:
        stranger.last_request = record
    else:
        note_departed(t, event)
        remember_record(stranger, record)
    judge_stranger(t, row, event)
    wanted = np.int64(settings_of(t).unknown_response)
    made, index, strongest, decider, deciding = settle(
        t, stranger, row, np.int64(-1), np.int64(0), SCOPE_STRANGER, wanted, event, position, made, index
    )
    if event.kind != ACCESS_REQUEST:
        if event.kind != STOP and strongest >= REFUSE and stranger.cut != session_hash(t, event, np.int64(0)):
            stranger.cut = session_hash(t, event, np.int64(0))
            disconnect_stranger(t, decider, deciding, event, position, made, index)
            made += 1
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
def disconnect_stranger(t, decider, deciding, event, position, made, index):  # type: ignore[no-untyped-def]
    """A session of nobody that must not be: cut it, once for each session that it begins."""
    output = new_output(t, made, event, position, index, DISCONNECT)
    output.detector = decider
    output["class"] = deciding
    output.now = 1
    output.subject = 1 if event.imsi != 0 else 0
    output.opened_sequence = output.sequence
    output.opened_index = index


@njit
def stranger_detector(t):  # type: ignore[no-untyped-def]
    """The number of the (one) detector whose scope is strangers."""
    for k in range(t.detector_count):
        if np.int64(detector_at(t, k).scope) == SCOPE_STRANGER:
            return np.int64(k)
    return np.int64(0)


@njit
def said_before(gateway, event):  # type: ignore[no-untyped-def]
    """Is this Accounting-On or -Off one that the gateway sent before?

    Told by its time, or, where the gateway has no clock, by having begun nothing since; an older one of the other kind
    came late. After some minutes only by a time that can be believed, so that a gateway whose clock starts anew at each
    boot is believed the next time, and whoever sends yesterday's once more is not.
    """
    if gateway.epoch == 0:
        return False
    since = event.happened_at - gateway.epoch_at
    if event.received_at - gateway.epoch_received_at > REPEATED_US:
        stamped = (np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP)) != 0
        return stamped and since <= 0 and event.received_at - event.happened_at < CLOCK_BELIEVED_US
    if gateway.last_kind == event.kind:
        return abs(since) <= SAME_MOMENT_US or gateway.started == 0
    return since < 0 or (since == 0 and event.kind == ACCOUNTING_OFF)


@njit
def fold_gateway(t, event, position, made):  # type: ignore[no-untyped-def]
    """Accounting-On or Accounting-Off: the gateway's sessions are over (RFC 2866 5.1)."""
    known = find_gateway(t, event.client, event.gateway)
    if known >= 0:
        gateway = gateway_at(t, known)
        if said_before(gateway, event):
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
    gateway.epoch = (np.int64(gateway.epoch) + np.int64(1)) & np.int64(0xFFFF)
    gateway.epoch_at = event.happened_at
    gateway.epoch_received_at = event.received_at
    gateway.last_kind = event.kind
    gateway.last_at = event.received_at
    gateway.sessions = 0
    gateway.started = 0
    end_departed_of(t, event)
    return made


def fold(tables, count):  # type: ignore[no-untyped-def]
    """Fold events in order; returns how many were consumed and how many outputs were made.

    Stops early where the outputs might not fit: the caller comes again with the rest, and any cut gives the same state.
    """
    t = tables[0]
    made = np.int64(0)
    for position in range(count):
        if made + OUTPUT_ROOM > t.outputs_room:
            return np.int64(position), made
        fetch_ahead(t, position, count)
        event = event_at(t, position)
        zero_result(t, position)
        result_at(t, position).row = NOWHERE
        kind = np.int64(event.kind)
        if START <= kind <= STOP:
            name_session(t, event)
        if ACCESS_REQUEST <= kind <= STOP:
            row = find_subscription(t, event)
            if row >= 0:
                made = fold_known(t, row, event, position, made)
            else:
                made = fold_stranger(t, event, position, made)
        elif kind == ACCOUNTING_ON or kind == ACCOUNTING_OFF:
            made = fold_gateway(t, event, position, made)
        elif COMMAND_FIRST <= kind <= COMMAND_LAST:
            made = fold_command(t, find_subscription(t, event), event, position, made)
        elif kind == EFFECT_RESULT or kind == CHANGE_RESULT:
            made = fold_effect_result(t, find_subscription(t, event), event, position, made)
        else:
            advance(t, event)
            if kind == TICK:
                made = sweep(t, event, position, made)
    return np.int64(count), made
