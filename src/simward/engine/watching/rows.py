"""Rows of the watch's tables by number inside compiled code; `w` is a layouts.WATCH_TABLES record.

Events, outputs, evidence and classes have the names that they have for the gate, so the gate's accessors serve `w` too.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.detector import MAX_CLASSES
from simward.engine.behaviour.layouts import BEHAVIOUR
from simward.engine.call_records import RECORD
from simward.engine.events import EVENT
from simward.engine.kept_rows import keeping
from simward.engine.rows import int32_at, number_in, octet_at, pointer_to, prefetch_of, set_int32, zero_of
from simward.engine.tables import watch_knobs_dtype
from simward.engine.watching.cadence_layouts import CADENCE, RHYTHM, VISIT
from simward.engine.watching.call_layouts import CALL, CALLED, TALLY
from simward.engine.watching.layouts import (
    BEHAVED,
    COUNTED,
    GROUP,
    PACE,
    SUBSCRIPTION_FINDING,
    USAGE,
    USE,
    WATCH_FINDING,
    WATCH_META,
    WATCHED,
)
from simward.engine.watching.signal_layouts import SIGNALLING, SIGNALS

PLACED_OCTETS = GROUP.fields["members"][1] + 4  # type: ignore[index]
"""Of a group's row: what is read of it wherever one of its members is heard."""

_meta = pointer_to(WATCH_META)
_watched = pointer_to(WATCHED)
_group = pointer_to(GROUP)
_finding = pointer_to(WATCH_FINDING)
_pace = pointer_to(PACE)
_rest, _set_rest = number_in("u4")
_keep_group, _is_group_kept = keeping(GROUP)
_usage = pointer_to(USAGE)
_counted = pointer_to(COUNTED)
_about = pointer_to(SUBSCRIPTION_FINDING)
_use = pointer_to(USE)
_rhythm = pointer_to(RHYTHM)
_visit = pointer_to(VISIT)
_cadence = pointer_to(CADENCE)
_knobs = pointer_to(watch_knobs_dtype())
_behaviour = pointer_to(BEHAVIOUR)
_behaved = pointer_to(BEHAVED)
_called, _tally, _call, _record = (pointer_to(one) for one in (CALLED, TALLY, CALL, RECORD))
_unsaid = pointer_to(EVENT)
_fetch_watched, _fetch_usage, _fetch_counted = (prefetch_of(one) for one in (WATCHED, USAGE, COUNTED))
_fetch_group = prefetch_of(GROUP, PLACED_OCTETS)
_signals, _signalling = pointer_to(SIGNALS), pointer_to(SIGNALLING)
_fetch_signals, _zero_signals = prefetch_of(SIGNALS), zero_of(SIGNALS)
_fetch_counting = prefetch_of(BEHAVIOUR, 32)
_fetch_rhythm = prefetch_of(RHYTHM)
_fetch_rest = prefetch_of(np.dtype("u4"))
_zero_rhythm = zero_of(RHYTHM)
_zero_cadence = zero_of(CADENCE)
_zero_watched = zero_of(WATCHED)
_zero_usage = zero_of(USAGE)
_zero_counted = zero_of(COUNTED)
_zero_behaviour = zero_of(BEHAVIOUR)
_zero_about = zero_of(SUBSCRIPTION_FINDING)
_zero_tally = zero_of(TALLY)
_zero_group = zero_of(GROUP)
_zero_finding = zero_of(WATCH_FINDING)


@njit
def watch_meta_of(w):  # type: ignore[no-untyped-def]
    """layouts.WATCH_META"""
    return _meta(w.watch_meta, 0)


@njit
def watched_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.WATCHED, to do something with it: whoever rested is looked at again."""
    _set_rest(w.row_rests, row, 0)
    _pace(w.pace, 0).rows_rest_s = 0
    return _watched(w.watched, row)


@njit
def watched_seen(w, row):  # type: ignore[no-untyped-def]
    """The same, to look at it alone."""
    return _watched(w.watched, row)


@njit
def row_rest_s(w, row):  # type: ignore[no-untyped-def]
    """Until when no tick changes anything about a subscription, s; 0 = that is not known."""
    return _rest(w.row_rests, row)


@njit
def set_row_rest(w, row, until_s):  # type: ignore[no-untyped-def]
    """Note it."""
    _set_rest(w.row_rests, row, until_s)


@njit
def zero_watched(w, row):  # type: ignore[no-untyped-def]
    """Forget a subscription."""
    _set_rest(w.row_rests, row, 0)
    _zero_watched(w.watched, row)


@njit
def group_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.GROUP, to do something with it: it rests no more."""
    _set_rest(w.group_rests, row, 0)
    return _group(w.groups, row)


