"""Rows of the watch's tables by number inside compiled code; `w` is a layouts.WATCH_TABLES record.

Events, outputs, evidence and classes have the names that they have for the gate, so the gate's accessors serve `w` too.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.detector import MAX_CLASSES
from simward.engine.rows import int32_at, octet_at, pointer_to, set_int32, zero_of
from simward.engine.watching.layouts import GROUP, WATCH_FINDING, WATCH_META, WATCHED

_meta = pointer_to(WATCH_META)
_watched = pointer_to(WATCHED)
_group = pointer_to(GROUP)
_finding = pointer_to(WATCH_FINDING)
_zero_watched = zero_of(WATCHED)
_zero_group = zero_of(GROUP)
_zero_finding = zero_of(WATCH_FINDING)


@njit
def watch_meta_of(w):  # type: ignore[no-untyped-def]
    """layouts.WATCH_META"""
    return _meta(w.watch_meta, 0)


@njit
def watched_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.WATCHED"""
    return _watched(w.watched, row)


@njit
def zero_watched(w, row):  # type: ignore[no-untyped-def]
    """Forget a subscription."""
    _zero_watched(w.watched, row)


@njit
def group_at(w, row):  # type: ignore[no-untyped-def]
    """layouts.GROUP"""
    return _group(w.groups, row)


@njit
def zero_group(w, row):  # type: ignore[no-untyped-def]
    """Make a group's row all zeros."""
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
