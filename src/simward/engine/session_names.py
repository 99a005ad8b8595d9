"""Acct-Session-Ids in little room: three words each, from which the octets can be told again; inside compiled code.

A GGSN or PGW sends 16 or 40 hexadecimal digits (TS 29.061 16.4.3: its address and the Charging-ID). Packed two to an
octet they take 8 or 20 octets of 24. Other ids are kept as they are up to 24 octets; of longer ones 16, a hash, and
where the rest is (long_ids.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simward.engine.events import SESSION_ID_OCTETS
from simward.engine.hashing import mix
from simward.engine.rows import around_of

RAW, LOWER, UPPER, CUT = 0, 1, 2, 3
"""Forms: octets as they are; hexadecimal digits in small or in capital letters; 16 octets and a hash of all."""
HASHED = 0x3FFFFFFF80000000
"""The bits of a CUT id's last word that are the hash; the others say where the rest of the id is."""
WORDS = 3
WHOLE_OCTETS, KEPT_OCTETS = 24, 16
ZERO, NINE, CAPITAL_A, CAPITAL_F, SMALL_A, SMALL_F = 48, 57, 65, 70, 97, 102


@njit
def form_of(octets, count):  # type: ignore[no-untyped-def]
    """How an id of `count` octets is kept."""
    lower, upper = True, True
    for position in range(count):
        octet = np.int64(octets[position])
        if not ZERO <= octet <= NINE:
            lower = lower and SMALL_A <= octet <= SMALL_F
            upper = upper and CAPITAL_A <= octet <= CAPITAL_F
    if lower:
        return np.int64(LOWER)
    if upper:
        return np.int64(UPPER)
    return np.int64(RAW) if count <= WHOLE_OCTETS else np.int64(CUT)


@njit
def digit_of(octet):  # type: ignore[no-untyped-def]
    """The value of a hexadecimal digit."""
    if octet <= NINE:
        return np.int64(octet) - np.int64(ZERO)
    return (np.int64(octet) & np.int64(31)) + np.int64(9)


@njit
def name_session(t, event):  # type: ignore[no-untyped-def]
    """Put the name of the event's session where the session table is searched by it: once for each event."""
    around = around_of(t)
    count = np.int64(event.session_id_octets)
    form = form_of(event.session_id, count)
    around.form = form
    around.id_octets = count
    for word in range(WORDS):
        around.words[word] = 0
    if form == LOWER or form == UPPER:
        for position in range(count):
            shifted = digit_of(event.session_id[position]) << np.int64(4 * (position & 15))
            around.words[position >> 4] = np.int64(around.words[position >> 4]) | shifted
        return
    kept = min(count, np.int64(KEPT_OCTETS)) if form == CUT else count
    for position in range(kept):
        shifted = np.int64(event.session_id[position]) << np.int64(8 * (position & 7))
        around.words[position >> 3] = np.int64(around.words[position >> 3]) | shifted
    if form == CUT:
        name = np.int64(count)
        for position in range(count):
            name = mix(name ^ (np.int64(event.session_id[position]) << np.int64(20)) ^ np.int64(position))
        around.words[WORDS - 1] = name & np.int64(HASHED)


@njit
def same_words(one, other, form):  # type: ignore[no-untyped-def]
    """Are these the words of the same id, of this form?"""
    for word in range(WORDS - 1):
        if one[word] != other[word]:
            return False
    last = np.int64(one[WORDS - 1]) ^ np.int64(other[WORDS - 1])
    return (last & np.int64(HASHED) if form == CUT else last) == 0


@njit
def name_hash(words, form, octets, client, gateway, epoch):  # type: ignore[no-untyped-def]
    """62 bits of a session's name (id, client, gateway and its epoch), with the two lowest bits free for flags."""
    value = mix((np.int64(client) << np.int64(31)) ^ np.int64(gateway)) ^ mix(np.int64(epoch) * np.int64(8) + form)
    value = mix(value ^ np.int64(octets))
    for word in range(WORDS):
        part = np.int64(words[word])
        if form == CUT and word == WORDS - 1:
            part &= np.int64(HASHED)
        highest = (part >> np.int64(62)) & np.int64(3)  # which `mix` does not take
        value = mix(value ^ (part & np.int64(0x3FFFFFFFFFFFFFFF)) ^ highest * np.int64(89))
    return value & np.int64(0x3FFFFFFFFFFFFFFC)


@njit
def write_id(session, target):  # type: ignore[no-untyped-def]
    """Write the id of a session's row into `session_id` of another record, as the gateway spelled it.

    Of an id that was cut the first 16 octets are written; `session_id_octets` then says SESSION_ID_OCTETS, so that
    whoever sends it looks for the rest. (long_ids.write_long_id writes what of that has room.)
    """
    form, count = np.int64(session.id_form), np.int64(session.id_octets)
    target.session_id_octets = count if form != CUT else np.int64(SESSION_ID_OCTETS)
    if form == CUT:
        count = np.int64(KEPT_OCTETS)
    for position in range(len(target.session_id)):
        octet = np.int64(0)
        if position < count and (form == LOWER or form == UPPER):
            digit = (np.int64(session.id_words[position >> 4]) >> np.int64(4 * (position & 15))) & np.int64(15)
            letter = np.int64(SMALL_A) if form == LOWER else np.int64(CAPITAL_A)
            octet = digit + np.int64(ZERO) if digit < 10 else digit - np.int64(10) + letter
        elif position < count:
            octet = (np.int64(session.id_words[position >> 3]) >> np.int64(8 * (position & 7))) & np.int64(255)
        target.session_id[position] = octet


def put_id(target: Any, session: Any, stored: bytes = b"", octets: int = 0) -> None:
    """`write_id` outside of compiled code; `stored` and `octets` are what long_ids.stored_after says."""
    written = id_octets_of(session)
    if octets:
        written = (written[:KEPT_OCTETS] + stored)[: min(octets, SESSION_ID_OCTETS)]
    target["session_id_octets"] = len(written)
    target["session_id"][: len(written)] = np.frombuffer(written, np.uint8)


def id_octets_of(session: Any) -> bytes:
    """The id of a session's row outside of compiled code; of one that was cut, what is kept and zeros behind it."""
    form, count = int(session["id_form"]), int(session["id_octets"])
    words = [int(word) & 0xFFFFFFFFFFFFFFFF for word in session["id_words"]]
    if form in (LOWER, UPPER):
        letters = "0123456789abcdef" if form == LOWER else "0123456789ABCDEF"
        return "".join(letters[words[at >> 4] >> 4 * (at & 15) & 15] for at in range(count)).encode()
    whole = b"".join(word.to_bytes(8, "little") for word in words)
    return whole[:KEPT_OCTETS].ljust(SESSION_ID_OCTETS, b"\0") if form == CUT else whole[:count]