@njit
def group_seen(w, row):  # type: ignore[no-untyped-def]
    """The same, to look at it alone."""
    return _group(w.groups, row)


@njit
def group_rest_s(w, row):  # type: ignore[no-untyped-def]
    """Until when no tick changes anything about a group, s; 0 = that is not known."""
    return _rest(w.group_rests, row)


@njit
def set_group_rest(w, row, until_s):  # type: ignore[no-untyped-def]
    """Note it."""
    _set_rest(w.group_rests, row, until_s)


@njit
def keep_group(w, row):  # type: ignore[no-untyped-def]
    """Keep a copy of a group's row."""
    _keep_group(w.group_kept, w.groups, np.int64(row))


@njit
def is_group_kept(w, row):  # type: ignore[no-untyped-def]
    """Is the row as the copy is?"""
    return _is_group_kept(w.group_kept, w.groups, np.int64(row))


@njit
def pace_of(w):  # type: ignore[no-untyped-def]
    """layouts.PACE"""
    return _pace(w.pace, 0)


@njit
def zero_group(w, row):  # type: ignore[no-untyped-def]
    """Make a group's row all zeros."""
    _set_rest(w.group_rests, row, 0)
    _zero_group(w.groups, row)


@njit
def watch_finding_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.WATCH_FINDING"""
    return _finding(w.watch_findings, row)


@njit
def zero_watch_finding(w, row):  # type: ignore[no-untyped-def]
    """Make a finding's row all zeros."""
    _zero_finding(w.watch_findings, row)


@njit
def group_slot(w, at):  # type: ignore[no-untyped-def]
    """Row + 1 of the group in this slot of the index, 0 = empty."""
    return int32_at(w.group_index, at)


@njit
def set_group_slot(w, at, value):  # type: ignore[no-untyped-def]
    """Fill a slot of the index."""
    set_int32(w.group_index, at, value)


@njit
def watch_response_of(w, detector, cls):  # type: ignore[no-untyped-def]
    """The response that policy gives to a class of a detector."""
    return octet_at(w.responses, np.int64(detector) * np.int64(MAX_CLASSES) + np.int64(cls))


@njit
def usage_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.USAGE"""
    return _usage(w.usage, row)


@njit
def zero_usage(w, row):  # type: ignore[no-untyped-def]
    """Forget what a subscription used."""
    _zero_usage(w.usage, row)


@njit
def behaviour_at(w, row):  # type: ignore[no-untyped-def]
    """behaviour/layouts.BEHAVIOUR"""
    return _behaviour(w.behaviour, row)


@njit
def behaviour_of(w):  # type: ignore[no-untyped-def]
    """layouts.BEHAVED: what is being judged"""
    return _behaved(w.behaved, 0)


@njit
def zero_behaviour(w, row):  # type: ignore[no-untyped-def]
    """Forget how a subscription behaves."""
    _zero_behaviour(w.behaviour, row)


@njit
def counted_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.COUNTED"""
    return _counted(w.counted, row)


@njit
def zero_counted(w, row):  # type: ignore[no-untyped-def]
    """Make the row of a session's counters all zeros."""
    _zero_counted(w.counted, row)


