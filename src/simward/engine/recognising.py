"""Whose event is it, which gateway's, and was it folded before? Inside compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.addressing import class_check
from simward.engine.lookup import find_gateway, find_imsi, find_msisdn, put_gateway
from simward.engine.rows import gateway_at, meta_of, session_at, subscription_at
from simward.engine.sessions import (
    START_BIT,
    START_SEEN,
    STOP_BIT,
    begins_anew,
    find_ended,
    find_session,
    has_token,
    interim_seen,
    interim_token,
    is_another_start,
    session_hash,
)

NOWHERE = -1
ACCESS_REQUEST, START, INTERIM = 1, 2, 3


@njit
def find_subscription(t, event):  # type: ignore[no-untyped-def]
    """Whose event is it? 3GPP-IMSI, else Calling-Station-Id, else User-Name, each as MSISDN or as IMSI, else the
    decision that its Class names; -1 = nobody's.

    Calling-Station-Id is what the network knows. User-Name may be what the device said: it must not outrank that.
    """
    if event.imsi != 0:
        return find_imsi(t, event.imsi)
    if event.msisdn != 0:
        row = find_msisdn(t, event.msisdn)
        if row >= 0:
            return row
        row = find_imsi(t, event.msisdn)
        if row >= 0:
            return row
    if event.user != 0:
        row = find_imsi(t, event.user)
        if row >= 0:
            return row
        row = find_msisdn(t, event.user)
        if row >= 0:
            return row
    return find_decided(t, event)


@njit
def find_decided(t, event):  # type: ignore[no-untyped-def]
    """Whose request was answered with this event's Class (RFC 2865 5.25)? -1 where there is none, or the row has since
    become another subscription's.
    """
    row = np.int64(event.class_row)
    if event.class_token == 0 or row < 0 or row >= np.int64(meta_of(t).subscriptions):
        return np.int64(NOWHERE)
    imsi = np.int64(subscription_at(t, row).imsi)
    if imsi == 0 or np.int64(event.class_check) != class_check(imsi, event.class_token):
        return np.int64(NOWHERE)
    return row


@njit
def advance(t, event):  # type: ignore[no-untyped-def]
    """This event is new: it takes the next sequence number. A retransmission never gets here."""
    meta = meta_of(t)
    meta.sequence = np.int64(meta.sequence) + np.int64(1)
    meta.now = max(meta.now, event.received_at)


@njit
def gateway_row(t, event):  # type: ignore[no-untyped-def]
    """Row of the event's gateway, made where it is new; -1, and counted, where the table is full."""
    known = find_gateway(t, event.client, event.gateway)
    if known >= 0:
        return known
    meta = meta_of(t)
    row = np.int64(meta.gateways)
    if row >= t.gateways_room:
        meta.gateways_not_kept = np.int64(meta.gateways_not_kept) + np.int64(1)
        return np.int64(NOWHERE)
    meta.gateways = row + np.int64(1)
    gateway_at(t, row).gateway = event.gateway
    gateway_at(t, row).client = event.client
    gateway_at(t, row).finding_head = NOWHERE
    put_gateway(t, event.client, event.gateway, row)
    return row


@njit
def gateway_epoch(t, event):  # type: ignore[no-untyped-def]
    """The epoch of the event's gateway; 0 where it was never seen."""
    known = find_gateway(t, event.client, event.gateway)
    return np.int64(gateway_at(t, known).epoch) if known >= 0 else np.int64(0)


@njit
def seen_before(t, row, event):  # type: ignore[no-untyped-def]
    """Is this a retransmission of something that was folded? Reads only.

    A request is told by its authenticator (RFC 5080 2.2.2). An accounting record is told by what it says, since
    Acct-Delay-Time gives each transmission another authenticator (RFC 2866 5.2).
    """
    subscription = subscription_at(t, row)
    if event.kind == ACCESS_REQUEST:
        return event.request != 0 and subscription.last_request == event.request
    epoch = gateway_epoch(t, event)
    at = find_session(t, subscription, event)
    if at != NOWHERE and np.int64(session_at(t, at).epoch) == epoch:
        session = session_at(t, at)
        if event.kind == START:
            return (np.int64(session["flags"]) & START_SEEN) != 0 and not is_another_start(session, event)
        return event.kind == INTERIM and interim_seen(session, interim_token(event))
    ended = find_ended(subscription, session_hash(t, event, epoch))
    if ended == NOWHERE:
        return False
    marks = np.int64(subscription.ended[ended])
    if event.kind == START:
        return (marks & START_BIT) != 0 and not begins_anew(marks, event)
    if event.kind == INTERIM:
        return has_token(subscription.ended_tokens[ended], interim_token(event))
    return (marks & STOP_BIT) != 0
