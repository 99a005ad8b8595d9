"""The layouts of the gate's state: one row a subscription, session, gateway, device, stranger, segment and open
finding.

Rows are plain NumPy records, so a snapshot is a copy and a byte can be counted. Detectors' memory stands behind the
engine's own fields, as a nested record each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.detectors import of_gate
from simward.detectors.detector import MAX_CLASSES
from simward.engine.outputs import CHANGES
from simward.engine.tables import LIMITED_ACTIONS, OTHER_SEGMENTS, POLICY_ARRAYS

NOWHERE = -1
"""No row."""
STRANGERS = 4096
COMMANDS_KEPT = 1024
GATEWAYS_MAX = 4096
ENDED_KEPT = 3
TOKENS_KEPT = 4
RECORDS_KEPT = 8
"""Accounting records of a stranger: of two sessions at once, what the last minutes may bring again."""
HOMES = 4
"""Areas in which a fixed device may be at home: its own and those of neighbours that it sometimes reselects."""
PLANS_MAX = 65_535
"""Changes planned at once, in all: row 0 is none, and the number of a row has 16 bits."""
PLANS_EACH = 4
"""And of one subscription."""
LIMIT_MINUTES = 61
"""A sliding hour in whole minutes: the minute at hand and the sixty before it."""

# What `locked` of a subscription says.
UNLOCKED, LOCKED_BY_FINDING, LOCKED_BY_PERSON, CONFINED_BY_RULE, CONFINED_BY_PERSON = 0, 1, 2, 3, 4
"""From CONFINED_BY_RULE on it is in quarantine by a command, which is milder than any lock."""

# What `marks` of a subscription say.
MARK_TAKEN, MARK_TIED, MARK_FREE, MARK_AREA, MARK_JUMPED = 1, 2, 4, 8, 16
MARKS_SEEN = MARK_TAKEN | MARK_JUMPED
"""Its device was heard with another subscription while it had a session; a command bound it to its device; a command
unbound it, so that no first use binds it again; a command limited it to the area of its use case; when it
went farther than anything travels (`jumped_s`), it had done so within the day before. MARKS_SEEN are of events, the
others of commands."""

# Session flags.
SESSION_LIVE, SESSION_START_SEEN, SESSION_DISCONNECTING, SESSION_HELD, SESSION_IMSI_REPORTED = 1, 2, 4, 8, 16
SESSION_CONFINED, SESSION_CHANGING, SESSION_UNCHANGEABLE = 32, 64, 128
"""In quarantine; a change into it or out of it is under way; one was refused, so that the next is a Disconnect."""


def memory_of(scope: str) -> list[tuple[str, Any]]:
    """The nested memory records of every gate detector of one scope."""
    return [
        (one.field, np.dtype(list(one.memory), align=True))
        for one in of_gate()
        if one.detector.scope == scope and one.memory
    ]


def record(fields: list[tuple[Any, ...]], scope: str = "") -> np.dtype:
    """A row layout: the engine's own fields and the detectors' memory of its scope, the widest first, so that no octet
    is lost between them."""
    whole = [*fields, *(memory_of(scope) if scope else [])]
    return np.dtype(sorted(whole, key=lambda one: -np.dtype(one[1]).alignment), align=True)


SUBSCRIPTION = record(
    [
        ("imsi", "i8"),
        ("iccid", "i8"),
        ("msisdn", "i8"),
        ("declared_imei", "i8"),
        ("bound_imei", "i8"),
        ("last_imei", "i8"),
        ("last_request", "i8"),
        ("decided_sequence", "i8"),
        ("cell", "i8"),  # where it was heard last, as far as it said
        ("ended", "i8", (ENDED_KEPT,)),  # sessions that ended (sessions.remember_ended)
        ("ended_tokens", "i8", (ENDED_KEPT,)),  # and the tokens of their last two interims, 31 bits each
        ("plmn", "i4"),
        ("address", "u4"),
        ("quarantine_address", "u4"),
        ("other_addresses", "u4", (OTHER_SEGMENTS,)),  # in the use case's further segments
        ("other_quarantine", "u4", (OTHER_SEGMENTS,)),
        ("session_head", "i4"),
        ("finding_head", "i4"),
        ("generation", "i4"),
        ("charged_minute", "i4"),  # when it last took a unit of its use case's limits
        ("area", "i4"),  # LAC or TAC of `cell`, -1 = not reported
        ("locked_s", "u4"),  # since when it is locked, or in quarantine by a command (received_at, s)
        ("locked_until_s", "u4"),  # and until when, 0 = until it is released
        ("heard_s", "u4"),  # when it was heard last (received_at, s), 0 = never
        ("place_s", "u4"),  # when it was where it was last (happened_at, s), 0 = never
        ("homes", "i4", (HOMES,)),  # areas where a fixed device is at home (places.place_hash), 0 = free
        ("jumped_s", "u4"),  # when it last was farther away than anything travels, 0 = never
        ("learn_from_s", "u4"),  # since when its homes are learnt
        ("away_s", "u4"),  # since when it is in none of them, 0 = it is at home
        ("away", "i4"),  # and in which area instead
        ("use_case", "u2"),
        ("apn", "u2"),  # texts have numbers below TEXTS_MAX
        ("gateway", "u2"),  # that it was heard through last
        ("plans", "u2"),  # the first row of PLAN about it, 0 = none
        ("rat", "u1"),
        ("last_software", "i1"),
        ("locked", "u1"),
        ("lock_detector", "u1"),
        ("last_verdict", "u1"),
        ("last_detector", "u1"),
        ("last_class", "u1"),
        ("lifecycle", "u1"),  # LIFECYCLE, and OWNED_BY_API where the API owns its line
        ("session_count", "u1"),
        ("charged", "u1"),  # and for which response
        ("returns", "u1"),  # how often it came home from `away`
        ("marks", "u1"),  # MARK_*
        ("ended_at", "u1"),  # position in `ended` that is overwritten next
    ],
    "subscription",
)
SESSION = record(
    [
        ("subscription", "i4"),
        ("next", "i4"),
        ("address", "u4"),
        ("began_s", "u4"),  # when it began, as far as is known (happened_at less its duration, s)
        ("imei_mark", "i4"),  # 31 bits of a hash of the IMEI, 0 = not reported
        ("heard_s", "u4"),  # when it was reported last (happened_at, s)
        ("start_token", "i4"),  # what its Start said, 0 = none seen
        ("prefix_mark", "i4"),  # 31 bits of a hash of the IPv6 prefix or address (addressing.ipv6_mark), 0 = none
        ("id_words", "i8", (3,)),  # Acct-Session-Id, packed (session_names.py)
        ("effect_sequence", "i8"),  # the Disconnect (or change) that is under way, 0 = none
        ("tokens", "i4", (TOKENS_KEPT,)),  # what the last interims can be told apart by
        ("epoch", "u2"),
        ("gateway", "u2"),  # texts have numbers below TEXTS_MAX
        ("client", "u2"),
        ("apn", "u2"),
        ("effect_index", "u2"),
        ("attempts", "u1"),
        ("flags", "u1"),
        ("token_at", "u1"),
        ("id_octets", "u1"),  # of Acct-Session-Id as the gateway sends it
        ("id_form", "u1"),  # session_names.RAW, ...
        ("confined_by", "u1"),  # the detector that put it into quarantine
    ]
)
DEPARTED = np.dtype(
    [
        ("effect_sequence", "i8"),  # with `effect_index` the name of the Disconnect; the table is sorted by it
        ("imsi", "i8"),
        ("iccid", "i8"),
        ("id_words", "i8", (3,)),  # of the session, as in SESSION
        ("gateway", "i4"),
        ("client", "i4"),
        ("apn", "i4"),
        ("address", "u4"),
        ("generation", "i4"),
        ("effect_index", "u2"),
        ("attempts", "u1"),
        ("imsi_reported", "u1"),
        ("id_octets", "u1"),
        ("id_form", "u1"),
        ("settled", "u1"),  # 1: what became of it is known, it is not sent again
        ("over", "u1"),  # 1: and the session is: it holds no address any more
        ("whole_octets", "u1"),  # of its id where that is a long one, 0 = it is not, or was never heard whole
        ("stored_id", "u1", (248,)),  # of that what follows its first 16 octets (long_ids.stored_after)
        ("held_address", "u4"),  # what it held, 0 = no IPv4 address
        ("heard_s", "u4"),  # when it was heard last, or removed (received_at, s)
        ("prefix_mark", "i4"),  # as in SESSION
    ],
    align=True,
)
"""A Disconnect of a session whose subscription was removed from the inventory, until the session is over."""
WITHHELD = np.dtype(
    [
        ("mark", "i8"),  # BY_SESSION: withheld.session_mark; BY_DEPARTED: the effect's sequence
        ("number", "u4"),
        ("session", "i4"),  # BY_SESSION: its row
        ("segment", "u2"),
        ("effect_index", "u2"),  # BY_DEPARTED: of the effect
        ("quarantine", "u1"),
        ("by", "u1"),  # withheld.BY_SESSION, ...
        ("over", "u1"),
        ("spare", "u1"),
    ],
    align=True,
)
"""A number of a pool that no subscription of its segment has, but somebody may still hold (withheld.py)."""
LONG_ID_OCTETS = 27
LONG_ID = np.dtype(
    [
        ("next", "i4"),  # the block that goes on, or the next free one: its row + 1, 0 = none
        ("owner", "i4"),  # row + 1 of the session, 0 = it is free
        ("octets", "u1"),  # of the whole id
        ("text", "u1", (LONG_ID_OCTETS,)),
    ],
    align=True,
)
"""A block of an Acct-Session-Id that has no room in its session's row (long_ids.py)."""
SESSION_ID_OCTETS_MAX = 253
LONG_ID_BLOCKS_MAX = -(-SESSION_ID_OCTETS_MAX // LONG_ID_OCTETS)
"""Most blocks of one session."""
WHOLE_ID = np.dtype([("hash", "i8"), ("octets", "u1"), ("text", "u1", (SESSION_ID_OCTETS_MAX,))], align=True)
"""An id that an event has only a part of, whole (whole_ids.py)."""
GATEWAY = record(
    [
        ("epoch_at", "i8"),
        ("last_at", "i8"),
        ("epoch_received_at", "i8"),
        ("gateway", "i4"),
        ("client", "i4"),
        ("sessions", "i4"),
        ("finding_head", "i4"),
        ("epoch", "u2"),  # goes up with each restart, and around
        ("started", "i4"),  # sessions begun in this epoch
        ("last_kind", "u1"),  # Accounting-On or -Off, whichever began the epoch
    ],
    "gateway",
)
STRANGER = record(
    [
        ("imsi", "i8"),
        ("last_at", "i8"),
        ("last_request", "i8"),
        ("cut", "i8"),  # hash of the session that a Disconnect was sent for
        ("decided_sequence", "i8"),
        ("records", "i8", (RECORDS_KEPT,)),  # what its last accounting records can be told apart by
        ("finding_head", "i4"),
        ("used", "u1"),
        ("last_verdict", "u1"),
        ("last_class", "u1"),
        ("record_at", "u1"),  # position in `records` that is overwritten next
    ],
    "stranger",
)
SEGMENT_STATE = record(
    [
        ("next_address", "i8"),
        ("next_quarantine", "i8"),
        ("left", "i8"),
        ("given", "i8"),
        ("freed_head", "i4"),
        ("freed_quarantine_head", "i4"),
        ("finding_head", "i4"),
    ],
    "segment",
)
MEMORIES = repr([SUBSCRIPTION, GATEWAY, STRANGER, SEGMENT_STATE])
"""The layouts that detectors add to, as a text: what is compiled for them must be compiled anew where it changes."""
FREED = np.dtype([("address", "u4"), ("next", "i4")], align=True)
FINDING = np.dtype(
    [
        ("opened_sequence", "i8"),
        ("was", "i8"),
        ("now", "i8"),
        ("row", "i4"),
        ("next", "i4"),
        ("opened_index", "u2"),
        ("detector", "u1"),
        ("class", "u1"),
        ("scope", "u1"),
        ("response", "u1"),
        ("wanted", "u1"),
        ("held", "u1"),
    ],
    align=True,
)
DEVICE = np.dtype([("imei", "i8"), ("subscription", "i4"), ("moved_s", "u4")], align=True)
"""Which subscription a device was last seen to move into, and when (happened_at, s)."""
PLAN = np.dtype(
    [
        ("imei", "i8"),  # the device that is expected, 0 = any
        ("was", "i8"),  # the device that it was in until the planned one came
        ("begins_at", "i8"),  # received_at, us
        ("ends_at", "i8"),
        ("number", "i8"),  # of the work order
        ("planned_sequence", "i8"),  # of the command that said so
        ("subscription", "i4"),
        ("done_s", "u4"),  # when the device changed (happened_at, s), 0 = not yet
        ("next", "u2"),  # of the same subscription, or the next free row; 0 = none
        ("asked", "u1"),  # what may change (PLAN_DEVICE, PLAN_PLACE), 0 = a free row
        ("left", "u1"),  # and what of it has not yet
        ("spare", "u1", (4,)),
    ],
    align=True,
)
"""A change that a work order announced. One that was carried out stays until its time is over: late records of the old
device are then told for what they are."""
LIMIT = np.dtype(
    [("members", "i4"), ("minute", "i8"), ("counts", "i4", (len(LIMITED_ACTIONS) * LIMIT_MINUTES,))], align=True
)
META = np.dtype(
    [
        ("sequence", "i8"),
        ("now", "i8"),
        ("device_overflow", "i8"),
        ("late", "i8"),
        ("departed_dropped", "i8"),  # Disconnects that were too many to keep until their proof
        ("gateways_not_kept", "i8"),  # events of gateways for which there was no row left
        ("ids_not_kept", "i8"),  # records with a long Acct-Session-Id of which only a part was known
        ("departed_expired", "i8"),  # sessions of removed subscriptions taken for over without a proof
        ("plans_not_kept", "i8"),  # plans for which there was no row left, or whose subscription had PLANS_EACH
        ("subscriptions", "i4"),
        ("subscription_free", "i4"),
        ("subscriptions_live", "i4"),
        ("sessions", "i4"),
        ("session_free", "i4"),
        ("sessions_live", "i4"),
        ("gateways", "i4"),
        ("findings", "i4"),
        ("finding_free", "i4"),
        ("findings_live", "i4"),
        ("freed", "i4"),
        ("freed_free", "i4"),
        ("devices", "i4"),
        ("departed", "i4"),
        ("departed_open", "i4"),  # of those, how many sessions are not over
        ("departed_sweep", "i4"),
        ("long_ids", "i4"),
        ("long_id_free", "i4"),  # row + 1 of the first free one
        ("withheld", "i4"),
        ("withheld_open", "i4"),  # of those, how many are not over
        ("withheld_sweep", "i4"),
        ("command_at", "i4"),
        ("sweep", "i4"),
        ("stranger_sweep", "i4"),
        ("plans", "i4"),
        ("plan_free", "i4"),  # 0 = none
        ("plans_live", "i4"),
        ("plan_sweep", "i4"),
        ("paused", "u1"),
    ],
    align=True,
)
DETECTOR_FACTS = np.dtype(
    [
        ("severity", "u1", (MAX_CLASSES,)),
        ("enforced", "u1", (MAX_CLASSES,)),  # MARK_* by which a class is refused, whatever milder policy says
        ("momentary", "u1"),
        ("about_device", "u1"),
        ("about_lock", "u1"),
        ("fixed", "u1"),
        ("scope", "u1"),
        ("sticky", "u1"),
        ("detailed", "u1"),
    ],
    align=True,
)


SEEN = np.dtype(
    [("was", "i8"), ("now", "i8"), ("expected", "i8"), ("before", "i8", (CHANGES,)), ("after", "i8", (CHANGES,))],
    align=True,
)
"""Evidence that a judgement writes; `before` and `after` only where the detector is `detailed`."""

AROUND = np.dtype(
    [
        ("event_s", "i8"),  # when it happened, s
        ("elapsed_s", "i8"),  # since the subscription was heard last, -1 = never
        ("placed", "i8"),  # 1: the event says where it is, and is no older than what is known of that
        ("at_home", "i8"),  # of a fixed device: 1 yes, 0 no, -1 it cannot be told (or is being learnt)
        ("away_s", "i8"),  # for how long it has been away by now
        ("travelled_m", "i8"),  # at least so far from where it was before, -1 = cannot be told
        ("travel_s", "i8"),  # in that time
        ("jumped", "i8"),  # 1: farther than anything of its kind travels in that time
        ("from_centre_m", "i8"),  # of the use case's area, -1 = cannot be told
        ("radius_m", "i8"),  # of that area
        ("in_pool", "i8"),  # the device is in the use case's pool: 1 yes, 0 no, -1 there is none
        ("model", "i8"),  # number of the device's model in the owner's table, 0 = not listed
        ("model_rats", "i8"),  # bit n: that model can use 3GPP-RAT-Type n
        ("declared_model", "i8"),  # number of the declared device's model, 0 = none declared or not listed
        ("holder", "i8"),  # IMSI of another subscription that is live in the same device, 0 = none
        ("words", "i8", (3,)),  # the name of the event's session (session_names.py)
        ("form", "i8"),
        ("id_octets", "i8"),
        ("two_devices", "i8"),  # 1: another live session of this subscription is in another device
        ("planned_imei", "i8"),  # the device that a work order in force waits for, 0 = none, or any
        ("left_imei", "i8"),  # the event's device where a work order took the SIM out of it, and this is about before
        ("place_plan", "i8"),  # row of the plan that this change of place fulfils, 0 = none
        ("before_bound", "i8"),  # while a planned device is judged (planned.py): what stood in its place
        ("before_declared", "i8"),
        ("before_imei", "i8"),
        ("before_software", "i8"),
    ],
    align=True,
)
"""What the engine knows around an event beyond the subscription's row; filled before the judgements."""

OWN = (
    "meta", "subscriptions", "imsi_index", "msisdn_index", "sessions", "gateways", "gateway_index", "strangers",
    "segment_states", "freed", "findings", "devices", "device_index", "limits", "commands", "detectors", "cell_index",
    "departed", "departed_index", "withheld", "long_ids", "plans",
)  # fmt: skip
"""The arrays that the state owns."""
SCRATCH = ("around", "evidence", "classes", "outputs", "results", "whole_ids")
"""What the kernel works with, and what it made of a batch: nothing of it lasts."""
ADDRESSED = (*OWN, *POLICY_ARRAYS, *SCRATCH, "events")
"""The arrays that the kernel reads and writes; `events` is the batch."""
TABLES = np.dtype(
    [
        *((name, "i8") for name in ADDRESSED),
        *(
            (name, "i8")
            for name in (
                "imsi_mask",
                "msisdn_mask",
                "device_mask",
                "gateway_mask",
                "cell_mask",
                "departed_mask",
                "model_count",
                "gateways_room",
                "outputs_room",
                "detector_count",
                "whole_count",
            )
        ),
    ],
    align=True,
)
"""What the kernel is given: where each array begins, and the few lengths that it must know."""
