"""The layouts of the watch's state: three rows a subscription, one a counted session, group and open finding.

A group is all subscriptions that have a cell, a gateway, a network, a model, its software or a use case in common. Rows
point at groups by row + 1, so that a row of zeros points nowhere and room that was never used takes no memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.detectors import of_watch
from simward.detectors.detector import GROUP_SCOPES, DetectorModule
from simward.engine.watching.cadence_layouts import CADENCE
from simward.engine.watching.call_layouts import CALL, CALLERS_OF_GROUP
from simward.engine.watching.signal_layouts import OF_GROUP, SIGNALLING, WITNESSES

CELL, GATEWAY, NETWORK, MODEL, SOFTWARE = 1, 2, 3, 4, 5
"""Kinds of group: of two that explain the same, the first. The position in GROUP_SCOPES, plus one."""
KINDS_END = SOFTWARE + 1
USE_CASE = 6
"""A kind of group too, of which silence is not judged: the models that it consists of are."""
ALL_KINDS_END = USE_CASE + 1
UNJUDGED, DUE, LATE, OVERDUE, TOLD = 0, 1, 2, 3, 4
"""How a subscription stands to its cadence: it is not judged, heard in time, has missed one word, or as many as are
silence; or its silence is told, and nobody counts on it any more."""
IDLE, LIVE, SILENT, ENDED = 0, 1, 2, 3
"""How a subscription stands: it owes nothing, it owes interims, it has not sent what it owes, or it lately ended its
session in good order, which says that what it has in common with others worked then."""
GROUPS_MAX = 262_144
BY_INTERIMS, BY_CADENCE = 1, 2
"""How the silence of a group was noticed that is told."""
DEAF_KEPT = 8
"""Times when the gate did not run: of what was before the oldest of them, nothing counts as silence."""
GATEWAY_GROUPS_MAX = 4_096
FINDINGS_MAX = 1_024
"""Open findings; a condition that begins beyond that waits until one has ended, and is counted."""

assert tuple(GROUP_SCOPES[kind - 1] for kind in range(CELL, ALL_KINDS_END)) == GROUP_SCOPES

WATCHED = np.dtype(
    [
        ("heard_at", "i8"),  # received_at of its last word, us; 0 = never heard
        ("fell_at", "i8"),  # when its silence was noticed
        ("cell", "i4"),  # rows + 1 of its groups
        ("gateway", "i4"),
        ("network", "i4"),
        ("model", "i4"),
        ("session", "i4"),  # 31 bits of the name of the session that it spoke in last
        ("habit_s", "i4"),  # its usual time between two interims, 0 = not known
        ("standing", "u1"),
        ("reported", "u1"),  # its last word was an interim
        ("stage", "u1"),  # UNJUDGED to TOLD: how it stands to its cadence
        ("word", "u1"),  # what its last word was, and what was otherwise on that day: WORD_* (cadence_layouts.py)
        ("late_s", "i4"),  # a time between two that was longer than its habit: if it comes again, it is the habit
        ("software", "i4"),  # row + 1 of its group
        ("longest_min", "u2"),  # its longest time between two words, minutes; it is forgotten slowly
        ("planned", "u1"),  # until which day a work order has it, 0 = none does (cadence.planned_until)
        ("days_heard", "u1"),  # on how many days it was heard, up to 255
        ("use_case", "i4"),  # row + 1 of its group
        ("signs", "u1"),  # STORMING, ... (signal_layouts.py)
        ("run", "u1"),  # how long it has connected again and again by now (signals.py)
        ("version", "u1"),  # of the software that it connected with last, + 2; 0 = never reported
        ("explained", "u1"),  # when a finding about a group explained what it signals (signalling.mark_of), 0 = never
    ],
    align=True,
)
"""One row a subscription, under the row number that it has in the gate's table."""

DATA, SMS, VOICE = 0, 1, 2
"""Services."""
HOUR, DAY, WEEK, MONTH = 0, 1, 2, 3
"""Periods: `aspect` of what a detector of usage is given, and the order of a budget's amounts."""
UP_DAY, DOWN_DAY, UP_MONTH, DOWN_MONTH, BOTH_HOUR, BOTH_WEEK = range(6)
"""Counters of octets in USAGE, by their place there."""
COUNTERS = 6

