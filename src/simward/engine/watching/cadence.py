"""When a subscription is heard, and where, inside compiled code: what is learnt of each word, and judged of it."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import country_of, tac
from simward.engine.events import ACCESS_REQUEST, ACCOUNTING_START, ACCOUNTING_STOP
from simward.engine.hashing import mix
from simward.engine.places import happened_s
from simward.engine.watching.cadence_layouts import (
    HOURS,
    OF_THE_DAY,
    VISITS_ROOM,
    WEEKDAYS_SHIFT,
    WORD_KIND,
    WORD_MOVED,
    WORD_NEW_NETWORK,
    WORD_OTHER_MODEL,
    WORD_OTHER_NETWORK,
    WORD_OTHER_SOFTWARE,
)
from simward.engine.watching.layouts import OVERDUE, UNJUDGED
from simward.engine.watching.periods import DAY_S, HOUR_S, THURSDAY
from simward.engine.watching.rows import (
    cadence_of,
    group_at,
    rhythm_at,
    usage_at,
    visit_at,
    watch_meta_of,
    watched_at,
    zero_cadence,
)

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
SAME_CONTACT_US = 120_000_000
"""A session that begins so soon after the request for it is the same contact."""
PERIOD_DAYS, CONTACT_DAYS_LEAST = 28, 14
"""Hours of contacts are a habit where there were contacts on half of the days of four weeks."""
WEEK_DAYS, MARKS_MOST = 7, 63
YOUNG_DAYS = 7
"""So long after a subscription was heard first every network is taken for its own."""
LONGEST_SHARE, LONGEST_MOST_MIN, LONGEST_MORE_MIN = 64, 65_535, 60
OCTET, TERMINATE_CAUSES = 255, 256
PLMN_SPACE = 10_000_000
"""Above every PLMN number with its leading 1 (identity.py)."""


@njit
def day_of(at_s):  # type: ignore[no-untyped-def]
    """Days since 1970-01-01."""
    return at_s // np.int64(DAY_S)


@njit
def hour_of(at_s):  # type: ignore[no-untyped-def]
    """The hour of the day, 0 to 23, UTC."""
    return at_s % np.int64(DAY_S) // np.int64(HOUR_S)


@njit
def weekday_of(at_s):  # type: ignore[no-untyped-def]
    """The day of the week, 0 = Monday."""
    return (day_of(at_s) + np.int64(THURSDAY)) % np.int64(WEEK_DAYS)


@njit
def ones(bits):  # type: ignore[no-untyped-def]
    """How many of the lower 32 bits are set."""
    count, left = np.int64(0), np.int64(bits) & np.int64(0xFFFFFFFF)
    while left != 0:
        left &= left - np.int64(1)
        count += np.int64(1)
    return count


@njit
def widened(hours):  # type: ignore[no-untyped-def]
    """Bits of hours, and of the hours before and after each: clocks drift, and go forward by one hour in spring."""
    hours = np.int64(hours) & np.int64(HOURS)
    later = ((hours << np.int64(1)) | (hours >> np.int64(23))) & np.int64(HOURS)
    earlier = ((hours >> np.int64(1)) | (hours << np.int64(23))) & np.int64(HOURS)
    return hours | later | earlier


@njit
def is_known_hour(known, hour):  # type: ignore[no-untyped-def]
    """Is that an hour near those of its habit?

    Of whatever day: four weeks have four Saturdays, and a car that is out on six of ten of them is out on none of four
    once in forty times. That is chance and no habit.
    """
    return (widened(known) >> hour) & np.int64(1) != 0


@njit
def visit_bits(place):  # type: ignore[no-untyped-def]
    """The two of 63 bits that stand for a network or country among those where a subscription has been.

    Where few bits are set, another place is taken for one of them once in some hundred times, and never the reverse.
    """
    mixed = mix(np.int64(place))
    first = mixed % np.int64(63)
    second = (mixed >> np.int64(20)) % np.int64(63)
    return (np.int64(1) << first) | (np.int64(1) << second)


@njit
def visit_key(model, place):  # type: ignore[no-untyped-def]
    """What names a model in a network (PLMN with its leading 1) or in a country (MCC, below 1000); above 0."""
    return np.int64(model) * np.int64(PLMN_SPACE) + np.int64(place)


@njit
def find_visit(w, key):  # type: ignore[no-untyped-def]
    """The row of a key, or where it would stand."""
    at = mix(key) % np.int64(VISITS_ROOM)
    while visit_at(w, at).key != 0 and visit_at(w, at).key != key:
        at = (at + np.int64(1)) % np.int64(VISITS_ROOM)
    return at


@njit
def count_visit(w, key):  # type: ignore[no-untyped-def]
    """One device more of a model has been there; how many have. Where there is no room, as many as nobody finds odd."""
    meta, at = watch_meta_of(w), find_visit(w, key)
    visit = visit_at(w, at)
    if visit.key == 0:
        if np.int64(meta.visits) * np.int64(4) >= np.int64(3 * VISITS_ROOM):
            meta.visits_full = np.int64(meta.visits_full) + np.int64(1)
            return np.int64(0x7FFFFFFF)
        meta.visits = np.int64(meta.visits) + np.int64(1)
        visit.key = key
    visit.visitors = min(np.int64(visit.visitors) + np.int64(1), np.int64(0x7FFFFFFF))
    return np.int64(visit.visitors)


@njit
def visitors_of(w, key):  # type: ignore[no-untyped-def]
    """How many devices of a model have been there."""
    return np.int64(visit_at(w, find_visit(w, key)).visitors)


@njit
def network_of(w, one):  # type: ignore[no-untyped-def]
    """The network that a subscription was heard in last, 0 = none."""
    return np.int64(group_at(w, np.int64(one.network) - np.int64(1)).key) if one.network != 0 else np.int64(0)


@njit
def model_of(w, one, event):  # type: ignore[no-untyped-def]
    """The model (TAC) that speaks, as far as it says, else the one that spoke last; 0 = not known."""
    if event.imei != 0:
        return np.int64(tac(event.imei))
    return np.int64(group_at(w, np.int64(one.model) - np.int64(1)).key) if one.model != 0 else np.int64(0)


@njit
def note_word(t, w, row, event, gateway):  # type: ignore[no-untyped-def]
    """Learn from a word before anything else of it is remembered, and fill CADENCE; True where it is to be judged."""
    one, rhythm, usage, cadence = watched_at(w, row), rhythm_at(w, row), usage_at(w, row), cadence_of(w)
    zero_cadence(w)
    kind, now = np.int64(event.kind), np.int64(event.received_at)
    at_s, now_s = happened_s(event), now // np.int64(SECOND_US)
    cadence.word, cadence.at_s = kind, now_s
    cadence.heard_at = one.heard_at
    cadence.heard_again = 1
    known_day = np.int64(usage.known_day) if usage.known_day != 0 else day_of(now_s)
    cadence.known_days = max(np.int64(0), day_of(now_s) - known_day)
    newest = begin_day(one, rhythm, usage, day_of(at_s), known_day)
    note_change(w, one, event)
    learn_longest(one, now)
    is_contact = begins_contact(w, one, kind, now, gateway)
    note_place(w, one, rhythm, event)
    note_kind(one, rhythm, event)
    if is_contact:
        note_contact(rhythm, cadence, at_s, now_s, newest, known_day)
    cadence.most_sessions = rhythm.most_sessions
    cadence.days_heard = one.days_heard
    moved = cadence.new_country != 0 or cadence.new_network != 0
    return is_contact or moved or one.stage >= OVERDUE or usage.finding_head != 0


@njit
def begin_day(one, rhythm, usage, day, known_day):  # type: ignore[no-untyped-def]
    """Where a word is of another day than the one before: what is of the day begins anew. Is it of the newest day?"""
    before = (np.int64(rhythm.today) >> np.int64(WEEKDAYS_SHIFT)) & np.int64(OCTET)
    later = (day - before) & np.int64(OCTET)
    if one.heard_at != 0 and later == 0:
        return True
    if one.heard_at != 0 and later >= 128:
        return False  # a late record of an earlier day
    if np.int64(usage.hour) // np.int64(24) & np.int64(OCTET) == before:
        learn_most(rhythm, np.int64(usage.sessions_day), day)
    rhythm.today = (day & np.int64(OCTET)) << np.int64(WEEKDAYS_SHIFT)
    one.word = np.int64(one.word) & ~np.int64(OF_THE_DAY)
    one.days_heard = min(np.int64(one.days_heard) + np.int64(1), np.int64(OCTET))
    one.longest_min = np.int64(one.longest_min) - np.int64(one.longest_min) // np.int64(LONGEST_SHARE)
    period = ((day - known_day) // np.int64(PERIOD_DAYS)) & np.int64(7)
    later_periods = (period - (np.int64(rhythm.period) >> np.int64(5))) & np.int64(7)
    if later_periods != 0:
        enough = np.int64(rhythm.period) & np.int64(31) >= CONTACT_DAYS_LEAST
        rhythm.known = rhythm.seen if enough else 0
        rhythm.seen = 0
        carry_marks(rhythm, later_periods)
        rhythm.period = period << np.int64(5)
    return True


@njit
def learn_most(rhythm, sessions, day):  # type: ignore[no-untyped-def]
    """The most sessions in a day: one day may at most double it, and it falls by one in four days."""
    most = np.int64(rhythm.most_sessions)
    if sessions > most:
        most = min(sessions, 2 * most + np.int64(4), np.int64(OCTET))
    elif day % np.int64(4) == 0 and most > sessions:
        most -= np.int64(1)
    rhythm.most_sessions = most


@njit
def learn_longest(one, now):  # type: ignore[no-untyped-def]
    """The longest time between two words: one of them may at most double it."""
    if one.heard_at == 0:
        return
    gap_min = min(max(np.int64(0), now - np.int64(one.heard_at)) // np.int64(MINUTE_US), np.int64(LONGEST_MOST_MIN))
    longest = np.int64(one.longest_min)
    if gap_min > longest:
        one.longest_min = min(gap_min, 2 * longest + np.int64(LONGEST_MORE_MIN)) if longest != 0 else gap_min


@njit
def begins_contact(w, one, kind, now, gateway):  # type: ignore[no-untyped-def]
    """Does it begin to be connected of its own accord? Not where its gateway restarted, which ended its sessions."""
    if kind != ACCESS_REQUEST and kind != ACCOUNTING_START:
        return False
    of_request = np.int64(one.word) & np.int64(WORD_KIND) == ACCESS_REQUEST
    if kind == ACCOUNTING_START and of_request and now - np.int64(one.heard_at) <= SAME_CONTACT_US:
        return False
    for number in (gateway, np.int64(one.gateway)):
        if number != 0 and group_at(w, number - np.int64(1)).epoch_at > one.heard_at:
            return False
    return True


@njit
def note_contact(rhythm, cadence, at_s, now_s, newest, known_day):  # type: ignore[no-untyped-def]
    """Learn at which hours it connects; is this one that it never had?

    Only where both clocks say so: the gateway's may be wrong, and a record may come late.
    """
    hour, weekday = hour_of(at_s), weekday_of(at_s)
    cadence.contact = 1
    cadence.hour, cadence.weekday = hour, weekday
    cadence.received_hour, cadence.received_weekday = hour_of(now_s), weekday_of(now_s)
    cadence.known = rhythm.known
    rhythm.seen = np.int64(rhythm.seen) | (np.int64(1) << hour) | (np.int64(1) << (np.int64(WEEKDAYS_SHIFT) + weekday))
    if not newest:
        return
    today = np.int64(rhythm.today)
    if today & np.int64(HOURS) == 0 and np.int64(rhythm.period) & np.int64(31) < PERIOD_DAYS:
        rhythm.period = np.int64(rhythm.period) + np.int64(1)
    again = (today >> hour) & np.int64(1)
    rhythm.today = today | (np.int64(1) << hour)
    cadence.hours_today = ones(np.int64(rhythm.today) & np.int64(HOURS))
    known = np.int64(rhythm.known)
    if known == 0 or is_known_hour(known, hour):
        return
    if not is_known_hour(known, hour_of(now_s)):
        cadence.is_marked = 1
        if again == 0:
            mark(rhythm, (day_of(at_s) - known_day) // np.int64(WEEK_DAYS))
        cadence.marks = np.int64(rhythm.marks) & np.int64(MARKS_MOST)


@njit
def mark(rhythm, week):  # type: ignore[no-untyped-def]
    """Count a contact at an hour that is not known; what was counted a week ago counts half, and before, nothing."""
    passed = (week - (np.int64(rhythm.marks) >> np.int64(6))) & np.int64(3)
    count = np.int64(rhythm.marks) & np.int64(MARKS_MOST)
    if passed != 0:
        count = count >> np.int64(1) if passed == 1 else np.int64(0)
    rhythm.marks = ((week & np.int64(3)) << np.int64(6)) | min(count + np.int64(1), np.int64(MARKS_MOST))


@njit
def carry_marks(rhythm, later_periods):  # type: ignore[no-untyped-def]
    """Another period begins, and the weeks of marks with it: only what was counted in its last week is lately."""
    of_last_week = np.int64(rhythm.marks) >> np.int64(6) == np.int64(PERIOD_DAYS // WEEK_DAYS - 1)
    lately = of_last_week and later_periods == 1
    rhythm.marks = (np.int64(rhythm.marks) & np.int64(MARKS_MOST)) >> np.int64(1) if lately else np.int64(0)


@njit
def note_place(w, one, rhythm, event):  # type: ignore[no-untyped-def]
    """Learn in which networks it has been, and say what is new about this one."""
    cadence, plmn = cadence_of(w), np.int64(event.plmn)
    cadence.plmn, cadence.before = plmn, network_of(w, one)
    if plmn == 0:
        return
    waits = np.int64(one.word) & np.int64(WORD_NEW_NETWORK) != 0
    if plmn == cadence.before and rhythm.visited != 0 and not waits:
        return
    model, country = model_of(w, one, event), np.int64(country_of(plmn))
    visited, of_network, of_country = np.int64(rhythm.visited), visit_bits(plmn), visit_bits(country)
    fresh = visited & of_network != of_network
    if one.model != 0:
        cadence.peers = group_at(w, np.int64(one.model) - np.int64(1)).members
    if fresh:
        grown_up = visited != 0 and cadence.known_days >= YOUNG_DAYS
        cadence.visitors = count_visit(w, visit_key(model, plmn))
        if visited & of_country != of_country:
            cadence.country_visitors = count_visit(w, visit_key(model, country))
            cadence.new_country = 1 if grown_up else 0
        rhythm.visited = visited | of_network | of_country
        one.word = np.int64(one.word) & ~np.int64(WORD_NEW_NETWORK)
        if grown_up and cadence.new_country == 0:
            one.word = np.int64(one.word) | np.int64(WORD_NEW_NETWORK)
    elif waits:
        if plmn != cadence.before:
            one.word = np.int64(one.word) & ~np.int64(WORD_NEW_NETWORK)  # it went back: nothing came of it
        elif cadence.at_s // DAY_S != np.int64(one.heard_at) // np.int64(DAY_S * SECOND_US):
            one.word = np.int64(one.word) & ~np.int64(WORD_NEW_NETWORK)
            cadence.new_network = 1
            cadence.visitors = visitors_of(w, visit_key(model, plmn))


@njit
def differs(w, number, key):  # type: ignore[no-untyped-def]
    """Is it another group than the one with this row + 1?"""
    return number != 0 and np.int64(group_at(w, np.int64(number) - np.int64(1)).key) != key


@njit
def note_change(w, one, event):  # type: ignore[no-untyped-def]
    """Note what is otherwise than at its word before."""
    changed = np.int64(0)
    if event.cell != 0 and differs(w, one.cell, np.int64(event.cell)):
        changed |= np.int64(WORD_MOVED)
    if event.plmn != 0 and differs(w, one.network, np.int64(event.plmn)):
        changed |= np.int64(WORD_OTHER_NETWORK)
    if event.imei != 0:
        model = np.int64(tac(event.imei))
        if differs(w, one.model, model):
            changed |= np.int64(WORD_OTHER_MODEL)
        elif event.software >= 0 and differs(w, one.software, model * np.int64(100) + np.int64(event.software)):
            changed |= np.int64(WORD_OTHER_SOFTWARE)
    if changed != 0:
        one.word = np.int64(one.word) | changed


@njit
def note_kind(one, rhythm, event):  # type: ignore[no-untyped-def]
    """Note what the word was: it may be the last."""
    one.word = (np.int64(one.word) & ~np.int64(WORD_KIND)) | np.int64(event.kind)
    if event.kind == ACCOUNTING_STOP:
        rhythm.cause = event.cause


@njit
def last_word(one, rhythm):  # type: ignore[no-untyped-def]
    """What its last word was, as one number for evidence: bits of `word` and, of a Stop, 256 times why."""
    cause = np.int64(rhythm.cause) if np.int64(one.word) & np.int64(WORD_KIND) == ACCOUNTING_STOP else np.int64(0)
    return (np.int64(one.word) & ~np.int64(WORD_NEW_NETWORK)) + cause * np.int64(TERMINATE_CAUSES)


@njit
def look_at_cadence(t, w, row, now_s):  # type: ignore[no-untyped-def]
    """Fill CADENCE at a tick: how long nothing was heard, and what of it lasts."""
    one, rhythm, cadence = watched_at(w, row), rhythm_at(w, row), cadence_of(w)
    zero_cadence(w)
    cadence.at_s, cadence.heard_at = now_s, one.heard_at
    cadence.plmn = cadence.before = network_of(w, one)
    cadence.last_word = last_word(one, rhythm)
    cadence.is_excused = 1 if one.stage == UNJUDGED else 0


assert WEEKDAYS_SHIFT + WEEK_DAYS <= 32, "hours and weekdays are in 32 bits"
