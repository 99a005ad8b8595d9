"""Findings of the watch about one subscription inside compiled code: each detector, service and aspect has its own."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import TICK
from simward.engine.outputs import FINDING_BEGAN, FINDING_ENDED, FINDING_UPDATED
from simward.engine.rows import class_of, detector_at, evidence_at, output_at, subscription_at, zero_output
from simward.engine.watching.layouts import ACCOUNTED, DATA, MONTH, RECORDED, SUBSCRIPTION_FINDINGS_MAX
from simward.engine.watching.periods import DAY_S, period_begins_s, period_ends_s
from simward.engine.watching.rows import (
    about_at,
    case_response_of,
    usage_at,
    use_of,
    watch_meta_of,
    zero_about,
)
from simward.engine.watching.tallies import ANY, used_of
from simward.engine.watching.usage import used_in

QUIET, NO_OPINION = 0, -1


@njit
def look_at_use(w, row, service, now_s):  # type: ignore[no-untyped-def]
    """Fill USE with what is the same for every detector."""
    use, usage = use_of(w), usage_at(w, row)
    use.service = service
    use.at_s = now_s
    use.apn = 0
    use.is_first = 0
    use.known_s = np.int64(usage.known_day) * np.int64(DAY_S)
    use.destination, use.to_destination, use.recorded = 0, 0, 0
    use.used_month = used_in_period(w, row, service, np.int64(MONTH), now_s)
    if service != DATA:  # nothing is known of it before there were records
        use.known_s = max(np.int64(use.known_s), np.int64(watch_meta_of(w).records_since_s))
    if now_s < use.month_since_s or use.month_until_s <= now_s:
        use.month_since_s = period_begins_s(np.int64(MONTH), now_s)
        use.month_until_s = period_ends_s(np.int64(MONTH), np.int64(use.month_since_s))


@njit
def look_at_aspect(w, row, detector, aspect):  # type: ignore[no-untyped-def]
    """And with what one aspect of a detector is about: a period, and the finding that is open about it."""
    use = use_of(w)
    use.aspect = aspect
    if aspect == MONTH:  # which takes dozens of divisions to reckon
        use.since_s, use.until_s = use.month_since_s, use.month_until_s
    else:
        use.since_s = period_begins_s(aspect, use.at_s)
        use.until_s = period_ends_s(aspect, use.since_s)
    use.used = used_in_period(w, row, np.int64(use.service), aspect, np.int64(use.at_s))
    use.open_class, use.told, use.seen_s = 0, 0, 0
    at = find_about(w, row, detector)
    if at != 0:
        finding = about_at(w, at - np.int64(1))
        use.open_class, use.told, use.seen_s = finding["class"], finding.now, finding.seen_s


@njit
def used_in_period(w, row, service, period, at_s):  # type: ignore[no-untyped-def]
    """How much of a service in the period that a moment is in: octets as accounting tells, else as records tell."""
    if service == DATA:
        usage = usage_at(w, row)
        if np.int64(usage.services) & np.int64(ACCOUNTED | RECORDED) != RECORDED:
            return used_in(usage, period, at_s)
    return used_of(w, row, service, np.int64(ANY), period, at_s)


@njit
def find_about(w, row, detector):  # type: ignore[no-untyped-def]
    """Row + 1 of the open finding of a detector about the service and aspect in USE, or 0."""
    use = use_of(w)
    at = np.int64(usage_at(w, row).finding_head)
    while at != 0:
        finding = about_at(w, at - np.int64(1))
        same = finding.service == use.service and finding.aspect == use.aspect
        if same and np.int64(finding.detector) == detector:
            return at
        at = np.int64(finding.next)
    return np.int64(0)


@njit
def take_about(w):  # type: ignore[no-untyped-def]
    """Row + 1 for a finding that begins; 0 where as many are open as may be."""
    meta = watch_meta_of(w)
    at = np.int64(meta.about_free)
    if at != 0:
        meta.about_free = about_at(w, at - np.int64(1)).next
    else:
        if np.int64(meta.about) >= SUBSCRIPTION_FINDINGS_MAX:
            meta.findings_held = np.int64(meta.findings_held) + np.int64(1)
            return np.int64(0)
        meta.about = np.int64(meta.about) + np.int64(1)
        at = np.int64(meta.about)
    meta.about_live = np.int64(meta.about_live) + np.int64(1)
    zero_about(w, at - np.int64(1))
    return at


@njit
def drop_about(w, row, at):  # type: ignore[no-untyped-def]
    """Take a finding off its subscription's chain and free its row."""
    meta, usage = watch_meta_of(w), usage_at(w, row)
    finding = about_at(w, at - np.int64(1))
    if np.int64(usage.finding_head) == at:
        usage.finding_head = finding.next
    else:
        before = np.int64(usage.finding_head)
        while np.int64(about_at(w, before - np.int64(1)).next) != at:
            before = np.int64(about_at(w, before - np.int64(1)).next)
        about_at(w, before - np.int64(1)).next = finding.next
    zero_about(w, at - np.int64(1))
    finding.next = meta.about_free
    meta.about_free = at
    meta.about_live = np.int64(meta.about_live) - np.int64(1)