ACCOUNTED, RECORDED = 1 << 6, 1 << 7
"""Accounting has told of its data; call detail records have. Where both do, what is judged is what accounting tells."""
USAGE = np.dtype(
    [
        ("session_head", "i4"),  # row + 1 of the newest of its sessions' COUNTED
        ("finding_head", "i4"),  # row + 1 of the newest of its open findings
        ("hour", "i4"),  # hours since 1970 of its newest record: whose hour, day, week and month the counters count
        ("low", "u4", (COUNTERS,)),  # octets, 48 bits each: the lower 32
        ("high", "u2", (COUNTERS,)),  # and the upper 16
        ("sessions_day", "u2"),
        ("sessions_month", "u2"),
        ("known_day", "u2"),  # days since 1970: when it was heard first
        ("services", "u1"),  # a bit for each that it has ever used, and who tells of its data: ACCOUNTED, RECORDED
        ("spare", "u1"),
    ],
    align=True,
)
"""What a subscription uses; under the same row number."""
COUNTED = np.dtype(
    [
        ("name", "i4"),  # 31 bits of the session's name
        ("next", "i4"),  # row + 1 of the subscription's next, or the next free one
        ("up_low", "u4"),  # how far its counters were counted, 48 bits each
        ("down_low", "u4"),
        ("heard_s", "u4"),  # when its newest record happened
        ("duration_s", "i4"),  # and what that said of how long it lasted, -1 = nothing
        ("up_high", "u2"),
        ("down_high", "u2"),
        ("over", "u1"),  # it has ended: kept for a while, since late records of it may come
        ("spare", "u1", (3,)),
    ],
    align=True,
)
"""How far a session's counters were counted."""
LOOK_AHEAD = 32
"""So many events' rows are sought, and fetched from memory, before the first of them is folded."""
COUNTED_EACH = 16
"""Sessions of one subscription; the one that was heard longest ago gives way."""
USE = np.dtype(
    [
        ("service", "i8"),
        ("aspect", "i8"),  # of a detector with several: a period, HOUR, ...
        ("at_s", "i8"),  # when it happened; at a tick, the time
        ("used", "i8"),  # of the service in the period: octets, messages or seconds
        ("since_s", "i8"),  # when the period began
        ("until_s", "i8"),  # and ends
        ("used_month", "i8"),  # and of the month: octets, messages or seconds
        ("month_since_s", "i8"),  # when that month began: both are kept from use to use
        ("month_until_s", "i8"),
        ("apn", "i8"),
        ("is_first", "i8"),  # 1: it never used the service before
        ("known_s", "i8"),  # since when it is known
        ("open_class", "i8"),  # the class of the finding that is open, 0 = none is
        ("told", "i8"),  # and its `now`
        ("seen_s", "i8"),  # and when it was judged to hold last
        ("destination", "i8"),  # of a record of a call or message: its class (call_records.PREMIUM, ...); else 0
        ("to_destination", "i8"),  # and what was used of the service to that class in its day
        ("recorded", "i8"),  # 1: a call detail record told it, not accounting
    ],
    align=True,
)
"""What every detector with scope "subscription" is given: one use of a service, and what it adds up to. Others than
those of uses find in it what is open of their own: `service` and `aspect` name it."""
BEHAVED = np.dtype(
    [
        ("unusual", "i8"),  # 1: what was settled last is unusual
        ("total", "i8"),  # the evidence, bits in Q8
        ("since_day", "i8"),  # on which day it became unusual
        ("gathered_days", "i8"),  # how long ago the evidence of the channel that weighs most began to gather
        ("settled_day", "i8"),
    ],
    align=True,
)
"""What a detector of behaviour is given of a subscription, once for each settled day."""
COHORT_FINDING = np.dtype(
    [
        ("opened_sequence", "i8"),  # 0 = a free row
        ("cohort", "i8"),  # behaviour_findings.cohort_number
        ("now", "i8"),
        ("opened_index", "u2"),
        ("detector", "u1"),
        ("class", "u1"),
        ("response", "u1"),
        ("spare", "u1", (3,)),
    ],
    align=True,
)
COHORT_FINDINGS_MAX = 256
"""Open findings about cohorts; what would begin beyond that is counted."""
BENIGN_COHORT = np.dtype(
    # until_day 0 = a free row
    [("cohort", "i8"), ("until_day", "i4"), ("bits", "i4"), ("said_day", "i4"), ("spare", "i4")],
    align=True,
)
"""A cohort that a person found to be benign: how much more each member is allowed, and until when; what the cohort did
up to `said_day` is told no more until then."""
BENIGN_COHORTS_MAX = 256
GIVEN = {"use": USE, "call": CALL, "cadence": CADENCE, "signalling": SIGNALLING, "behaviour": BEHAVED}
"""Detector.given: what such a detector may be given besides. For each NAME but "use" there is a module NAME in this
folder with `look_at_NAME(t, w, row, now_s)`, which fills the record at ticks, and `rows.NAME_of(w)`, which is where it
stands; the composed kernel has `judge_NAMEs`, which has its detectors judge it and settles their findings."""
SUBSCRIPTION_FINDING = np.dtype(
    [
        ("opened_sequence", "i8"),
        ("was", "i8"),
        ("now", "i8"),
        ("expected", "i8"),
        ("will_be", "i8"),  # a projection: Detector.projects
        ("used_up_at", "i8"),
        ("subscription", "i4"),
        ("next", "i4"),
        ("seen_s", "u4"),
        ("opened_index", "u2"),
        ("detector", "u1"),
        ("class", "u1"),
        ("response", "u1"),
        ("service", "u1"),
        ("aspect", "u1"),
        ("spare", "u1", (5,)),
    ],
    align=True,
)
SUBSCRIPTION_FINDINGS_MAX = 65_000
"""Open findings about subscriptions; likewise. One revision may end all of them, and an output's index has 16 bits."""


