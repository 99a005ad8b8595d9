"""Disconnects of sessions whose subscription was removed from the inventory, inside compiled code: until they have
their proof, and the sessions until they are over.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.engine.rows import around_of, departed_at, int32_at, meta_of, set_int32
from simward.engine.session_names import name_hash, same_words

STOP = 4
EFFECT_ACK, EFFECT_NAK = 1, 2
HELD_BACK_S = 86_400
"""How long after it was heard last a session without a proof of its end keeps its address."""
SWEEP_ROWS = 1024


@njit
def settle_departed(t, event, index):  # type: ignore[no-untyped-def]
    """What became of the effect `index` of the event's subject is known: it need not be sent again after a restart.

    Only ACK, or Error-Cause 503 (RFC 5176 3.5: Session Context Not Found), says that the session is over.
    """
    at = find_departed(t, np.int64(event.subject), np.int64(index))
    if at < 0:
        return
    departed = departed_at(t, at)
    departed.settled = 1
    unknown = event.cause == EFFECT_NAK and event.argument == SESSION_CONTEXT_NOT_FOUND
    nothing_held = departed.held_address == 0 and departed.prefix_mark == 0
    if event.cause == EFFECT_ACK or unknown or nothing_held:
        end_departed(t, at)


@njit
def end_departed(t, at):  # type: ignore[no-untyped-def]
    """The session of this row is over."""
    meta = meta_of(t)
    if departed_at(t, at).over:
        return
    departed_at(t, at).over = 1
    meta.departed_open = np.int64(meta.departed_open) - np.int64(1)
    if meta.departed_open == 0:
        meta.departed = 0
        meta.departed_sweep = 0


@njit
def note_departed(t, event):  # type: ignore[no-untyped-def]
    """An accounting record (new, and named before) may be of a session whose subscription was removed: a Stop ends it,
    any other says that it still is.
    """
    if meta_of(t).departed_open == 0:
        return
    at = find_departed_session(t, event)
    if at < 0:
        return
    if event.kind == STOP:
        end_departed(t, at)
    else:
        departed_at(t, at).heard_s = np.int64(event.received_at) // np.int64(1_000_000)


@njit
def end_departed_of(t, event):  # type: ignore[no-untyped-def]
    """The event's gateway has restarted: what it had is over (RFC 2866 5.1)."""
    for at in range(np.int64(meta_of(t).departed)):
        if departed_at(t, at).gateway == event.gateway and departed_at(t, at).client == event.client:
            end_departed(t, np.int64(at))


@njit
def give_up_departed(t, now_s):  # type: ignore[no-untyped-def]
    """End, in the next slice of rows, those that were not heard for too long; each is counted."""
    meta = meta_of(t)
    for _ in range(min(np.int64(meta.departed), np.int64(SWEEP_ROWS))):
        if meta.departed == 0:
            return
        at = np.int64(meta.departed_sweep) % np.int64(meta.departed)
        meta.departed_sweep = (at + np.int64(1)) % np.int64(meta.departed)
        departed = departed_at(t, at)
        if departed.settled and not departed.over and now_s - np.int64(departed.heard_s) > HELD_BACK_S:
            meta.departed_expired = np.int64(meta.departed_expired) + np.int64(1)
            end_departed(t, at)


@njit
def find_departed(t, sequence, index):  # type: ignore[no-untyped-def]
    """Row of the effect with this name, or -1; the table is sorted by it."""
    low, high = np.int64(0), np.int64(meta_of(t).departed)
    while low < high:
        middle = (low + high) // 2
        row = departed_at(t, middle)
        before = row.effect_index < index if row.effect_sequence == sequence else row.effect_sequence < sequence
        if before:
            low = middle + 1
        else:
            high = middle
    if low < np.int64(meta_of(t).departed):
        row = departed_at(t, low)
        if row.effect_sequence == sequence and row.effect_index == index:
            return low
    return np.int64(-1)


@njit
def find_departed_session(t, event):  # type: ignore[no-untyped-def]
    """Row of the session that the event names, or -1; of several of one name the first in the table that is not over.

    The whole chain is read: its order depends on when the index was made, and the answer must not.
    """
    around = around_of(t)
    name = name_hash(around.words, around.form, around.id_octets, event.client, event.gateway, np.int64(0))
    at, found = name >> np.int64(2) & t.departed_mask, np.int64(-1)
    while True:
        slot = int32_at(t.departed_index, at)
        if slot == 0:
            return found
        row = departed_at(t, slot - 1)
        same = row.client == event.client and row.gateway == event.gateway and not row.over
        same = same and row.id_octets == around.id_octets and row.id_form == around.form
        same = same and same_words(row.id_words, around.words, around.form)
        if same and (found < 0 or slot - np.int64(1) < found):
            found = slot - np.int64(1)
        at = (at + np.int64(1)) & t.departed_mask


def build_departed_index(tables):  # type: ignore[no-untyped-def]
    """Fill an empty index from the table."""
    t = tables[0]
    for position in range(meta_of(t).departed):
        row = departed_at(t, position)
        octets = np.int64(row.id_octets)
        name = name_hash(row.id_words, np.int64(row.id_form), octets, row.client, row.gateway, np.int64(0))
        at = name >> np.int64(2) & t.departed_mask
        while int32_at(t.departed_index, at) != 0:
            at = (at + np.int64(1)) & t.departed_mask
        set_int32(t.departed_index, at, np.int64(position) + np.int64(1))
