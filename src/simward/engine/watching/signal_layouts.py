"""The layouts of what subscriptions signal: one row a subscription, and what detectors are given of it."""

from __future__ import annotations

import numpy as np

STORMING, FAILING, ASKED = 1, 2, 4
"""WATCHED.signs: it connects again and again; it showed wrong credentials a moment ago; it has asked, and no session of
it was heard of since."""
SIGNALS = np.dtype(
    [
        ("round_s", "u4"),  # when it began to connect last (happened, s), 0 = never
        ("usual_min", "u2"),  # its usual time between two times that it connects, 0 = not known
        ("minute", "u2"),  # minutes since 1970, the lower 16 bits: as of when the next are
        ("failed", "u2"),  # requests that no session followed, sessions and wrong credentials in a moving hour, each
        ("sessions", "u2"),  # in 32nds: they fade by as much of it as an hour has passed
        ("wrong", "u2"),
        ("failed_lately", "u1"),  # in this minute (4 bits), and in the one before it (4 above)
        ("sessions_lately", "u1"),
    ],
    align=True,
)
"""What a subscription signals; under the same row number."""
SIGNALLING = np.dtype(
    [
        ("failed_hour", "i8"),  # requests that no session followed, in a moving hour
        ("failed_minutes", "i8"),  # and in this minute and the one before
        ("sessions_hour", "i8"),
        ("sessions_minutes", "i8"),
        ("wrong_hour", "i8"),  # requests with wrong credentials
        ("usual_s", "i8"),  # between two times that it connects, 0 = not known
        ("explained", "i8"),  # TOLD_*: what is told of a group that it belongs to explains it
    ],
    align=True,
)
"""Detector.given "signalling": what one subscription signals."""
TOLD_STORM, TOLD_RECONNECT, TOLD_FAILURES, TOLD_OUTAGE = 1, 2, 4, 8
"""GROUP.told, which the detectors write: what is told of a group now."""
WITNESSES = 8
"""So many of those struck in a group are kept to be asked what else they have in common."""
APART_STORM, APART_FAILURES, APART_WAVE, APART_SILENT, APART_LATE = 1, 2, 4, 8, 16
"""GROUP.apart: what several narrower groups explain, each for itself."""
OF_GROUP = [
    ("told", "u1"),  # TOLD_*
    ("accounts", "u1"),  # gateways: it sends accounting, so a request without a session has failed
    ("storm_cause", "u1"),  # storms.py: does another group explain its storm better?
    ("failures_cause", "u1"),  # or the wrong credentials in it,
    ("wave_cause", "u1"),  # or those that connected together
    ("known_s", "u4"),  # since when it is known
    ("storming", "i4"),  # members that connect again and again
    ("failing", "i4"),  # and that showed wrong credentials a moment ago
    ("storm_limit", "i4"),  # how many are more than usual
    ("failures_limit", "i4"),
    ("storm_rise", "i4"),  # the most since there were few: what rises may be a storm, and is learnt when it is over
    ("failures_rise", "i4"),
    ("storm_witnesses", "i4", (WITNESSES,)),  # rows + 1 of some of each
    ("failures_witnesses", "i4", (WITNESSES,)),
    ("storm_by", "i4"),  # row + 1 of the narrower group that explains it, as long as it does
    ("failures_by", "i4"),
    ("wave_by", "i4"),
    ("tens", "i4"),  # tens of seconds since 1970: which of them `wave_now` counts
    ("wave_now", "i4"),  # members that connected in these ten seconds
    ("wave_before", "i4"),  # and in the ten before
    ("wave_limit", "i4"),  # how many in both are more than usual
    ("wave_most", "i4"),  # the most in twenty seconds, of late
    ("wave_since_s", "u4"),  # since then
    ("wave_witnesses", "i4", (WITNESSES,)),
    ("wave", "i4"),  # how many were in the largest of the last waves
    ("waves", "i4"),  # how many waves came, none more than some hours after the one before
    ("wave_s", "u4"),  # when the last was noticed,
    ("wave_began_s", "u4"),  # and began to be
    ("wave_gap_s", "i4"),  # and how long after the one before
    ("back", "i4"),  # gateways: how many have connected anew since its outage
    ("back_began_s", "u4"),
    ("back_s", "u4"),
    ("habit_began_s", "u4"),  # since when the next three are learnt: the most usual, in thousandths of its members
    ("storm_habit", "u2"),
    ("failures_habit", "u2"),
    ("wave_habit", "u2"),
    ("storm_habit_before", "u2"),
    ("failures_habit_before", "u2"),
    ("wave_habit_before", "u2"),
    ("struck_s", "u4"),  # when it was struck last; 0 = it is not in line to be judged at each tick (struck.py)
    ("struck_next", "i4"),  # row + 1 of who is behind it there
]
"""What is kept of a group of what its members signal."""
