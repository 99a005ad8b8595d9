"""Findings inside compiled code: they begin, are updated and end; limits bound what they may do."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.layouts import LIMIT_MINUTES
from simward.engine.rows import (
    detector_at,
    finding_at,
    limit_at,
    meta_of,
    output_at,
    subscription_at,
    use_case_at,
    zero_finding,
    zero_output,
)

NOWHERE = -1
NOTIFY, QUARANTINE, REFUSE, LOCK = 2, 3, 4, 5
FINDING_BEGAN, FINDING_UPDATED, FINDING_ENDED = 1, 2, 3
HELD_RATE, HELD_SHARE, HELD_NEVER_CUT, HELD_PAUSED = 1, 2, 3, 4
ACTION_QUARANTINE, ACTION_REFUSE, ACTION_LOCK, ACTION_DISCONNECT = 0, 1, 2, 3
MINUTES = LIMIT_MINUTES
MINUTE_US = 60_000_000


@njit
def new_output(t, made, event, position, index, kind):  # type: ignore[no-untyped-def]
    """The next output row, with what every output says: when, for whom, through which gateway."""
    zero_output(t, made)
    output = output_at(t, made)
    output.at = event.received_at
    output.sequence = meta_of(t).sequence
    output.imsi = event.imsi
    output.row = NOWHERE
    output.gateway = event.gateway
    output.client = event.client
    output.apn = event.apn
    output.address = event.address
    output.event = position
    output.index = index
    output.kind = kind
    output.event_kind = event.kind
    output.session_id_octets = event.session_id_octets
    for octet in range(len(output.session_id)):
        output.session_id[octet] = event.session_id[octet]
    return output


@njit
def about(output, t, row):  # type: ignore[no-untyped-def]
    """Say which subscription an output is about."""
    subscription = subscription_at(t, row)
    output.imsi = subscription.imsi
    output.iccid = subscription.iccid
    output.row = row
    output.use_case = subscription.use_case
    output.generation = subscription.generation


@njit
def roll(limit, now):  # type: ignore[no-untyped-def]
    """Move a limit's sliding hour (minutes of counts, an action) to `now`."""
    minute = np.int64(now) // np.int64(MINUTE_US)
    passed = minute - np.int64(limit.minute)
    if passed <= 0:
        return
    for step in range(min(passed, np.int64(MINUTES))):
        slot = (minute - step) % np.int64(MINUTES)
        for action in range(4):
            limit.counts[action * MINUTES + slot] = 0
    limit.minute = minute


@njit
def within_limit(t, use_case, action, now, take):  # type: ignore[no-untyped-def]
    """0 where one more action is within the use case's limits (and, if `take`, count it); else HELD_*."""
    limit = limit_at(t, use_case)
    policy = use_case_at(t, use_case)
    per_hour = np.int64(policy.limit_per_hour[action])
    share = np.int64(policy.limit_share_ppm[action])
    if per_hour < 0 and share < 0:
        return np.int64(0)
    roll(limit, now)
    done = np.int64(0)
    for slot in range(MINUTES):
        done += np.int64(limit.counts[action * MINUTES + slot])
    if 0 <= per_hour <= done:
        return np.int64(HELD_RATE)
    # A share of a small fleet is at least one subscription, so that a limit is never "nothing at all".
    if share >= 0 and done >= max(np.int64(1), np.int64(limit.members) * share // np.int64(1_000_000)):
        return np.int64(HELD_SHARE)
    if take:
        slot = np.int64(limit.minute) % np.int64(MINUTES)
        limit.counts[action * MINUTES + slot] = np.int64(limit.counts[action * MINUTES + slot]) + np.int64(1)
    return np.int64(0)


@njit
def held_reason(t, use_case, wanted, now, fixed):  # type: ignore[no-untyped-def]
    """Why a response above `notify` may not be carried out now; 0 where it may (then it is counted)."""
    if wanted < QUARANTINE or fixed:
        return np.int64(0)
    if use_case_at(t, use_case).never_cut:
        return np.int64(HELD_NEVER_CUT)
    if meta_of(t).paused:
        return np.int64(HELD_PAUSED)
    return within_limit(t, use_case, np.int64(wanted) - np.int64(QUARANTINE), now, True)


@njit
def is_paid(t, subscription_row, wanted, now):  # type: ignore[no-untyped-def]
    """Has this subscription taken a unit of the limit within the hour, for this response or a stronger one?

    Limits count members, so that one thief with a bag of devices cannot use up the locks of a whole use case.
    """
    if subscription_row < 0 or wanted < QUARANTINE:
        return False
    subscription = subscription_at(t, subscription_row)
    minute = np.int64(now) // np.int64(MINUTE_US)
    return np.int64(subscription.charged) >= wanted and minute - np.int64(subscription.charged_minute) < MINUTES


@njit
def charge(t, subscription_row, wanted, now):  # type: ignore[no-untyped-def]
    """Remember that it took one."""
    if subscription_row >= 0 and wanted >= QUARANTINE:
        subscription = subscription_at(t, subscription_row)
        subscription.charged = wanted
        subscription.charged_minute = np.int64(now) // np.int64(MINUTE_US)


@njit
def capped(t, use_case, response, fixed):  # type: ignore[no-untyped-def]
    """A response as it may be carried out at this moment: never-cut and a global pause hold also what began before."""
    if response >= QUARANTINE and not fixed and (use_case_at(t, use_case).never_cut or meta_of(t).paused):
        return np.int64(NOTIFY)
    return np.int64(response)


@njit
def find_finding(t, head, detector):  # type: ignore[no-untyped-def]
    """Row of the open finding of a detector on this chain, or -1."""
    at = np.int64(head)
    while at != NOWHERE:
        if finding_at(t, at).detector == detector:
            return at
        at = np.int64(finding_at(t, at).next)
    return np.int64(NOWHERE)


@njit
def take_finding(t):  # type: ignore[no-untyped-def]
    """A row for a finding that begins."""
    meta = meta_of(t)
    at = np.int64(meta.finding_free)
    if at != NOWHERE:
        meta.finding_free = finding_at(t, at).next
    else:
        at = np.int64(meta.findings)
        meta.findings = at + np.int64(1)
    meta.findings_live = np.int64(meta.findings_live) + np.int64(1)
    return at


@njit
def unlink_finding(t, owner, at):  # type: ignore[no-untyped-def]
    """Take a finding off its owner's chain and free the (zeroed) row."""
    meta = meta_of(t)
    finding = finding_at(t, at)
    if np.int64(owner.finding_head) == at:
        owner.finding_head = finding.next
    else:
        before = np.int64(owner.finding_head)
        while np.int64(finding_at(t, before).next) != at:
            before = np.int64(finding_at(t, before).next)
        finding_at(t, before).next = finding.next
    zero_finding(t, at)
    finding.next = meta.finding_free
    meta.finding_free = at
    meta.findings_live = np.int64(meta.findings_live) - np.int64(1)


@njit
def describe(output, t, finding):  # type: ignore[no-untyped-def]
    """Copy what a finding row knows into an output."""
    output.opened_sequence = finding.opened_sequence
    output.opened_index = finding.opened_index
    output.detector = finding.detector
    output["class"] = finding["class"]
    output.severity = detector_at(t, finding.detector).severity[finding["class"]]
    output.response = finding.response
    output.wanted = finding.wanted
    output.held = finding.held
    output.was = finding.was
    output.now = finding.now
