"""What is remembered of nobody in the inventory, inside compiled code: enough to tell a record that is sent again."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.hashing import mix
from simward.engine.recognising import gateway_epoch
from simward.engine.sessions import interim_token, session_hash, start_token

START, INTERIM = 2, 3


@njit
def record_name(t, event):  # type: ignore[no-untyped-def]
    """What an accounting record of a stranger is known by: its session and kind, and what a Start or interim says.

    As with known ones (recognising.seen_before), since each transmission has another authenticator (RFC 2866 5.2).
    """
    name = session_hash(t, event, gateway_epoch(t, event)) ^ np.int64(event.kind)
    if event.kind == INTERIM:
        name = mix(name) ^ interim_token(event)
    elif event.kind == START:
        name = mix(name) ^ start_token(event)
    return max(mix(name), np.int64(1))


@njit
def record_seen(stranger, name):  # type: ignore[no-untyped-def]
    """Is it one of the last records of this stranger?"""
    for position in range(len(stranger.records)):
        if stranger.records[position] == name:
            return True
    return False


@njit
def remember_record(stranger, name):  # type: ignore[no-untyped-def]
    """Keep the name of a record; the oldest kept is forgotten."""
    position = np.int64(stranger.record_at)
    stranger.records[position] = name
    stranger.record_at = (position + np.int64(1)) % np.int64(len(stranger.records))


@njit
def forget_stranger(stranger):  # type: ignore[no-untyped-def]
    """Make the row nobody's; its finding has ended."""
    stranger.used = 0
    stranger.imsi = 0
    stranger.last_at = 0
    stranger.last_request = 0
    stranger.cut = 0
    stranger.decided_sequence = 0
    stranger.last_verdict = 0
    stranger.last_class = 0
    for position in range(len(stranger.records)):
        stranger.records[position] = 0
    stranger.record_at = 0
