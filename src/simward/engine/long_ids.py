"""Acct-Session-Ids that do not fit into a session's row, kept whole in blocks beside it; inside compiled code.

A row has 16 octets of such an id and a hash (session_names.py); what follows those 16 octets is here, freed with the
session. Of an id of more than 48 octets an event has 40 and a hash of 8: then these 32 stand first, and behind them the
octets from the 41st on, which come beside the events (whole_ids.py). RFC 2866 5.5 with RFC 2865 5: at most 253 octets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simward.engine.events import FLAG_SESSION_ID_CUT, SESSION_ID_OCTETS
from simward.engine.layouts import LONG_ID_OCTETS
from simward.engine.rows import long_id_at, meta_of, session_at, whole_id_at
from simward.engine.session_names import CUT, HASHED, KEPT_OCTETS, WORDS

LAST = WORDS - 1
HASH_OCTETS = 8
SHORT_OCTETS = SESSION_ID_OCTETS - HASH_OCTETS
"""Octets of a longer id that an event has, before the hash."""


@njit
def first_block(t, at):  # type: ignore[no-untyped-def]
    """Row of the first block of a session's id, or -1: none is needed, or it was never heard whole."""
    session = session_at(t, at)
    if np.int64(session.id_form) != CUT:
        return np.int64(-1)
    block = (np.int64(session.id_words[LAST]) & ~np.int64(HASHED)) - np.int64(1)
    # A row of an earlier version has more of its hash in that place.
    if block < 0 or block >= np.int64(meta_of(t).long_ids) or np.int64(long_id_at(t, block).owner) != at + 1:
        return np.int64(-1)
    return block


@njit
def keep_long_id(t, at, event):  # type: ignore[no-untyped-def]
    """Keep the id of a session whole, from an event that names it; counted where the event has only a part."""
    session, meta = session_at(t, at), meta_of(t)
    if np.int64(session.id_form) != CUT or first_block(t, at) >= 0:
        return
    count, whole = np.int64(event.session_id_octets), np.int64(-1)
    if np.int64(event["flags"]) & FLAG_SESSION_ID_CUT:
        whole = find_whole(t, event)
        if whole < 0:
            meta.ids_not_kept = np.int64(meta.ids_not_kept) + np.int64(1)
            return
        count = np.int64(whole_id_at(t, whole).octets)
    stored = count + np.int64(HASH_OCTETS) if whole >= 0 else count
    position, before = np.int64(KEPT_OCTETS), np.int64(-1)
    while position < stored:
        block = take_block(t)
        long_id = long_id_at(t, block)
        long_id.owner = at + np.int64(1)
        long_id.octets = count
        for step in range(min(np.int64(LONG_ID_OCTETS), stored - position)):
            place = position + np.int64(step)
            if place < SESSION_ID_OCTETS:
                long_id.text[step] = event.session_id[place]
            else:
                long_id.text[step] = whole_id_at(t, whole).text[place - HASH_OCTETS]
        if before < 0:
            kept = np.int64(session.id_words[LAST]) & np.int64(HASHED)
            session.id_words[LAST] = kept | (block + np.int64(1))
        else:
            long_id_at(t, before).next = block + np.int64(1)
        before = block
        position += np.int64(LONG_ID_OCTETS)


@njit
def take_block(t):  # type: ignore[no-untyped-def]
    """A free block, all zeros."""
    meta = meta_of(t)
    block = np.int64(meta.long_id_free) - np.int64(1)
    if block < 0:
        block = np.int64(meta.long_ids)
        meta.long_ids = block + np.int64(1)
    else:
        meta.long_id_free = long_id_at(t, block).next
    long_id_at(t, block).next = 0
    return block


@njit
def free_long_id(t, at):  # type: ignore[no-untyped-def]
    """Give up the blocks of a session that ends."""
    block, meta = first_block(t, at), meta_of(t)
    while block >= 0:
        long_id = long_id_at(t, block)
        after = np.int64(long_id.next) - np.int64(1)
        long_id.owner = 0
        long_id.octets = 0
        for step in range(LONG_ID_OCTETS):
            long_id.text[step] = 0
        long_id.next = meta.long_id_free
        meta.long_id_free = block + np.int64(1)
        block = after


@njit
def write_long_id(t, at, target):  # type: ignore[no-untyped-def]
    """Write what follows the first 16 octets of a session's id, as far as there is room, into another record; False
    where it was never heard whole.
    """
    block = first_block(t, at)
    if block < 0:
        return False
    target.session_id_octets = min(np.int64(long_id_at(t, block).octets), np.int64(SESSION_ID_OCTETS))
    position = np.int64(KEPT_OCTETS)
    while block >= 0 and position < SESSION_ID_OCTETS:
        for step in range(min(np.int64(LONG_ID_OCTETS), np.int64(SESSION_ID_OCTETS) - position)):
            target.session_id[position + np.int64(step)] = long_id_at(t, block).text[step]
        position += np.int64(LONG_ID_OCTETS)
        block = np.int64(long_id_at(t, block).next) - np.int64(1)
    return True


@njit
def find_whole(t, event):  # type: ignore[no-untyped-def]
    """Position of the event's id among those that came beside the events, or -1; they are sorted by their hash."""
    wanted = np.int64(0)
    for step in range(HASH_OCTETS):
        wanted = (wanted << np.int64(8)) | np.int64(event.session_id[SHORT_OCTETS + step])
    low, high = np.int64(0), np.int64(t.whole_count)
    while low < high:
        middle = (low + high) // 2
        if whole_id_at(t, middle).hash < wanted:
            low = middle + 1
        else:
            high = middle
    while low < np.int64(t.whole_count) and whole_id_at(t, low).hash == wanted:
        same = True
        for step in range(SHORT_OCTETS):
            same = same and whole_id_at(t, low).text[step] == event.session_id[step]
        if same:
            return low
        low += 1
    return np.int64(-1)


def stored_after(state: Any, at: int) -> tuple[bytes, int]:
    """What is stored of a session's id behind its first 16 octets, and how many octets all of it has; else b"", 0."""
    session = state.sessions[at]
    block = (int(session["id_words"][LAST]) & ~HASHED) - 1
    if int(session["id_form"]) != CUT or not 0 <= block < int(state.meta["long_ids"][0]):
        return b"", 0
    if int(state.long_ids["owner"][block]) != at + 1:
        return b"", 0
    octets, parts = int(state.long_ids["octets"][block]), []
    while block >= 0:
        parts.append(state.long_ids["text"][block].tobytes())
        block = int(state.long_ids["next"][block]) - 1
    stored = octets + HASH_OCTETS if octets > SESSION_ID_OCTETS else octets
    return b"".join(parts)[: stored - KEPT_OCTETS], octets


def whole_of(first: bytes, stored: bytes, octets: int) -> bytes:
    """The whole id, from its first 16 octets and what is stored behind them (and zeros behind that)."""
    if octets > SESSION_ID_OCTETS:
        stored = stored[: SHORT_OCTETS - KEPT_OCTETS] + stored[SESSION_ID_OCTETS - KEPT_OCTETS :]
    return (first + stored)[:octets]