def judging_groups() -> list[DetectorModule]:
    """The detectors that judge groups."""
    return [one for one in of_watch() if one.detector.scope not in ("subscription", "cohort")]


def memory_of_groups() -> list[tuple[str, Any]]:
    """The nested memory records of the detectors that judge groups."""
    return [(one.field, np.dtype(list(one.memory), align=True)) for one in judging_groups() if one.memory]


GROUP = np.dtype(
    [
        ("key", "i8"),  # the cell (identity.py), gateway's text, network (PLMN), model (TAC) or TAC * 100 + software
        ("last_at", "i8"),  # when anything of it was heard last
        ("unheard_us", "i8"),  # before this event: how long nothing was heard while the gate listened
        ("epoch_at", "i8"),  # gateways: received_at of the last Accounting-On or -Off
        ("window_at", "i8"),  # since when `fell_now` counts
        ("window_before_at", "i8"),  # since when `fell_before` counts
        ("first_fell_at", "i8"),  # when the first of those that it counts was noticed
        ("window_us", "i8"),  # how long a window is: the longest interval among those who fell silent in it
        ("last_fell_at", "i8"),  # and of the last
        ("held_until", "i8"),  # until then the window does not move on: a wider cause is being looked at
        ("resumed_at", "i8"),  # gateways: when it was heard again after a finding that nothing was
        ("quiet_until", "i8"),  # after a finding: those who come back late are no new one
        ("overdue_at", "i8"),  # when it was last the cause for which a member said nothing against its cadence
        ("ended_at", "i8"),  # when a finding about its silence last ended: each has its time from then on
        ("due_most_at", "i8"),  # when `due_most` last fell, or there were fewer first; 0 = there are as many
        ("within", "i4"),  # of a cell its network (PLMN), of a gateway the RADIUS client that speaks for it
        ("members", "i4"),  # subscriptions that point here
        ("live", "i4"),  # of them, those that owe interims and are not silent
        ("ended", "i4"),  # of them, those that lately ended their sessions in good order
        ("were", "i4"),  # the most that were live, silent or lately ended since the first of those counted fell silent
        ("fell_now", "i4"),  # of them, those whose silence was noticed since `window_at`
        ("fell_before", "i4"),  # and in the window before
        ("witnesses", "i4", (WITNESSES,)),  # rows + 1 of some of those that fell silent
        ("finding_head", "i4"),
        ("due", "i4"),  # members that are counted on (DUE to OVERDUE)
        ("due_most", "i4"),  # the most that were of late: who leaves it because it is heard elsewhere was well
        ("late", "i4"),  # of them, those that are LATE or OVERDUE
        ("late_witnesses", "i4", (WITNESSES,)),  # rows + 1 of some of these
        ("told_hour", "i4"),  # gateways: hours since 1970 in which `told_count` counts
        ("told_count", "i4"),  # findings that began with words of its members in that hour
        ("kind", "u1"),  # 0 = a free row, its `members` is then the next free one + 1
        ("off", "u1"),  # gateways: it said that it goes down (Accounting-Off)
        ("lasting", "u1"),  # a finding about the silence of its members is open: BY_INTERIMS or BY_CADENCE
        ("overdue", "u1"),  # at this tick: it is the cause for which members are overdue
        ("stopped", "u1"),  # gateways: a finding that nothing at all is heard of it is open
        ("cause", "u1"),  # causes.py: does another group explain its silence better?
        ("apart", "u1"),  # APART_*: what of it several narrower ones explain
        *OF_GROUP,
        *CALLERS_OF_GROUP,
        *memory_of_groups(),
    ],
    align=True,
)
WATCH_FINDING = np.dtype(
    [
        ("opened_sequence", "i8"),
        ("was", "i8"),
        ("now", "i8"),
        ("expected", "i8"),
        ("group", "i4"),
        ("next", "i4"),
        ("opened_index", "u1"),
        ("detector", "u1"),
        ("class", "u1"),
        ("response", "u1"),
    ],
    align=True,
)
WATCH_META = np.dtype(
    [
        ("sequence", "i8"),  # of the gate's journal: the input folded last
        ("now", "i8"),
        ("listening_since", "i8"),  # the gate has listened without a gap since then
        ("groups_full", "i8"),  # places that found no room in the table
        ("findings_held", "i8"),  # findings that found none
        ("sweep", "i4"),
        ("group_sweep", "i4"),
        ("groups", "i4"),
        ("groups_free", "i4"),  # row + 1
        ("gateways", "i4"),
        ("findings", "i4"),
        ("finding_free", "i4"),  # row + 1
        ("findings_live", "i4"),
        ("counted", "i4"),
        ("counted_free", "i4"),  # row + 1
        ("about", "i4"),  # findings about subscriptions
        ("about_free", "i4"),  # row + 1
        ("about_live", "i4"),
        ("about_sweep", "i4"),
        ("silence_sweep", "i4"),
        ("struck_first", "i4", (ALL_KINDS_END - CELL,)),  # of each kind: row + 1 of the first group in line to
        ("struck_last", "i4", (ALL_KINDS_END - CELL,)),  # be judged at each tick (struck.py), and of the last,
        ("struck_count", "i4", (ALL_KINDS_END - CELL,)),  # and how many there are
        ("visits", "i4"),  # rows of `visits` in use
        ("visits_full", "i8"),  # visits to networks that found no room there
        ("deaf_from", "i8", (DEAF_KEPT,)),  # when the gate was last not there, us
        ("deaf_until", "i8", (DEAF_KEPT,)),
        ("deaf_at", "i4"),  # which of them is overwritten next
        ("counted_away", "i8"),  # sessions whose counters were forgotten because their subscription had too many
        ("settled_day", "i8"),  # days since 1970: the newest day that is settled, 0 = nothing was counted yet
        ("counted_late", "i8"),  # records of days that were settled when they came
        ("records", "i8"),  # of the journal of call detail records: the record folded last
        ("records_unknown", "i8"),  # of them, those of nobody
        ("records_since_s", "i8"),  # when the earliest of them happened, 0 = there was none
        ("tallies_full", "i8"),  # records whose network was not told apart, since their subscription has too many
        ("tallies", "i4"),
        ("tallies_free", "i4"),  # row + 1
    ],
    align=True,
)

