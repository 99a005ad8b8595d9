"""Sessions of a subscription inside compiled code: a short chain of rows, found by Acct-Session-Id and gateway."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import ACCOUNTING_START, ACCOUNTING_STOP, FLAG_TIMESTAMP
from simward.engine.hashing import mix
from simward.engine.long_ids import free_long_id, write_long_id
from simward.engine.lookup import find_gateway
from simward.engine.places import happened_s
from simward.engine.rows import (
    around_of,
    gateway_at,
    meta_of,
    session_at,
    subscription_at,
    zero_session,
)
from simward.engine.session_names import CUT, WORDS, name_hash, same_words, write_id

NOWHERE = -1
LIVE, START_SEEN, DISCONNECTING, HELD, IMSI_REPORTED = 1, 2, 4, 8, 16
CONFINED, CHANGING, UNCHANGEABLE = 32, 64, 128
SESSIONS_MAX = 8
"""Live sessions a subscription may have; TS 23.401 allows 8 (later 15) EPS bearers, so more means lost Stops."""
START_BIT, STOP_BIT = 1, 2
NAME_MASK, TIME_SHIFT, TIME_MASK = 0x3FFFFFFFFFF80000, 2, 0x1FFFF
"""Of a session that ended 43 bits of its name are kept, when it ended (in 17 bits), and the two bits above."""
ENDED_UNIT_S = 16
"""In what steps that time is kept: 17 bits of them are 24 days, before and after which nothing is sent again."""


@njit
def session_hash(t, event, epoch):  # type: ignore[no-untyped-def]
    """The name of the event's session (session_names.name_hash); the event was named before."""
    around = around_of(t)
    return name_hash(around.words, around.form, around.id_octets, event.client, event.gateway, epoch)


@njit
def same_session(session, event, around):  # type: ignore[no-untyped-def]
    """Is this row the session that the event names?"""
    if session.gateway != event.gateway or session.client != event.client:
        return False
    if session.id_octets != around.id_octets or session.id_form != around.form:
        return False
    return same_words(session.id_words, around.words, around.form)


@njit
def name_for_gateway(t, at, event, output):  # type: ignore[no-untyped-def]
    """Write the session's id as its gateway spells it into an effect. Where one was never heard whole, but the event at
    hand is of this very session, `output` has as much of it already.
    """
    session = session_at(t, at)
    accounting = ACCOUNTING_START <= event.kind and event.kind <= ACCOUNTING_STOP
    if np.int64(session.id_form) == CUT and accounting and same_session(session, event, around_of(t)):
        return
    write_id(session, output)
    write_long_id(t, at, output)


@njit
def find_session(t, subscription, event):  # type: ignore[no-untyped-def]
    """Row of the subscription's live session that the event names, or -1."""
    at = np.int64(subscription.session_head)
    around = around_of(t)
    while at != NOWHERE:
        if same_session(session_at(t, at), event, around):
            return at
        at = np.int64(session_at(t, at).next)
    return np.int64(NOWHERE)


@njit
def find_ended(subscription, name):  # type: ignore[no-untyped-def]
    """Position of an ended session in the subscription's short memory of them, the last of that name; or -1."""
    position = np.int64(subscription.ended_at)
    for _ in range(len(subscription.ended)):
        position = (position if position > 0 else np.int64(len(subscription.ended))) - np.int64(1)
        marked = np.int64(subscription.ended[position])
        if marked != 0 and ((marked ^ np.int64(name)) & np.int64(NAME_MASK)) == 0:
            return position
    return np.int64(NOWHERE)


