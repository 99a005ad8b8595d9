"""Commands, proofs of effects, and the tick, inside compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.confining import after_change, after_refusal, let_out, quarantine_subscription
from simward.engine.departed import settle_departed
from simward.engine.effects import (
    COMMAND_ANSWER,
    EFFECT_PROOF,
    disconnect_all,
    has_expired,
    is_locked,
    lock_subscription,
    release_subscription,
)
from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.engine.findings import LOCK, NOWHERE, QUARANTINE, about, held_reason, new_output
from simward.engine.layouts import (
    COMMANDS_KEPT,
    CONFINED_BY_PERSON,
    CONFINED_BY_RULE,
    LOCKED_BY_FINDING,
    LOCKED_BY_PERSON,
    MARK_FREE,
    MARK_TIED,
    STRANGERS,
)
from simward.engine.ordered_binding import bind_as_ordered, forget_bound, is_declared, unbind_as_ordered
from simward.engine.places import forget_homes
from simward.engine.planned import ENDED_CANCELLED, end_plan, find_plan, is_planned, plan_change, sweep_plans
from simward.engine.recognising import advance
from simward.engine.rows import (
    command_at,
    meta_of,
    output_at,
    result_at,
    session_at,
    set_command,
    stranger_at,
    subscription_at,
)
from simward.engine.sessions import CHANGING, CONFINED, DISCONNECTING, HELD, close_session
from simward.engine.settle import end_finding
from simward.engine.strangers import forget_stranger
from simward.engine.withheld import sweep_withheld

COMMAND_LOCK, COMMAND_RELEASE, COMMAND_DISCONNECT, COMMAND_PAUSE, COMMAND_RESUME = 20, 21, 22, 23, 24
COMMAND_PLAN, COMMAND_UNPLAN, COMMAND_QUARANTINE, COMMAND_BIND, COMMAND_UNBIND = 25, 26, 27, 28, 29
APPLIED, STALE, LIMITED, NOT_FOUND = 1, 3, 4, 5
FLAG_AUTOMATION, FLAG_REBIND = 32, 64
RELEASE_PERSON, RELEASE_EXPIRY = 1, 2
EFFECT_ACK, EFFECT_NAK = 1, 2
SWEEP_ROWS = 1024
STRANGER_SWEEP_ROWS = 64
STRANGER_QUIET_US = 3_600_000_000
SWEEP_ROOM = 16


@njit
def fold_command(t, row, event, position, made):  # type: ignore[no-untyped-def]
    """Carry out a command once; say applied, stale, limited or not found. One that was seen before is a duplicate."""
    result = result_at(t, position)
    result.row = row
    if event.request != 0:
        for kept in range(COMMANDS_KEPT):
            if command_at(t, kept) == event.request:
                result.duplicate = 1
                return made
    if event.kind == COMMAND_PLAN and row >= 0 and is_planned(t, row, event):
        result.duplicate = 1
        return made
    advance(t, event)
    meta = meta_of(t)
    index = np.int64(0)
    answer = np.int64(APPLIED)
    if event.kind == COMMAND_PAUSE or event.kind == COMMAND_RESUME:
        meta.paused = 1 if event.kind == COMMAND_PAUSE else 0
    elif row < 0:
        answer = np.int64(NOT_FOUND)
    elif event.argument >= 0 and event.argument != subscription_at(t, row).generation:
        answer = np.int64(STALE)
    else:
        made, index, answer = act(t, row, event, position, made, index)
    # What was refused may be asked again under the same id; a plan is known by what it says.
    if answer == APPLIED and event.kind != COMMAND_PLAN and event.kind != COMMAND_UNPLAN:
        set_command(t, np.int64(meta.command_at), event.request)
        meta.command_at = (np.int64(meta.command_at) + np.int64(1)) % np.int64(COMMANDS_KEPT)
    output = new_output(t, made, event, position, index, COMMAND_ANSWER)
    if row >= 0:
        about(output, t, row)
    output.subject = event.request
    output.result = answer
    result.spare = answer
    return made + 1


@njit
def act(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Carry out a command about one subscription. Only an automation is held by the use case's limits."""
    subscription = subscription_at(t, row)
    automation = np.int64(event["flags"]) & FLAG_AUTOMATION
    if event.kind == COMMAND_LOCK or event.kind == COMMAND_QUARANTINE:
        return set_aside(t, row, event, position, made, index)
    if event.kind == COMMAND_RELEASE:
        if np.int64(event["flags"]) & FLAG_REBIND:
            forget_homes(subscription)
            made, index = unbind(t, row, event, position, made, index)
        if subscription.locked:
            made, index = release_subscription(t, row, RELEASE_PERSON, event, position, made, index)
        made, index = let_out(t, row, True, event, position, made, index)
    elif event.kind == COMMAND_DISCONNECT:
        before = made
        sent = np.int64(0)
        made, index = disconnect_all(t, row, np.int64(0), np.int64(0), not automation, event, position, made, index)
        for place in range(before, made):
            sent += 1 if output_at(t, place).held == 0 else 0
        if automation and sent == 0 and held_session(t, row):
            return made, index, np.int64(LIMITED)
    elif event.kind == COMMAND_PLAN:
        return made, index, plan_change(t, row, event)
    elif event.kind == COMMAND_BIND:
        return bind_as_ordered(t, row, event, position, made, index)
    elif event.kind == COMMAND_UNBIND:
        return unbind_as_ordered(t, row, event, position, made, index)
    elif event.kind == COMMAND_UNPLAN:
        at = find_plan(t, row, event.delegated_high)
        if at != 0:
            made, index = end_plan(t, at, ENDED_CANCELLED, event, position, made, index)
    return made, index, np.int64(APPLIED)