PACE = np.dtype(
    [
        ("rows_rest_s", "i8"),  # until when no tick changes anything about any subscription, s; 0 = that is not known
        ("sweep_wakes", "i8"),  # 1: all of them are to be looked at once, by the next sweeps
        ("silences_wake", "i8"),  # and by those that look for silence
        ("sweep_unseen", "i8"),  # so many are still to be looked at
        ("silences_unseen", "i8"),
        ("never", "i8"),  # 1: nobody rests, so that tests can compare
    ],
    align=True,
)
"""Who rests (resting.py): beside the state, and no part of it. So are `row_rests` and `group_rests`, u4, s."""

ADDRESSED = (
    "watch_meta", "watched", "groups", "group_index", "watch_findings", "detectors", "evidence", "classes", "responses",
    "events", "outputs", "usage", "counted", "about", "use", "knobs", "case_responses",
    "rows_ahead", "called", "tallies", "call", "records", "unsaid", "rhythms", "visits", "cadence",
    "signals", "signalling", "behaviour", "behaved", "found",
    "pace", "row_rests", "group_rests", "group_kept",
)  # fmt: skip
WATCH_TABLES = np.dtype(
    [(name, "i8") for name in (*ADDRESSED, "group_mask", "outputs_room", "detector_count")],
    align=True,
)
"""What the kernel is given beside the gate's tables: where each array begins, and the lengths that it must know."""