@njit
def begins_anew(marked, event):  # type: ignore[no-untyped-def]
    """Has the gateway given the id of an ended session to another? Then its Start happened after that one's end, and a
    Start that is sent again did not. Only an Event-Timestamp that can be believed tells (RFC 2869 5.3); without one, a
    Start that waited on its way looks the same.
    """
    stamped = (np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP)) != 0
    reported = np.int64(event.happened_at) // np.int64(1_000_000)
    if not stamped or reported != happened_s(event):
        return False
    ended = (np.int64(marked) >> np.int64(TIME_SHIFT)) & np.int64(TIME_MASK)
    later = (reported // np.int64(ENDED_UNIT_S) - ended) & np.int64(TIME_MASK)
    return later > 0 and later <= np.int64(TIME_MASK // 2)


@njit
def remember_ended(subscription, name, marks, ended_s, tokens):  # type: ignore[no-untyped-def]
    """Keep the name of a session that ended, what was seen of it (START_BIT, STOP_BIT), when it ended, and its last
    interims; the oldest session is forgotten.
    """
    position = np.int64(subscription.ended_at) % np.int64(len(subscription.ended))
    time = (np.int64(ended_s) // np.int64(ENDED_UNIT_S)) & np.int64(TIME_MASK)
    marked = (np.int64(name) & np.int64(NAME_MASK)) | (time << np.int64(TIME_SHIFT)) | np.int64(marks)
    subscription.ended[position] = marked
    subscription.ended_tokens[position] = tokens
    subscription.ended_at = (position + np.int64(1)) % np.int64(len(subscription.ended))


@njit
def with_token(tokens, token):  # type: ignore[no-untyped-def]
    """The last two interim tokens (31 bits each, above 0) in one number: the new one in, the older out."""
    return ((np.int64(tokens) & np.int64(0x7FFFFFFF)) << np.int64(31)) | np.int64(token)


@njit
def has_token(tokens, token):  # type: ignore[no-untyped-def]
    """Is this interim one of the last two of an ended session?"""
    newest = np.int64(tokens) & np.int64(0x7FFFFFFF)
    return newest == token or (np.int64(tokens) >> np.int64(31)) == token


@njit
def row_hash(session):  # type: ignore[no-untyped-def]
    """`session_hash` of a row."""
    return name_hash(
        session.id_words, np.int64(session.id_form), session.id_octets, session.client, session.gateway, session.epoch
    )


@njit
def open_session(t, row, event, epoch, started):  # type: ignore[no-untyped-def]
    """Give a new session a row at the head of the subscription's chain and return it."""
    meta = meta_of(t)
    at = np.int64(meta.session_free)
    if at != NOWHERE:
        meta.session_free = session_at(t, at).next
    else:
        at = np.int64(meta.sessions)
        meta.sessions = at + np.int64(1)
    subscription = subscription_at(t, row)
    zero_session(t, at)
    session = session_at(t, at)
    session.subscription = row
    session.next = subscription.session_head
    session.gateway = event.gateway
    session.client = event.client
    session.apn = event.apn
    session.address = event.address
    session.epoch = epoch
    session["flags"] = LIVE | (START_SEEN if started else 0) | (IMSI_REPORTED if event.imsi != 0 else 0)
    for position in range(len(session.tokens)):
        session.tokens[position] = -1
    around = around_of(t)
    session.id_octets, session.id_form = around.id_octets, around.form
    for word in range(WORDS):
        session.id_words[word] = around.words[word]
    subscription.session_head = at
    subscription.session_count = np.int64(subscription.session_count) + np.int64(1)
    meta.sessions_live = np.int64(meta.sessions_live) + np.int64(1)
    return at


@njit
def close_session(t, row, at, stop_seen):  # type: ignore[no-untyped-def]
    """Take a session off its subscription's chain, remember its name, and free the row."""
    meta = meta_of(t)
    subscription = subscription_at(t, row)
    session = session_at(t, at)
    marks = np.int64(START_BIT) if np.int64(session["flags"]) & START_SEEN else np.int64(0)
    if stop_seen:
        marks |= np.int64(STOP_BIT)
    tokens = np.int64(0)
    for step in range(len(session.tokens)):
        kept = session.tokens[(np.int64(session.token_at) + np.int64(step)) % np.int64(len(session.tokens))]
        if kept >= 0:
            tokens = with_token(tokens, kept)
    remember_ended(subscription, row_hash(session), marks, session.heard_s, tokens)
    if np.int64(subscription.session_head) == at:
        subscription.session_head = session.next
    else:
        before = np.int64(subscription.session_head)
        while np.int64(session_at(t, before).next) != at:
            before = np.int64(session_at(t, before).next)
        session_at(t, before).next = session.next
    gateway = find_gateway(t, session.client, session.gateway)
    if gateway >= 0 and gateway_at(t, gateway).epoch == session.epoch and gateway_at(t, gateway).sessions > 0:
        gateway_at(t, gateway).sessions = np.int64(gateway_at(t, gateway).sessions) - np.int64(1)
    free_long_id(t, at)
    zero_session(t, at)
    session.next = meta.session_free
    meta.session_free = at
    subscription.session_count = np.int64(subscription.session_count) - np.int64(1)
    meta.sessions_live = np.int64(meta.sessions_live) - np.int64(1)


@njit
def drop_older_epochs(t, row):  # type: ignore[no-untyped-def]
    """Close the sessions whose gateway has restarted since (its epoch was raised)."""
    at = np.int64(subscription_at(t, row).session_head)
    while at != NOWHERE:
        after = np.int64(session_at(t, at).next)
        gateway = find_gateway(t, session_at(t, at).client, session_at(t, at).gateway)
        if gateway >= 0 and gateway_at(t, gateway).epoch != session_at(t, at).epoch:
            close_session(t, row, at, False)
        at = after


@njit
def make_way(t, row):  # type: ignore[no-untyped-def]
    """Before a session begins: where there are as many as there can be, the oldest one's Stop was lost.

    An equal address proves nothing: bearers of one connection share it, each with an Acct-Session-Id of its own.
    """
    if np.int64(subscription_at(t, row).session_count) < SESSIONS_MAX:
        return
    at = np.int64(subscription_at(t, row).session_head)
    while np.int64(session_at(t, at).next) != NOWHERE:
        at = np.int64(session_at(t, at).next)
    close_session(t, row, at, False)


@njit
def interim_token(event):  # type: ignore[no-untyped-def]
    """31 bits that tell one interim of a session from another and do not change when it is sent again.

    Made of what it says (time, octets, place, radio technology, device), since a handover may be reported in the same
    second as a counter. Only without Acct-Session-Time the Event-Timestamp helps out, or in the end the request itself.
    """
    when = np.int64(event.duration_s)
    if when < 0:
        if np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP):
            when = np.int64(event.happened_at) // np.int64(1_000_000)
        else:
            when = np.int64(event.request)
    token = mix(when & np.int64(0x3FFFFFFFFFFFFFFF))
    for part in (
        np.int64(event.uplink_octets), np.int64(event.downlink_octets), np.int64(event.cell), np.int64(event.area),
        np.int64(event.plmn), np.int64(event.rat), np.int64(event.imei), np.int64(event.address),
    ):
        token = mix(token ^ (part & np.int64(0x3FFFFFFFFFFFFFFF)))
    return max(token & np.int64(0x7FFFFFFF), np.int64(1))


@njit
def start_token(event):  # type: ignore[no-untyped-def]
    """31 bits that tell one Start from another and do not change when it is sent again (RFC 2866 5.2: only
    Acct-Delay-Time does).
    """
    token = np.int64(1)
    if np.int64(event["flags"]) & np.int64(FLAG_TIMESTAMP):
        token = mix(np.int64(event.happened_at) & np.int64(0x3FFFFFFFFFFFFFFF))
    for part in (
        np.int64(event.imei), np.int64(event.address), np.int64(event.apn), np.int64(event.cell), np.int64(event.plmn),
        np.int64(event.rat), np.int64(event.prefix_high), np.int64(event.class_token),
    ):
        token = mix(token ^ (part & np.int64(0x3FFFFFFFFFFFFFFF)))
    if event.ipv6_low != 0:  # of addresses out of one pool only the lower half differs
        token = mix(token ^ (np.int64(event.ipv6_low) & np.int64(0x3FFFFFFFFFFFFFFF)))
    return max(token & np.int64(0x7FFFFFFF), np.int64(1))


@njit
def is_another_start(session, event):  # type: ignore[no-untyped-def]
    """Has the gateway given a live session's id to another session? (Then the Stop of the first was lost.)"""
    seen = (np.int64(session["flags"]) & START_SEEN) != 0 and np.int64(session.start_token) != 0
    return seen and np.int64(session.start_token) != start_token(event)


@njit
def interim_seen(session, token):  # type: ignore[no-untyped-def]
    """Was this interim folded already?"""
    for position in range(len(session.tokens)):
        if session.tokens[position] == token:
            return True
    return False


@njit
def remember_interim(session, token):  # type: ignore[no-untyped-def]
    """Keep the token of an interim; the oldest kept is forgotten."""
    position = np.int64(session.token_at)
    session.tokens[position] = token
    session.token_at = (position + np.int64(1)) % np.int64(len(session.tokens))
