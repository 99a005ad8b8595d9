"""What call detail records add up to, counted inside compiled code: messages, seconds and octets by period.

A record comes once (its journal sees to it), hours late, and in any order. What it tells of an hour, day, week or month
that its newest neighbour is in as well is counted there; of a period that was over by then it is not told any more.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.call_records import SHORT_MESSAGE
from simward.engine.call_records import VOICE as CALL_RECORD
from simward.engine.watching.call_layouts import PERIODS, TALLIES_EACH
from simward.engine.watching.layouts import DATA, DAY, HOUR, MONTH, SMS, VOICE
from simward.engine.watching.periods import HOUR_S, period_begins_s
from simward.engine.watching.rows import called_at, tally_at, watch_meta_of, zero_tally

LOW, LOW_BITS, MOST = 0xFFFFFFFF, 32, (1 << 40) - 1
TIMES_HOUR_MOST, TIMES_MOST = 0xFF, 0xFFFF
SERVICE_BITS, DESTINATION_BITS = 2, 3
ANY = -1


@njit
def service_of(record):  # type: ignore[no-untyped-def]
    """Which service a record is a use of."""
    if record.kind == CALL_RECORD:
        return np.int64(VOICE)
    return np.int64(SMS if record.kind == SHORT_MESSAGE else DATA)


@njit
def amount_of(record):  # type: ignore[no-untyped-def]
    """How much of it: a message, seconds, or octets in both directions."""
    if record.kind == CALL_RECORD:
        return max(np.int64(record.duration_s), np.int64(0))
    if record.kind == SHORT_MESSAGE:
        return np.int64(1)
    return max(np.int64(record.uplink_octets), np.int64(0)) + max(np.int64(record.downlink_octets), np.int64(0))


@njit
def tally_key(service, destination, plmn):  # type: ignore[no-untyped-def]
    """Service, class of destination and network (prefix-1 decimal, 21 bits) in one number above 0."""
    return ((plmn << np.int64(DESTINATION_BITS) | destination) << np.int64(SERVICE_BITS) | service) + np.int64(1)


@njit
def key_service(key):  # type: ignore[no-untyped-def]
    """The service in it."""
    return (key - np.int64(1)) & np.int64((1 << SERVICE_BITS) - 1)


@njit
def key_destination(key):  # type: ignore[no-untyped-def]
    """The class of destination."""
    return ((key - np.int64(1)) >> np.int64(SERVICE_BITS)) & np.int64((1 << DESTINATION_BITS) - 1)


@njit
def key_network(key):  # type: ignore[no-untyped-def]
    """The network."""
    return (key - np.int64(1)) >> np.int64(SERVICE_BITS + DESTINATION_BITS)


@njit
def tallied(one, period):  # type: ignore[no-untyped-def]
    """The counter of a period."""
    low = np.int64(one.low[period])
    return low if period == HOUR else low | (np.int64(one.high[period - 1]) << np.int64(LOW_BITS))


@njit
def set_tallied(one, period, value):  # type: ignore[no-untyped-def]
    """Write it; what does not fit is cut off."""
    held = min(value, np.int64(LOW if period == HOUR else MOST))
    one.low[period] = held & np.int64(LOW)
    if period != HOUR:
        one.high[period - 1] = held >> np.int64(LOW_BITS)


@njit
def is_of_period(one, period, at_s):  # type: ignore[no-untyped-def]
    """Does the counter of a period count the one that a moment is in?"""
    newest_s = np.int64(one.hour) * np.int64(HOUR_S)
    return period_begins_s(period, newest_s) == period_begins_s(period, at_s)


@njit
def begin_tallies(one, at_s):  # type: ignore[no-untyped-def]
    """Where a record is in a later hour than all before it, the counters of what is over begin anew."""
    hour = at_s // np.int64(HOUR_S)
    if hour <= np.int64(one.hour):
        return
    for period in range(PERIODS):
        if not is_of_period(one, np.int64(period), at_s):
            set_tallied(one, np.int64(period), np.int64(0))
            if period == HOUR:
                one.times_hour = 0
            elif period == DAY:
                one.times_day = 0
            elif period == MONTH:
                one.times_month = 0
    one.hour = hour


@njit
def find_tally(w, row, key):  # type: ignore[no-untyped-def]
    """Row + 1 of the counters of one kind of use; 0 where there are none."""
    at = np.int64(called_at(w, row).head)
    while at != 0:
        if np.int64(tally_at(w, at - np.int64(1)).key) == key:
            return at
        at = np.int64(tally_at(w, at - np.int64(1)).next)
    return np.int64(0)


@njit
def spared_tally(w, row, at_s):  # type: ignore[no-untyped-def]
    """Row + 1 of counters of a month that is over, where a subscription has as many as it may; 0 where it has not; -1
    where all of them still count."""
    count, over = np.int64(0), np.int64(-1)
    at = np.int64(called_at(w, row).head)
    while at != 0:
        one = tally_at(w, at - np.int64(1))
        newest_s = np.int64(one.hour) * np.int64(HOUR_S)
        if period_begins_s(np.int64(MONTH), newest_s) < period_begins_s(np.int64(MONTH), at_s):
            over = at
        count += np.int64(1)
        at = np.int64(one.next)
    return over if count >= TALLIES_EACH else np.int64(0)


@njit
def open_tally(w, row, key, at_s):  # type: ignore[no-untyped-def]
    """Row + 1 of counters for a kind of use that is new; those of all networks where there are too many."""
    meta = watch_meta_of(w)
    number = spared_tally(w, row, at_s)
    if number < 0 and key_network(key) != 0:
        meta.tallies_full = np.int64(meta.tallies_full) + np.int64(1)
        key = tally_key(key_service(key), key_destination(key), np.int64(0))
        number = find_tally(w, row, key)
        if number != 0:
            return number
    if number > 0:
        after = np.int64(tally_at(w, number - np.int64(1)).next)
        zero_tally(w, number - np.int64(1))
        tally_at(w, number - np.int64(1)).next = after
    else:
        number = take_tally(w)
        tally_at(w, number - np.int64(1)).next = called_at(w, row).head
        called_at(w, row).head = number
    tally_at(w, number - np.int64(1)).key = key
    return number


@njit
def take_tally(w):  # type: ignore[no-untyped-def]
    """Row + 1 of counters that nobody has; there is room, since there is a row for each record to come."""
    meta = watch_meta_of(w)
    number = np.int64(meta.tallies_free)
    if number != 0:
        meta.tallies_free = tally_at(w, number - np.int64(1)).next
    else:
        number = np.int64(meta.tallies) + np.int64(1)
        meta.tallies = number
    zero_tally(w, number - np.int64(1))
    return number


@njit
def count_call(w, row, record, at_s):  # type: ignore[no-untyped-def]
    """Count what a record says, in each period that is not over."""
    key = tally_key(service_of(record), np.int64(record.destination), np.int64(record.plmn))
    number = find_tally(w, row, key)
    if number == 0:
        number = open_tally(w, row, key, at_s)
    one, amount = tally_at(w, number - np.int64(1)), amount_of(record)
    begin_tallies(one, at_s)
    for period in range(PERIODS):
        if is_of_period(one, np.int64(period), at_s):
            set_tallied(one, np.int64(period), tallied(one, np.int64(period)) + amount)
    if is_of_period(one, np.int64(HOUR), at_s):
        one.times_hour = min(np.int64(one.times_hour) + np.int64(1), np.int64(TIMES_HOUR_MOST))
    if is_of_period(one, np.int64(DAY), at_s):
        one.times_day = min(np.int64(one.times_day) + np.int64(1), np.int64(TIMES_MOST))
    if is_of_period(one, np.int64(MONTH), at_s):
        one.times_month = min(np.int64(one.times_month) + np.int64(1), np.int64(TIMES_MOST))


@njit
def used_of(w, row, service, destination, period, at_s):  # type: ignore[no-untyped-def]
    """How much of a service a subscription used in the period that a moment is in, to one class or to `ANY`."""
    total = np.int64(0)
    at = np.int64(called_at(w, row).head)
    while at != 0:
        one = tally_at(w, at - np.int64(1))
        key = np.int64(one.key)
        fits = destination == ANY or key_destination(key) == destination
        if fits and key_service(key) == service and is_of_period(one, period, at_s):
            total += tallied(one, period)
        at = np.int64(one.next)
    return total


@njit
def times_of(w, row, service, destination, period, at_s):  # type: ignore[no-untyped-def]
    """How often it did, of `ANY` service or one, in the hour, day or month that a moment is in."""
    total = np.int64(0)
    at = np.int64(called_at(w, row).head)
    while at != 0:
        one = tally_at(w, at - np.int64(1))
        key = np.int64(one.key)
        fits = service == ANY or key_service(key) == service
        if fits and key_destination(key) == destination and is_of_period(one, period, at_s):
            if period == HOUR:
                total += np.int64(one.times_hour)
            else:
                total += np.int64(one.times_day if period == DAY else one.times_month)
        at = np.int64(one.next)
    return total


@njit
def newest_hour_to(w, row, destination):  # type: ignore[no-untyped-def]
    """The newest hour (since 1970) in which a class of destination was called or written to; 0 = never."""
    newest = np.int64(0)
    at = np.int64(called_at(w, row).head)
    while at != 0:
        one = tally_at(w, at - np.int64(1))
        if key_destination(np.int64(one.key)) == destination:
            newest = max(newest, np.int64(one.hour))
        at = np.int64(one.next)
    return newest


@njit
def newest_s(w, row, service, at_s):  # type: ignore[no-untyped-def]
    """The time to judge a record of a service at: its own, or the hour of a newer one, whose periods are counted."""
    newest = at_s
    at = np.int64(called_at(w, row).head)
    while at != 0:
        one = tally_at(w, at - np.int64(1))
        if key_service(np.int64(one.key)) == service:
            newest = max(newest, np.int64(one.hour) * np.int64(HOUR_S))
        at = np.int64(one.next)
    return newest


@njit
def forget_calls(w, row):  # type: ignore[no-untyped-def]
    """Free the counters of a subscription."""
    meta, called = watch_meta_of(w), called_at(w, row)
    at = np.int64(called.head)
    while at != 0:
        after = np.int64(tally_at(w, at - np.int64(1)).next)
        zero_tally(w, at - np.int64(1))
        tally_at(w, at - np.int64(1)).next = meta.tallies_free
        meta.tallies_free = at
        at = after
    called.head = 0