@njit
def say_about(finding, cls, wanted, seen):  # type: ignore[no-untyped-def]
    """What a finding now says."""
    finding["class"] = cls
    finding.response = wanted
    finding.was = seen.was
    finding.now = seen.now
    finding.expected = seen.expected
    finding.will_be = seen.before[0]
    finding.used_up_at = seen.before[1]


@njit
def tell_about(t, w, row, at, kind, position, made, index):  # type: ignore[no-untyped-def]
    """Write one output about a finding."""
    finding, meta, subscription = about_at(w, at - np.int64(1)), watch_meta_of(w), subscription_at(t, row)
    zero_output(w, made)
    output = output_at(w, made)
    output.at = meta.now
    output.sequence = meta.sequence
    output.index = index
    output.kind = kind
    output.row = row
    output.event = position
    output.imsi = subscription.imsi
    output.iccid = subscription.iccid
    output.use_case = subscription.use_case
    output.detector = finding.detector
    output["class"] = finding["class"]
    output.severity = detector_at(w, finding.detector).severity[finding["class"]]
    output.wanted = finding.response
    output.response = finding.response
    output.was = finding.was
    output.now = finding.now
    output.expected = finding.expected
    output.before[0] = finding.will_be
    output.before[1] = finding.used_up_at
    output.opened_sequence = finding.opened_sequence
    output.opened_index = finding.opened_index


@njit
def from_event(w, event, made):  # type: ignore[no-untyped-def]
    """Add to an output what its event says of where."""
    if event.kind != TICK:
        output = output_at(w, made)
        output.gateway = event.gateway
        output.client = event.client
        output.apn = event.apn


@njit
def end_about(t, w, row, at, position, made, index):  # type: ignore[no-untyped-def]
    """Write that a finding ended."""
    tell_about(t, w, row, at, np.int64(FINDING_ENDED), position, made, index)
    drop_about(w, row, at)


@njit
def begin_about(t, w, row, k, cls, wanted, event, position, made, index):  # type: ignore[no-untyped-def]
    """Give a finding that begins its row; False where there is none."""
    at = take_about(w)
    if at == 0:
        return False
    use, usage, finding = use_of(w), usage_at(w, row), about_at(w, at - np.int64(1))
    finding.opened_sequence = watch_meta_of(w).sequence
    finding.opened_index = index
    finding.subscription = np.int64(row) + np.int64(1)
    finding.detector = k
    finding.service = use.service
    finding.aspect = use.aspect
    finding.seen_s = told_s(w)
    finding.next = usage.finding_head
    usage.finding_head = at
    say_about(finding, cls, wanted, evidence_at(w, k))
    tell_about(t, w, row, at, np.int64(FINDING_BEGAN), position, made, index)
    from_event(w, event, made)
    return True


@njit
def told_s(w):  # type: ignore[no-untyped-def]
    """The time, s: what a record of hours ago tells is news now."""
    return np.int64(watch_meta_of(w).now) // np.int64(1_000_000)


@njit
def settle_use(t, w, row, k, event, position, made, index):  # type: ignore[no-untyped-def]
    """Begin, renew or end what a detector has just said of the aspect in USE; returns made and index."""
    cls = np.int64(class_of(w, k))
    at = find_about(w, row, k)
    if cls == NO_OPINION or (cls == QUIET and at == 0):
        return made, index
    if at != 0 and np.int64(about_at(w, at - np.int64(1))["class"]) != cls:
        end_about(t, w, row, at, position, made, index)
        made, index, at = made + np.int64(1), index + np.int64(1), np.int64(0)
    if cls == QUIET:
        return made, index
    wanted, seen = case_response_of(w, subscription_at(t, row).use_case, k, cls), evidence_at(w, k)
    if at == 0:
        if begin_about(t, w, row, k, cls, wanted, event, position, made, index):
            made, index = made + np.int64(1), index + np.int64(1)
        return made, index
    finding = about_at(w, at - np.int64(1))
    finding.seen_s = told_s(w)
    if finding.now != seen.now or np.int64(finding.response) != wanted:
        say_about(finding, cls, wanted, seen)
        tell_about(t, w, row, at, np.int64(FINDING_UPDATED), position, made, index)
        from_event(w, event, made)
        made, index = made + np.int64(1), index + np.int64(1)
    return made, index