@njit
def about_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.SUBSCRIPTION_FINDING"""
    return _about(w.about, row)


@njit
def zero_about(w, row):  # type: ignore[no-untyped-def]
    """Make the row of a finding about a subscription all zeros."""
    _zero_about(w.about, row)


@njit
def use_of(w):  # type: ignore[no-untyped-def]
    """layouts.USE: what is being judged"""
    return _use(w.use, 0)


@njit
def rhythm_at(w, row):  # type: ignore[no-untyped-def]
    """cadence_layouts.RHYTHM"""
    return _rhythm(w.rhythms, row)


@njit
def zero_rhythm(w, row):  # type: ignore[no-untyped-def]
    """Forget when a subscription is heard."""
    _zero_rhythm(w.rhythms, row)


@njit
def visit_at(w, row):  # type: ignore[no-untyped-def]
    """cadence_layouts.VISIT"""
    return _visit(w.visits, row)


@njit
def cadence_of(w):  # type: ignore[no-untyped-def]
    """cadence_layouts.CADENCE: what is being judged"""
    return _cadence(w.cadence, 0)


@njit
def zero_cadence(w):  # type: ignore[no-untyped-def]
    """Nothing is being judged."""
    _zero_cadence(w.cadence, 0)


@njit
def watch_knobs_at(w, use_case):  # type: ignore[no-untyped-def]
    """tables.watch_knobs_dtype()"""
    return _knobs(w.knobs, use_case)


@njit
def case_response_of(w, use_case, detector, cls):  # type: ignore[no-untyped-def]
    """The response that one use case gives to a class of a detector."""
    at = (np.int64(use_case) * np.int64(w.detector_count) + np.int64(detector)) * np.int64(MAX_CLASSES)
    return octet_at(w.case_responses, at + np.int64(cls))


@njit
def row_ahead(w, at):  # type: ignore[no-untyped-def]
    """Row of the subscription of one of the next events, -1 = of none."""
    return int32_at(w.rows_ahead, at)


@njit
def set_row_ahead(w, at, row):  # type: ignore[no-untyped-def]
    """Note it, and ask for what is kept of it."""
    set_int32(w.rows_ahead, at, row)
    if row >= 0:
        _fetch_watched(w.watched, np.int64(row))
        _fetch_usage(w.usage, np.int64(row))
        _fetch_counting(w.behaviour, np.int64(row))
        _fetch_rhythm(w.rhythms, np.int64(row))
        _fetch_signals(w.signals, np.int64(row))
        _fetch_rest(w.row_rests, np.int64(row))


@njit
def fetch_counted(w, number):  # type: ignore[no-untyped-def]
    """Ask for a session's counters by row + 1."""
    if number != 0:
        _fetch_counted(w.counted, np.int64(number) - np.int64(1))


@njit
def fetch_group(w, number):  # type: ignore[no-untyped-def]
    """Ask for what placing a subscription reads of its group, by row + 1."""
    if number != 0:
        _fetch_group(w.groups, np.int64(number) - np.int64(1))


@njit
def found_at(w, position):  # type: ignore[no-untyped-def]
    """Row of the subscription that the gate fold found for an event, where the caller says it (`w.found`)."""
    return int32_at(w.found, position)


@njit
def called_at(w, row):  # type: ignore[no-untyped-def]
    """call_layouts.CALLED"""
    return _called(w.called, row)


@njit
def tally_at(w, row):  # type: ignore[no-untyped-def]
    """call_layouts.TALLY"""
    return _tally(w.tallies, row)


@njit
def zero_tally(w, row):  # type: ignore[no-untyped-def]
    """Make the row of what was used all zeros."""
    _zero_tally(w.tallies, row)


@njit
def call_of(w):  # type: ignore[no-untyped-def]
    """call_layouts.CALL: the record that is being judged"""
    return _call(w.call, 0)


@njit
def record_at(w, position):  # type: ignore[no-untyped-def]
    """call_records.RECORD"""
    return _record(w.records, position)


@njit
def unsaid(w):  # type: ignore[no-untyped-def]
    """An event that says nothing, for what no event of the gate's told."""
    return _unsaid(w.unsaid, 0)


@njit
def signals_at(w, row):  # type: ignore[no-untyped-def]
    """signal_layouts.SIGNALS"""
    return _signals(w.signals, row)


@njit
def zero_signals(w, row):  # type: ignore[no-untyped-def]
    """Forget what a subscription signalled."""
    _zero_signals(w.signals, row)


@njit
def signalling_of(w):  # type: ignore[no-untyped-def]
    """signal_layouts.SIGNALLING: what is being judged"""
    return _signalling(w.signalling, 0)
