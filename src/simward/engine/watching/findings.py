"""Findings of the watch inside compiled code: they begin, grow and end; at most so many are open at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.outputs import FINDING_BEGAN, FINDING_ENDED, FINDING_UPDATED
from simward.engine.rows import class_of, detector_at, evidence_at, output_at, zero_output
from simward.engine.watching.groups import WINDOW_LEAST_US
from simward.engine.watching.layouts import BY_CADENCE, BY_INTERIMS, CELL, FINDINGS_MAX, GATEWAY, USE_CASE
from simward.engine.watching.rows import (
    group_at,
    watch_finding_at,
    watch_meta_of,
    watch_response_of,
    zero_watch_finding,
)

QUIET, NO_OPINION = 0, -1
NOWHERE = -1
TOGETHER = 1
"""Value of a detector's `scope` in the table of detectors: it judges how many of a group are silent."""
ABOUT_SUBSCRIPTION = 2
"""Likewise: it judges no group."""
SIGNALLED = 3
"""Likewise: it judges how many of a group signal what they should not."""


@njit
def find_finding(w, head, detector):  # type: ignore[no-untyped-def]
    """Row + 1 of the open finding of a detector on this chain, or 0."""
    at = np.int64(head)
    while at != 0:
        if np.int64(watch_finding_at(w, at - np.int64(1)).detector) == detector:
            return at
        at = np.int64(watch_finding_at(w, at - np.int64(1)).next)
    return np.int64(0)


@njit
def take_finding(w):  # type: ignore[no-untyped-def]
    """Row + 1 for a finding that begins; 0 where as many are open as may be."""
    meta = watch_meta_of(w)
    at = np.int64(meta.finding_free)
    if at != 0:
        meta.finding_free = watch_finding_at(w, at - np.int64(1)).next
    else:
        if np.int64(meta.findings) >= FINDINGS_MAX:
            return np.int64(0)
        meta.findings = np.int64(meta.findings) + np.int64(1)
        at = np.int64(meta.findings)
    meta.findings_live = np.int64(meta.findings_live) + np.int64(1)
    return at


@njit
def drop_finding(w, row, at):  # type: ignore[no-untyped-def]
    """Take a finding off its group's chain and free its row."""
    meta, group = watch_meta_of(w), group_at(w, row)
    finding = watch_finding_at(w, at - np.int64(1))
    if np.int64(group.finding_head) == at:
        group.finding_head = finding.next
    else:
        before = np.int64(group.finding_head)
        while np.int64(watch_finding_at(w, before - np.int64(1)).next) != at:
            before = np.int64(watch_finding_at(w, before - np.int64(1)).next)
        watch_finding_at(w, before - np.int64(1)).next = finding.next
    zero_watch_finding(w, at - np.int64(1))
    finding.next = meta.finding_free
    meta.finding_free = at
    meta.findings_live = np.int64(meta.findings_live) - np.int64(1)


@njit
def tell(w, row, at, kind, position, made, index):  # type: ignore[no-untyped-def]
    """Write one output about a finding."""
    finding, group, meta = watch_finding_at(w, at - np.int64(1)), group_at(w, row), watch_meta_of(w)
    zero_output(w, made)
    output = output_at(w, made)
    output.at = meta.now
    output.sequence = meta.sequence
    output.index = index
    output.kind = kind
    output.row = row
    output.event = position
    output.detector = finding.detector
    output["class"] = finding["class"]
    output.severity = detector_at(w, finding.detector).severity[finding["class"]]
    output.wanted = finding.response
    output.response = finding.response
    output.was = finding.was
    output.now = finding.now
    output.expected = finding.expected
    output.opened_sequence = finding.opened_sequence
    output.opened_index = finding.opened_index
    output.subject = group.key
    if np.int64(group.kind) == CELL:
        output.plmn = group.within
    elif np.int64(group.kind) == GATEWAY:
        output.gateway = group.key
        output.client = group.within
    elif np.int64(group.kind) == USE_CASE:
        output.use_case = group.key


@njit
def say(w, finding, cls, wanted, seen):  # type: ignore[no-untyped-def]
    """What a finding now says."""
    finding["class"] = cls
    finding.response = wanted
    finding.was = seen.was
    finding.now = seen.now
    finding.expected = seen.expected


@njit
def begin_finding(w, row, k, cls, wanted, position, made, index):  # type: ignore[no-untyped-def]
    """Give a finding that begins its row; False where there is none."""
    meta, group = watch_meta_of(w), group_at(w, row)
    at = take_finding(w)
    if at == 0:
        meta.findings_held = np.int64(meta.findings_held) + np.int64(1)
        return False
    finding = watch_finding_at(w, at - np.int64(1))
    zero_watch_finding(w, at - np.int64(1))
    finding.opened_sequence = meta.sequence
    finding.opened_index = index
    finding.group = row
    finding.detector = k
    finding.next = group.finding_head
    group.finding_head = at
    say(w, finding, cls, wanted, evidence_at(w, k))
    scope = np.int64(detector_at(w, k).scope)
    if scope == TOGETHER:
        group.lasting = BY_CADENCE if group.overdue else BY_INTERIMS
    elif scope != SIGNALLED:
        group.stopped = 1
    tell(w, row, at, FINDING_BEGAN, position, made, index)
    return True


@njit
def end_finding(w, row, at, position, made, index):  # type: ignore[no-untyped-def]
    """Write that a finding ended. Those of its group who come back later than the others make no new one."""
    group = group_at(w, row)
    scope = np.int64(detector_at(w, watch_finding_at(w, at - np.int64(1)).detector).scope)
    if scope == TOGETHER:
        group.lasting = 0
        group.overdue = 0
        group.overdue_at = 0
        group.quiet_until = watch_meta_of(w).now + max(np.int64(group.window_us), np.int64(WINDOW_LEAST_US))
    elif scope != SIGNALLED:
        group.stopped = 0
        group.resumed_at = watch_meta_of(w).now
    if scope != SIGNALLED:
        group.ended_at = watch_meta_of(w).now
    tell(w, row, at, FINDING_ENDED, position, made, index)
    drop_finding(w, row, at)


@njit
def settle(w, row, position, made, index):  # type: ignore[no-untyped-def]
    """Begin, renew and end the findings about one group, as its detectors have just said; returns made and index."""
    group = group_at(w, row)
    for k in range(w.detector_count):
        cls = np.int64(class_of(w, k))
        if cls == NO_OPINION or np.int64(detector_at(w, k).scope) == ABOUT_SUBSCRIPTION:
            continue
        at = find_finding(w, group.finding_head, k)
        if at != 0 and np.int64(watch_finding_at(w, at - np.int64(1))["class"]) != cls:
            if cls == QUIET and evidence_at(w, k).was != 0:
                finding = watch_finding_at(w, at - np.int64(1))
                say(w, finding, finding["class"], finding.response, evidence_at(w, k))
            end_finding(w, row, at, position, made, index)
            made, index, at = made + np.int64(1), index + np.int64(1), np.int64(0)
        if cls == QUIET:
            continue
        wanted, seen = watch_response_of(w, k, cls), evidence_at(w, k)
        if at == 0:
            if begin_finding(w, row, k, cls, wanted, position, made, index):
                made, index = made + np.int64(1), index + np.int64(1)
            continue
        finding = watch_finding_at(w, at - np.int64(1))
        if finding.now != seen.now or np.int64(finding.response) != wanted:
            say(w, finding, cls, wanted, seen)
            tell(w, row, at, FINDING_UPDATED, position, made, index)
            made, index = made + np.int64(1), index + np.int64(1)
    return made, index
