"""Outputs of the fold: findings, verdicts other than allow, effects, and facts about bindings and locks.

`OUTPUT` rows are journalled beside the inputs that caused them. `RESULT` rows (one an input event) are what the gate
needs to answer; they are not journalled, since folding again makes them again.
"""

from __future__ import annotations

import numpy as np

from simward.engine.events import SESSION_ID_OCTETS

CHANGES = 8
"""What a detailed finding compares, in the order of words.CHANGED: device, cell, area, network, RAT, gateway, address,
APN."""

OUTPUT = np.dtype(
    [
        ("at", "i8"),  # received_at of the event, us
        ("sequence", "i8"),  # of the event; with `index` it is the id shard/sequence/index
        ("imsi", "i8"),
        ("iccid", "i8"),
        ("was", "i8"),
        ("now", "i8"),
        ("expected", "i8"),
        ("opened_sequence", "i8"),  # the finding (or effect) that this row is about
        ("subject", "i8"),  # COMMAND_ANSWER: its id; effects: 1 = the gateway named the IMSI; watch: about what
        ("before", "i8", (CHANGES,)),  # FINDING_BEGAN of a detailed detector: what was, 0 = not known or the same
        ("after", "i8", (CHANGES,)),  # and what is instead
        ("row", "i4"),  # row of the scope's table
        ("gateway", "i4"),
        ("client", "i4"),
        ("generation", "i4"),
        ("apn", "i4"),
        ("address", "u4"),
        ("event", "i4"),  # position in the batch; not part of the journal's meaning
        ("use_case", "u2"),
        ("error_cause", "u2"),  # EFFECT_PROOF: RFC 5176 3.5
        ("index", "u2"),
        ("opened_index", "u2"),
        ("kind", "u1"),
        ("detector", "u1"),  # position in the kernel's list of detectors
        ("class", "u1"),
        ("severity", "u1"),
        ("response", "u1"),  # in force (after limits)
        ("wanted", "u1"),  # what policy said (before limits)
        ("held", "u1"),  # HELD_*; 0 = not held
        ("verdict", "u1"),
        ("result", "u1"),  # EFFECT_PROOF: EFFECT_ACK..; COMMAND_ANSWER: ANSWER_*
        ("event_kind", "u1"),  # BY_REVISION = a revision of the inventory made it, not an event
        ("session_id_octets", "u1"),
        ("session_id", "u1", (SESSION_ID_OCTETS,)),
        ("spare", "u1", (1,)),  # no gaps: a copy of a row must be equal to the byte
        ("plmn", "i4"),  # FINDING_* of the watch: the network of the cell that it is about
        ("more_spare", "u1", (4,)),
    ],
    align=True,
)

# Kinds. Appended only.
FINDING_BEGAN = 1
FINDING_UPDATED = 2  # same condition, another response in force (a limit gave way, or policy changed)
FINDING_ENDED = 3
VERDICT = 4  # only for verdicts other than allow
DISCONNECT = 5  # an effect: the gate sends a Disconnect-Request; `now` = attempt count so far
EFFECT_PROOF = 6  # what came of the effect opened_sequence/opened_index
BOUND = 7  # the subscription is now bound to `now` (IMEI*100 + software, -1 software -> 99 absent: see words)
LOCKED = 8  # `was` = until (us) or 0 for no expiry, `result` = layouts.LOCKED_BY_*
RELEASED = 9  # `result` = RELEASE_*, `was` = since when (us), `now` = LOCKED_BY_* or CONFINED_BY_* (0: some lock)
COMMAND_ANSWER = 10
ADDRESS_GIVEN = 11  # static address chosen: `address`, `was` = prefix_high, `now` = delegated_high,
# `expected` = length of the prefix * 256 + length of the delegated one (0 = no such prefix), `before`[0] and [1] =
# halves of the IPv6 address (0 = none), `subject` = the number that they were made from, `result` = in which of the use
# case's segments
UNBOUND = 12  # by a release with rebind, an unbind, or by removal (BY_REVISION): `was` = the device it was bound to
CHANGE = 13  # an effect: the gate sends a CoA-Request with another filter; `result` = INTO_QUARANTINE, ...
PLANNED = 14  # what a work order announced has happened: `result` = PLAN_DEVICE and PLAN_PLACE, `expected` = its
# number, `opened_sequence` = that of the plan, `was` and `now` = IMEIs (areas where only the place changed), `before`
# and `after` as of a detailed finding
PLAN_ENDED = 15  # and this has not: `now` = the IMEI that was expected (0 = any), `expected` = the order's number,
# `result` = ENDED_EXPIRED, ...
CONFINED = 16  # a command put it into quarantine: `was` = until (us) or 0, `result` = layouts.CONFINED_BY_*
DEVICE_SEEN = 17  # it was heard in another device than last time, allowed or not: `was` (0 = none so far), `now`: IMEIs
RESTRICTED = 18  # a command limited it to the area of its use case
UNRESTRICTED = 19  # and one took that back

