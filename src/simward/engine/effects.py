"""What the fold decides to do, inside compiled code: verdicts, bindings, addresses, locks, disconnects."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.addressing import class_check, number_held, place_of, segment_of, write_addresses
from simward.engine.findings import ACTION_DISCONNECT, NOWHERE, about, new_output, within_limit
from simward.engine.layouts import CONFINED_BY_PERSON, CONFINED_BY_RULE, MARK_FREE, MARK_TIED
from simward.engine.rows import (
    around_of,
    detector_at,
    finding_at,
    freed_at,
    meta_of,
    segment_at,
    segment_state_at,
    session_at,
    subscription_at,
    use_case_at,
)
from simward.engine.sessions import CHANGING, DISCONNECTING, HELD, IMSI_REPORTED, name_for_gateway
from simward.engine.settle import end_finding
from simward.engine.withheld import is_withheld

VERDICT, DISCONNECT, EFFECT_PROOF, BOUND, LOCKED, RELEASED, COMMAND_ANSWER, ADDRESS_GIVEN, UNBOUND = (
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)
REJECT, QUARANTINED = 2, 1
LOCKED_BY_PERSON = 2
MODE_FIRST_USE, MODE_MODEL = 1, 3
RULE_AFTER = 2
SECOND_US = 1_000_000


@njit
def write_verdict(t, row, verdict, decider, deciding, strongest, event, position, made, index):  # type: ignore[no-untyped-def]
    """A verdict other than allow, with the finding that decided it."""
    output = new_output(t, made, event, position, index, VERDICT)
    if row >= 0:
        about(output, t, row)
    output.verdict = verdict
    output.detector = decider
    output["class"] = deciding
    output.response = strongest
    output.now = event.imei


@njit
def about_decision(t, row, event, result):  # type: ignore[no-untyped-def]
    """What the answer to a request carries, from the subscription's row: the same for a retransmission."""
    subscription = subscription_at(t, row)
    use_case = use_case_at(t, subscription.use_case)
    result.verdict = subscription.last_verdict
    result.detector = subscription.last_detector
    result["class"] = subscription.last_class
    result.generation = subscription.generation
    result.class_token = subscription.decided_sequence
    result.class_check = class_check(subscription.imsi, subscription.decided_sequence)
    result.session_timeout_s = use_case.session_timeout_s
    result.interim_interval_s = use_case.interim_interval_s
    place = place_of(t, subscription.use_case, event.apn)
    segment = segment_of(t, subscription.use_case, place)
    result.segment = segment
    if segment == 0 or subscription.last_verdict == REJECT:
        return
    quarantine = subscription.last_verdict == QUARANTINED
    number = number_held(subscription, place, quarantine)
    if number != 0:
        write_addresses(t, segment, quarantine, number, event, result)


@njit
def bind(t, row, imei, software, event, position, made, index):  # type: ignore[no-untyped-def]
    """Bind a subscription to a device; the binding's generation goes up, so older commands are stale."""
    subscription = subscription_at(t, row)
    subscription.bound_imei = imei
    subscription.generation = np.int64(subscription.generation) + np.int64(1)
    output = new_output(t, made, event, position, index, BOUND)
    about(output, t, row)
    output.now = np.int64(imei) * np.int64(1000) + np.int64(software) + np.int64(1)


@njit
def binding_mode(t, subscription):  # type: ignore[no-untyped-def]
    """How it is bound: as its use case says, or to exactly one device where a command bound it."""
    if np.int64(subscription.marks) & MARK_TIED:
        return np.int64(MODE_FIRST_USE)
    return np.int64(use_case_at(t, subscription.use_case).binding_mode)


