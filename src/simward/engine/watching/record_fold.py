"""The fold of call detail records: one after the other, as their journal has them, at the place in the gate's sequence
that the watch's journal names.

Like the watch fold, of which it is a part: no clock, no I/O, no allocation. compose.py takes the text of this module
into the composed one, where `judge_uses` and `judge_calls` are the detectors' judgement.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.call_records import PREMIUM
from simward.engine.lookup import find_imsi, find_msisdn
from simward.engine.rows import subscription_at
from simward.engine.watching.call import look_at_call
from simward.engine.watching.days import count_recorded_day
from simward.engine.watching.layouts import ACCOUNTED, DATA, DAY, RECORDED, VOICE
from simward.engine.watching.periods import DAY_S, HOUR_S
from simward.engine.watching.rows import (
    call_of,
    record_at,
    unsaid,
    usage_at,
    use_of,
    watch_knobs_at,
    watch_meta_of,
)
from simward.engine.watching.subscription_findings import look_at_use
from simward.engine.watching.tallies import count_call, newest_hour_to, newest_s, service_of, used_of
from simward.engine.watching.tolls import count_caller

SECOND_US = 1_000_000
RECORD_ROOM = 64
"""More outputs than one record can make: each detector of a use or call, each of its aspects, an end and a begin."""
INDEX_MOST = 65_000
"""Of outputs at one place: an output's index has 16 bits."""
JUDGED_FOR_S = 7 * DAY_S
"""A record that is older when it comes is counted and not judged: what it tells is past, and nobody can act on it."""


def judge_uses(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Let each that judges what a subscription uses do so, and its findings begin and end; defined where the kernel is
    composed."""
    raise NotImplementedError


def judge_calls(t, w, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Let each that judges calls and messages; likewise."""
    raise NotImplementedError


@njit
def row_of(t, record):  # type: ignore[no-untyped-def]
    """Row of the subscription that a record is about: by IMSI, else by telephone number; -1 = nobody's."""
    if record.imsi != 0:
        return find_imsi(t, record.imsi)
    return find_msisdn(t, record.msisdn) if record.msisdn != 0 else np.int64(-1)


@njit
def learn_since(w, usage, at_s):  # type: ignore[no-untyped-def]
    """Since when there are records, and since when the subscription is known."""
    meta = watch_meta_of(w)
    if np.int64(meta.records_since_s) == 0 or at_s < np.int64(meta.records_since_s):
        meta.records_since_s = at_s
    if usage.known_day == 0:
        usage.known_day = at_s // np.int64(DAY_S)


@njit
def look_at_record(w, row, record, judged_s, is_first):  # type: ignore[no-untyped-def]
    """Fill USE with the use that a record tells of."""
    service, destination = service_of(record), np.int64(record.destination)
    look_at_use(w, row, service, judged_s)
    use = use_of(w)
    use.recorded, use.destination, use.is_first = 1, destination, is_first
    use.to_destination = used_of(w, row, service, destination, np.int64(DAY), judged_s)


@njit
def may_call_premium(t, w, row):  # type: ignore[no-untyped-def]
    """Does its use case have premium numbers?"""
    return watch_knobs_at(w, subscription_at(t, row).use_case).toll_fraud.premium == 1


@njit
def note_data(usage):  # type: ignore[no-untyped-def]
    """Note that a record tells of data; returns 1 where accounting does too, which tells sooner, else 0."""
    services = np.int64(usage.services)
    if services & np.int64(RECORDED) == 0 and services & (np.int64(1) << np.int64(DATA)):
        services |= np.int64(ACCOUNTED)  # as it was counted before records told of any
    usage.services = services | np.int64(RECORDED) | np.int64(1) << np.int64(DATA)
    return np.int64(1) if services & np.int64(ACCOUNTED) else np.int64(0)


@njit
def fold_record(t, w, row, record, made, index):  # type: ignore[no-untyped-def]
    """Count one record, and have it judged; returns made and index."""
    usage, now_s = usage_at(w, row), np.int64(watch_meta_of(w).now) // np.int64(SECOND_US)
    at_s = min(np.int64(record.happened_at) // np.int64(SECOND_US), now_s)  # no record is of the future
    hour, premium_before = at_s // np.int64(HOUR_S), newest_hour_to(w, row, np.int64(PREMIUM))
    count_call(w, row, record, at_s)
    learn_since(w, usage, at_s)
    service = service_of(record)
    bit = np.int64(1) << service
    is_first = np.int64(0) if np.int64(usage.services) & bit else np.int64(1)
    if service == DATA:
        if note_data(usage):
            return made, index
        count_recorded_day(w, row, record, at_s, now_s)
    usage.services = np.int64(usage.services) | bit
    if now_s - at_s > JUDGED_FOR_S:
        return made, index
    judged_s = newest_s(w, row, service, at_s)
    look_at_record(w, row, record, judged_s, is_first)
    made, index = judge_uses(t, w, row, unsaid(w), np.int64(0), made, index)
    if service == DATA:
        return made, index
    look_at_use(w, row, np.int64(VOICE), judged_s)
    look_at_call(t, w, row, judged_s)
    call_of(w).service, call_of(w).destination = service, record.destination
    if record.destination == PREMIUM and hour > premium_before and not may_call_premium(t, w, row):
        count_caller(t, w, row, hour, premium_before)
    return judge_calls(t, w, row, unsaid(w), np.int64(0), made, index)


def fold_records(tables, watch, count, index):  # type: ignore[no-untyped-def]
    """Fold records in order, whose first output has this index.

    Returns how many were consumed, how many outputs were made, and the next index; stops early where the outputs might
    not fit.
    """
    t, w = tables[0], watch[0]
    made, meta = np.int64(0), watch_meta_of(w)
    for position in range(count):
        if made + RECORD_ROOM > w.outputs_room or index + RECORD_ROOM > INDEX_MOST:
            return np.int64(position), made, index
        record = record_at(w, position)
        row = row_of(t, record)
        meta.records = np.int64(meta.records) + np.int64(1)
        if row < 0:
            meta.records_unknown = np.int64(meta.records_unknown) + np.int64(1)
        else:
            made, index = fold_record(t, w, row, record, made, index)
    return np.int64(count), made, index
