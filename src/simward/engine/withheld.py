"""Numbers that no subscription has but a session may still hold, inside compiled code: not given before it is over.

The table is made by withholding.py, sorted by pool and number. Several rows may be about one number: bearers of one
connection share an address, and each is a session. The number is free when the last of them is over.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.departed import find_departed, give_up_departed
from simward.engine.lookup import find_gateway
from simward.engine.rows import (
    departed_at,
    freed_at,
    gateway_at,
    meta_of,
    segment_state_at,
    session_at,
    withheld_at,
)
from simward.engine.session_names import CUT, HASHED
from simward.engine.sessions import LIVE

NOWHERE = -1
BY_SESSION, BY_DEPARTED, BY_SUBSCRIPTION = 1, 2, 3
"""Who holds it: a live session, a session of a removed subscription, or a subscription in another segment."""
SWEEP_ROWS = 1024


@njit
def session_mark(session):  # type: ignore[no-untyped-def]
    """A number that tells whether a row still is the session that it was."""
    last = np.int64(session.id_words[2])
    if np.int64(session.id_form) == CUT:
        last &= np.int64(HASHED)
    words = np.int64(session.id_words[0]) ^ np.int64(session.id_words[1]) ^ last
    whose = (np.int64(session.subscription) << np.int64(32)) ^ (np.int64(session.gateway) << np.int64(16))
    return words ^ whose ^ np.int64(session.client)


@njit
def pool_of(row):  # type: ignore[no-untyped-def]
    """One number for a segment's pool and the number in it: what the table is sorted by."""
    pool = np.int64(row.segment) * np.int64(2) + np.int64(row.quarantine)
    return (pool << np.int64(32)) | np.int64(row.number)


@njit
def is_withheld(t, segment, quarantine, number):  # type: ignore[no-untyped-def]
    """Must this number not be given yet?"""
    meta = meta_of(t)
    if meta.withheld_open == 0:
        return False
    pool = np.int64(segment) * np.int64(2) + (np.int64(1) if quarantine else np.int64(0))
    wanted = (pool << np.int64(32)) | np.int64(number)
    low, high = np.int64(0), np.int64(meta.withheld)
    while low < high:
        middle = (low + high) // 2
        if pool_of(withheld_at(t, middle)) < wanted:
            low = middle + 1
        else:
            high = middle
    while low < np.int64(meta.withheld) and pool_of(withheld_at(t, low)) == wanted:
        if not withheld_at(t, low).over:
            return True
        low += 1
    return False


@njit
def sweep_withheld(t, event):  # type: ignore[no-untyped-def]
    """A tick looks at the next slice of both tables: whose session is over, and who was not heard for too long."""
    give_up_departed(t, np.int64(event.received_at) // np.int64(1_000_000))
    meta = meta_of(t)
    for _ in range(min(np.int64(meta.withheld), np.int64(SWEEP_ROWS))):
        if meta.withheld_open == 0:
            return
        at = np.int64(meta.withheld_sweep) % np.int64(meta.withheld)
        meta.withheld_sweep = (at + np.int64(1)) % np.int64(meta.withheld)
        row = withheld_at(t, at)
        if not row.over and is_free(t, row):
            row.over = 1
            meta.withheld_open = np.int64(meta.withheld_open) - np.int64(1)
            if not is_withheld(t, row.segment, row.quarantine != 0, row.number):
                give_back(t, np.int64(row.segment), row.quarantine != 0, np.int64(row.number))
            if meta.withheld_open == 0:
                meta.withheld = 0
                meta.withheld_sweep = 0


@njit
def is_free(t, row):  # type: ignore[no-untyped-def]
    """Is the session that this row is about over?"""
    by = np.int64(row.by)
    if by == BY_SUBSCRIPTION:
        return False  # until a revision says otherwise
    if by == BY_DEPARTED:
        at = find_departed(t, np.int64(row.mark), np.int64(row.effect_index))
        return at < 0 or departed_at(t, at).over != 0
    session = session_at(t, row.session)
    if not np.int64(session["flags"]) & LIVE or session_mark(session) != row.mark:
        return True
    gateway = find_gateway(t, session.client, session.gateway)
    return gateway >= 0 and gateway_at(t, gateway).epoch != session.epoch


@njit
def give_back(t, segment, quarantine, number):  # type: ignore[no-untyped-def]
    """Put a number on its pool's list of free ones, unless the pool's cursor has yet to come to it."""
    state, meta = segment_state_at(t, segment), meta_of(t)
    if not quarantine:
        state.left = np.int64(state.left) + np.int64(1)
        state.given = np.int64(state.given) - np.int64(1)
    if number >= (np.int64(state.next_quarantine) if quarantine else np.int64(state.next_address)):
        return
    at = np.int64(meta.freed_free)
    if at != NOWHERE:
        meta.freed_free = freed_at(t, at).next
    else:
        at = np.int64(meta.freed)
        meta.freed = at + np.int64(1)
    freed = freed_at(t, at)
    freed.address = number
    if quarantine:
        freed.next = state.freed_quarantine_head
        state.freed_quarantine_head = at
    else:
        freed.next = state.freed_head
        state.freed_head = at