@njit
def set_aside(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Lock, or put into quarantine. A person's order stands above an automation's: it no longer ends by itself; and a
    lock stands above any quarantine.
    """
    subscription = subscription_at(t, row)
    locking, locked = event.kind == COMMAND_LOCK, is_locked(subscription)
    by_person = (np.int64(event["flags"]) & FLAG_AUTOMATION) == 0
    standing = np.int64(subscription.locked)
    news = not locked if locking else standing == 0
    taken_over = standing == (LOCKED_BY_FINDING if locking else CONFINED_BY_RULE)
    if not news and not (by_person and taken_over):
        return made, index, np.int64(APPLIED)
    wanted = np.int64(LOCK) if locking else np.int64(QUARANTINE)
    if not by_person and held_reason(t, np.int64(subscription.use_case), wanted, event.received_at, False) != 0:
        return made, index, np.int64(LIMITED)
    if locking:
        by = LOCKED_BY_PERSON if by_person else LOCKED_BY_FINDING
        made, index = lock_subscription(t, row, by, np.int64(0), event, position, made, index)
    else:
        by = CONFINED_BY_PERSON if by_person else CONFINED_BY_RULE
        made, index = quarantine_subscription(t, row, by, event, position, made, index)
    return made, index, np.int64(APPLIED)


@njit
def held_session(t, row):  # type: ignore[no-untyped-def]
    """Is there a session whose Disconnect is held by a limit?"""
    at = np.int64(subscription_at(t, row).session_head)
    while at != NOWHERE:
        if np.int64(session_at(t, at)["flags"]) & HELD:
            return True
        at = np.int64(session_at(t, at).next)
    return False


@njit
def unbind(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Forget the bound device, so that the next one that is allowed becomes it; declared bindings stay declared."""
    subscription = subscription_at(t, row)
    if is_declared(t, subscription):
        return made, index
    forget_bound(t, row, event, position, made, index)
    subscription.marks = np.int64(subscription.marks) & ~np.int64(MARK_TIED | MARK_FREE)
    return made + 1, index + 1


@njit
def fold_effect_result(t, row, event, position, made):  # type: ignore[no-untyped-def]
    """What a gateway said to a Disconnect- or CoA-Request: the proof of the effect, or that there is none."""
    at = session_of_effect(t, row, event)
    advance(t, event)
    settle_departed(t, event, index_of_effect(event))  # it may have been removed, and added again
    write_proof(t, row, event, position, made)
    made += 1
    if at == NOWHERE:
        return made
    session = session_at(t, at)
    session.effect_sequence = 0
    session.effect_index = 0
    changing = np.int64(session["flags"]) & CHANGING
    session["flags"] = np.int64(session["flags"]) & ~np.int64(DISCONNECTING | CHANGING)
    unknown = event.cause == EFFECT_NAK and event.argument == SESSION_CONTEXT_NOT_FOUND
    if unknown or (event.cause == EFFECT_ACK and not changing):
        # Its Stop may still come: it is then the end of a session that is known, and no retransmission.
        close_session(t, row, at, False)
    elif event.cause == EFFECT_ACK:
        made, _ = after_change(t, row, at, event, position, made, np.int64(1))
    elif changing:
        back = (np.int64(session["flags"]) & CONFINED) != 0
        made, _ = after_refusal(t, row, at, back, event, position, made, np.int64(1))
    return made


@njit
def session_of_effect(t, row, event):  # type: ignore[no-untyped-def]
    """Row of the session that waits for this result, or -1: told by the effect, since a long id is not kept whole."""
    if row < 0 or event.subject == 0:
        return np.int64(NOWHERE)
    index = index_of_effect(event)
    at = np.int64(subscription_at(t, row).session_head)
    while at != NOWHERE:
        if session_at(t, at).effect_sequence == event.subject and np.int64(session_at(t, at).effect_index) == index:
            return at
        at = np.int64(session_at(t, at).next)
    return np.int64(NOWHERE)


@njit
def index_of_effect(event):  # type: ignore[no-untyped-def]
    """With the event's subject, which effect it is about. Earlier journals have it in one octet, `identifier`."""
    return np.int64(event.request) if event.request != 0 else np.int64(event.identifier)


@njit
def write_proof(t, row, event, position, made):  # type: ignore[no-untyped-def]
    """What became of the effect that the event names."""
    output = new_output(t, made, event, position, np.int64(0), EFFECT_PROOF)
    if row >= 0:
        about(output, t, row)
    output.opened_sequence = event.subject
    output.opened_index = index_of_effect(event)
    output.result = event.cause
    output.error_cause = max(np.int64(event.argument), np.int64(0))


@njit
def sweep(t, event, position, made):  # type: ignore[no-untyped-def]
    """A tick looks at the next slice of rows for what ends by itself: locks and quarantines that expire, strangers that
    fell silent, numbers whose session is over.
    """
    sweep_withheld(t, event)
    meta = meta_of(t)
    count = np.int64(meta.subscriptions)
    index = np.int64(0)
    start = made
    following, full = np.int64(meta.sweep), False
    for _ in range(min(count, max(np.int64(SWEEP_ROWS), (count + np.int64(59)) // np.int64(60)))):
        if made - start > SWEEP_ROOM:
            full = True
            break
        at = following if following < count else np.int64(0)  # a division would take longer than the look
        following = at + np.int64(1) if at + np.int64(1) < count else np.int64(0)
        subscription = subscription_at(t, at)
        if subscription.locked and has_expired(subscription, event):
            made, index = release_subscription(t, at, RELEASE_EXPIRY, event, position, made, index)
            made, index = let_out(t, at, False, event, position, made, index)
    meta.sweep = following
    if full:
        return made
    for _ in range(STRANGER_SWEEP_ROWS):
        if made - start > 2 * SWEEP_ROOM:
            return made
        row = np.int64(meta.stranger_sweep)
        meta.stranger_sweep = (row + np.int64(1)) % np.int64(STRANGERS)
        stranger = stranger_at(t, row)
        if stranger.used and event.received_at - stranger.last_at > STRANGER_QUIET_US:
            at = np.int64(stranger.finding_head)
            if at != NOWHERE:
                end_finding(t, stranger, at, np.int64(-1), event, position, made, index)
                made += 1
                index += 1
            forget_stranger(stranger)
    made, _ = sweep_plans(t, event, position, made, index, np.int64(SWEEP_ROOM))
    return made
