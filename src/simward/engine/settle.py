"""From the detectors' classes to findings and the strongest response, inside compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.findings import (
    FINDING_BEGAN,
    FINDING_ENDED,
    FINDING_UPDATED,
    NOTIFY,
    NOWHERE,
    REFUSE,
    about,
    capped,
    charge,
    describe,
    find_finding,
    held_reason,
    is_paid,
    new_output,
    take_finding,
    unlink_finding,
)
from simward.engine.rows import (
    class_of,
    detector_at,
    evidence_at,
    finding_at,
    output_at,
    response_of,
    subscription_at,
)

QUIET, NO_OPINION = 0, -1
ACCESS_REQUEST = 1
SCOPE_SEGMENT = 3


@njit
def ask(t, subscription_row, use_case, wanted, now, fixed):  # type: ignore[no-untyped-def]
    """May this be carried out now? 0, or why it is held; a member asks for a unit of the limits once an hour."""
    if is_paid(t, subscription_row, wanted, now):
        return np.int64(0)
    held = held_reason(t, use_case, wanted, now, fixed)
    if held == 0 and not fixed:
        charge(t, subscription_row, wanted, now)
    return held


@njit
def end_finding(t, owner, at, subscription_row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Write that a finding ended and give up its row."""
    output = new_output(t, made, event, position, index, FINDING_ENDED)
    describe(output, t, finding_at(t, at))
    if subscription_row >= 0:
        about(output, t, subscription_row)
    else:
        output.row = finding_at(t, at).row
    unlink_finding(t, owner, at)


@njit
def begin_finding(  # type: ignore[no-untyped-def]
    t, owner, row, subscription_row, use_case, scope, k, cls, wanted, event, position, made, index, seen
):
    """Write that a finding began, and (unless it is momentary) give it a row; returns the response in force."""
    fixed = detector_at(t, k).fixed != 0
    held = ask(t, subscription_row, use_case, wanted, event.received_at, fixed)
    response = capped(t, use_case, np.int64(NOTIFY) if held else np.int64(wanted), fixed)
    output = new_output(t, made, event, position, index, FINDING_BEGAN)
    output.row = row
    if subscription_row >= 0:
        about(output, t, subscription_row)
        output.row = row
    output.detector = k
    output["class"] = cls
    output.severity = detector_at(t, k).severity[cls]
    output.wanted = wanted
    output.response = response
    output.held = held
    output.was = seen.was
    output.now = seen.now
    output.expected = seen.expected
    output.opened_sequence = output.sequence
    output.opened_index = index
    if detector_at(t, k).detailed:
        for position in range(len(output.before)):
            output.before[position] = seen.before[position]
            output.after[position] = seen.after[position]
    if detector_at(t, k).momentary:
        return response
    at = take_finding(t)
    finding = finding_at(t, at)
    finding.opened_sequence = output.sequence
    finding.opened_index = index
    finding.was = seen.was
    finding.now = seen.now
    finding.row = row
    finding.next = owner.finding_head
    finding.detector = k
    finding["class"] = cls
    finding.scope = scope
    finding.wanted = wanted
    finding.response = response
    finding.held = held
    owner.finding_head = at
    return response


@njit
def end_at_once(t, began, event, position, made, index):  # type: ignore[no-untyped-def]
    """The end of a momentary finding, which began with the same event."""
    output = new_output(t, made, event, position, index, FINDING_ENDED)
    output.row = began.row
    output.detector = began.detector
    output["class"] = began["class"]
    output.severity = began.severity
    output.response = began.response
    output.wanted = began.wanted
    output.was = began.was
    output.now = began.now
    output.expected = began.expected
    output.opened_sequence = began.opened_sequence
    output.opened_index = began.opened_index


@njit
def renew_finding(t, at, subscription_row, use_case, k, wanted, event, position, made, index):  # type: ignore[no-untyped-def]
    """The condition goes on: ask again for a response that policy changed or a limit held; True if an output was
    written.
    """
    finding = finding_at(t, at)
    changed = np.int64(finding.wanted) != wanted
    if not changed and not (finding.held and event.kind == ACCESS_REQUEST):
        return False
    held = ask(t, subscription_row, use_case, wanted, event.received_at, detector_at(t, k).fixed != 0)
    response = np.int64(NOTIFY) if held else np.int64(wanted)
    if not changed and response == np.int64(finding.response):
        return False
    finding.wanted = wanted
    finding.response = response
    finding.held = held
    output = new_output(t, made, event, position, index, FINDING_UPDATED)
    describe(output, t, finding)
    if subscription_row >= 0:
        about(output, t, subscription_row)
    return True


@njit
def is_enforced(t, subscription_row, k, cls):  # type: ignore[no-untyped-def]
    """Did a command bind it to what this class says that it has left?"""
    if subscription_row < 0:
        return False
    return (np.int64(subscription_at(t, subscription_row).marks) & np.int64(detector_at(t, k).enforced[cls])) != 0


@njit
def settle(t, owner, row, subscription_row, use_case, scope, given, event, position, made, index):  # type: ignore[no-untyped-def]
    """Begin, renew and end the findings of one owner of one scope.

    `given` >= 0 is the response whatever policy says. Returns outputs made, index within the event, the strongest
    response in force, and the detector and class that it came from.
    """
    strongest, decider, deciding = np.int64(0), np.int64(0), np.int64(0)
    for k in range(t.detector_count):
        if np.int64(detector_at(t, k).scope) != scope:
            continue
        cls = np.int64(class_of(t, k))
        if cls == NO_OPINION:
            continue
        at = find_finding(t, owner.finding_head, k)
        wanted = given if given >= 0 else np.int64(response_of(t, use_case, k, cls))
        if cls > QUIET and wanted < REFUSE and is_enforced(t, subscription_row, k, cls):
            wanted = np.int64(REFUSE)
        if at != NOWHERE and (
            np.int64(finding_at(t, at)["class"]) != cls
            or (cls != QUIET and not detector_at(t, k).sticky and finding_at(t, at).now != evidence_at(t, k).now)
        ):
            end_finding(t, owner, at, subscription_row, event, position, made, index)
            made += 1
            index += 1
            at = np.int64(NOWHERE)
        if cls == QUIET:
            continue
        if at == NOWHERE:
            response = begin_finding(
                t,
                owner,
                row,
                subscription_row,
                use_case,
                scope,
                k,
                cls,
                wanted,
                event,
                position,
                made,
                index,
                evidence_at(t, k),
            )
            made += 1
            index += 1
            if detector_at(t, k).momentary:
                end_at_once(t, output_at(t, made - 1), event, position, made, index)
                made += 1
                index += 1
        elif scope == SCOPE_SEGMENT:
            response = wanted  # several use cases share the finding; each has its own response
        else:
            if renew_finding(t, at, subscription_row, use_case, k, wanted, event, position, made, index):
                made += 1
                index += 1
            response = np.int64(finding_at(t, at).response)
        response = capped(t, use_case, response, detector_at(t, k).fixed != 0)
        if response > strongest:
            strongest, decider, deciding = response, np.int64(k), cls
    return made, index, strongest, decider, deciding
