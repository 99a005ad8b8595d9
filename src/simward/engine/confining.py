"""Quarantine of sessions inside compiled code: into it and out of it by a change of the filter, else by a Disconnect.

A session is confined where its Accept or an acknowledged change put the quarantine filter in place, or where it has a
quarantine address. The gate says whether a gateway takes changes: where not, and where one is refused or not answered,
the session is cut, and what follows is decided when it comes back.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.subscription_locked import CLASS_QUARANTINED
from simward.engine.addressing import FILTER_QUARANTINE, is_confined, place_of, segment_of
from simward.engine.effects import SECOND_US, ends_at_s, write_disconnect
from simward.engine.findings import NOWHERE, QUARANTINE, about, new_output
from simward.engine.layouts import CONFINED_BY_PERSON, CONFINED_BY_RULE
from simward.engine.rows import detector_at, finding_at, meta_of, segment_at, session_at, subscription_at, use_case_at
from simward.engine.sessions import (
    CHANGING,
    CONFINED,
    DISCONNECTING,
    IMSI_REPORTED,
    UNCHANGEABLE,
    name_for_gateway,
)

CHANGE, CONFINED_OUTPUT = 13, 16
INTO_QUARANTINE, OUT_OF_QUARANTINE = 1, 2
FILTER_NORMAL = 1
SCOPE_SUBSCRIPTION = 0


@njit
def filters_for(t, row, session):  # type: ignore[no-untyped-def]
    """Which filters (FILTER_*) the segment of a session has."""
    use_case = subscription_at(t, row).use_case
    segment = segment_of(t, use_case, place_of(t, use_case, session.apn))
    return np.int64(segment_at(t, segment).filters)


@njit
def reason_to_confine(t, row):  # type: ignore[no-untyped-def]
    """Response, detector and class of the open finding with the strongest response, or of a quarantine by a command;
    0 where none confines.

    A global pause does not end it: nobody is let out only because nothing new is to be done. A command stands above
    never-cut: only a person can have given it to such a one.
    """
    strongest, decider, deciding = np.int64(0), np.int64(0), np.int64(0)
    subscription = subscription_at(t, row)
    if np.int64(subscription.locked) >= CONFINED_BY_RULE:
        strongest, decider, deciding = np.int64(QUARANTINE), detector_of_locks(t), np.int64(CLASS_QUARANTINED)
    if use_case_at(t, subscription.use_case).never_cut:
        return strongest, decider, deciding
    at = np.int64(subscription.finding_head)
    while at != NOWHERE:
        finding = finding_at(t, at)
        response = np.int64(finding.response)
        if response >= QUARANTINE and response > strongest:
            strongest, decider, deciding = response, np.int64(finding.detector), np.int64(finding["class"])
        at = np.int64(finding.next)
    return strongest, decider, deciding


@njit
def detector_of_locks(t):  # type: ignore[no-untyped-def]
    """The number of the (one) detector whose findings say that there is a lock or a quarantine."""
    for k in range(t.detector_count):
        if detector_at(t, k).about_lock:
            return np.int64(k)
    return np.int64(0)


@njit
def quarantine_subscription(t, row, by, event, position, made, index):  # type: ignore[no-untyped-def]
    """A command puts a subscription into quarantine, with what it has up, until a release that is journalled."""
    subscription = subscription_at(t, row)
    now_s = np.int64(event.received_at) // np.int64(SECOND_US)
    subscription.locked = by
    subscription.lock_detector = 0
    subscription.locked_s = now_s
    use_case = use_case_at(t, subscription.use_case)
    subscription.locked_until_s = ends_at_s(use_case, by == CONFINED_BY_RULE, now_s)
    output = new_output(t, made, event, position, index, CONFINED_OUTPUT)
    about(output, t, row)
    output.result = by
    output.was = np.int64(subscription.locked_until_s) * np.int64(SECOND_US)
    made += 1
    index += 1
    decider = detector_of_locks(t)
    at = np.int64(subscription.session_head)
    while at != NOWHERE:
        made, index = confine(t, row, at, decider, np.int64(CLASS_QUARANTINED), event, position, made, index)
        at = np.int64(session_at(t, at).next)
    return made, index


@njit
def can_end(t, session):  # type: ignore[no-untyped-def]
    """Is what confined it a condition of the subscription that lasts, so that its end says something?"""
    facts = detector_at(t, session.confined_by)
    return np.int64(facts.scope) == SCOPE_SUBSCRIPTION and not facts.momentary


@njit
def confine(t, row, at, decider, deciding, event, position, made, index):  # type: ignore[no-untyped-def]
    """See to it that a live session is in quarantine. Where a person ordered that, it passes the limits."""
    session = session_at(t, at)
    ordered = subscription_at(t, row).locked == CONFINED_BY_PERSON
    flags = np.int64(session["flags"])
    if flags & (CONFINED | CHANGING | DISCONNECTING):
        return made, index
    if is_confined(t, row, session):
        session["flags"] = flags | np.int64(CONFINED)
        session.confined_by = decider
        return made, index
    if filters_for(t, row, session) & FILTER_QUARANTINE and not flags & UNCHANGEABLE:
        session.confined_by = decider
        return write_change(t, row, at, INTO_QUARANTINE, decider, deciding, event, position, made, index)
    return write_disconnect(t, row, at, decider, deciding, ordered, event, position, made, index)


@njit
def let_out(t, row, ordered, event, position, made, index):  # type: ignore[no-untyped-def]
    """Sessions of a subscription that nothing keeps in quarantine any more; `ordered` by a person, whatever put them
    there.
    """
    if meta_of(t).paused and not ordered:
        return made, index
    looked = False
    at = np.int64(subscription_at(t, row).session_head)
    while at != NOWHERE:
        session = session_at(t, at)
        flags = np.int64(session["flags"])
        if flags & CONFINED and not flags & (CHANGING | DISCONNECTING) and (ordered or can_end(t, session)):
            if not looked and reason_to_confine(t, row)[0] != 0:
                return made, index
            looked = True
            made, index = lead_back(t, row, at, ordered, event, position, made, index)
        at = np.int64(session.next)
    return made, index


@njit
def lead_back(t, row, at, ordered, event, position, made, index):  # type: ignore[no-untyped-def]
    """Out of quarantine: a change to the normal filter. An address cannot be changed: that takes a new session."""
    session = session_at(t, at)
    by, changeable = np.int64(session.confined_by), not np.int64(session["flags"]) & UNCHANGEABLE
    if changeable and filters_for(t, row, session) & FILTER_NORMAL and not is_confined(t, row, session):
        return write_change(t, row, at, OUT_OF_QUARANTINE, by, np.int64(0), event, position, made, index)
    if use_case_at(t, subscription_at(t, row).use_case).never_cut and not ordered:
        return made, index
    return write_disconnect(t, row, at, by, np.int64(0), ordered, event, position, made, index)


@njit
def write_change(t, row, at, direction, decider, deciding, event, position, made, index):  # type: ignore[no-untyped-def]
    """An effect: the gate is to ask for another filter. It takes no unit of a limit: the response took one, and who is
    let out is not cut.
    """
    session = session_at(t, at)
    output = new_output(t, made, event, position, index, CHANGE)
    about(output, t, row)
    output.detector = decider
    output["class"] = deciding
    output.gateway = session.gateway
    output.client = session.client
    output.apn = session.apn
    output.address = session.address
    output.result = direction
    output.now = 1
    output.opened_sequence = output.sequence
    output.opened_index = index
    name_for_gateway(t, at, event, output)
    output.subject = 1 if np.int64(session["flags"]) & IMSI_REPORTED else 0
    session["flags"] = np.int64(session["flags"]) | np.int64(CHANGING)
    session.effect_sequence = output.sequence
    session.effect_index = index
    return made + 1, index + 1


@njit
def after_change(t, row, at, event, position, made, index):  # type: ignore[no-untyped-def]
    """A change was acknowledged. Meanwhile a release may have asked for the way back, or a command for the way in."""
    session = session_at(t, at)
    session["flags"] = np.int64(session["flags"]) ^ np.int64(CONFINED)
    if np.int64(session["flags"]) & CONFINED:
        return let_out(t, row, False, event, position, made, index)
    if np.int64(subscription_at(t, row).locked) < CONFINED_BY_RULE:
        return made, index
    _, decider, deciding = reason_to_confine(t, row)
    return confine(t, row, at, decider, deciding, event, position, made, index)


@njit
def after_refusal(t, row, at, back, event, position, made, index):  # type: ignore[no-untyped-def]
    """A change was refused, not answered, or could not be asked for: what it was for is reached by a Disconnect."""
    session = session_at(t, at)
    session["flags"] = np.int64(session["flags"]) | np.int64(UNCHANGEABLE)
    ordered = subscription_at(t, row).locked == CONFINED_BY_PERSON
    if not ordered and (meta_of(t).paused or use_case_at(t, subscription_at(t, row).use_case).never_cut):
        return made, index
    response, decider, deciding = reason_to_confine(t, row)
    if response == 0:
        decider = np.int64(session.confined_by)
    if back != (response == 0) and (back or can_end(t, session)):
        return made, index  # it is to be where it is by now
    return write_disconnect(t, row, at, decider, deciding, ordered, event, position, made, index)
