"""The layouts of behaviour: one row a subscription, and the arrays of a behaviour revision that a day is settled with.

Amounts are base-2 logarithms, log2(1 + v) in 1/1024 (Q10): a tenfold change is the same step at any level. Evidence is
in bits, -log2 p in 1/256 (Q8). Days are days since 1970-01-01 by UTC.
"""

from __future__ import annotations

import numpy as np

UP, DOWN, SESSIONS, SESSION_TIME, HOURS, FAILED, UP_SHARE = range(7)
"""Channels: octets up and down, sessions begun, seconds in sessions, distinct hours with traffic, failed starts, octets
up for each octet down (+ SHARE_OFFSET)."""
CHANNELS = 7
CHANNEL_NAMES = ("up", "down", "sessions", "session-time", "hours", "failed", "up-share")
QUIET, UNUSUAL = 0, 1
"""`class` in BEHAVIOUR. A finding is open as long as it is UNUSUAL."""
NEW, WARMING, READY, ROLLED_UP, DRIFTING = range(5)
"""`state` in BEHAVIOUR: nothing learnt; too little learnt to find anything; judged; unusual, but as a part of what the
fleet or its cohort is told as one; unusual for so long that the baseline learns it anew."""
STATE_NAMES = ("new", "warming", "ready", "rolled-up", "drifting")
MATURITIES = 4
"""Baselines by days learnt: 0-1, 2-4, 5-13 and more: each is scored against its like."""
HIGHER, LOWER = 0, 1
"""Sides of a channel: more, or less, than was predicted."""
Q, ONE_BIT = 1024, 256
"""An octave of an amount; a bit of evidence."""
SCORE_BINS = 256
"""Bins of a deviation, on each side: scoring.bin_of."""
COHORTS_MAX, POOLS_MAX, KEYS_MAX = 4_096, 16, 65_536

BEHAVIOUR = np.dtype(
    [
        # What an event touches: 32 octets, one cache line.
        ("up_low", "u4"),  # octets of the day being counted, 48 bits each
        ("down_low", "u4"),
        ("session_s", "u4"),  # seconds in sessions
        ("hours", "u4"),  # a bit for each of the day's hours in which there was traffic, by UTC
        ("tac", "i4"),  # model of the device that was heard last (TAC), 0 = not known
        ("up_high", "u2"),
        ("down_high", "u2"),
        ("day", "u2"),  # the day being counted, 0 = none yet
        ("sessions", "u2"),
        ("failed", "u2"),
        ("rat", "u1"),  # the radio access that was heard last
        ("taught", "u1"),  # a bit for each channel whose centre has begun to be learnt
        # What a settled day touches.
        ("features", "u2", (CHANNELS,)),  # the finished day's amounts, Q10
        ("centre", "u2", (CHANNELS,)),  # of its own past, less the shift of its cohort, Q10, + CENTRE_OFFSET
        ("scale", "u2", (CHANNELS,)),  # a standard deviation's worth, Q10
        ("weekend", "i2", (CHANNELS,)),  # how far its Saturdays and Sundays are from that, besides, Q10
        ("ledger", "i2", (CHANNELS,)),  # evidence, bits in Q8: above 0 for more than is usual, below 0 for less
        ("features_day", "u2"),  # the finished day, 0 = none yet
        ("settled_day", "u2"),  # the day settled last
        ("total", "u2"),  # what its evidence came to then, bits in Q8
        ("since", "u2"),  # the day on which the open finding began
        ("benign_until", "u2"),  # up to and with this day it is widened
        ("key", "u2"),  # 16 bits of the cohort key that it was settled under: another one means another baseline
        ("ages", "u1", (CHANNELS,)),  # days since the evidence of a channel began to gather, 255 = or more
        ("presence", "u1", (21,)),  # hours of the week in which it ever had traffic: bit 24 * weekday + hour, Monday 0
        ("learnt", "u1"),  # days taught, 255 = or more
        ("state", "u1"),
        ("class", "u1"),
        ("weighs", "u1", (3,)),  # channel + 1 of the three that weigh most, 128 more where it is LOWER; 0 = none
        ("new_hours", "u1"),  # hours of the settled day in which it never had traffic before
        ("widening", "u1"),  # whole bits that its threshold is higher while it is widened
    ],
    align=True,
)
"""One a subscription, under the row number that it has in the gate's table: 152 octets."""
SHARE_OFFSET = 16 * Q
"""UP_SHARE of a day with as much up as down: below it, more came down. 0 = too little of one of them to say."""
CENTRE_OFFSET = 16_384
"""Less its cohort's shift a centre may be below 0, by 16 octaves at most."""

REVISION_ARRAYS = {
    # Leaf keys (cohort_key) that were there when it was made, sorted; one that is not among them is in cohort 0.
    "keys": ("i8", ("keys",)),
    "cohorts": ("u2", ("keys",)),
    # Channels of a key of which a crossing is told as one with others: bit c higher, bit CHANNELS + c lower.
    "muted": ("u2", ("keys",)),
    # Cohort 0 is the whole fleet.
    "pools": ("u1", ("cohorts",)),  # the tables that a cohort is scored with
    "widening": ("u1", ("cohorts",)),  # whole bits, while a cohort is found to be benign
    "shifts": ("i4", ("cohorts", CHANNELS)),  # Q10: what all of it had in common on the day
    "usual_shifts": ("i4", ("cohorts", CHANNELS)),  # Q10: what earlier days made likely of them
    "peer_centre": ("i4", ("cohorts", CHANNELS)),  # Q10: where its members' own centres lie
    "peer_spread": ("i4", ("cohorts", CHANNELS)),  # Q10: and how far apart (a standard deviation's worth)
    "peer_scale": ("i4", ("cohorts", CHANNELS)),  # Q10: how much a member varies from day to day
    "bits": ("u2", ("pools", MATURITIES, CHANNELS, 2, SCORE_BINS)),  # Q8: what a deviation says, by side
    "thresholds": ("i4", ("pools", MATURITIES)),  # Q8: evidence above this is unusual, if the day's gates let it pass
    "keeps": ("i4", ("pools", MATURITIES)),  # Q8: at half of this a finding ends, whatever the day's gates
}
"""Array of a behaviour revision -> dtype and shape ("keys", "cohorts", "pools": as many as there are)."""


def cohort_key(use_case: int, tac: int, rat: int) -> int:
    """The leaf of the tree of cohorts that a subscription is in: 23 bits of use case, 32 of model, 8 of RAT."""
    return (use_case << 40) | (tac << 8) | rat