KIND_NAMES = (
    "", "finding-began", "finding-updated", "finding-ended", "verdict", "disconnect", "effect-proof", "bound", "locked",
    "released", "command-answer", "address-given", "unbound", "change", "planned", "plan-ended",
    "confined", "device-seen", "restricted", "unrestricted",
)

BY_REVISION = 0
"""`event_kind` of an output that no event made: its subscription was removed from the inventory."""

# Verdicts.
ALLOW, QUARANTINED, REJECT = 0, 1, 2
VERDICT_NAMES = ("allow", "quarantine", "reject")

# Why a response was held.
HELD_RATE, HELD_SHARE, HELD_NEVER_CUT, HELD_PAUSED = 1, 2, 3, 4
HELD_NAMES = ("", "per_hour", "share_of_fleet", "never-cut", "paused")

# Answers to commands.
APPLIED, DUPLICATE, STALE, LIMITED, NOT_FOUND, UNFIT = 1, 2, 3, 4, 5, 6
ANSWER_NAMES = ("", "applied", "duplicate", "stale", "limited", "not-found", "unfit")

# Why a lock was released.
RELEASE_PERSON, RELEASE_EXPIRY, RELEASE_RETURNED = 1, 2, 3
RELEASE_NAMES = ("", "person", "expiry", "bound-device-returned")

# What a change does.
INTO_QUARANTINE, OUT_OF_QUARANTINE = 1, 2
CHANGE_NAMES = ("", "into-quarantine", "out-of-quarantine")

# What a work order changes, and why one came to nothing.
PLAN_DEVICE, PLAN_PLACE = 1, 2
ENDED_EXPIRED, ENDED_CANCELLED, ENDED_REMOVED = 1, 2, 3
ENDED_NAMES = ("", "expired", "cancelled", "removed")


def sent_disconnects(outputs: np.ndarray) -> np.ndarray:
    """Those of OUTPUT rows that are to be sent as a Disconnect-Request: a held one is not."""
    chosen: np.ndarray = outputs[(outputs["kind"] == DISCONNECT) & (outputs["held"] == 0)]
    return chosen


def sent_effects(outputs: np.ndarray) -> np.ndarray:
    """Those of OUTPUT rows that are to be sent as a request: Disconnects and changes, but none that is held."""
    kinds = outputs["kind"]
    chosen: np.ndarray = outputs[((kinds == DISCONNECT) | (kinds == CHANGE)) & (outputs["held"] == 0)]
    return chosen


RESULT = np.dtype(
    [
        ("verdict", "u1"),
        ("duplicate", "u1"),  # 1: a retransmission; nothing changed, do not journal it, answer as before
        ("detector", "u1"),  # what decided a reject or quarantine
        ("class", "u1"),
        ("known", "u1"),  # 1: the subscription is in the inventory
        ("spare", "u1"),
        ("use_case", "u2"),
        ("row", "i4"),  # row of the subscription, -1 = none
        ("generation", "i4"),  # of the binding
        ("address", "u4"),  # Framed-IP-Address to give, 0 = none
        ("session_timeout_s", "i4"),  # 0 = none
        ("interim_interval_s", "i4"),  # 0 = none
        ("class_check", "u4"),  # tells a later reader of the Class whether `row` still is this subscription's
        ("class_token", "i8"),  # sequence of this decision, which the Class attribute carries
        ("prefix_high", "i8"),  # Framed-IPv6-Prefix to give, its upper 64 bits
        ("delegated_high", "i8"),  # Delegated-IPv6-Prefix to give, its upper 64 bits
        ("prefix_length", "u1"),  # 0 = no prefix to give
        ("delegated_length", "u1"),  # 0 = none
        ("segment", "u2"),  # row of the segment that the APN belongs to, 0 = none
        ("padding", "u4"),
        ("ipv6_high", "i8"),  # Framed-IPv6-Address to give, its upper 64 bits
        ("ipv6_low", "i8"),  # and the lower ones; both 0 = none
    ],
    align=True,
)