@njit
def bind_if_first(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """First use binds, and only on an allowed request (or a session that may stay); not what a command unbound."""
    subscription = subscription_at(t, row)
    if np.int64(subscription.marks) & MARK_FREE:
        return made, index
    mode = np.int64(use_case_at(t, subscription.use_case).binding_mode)
    planned = around_of(t).planned_imei
    if planned != 0 and event.imei != planned:
        return made, index  # a work order waits for another one
    if (mode == MODE_FIRST_USE or mode == MODE_MODEL) and subscription.bound_imei == 0 and event.imei != 0:
        bind(t, row, event.imei, event.software, event, position, made, index)
        made += 1
        index += 1
    return made, index


@njit
def take_address(t, segment, quarantine):  # type: ignore[no-untyped-def]
    """The next address of a segment's pool: never used ones first, then those that were given back; 0 = none left."""
    state = segment_state_at(t, segment)
    pool = segment_at(t, segment)
    if quarantine:
        last, following, head = (
            np.int64(pool.quarantine_last),
            np.int64(state.next_quarantine),
            np.int64(state.freed_quarantine_head),
        )
    else:
        last, following, head = np.int64(pool.pool_last), np.int64(state.next_address), np.int64(state.freed_head)
    while following != 0 and following <= last and is_withheld(t, segment, quarantine, following):
        following += np.int64(1)
    if following != 0 and following <= last:
        if quarantine:
            state.next_quarantine = following + np.int64(1)
        else:
            state.next_address = following + np.int64(1)
        return following
    if following == last + np.int64(1) and quarantine:  # past those that are withheld
        state.next_quarantine = following
    elif following == last + np.int64(1):
        state.next_address = following
    if head == NOWHERE:
        return np.int64(0)
    freed = freed_at(t, head)
    address = np.int64(freed.address)
    if quarantine:
        state.freed_quarantine_head = freed.next
    else:
        state.freed_head = freed.next
    freed.address = 0
    freed.next = meta_of(t).freed_free
    meta_of(t).freed_free = head
    return address


@njit
def has_expired(subscription, event):  # type: ignore[no-untyped-def]
    """Is the time of this lock over?"""
    until = np.int64(subscription.locked_until_s)
    return until != 0 and np.int64(event.received_at) >= until * np.int64(SECOND_US)


@njit
def is_locked(subscription):  # type: ignore[no-untyped-def]
    """Is it refused whatever comes? One that a command put into quarantine is not."""
    return 0 < np.int64(subscription.locked) < CONFINED_BY_RULE


@njit
def ends_at_s(use_case, automatic, now_s):  # type: ignore[no-untyped-def]
    """When a lock or quarantine of now ends by itself, 0 = it does not. What a person ordered waits for a person."""
    if automatic and np.int64(use_case.release_rule) == RULE_AFTER:
        return now_s + np.int64(use_case.release_after_s)
    return np.int64(0)


@njit
def lock_subscription(t, row, by, detector, event, position, made, index):  # type: ignore[no-untyped-def]
    """Lock: refuse whatever comes, and cut what is up, until a release that is journalled.

    One that a person had put into quarantine waits for a person, whatever locks it: its end by itself would end both.
    """
    subscription = subscription_at(t, row)
    use_case = use_case_at(t, subscription.use_case)
    set_aside = subscription.locked == CONFINED_BY_PERSON
    subscription.locked = LOCKED_BY_PERSON if set_aside else by
    subscription.lock_detector = detector
    now_s = np.int64(event.received_at) // np.int64(SECOND_US)
    subscription.locked_s = now_s
    subscription.locked_until_s = ends_at_s(use_case, by != LOCKED_BY_PERSON and not set_aside, now_s)
    output = new_output(t, made, event, position, index, LOCKED)
    about(output, t, row)
    output.detector = detector
    output.result = subscription.locked
    output.was = np.int64(subscription.locked_until_s) * np.int64(SECOND_US)
    made += 1
    index += 1
    return disconnect_all(t, row, detector, np.int64(0), by == LOCKED_BY_PERSON, event, position, made, index)


@njit
def disconnect_all(t, row, decider, deciding, ordered, event, position, made, index):  # type: ignore[no-untyped-def]
    """A Disconnect for every live session that is not being cut already."""
    at = np.int64(subscription_at(t, row).session_head)
    while at != NOWHERE:
        if not np.int64(session_at(t, at)["flags"]) & DISCONNECTING:
            made, index = write_disconnect(t, row, at, decider, deciding, ordered, event, position, made, index)
        at = np.int64(session_at(t, at).next)
    return made, index


@njit
def write_disconnect(t, row, at, decider, deciding, ordered, event, position, made, index):  # type: ignore[no-untyped-def]
    """An effect: the gate is to send a Disconnect-Request for this session, unless the use case's limit holds it.

    `ordered` by a person, it passes the limit. One that is held is written once, and tried again with the next record.
    """
    session = session_at(t, at)
    held = np.int64(0)
    if not ordered:
        held = within_limit(t, np.int64(subscription_at(t, row).use_case), ACTION_DISCONNECT, event.received_at, True)
    if held and np.int64(session["flags"]) & HELD:
        return made, index
    output = new_output(t, made, event, position, index, DISCONNECT)
    about(output, t, row)
    output.detector = decider
    output["class"] = deciding
    output.held = held
    output.gateway = session.gateway
    output.client = session.client
    output.apn = session.apn
    output.address = session.address
    output.now = np.int64(session.attempts) + np.int64(1)
    output.opened_sequence = output.sequence
    output.opened_index = index
    name_for_gateway(t, at, event, output)
    output.subject = 1 if np.int64(session["flags"]) & IMSI_REPORTED else 0
    if held:
        session["flags"] = np.int64(session["flags"]) | np.int64(HELD)
    else:
        # A change that is under way is overtaken: what comes of it is only noted.
        session["flags"] = (np.int64(session["flags"]) | np.int64(DISCONNECTING)) & ~np.int64(HELD | CHANGING)
        session.attempts = min(np.int64(session.attempts) + np.int64(1), np.int64(255))
        session.effect_sequence = output.sequence
        session.effect_index = index
    return made + 1, index + 1


@njit
def release_subscription(t, row, why, event, position, made, index):  # type: ignore[no-untyped-def]
    """End a lock or a quarantine, and the findings that only said that it was there."""
    subscription = subscription_at(t, row)
    output = new_output(t, made, event, position, index, RELEASED)
    about(output, t, row)
    output.detector = subscription.lock_detector
    output.result = why
    output.now = subscription.locked
    output.was = np.int64(subscription.locked_s) * np.int64(SECOND_US)
    made += 1
    index += 1
    subscription.locked = 0
    subscription.lock_detector = 0
    subscription.locked_s = 0
    subscription.locked_until_s = 0
    at = np.int64(subscription.finding_head)
    while at != NOWHERE:
        after = np.int64(finding_at(t, at).next)
        if detector_at(t, finding_at(t, at).detector).about_lock:
            end_finding(t, subscription, at, row, event, position, made, index)
            made += 1
            index += 1
        at = after
    return made, index
