"""A day against what was predicted of it: deviations, what they say, and the evidence that they add up to.

The prediction is the subscription's own centre, drawn to its peers' while little is known of it, plus the shift that
its cohort had in common on the day. How far off a day may be comes from its own days and its peers', and from how
little is known: `bits` of a revision say how rare such a deviation is among subscriptions that are as well known.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.behaviour.layouts import CENTRE_OFFSET, CHANNELS, HIGHER, LOWER, SCORE_BINS, UP_SHARE, Q
from simward.engine.behaviour.logarithm import log2_q10

WINDOW_DAYS = 16
"""A baseline is never surer of itself than so many days would make it."""
PRIOR_DAYS = 4
"""So many days does the peers' scale count for beside the subscription's own."""
DAY_PARTS, PEER_DAYS_MOST = 4_096, 64
"""In which what the peers' centre is worth is counted, and at most so many days."""
SCALE_LEAST = 48
"""1/1024 octave: nobody is so regular that less would be a deviation (about 3 %)."""
OFF_LEAST = 128
"""1/1024 octave: what is less far off (9 %) says nothing, however rare it is. Where all of a cohort begin one session a
day, a baseline that still remembers a day of two would be off by a hundredth, and nobody else would."""
KEPT, OF = 230, 256
"""Share of the evidence that is left a day later."""
PAID = 1280
"""What a day costs (bits, Q8): more than an ordinary day brings, so that ordinary days, and an extraordinary one that
is followed by such, add up to little."""
KNEE = 3_072
"""What a single day says beyond so much (bits, Q8) is cut to BEYOND_KNEE of it in the tables: honest days have heavy
tails, and an honest spike has any height."""
BEYOND_KNEE_OF_TEN = 4
LASTS = 1_280
"""With so much evidence left from the days before (bits, Q8), a day on the same side is no spike, and counts in full
up to FULL_MOST: honest spikes do not come twice."""
FULL_MOST = 5_120
LEDGER_MOST = 32_767
EMPTY_BELOW = 2 * Q
"""Who usually has less than this in a channel (three octets, three sessions) has days with nothing, too."""
EMPTY_DAYS = 5
"""For so many days a channel that was empty from the first on is thought to be so by chance, where its peers' are
not."""
BIN_WIDTH = 96
"""1/1024 octave of a squared deviation: 256 bins reach to 256 times the scale."""


@njit
def maturity_of(learnt):  # type: ignore[no-untyped-def]
    """0 ... 3, by the days learnt."""
    if learnt < 2:
        return np.int64(0)
    if learnt < 5:
        return np.int64(1)
    return np.int64(2) if learnt < 14 else np.int64(3)


@njit
def is_taught(row, channel):  # type: ignore[no-untyped-def]
    """Has the baseline of a channel begun?"""
    return (np.int64(row.taught) >> np.int64(channel)) & np.int64(1) == 1


@njit
def days_known(row, channel):  # type: ignore[no-untyped-def]
    """How many days a channel's baseline is worth."""
    return min(np.int64(row.learnt), np.int64(WINDOW_DAYS)) if is_taught(row, channel) else np.int64(0)


@njit
def scale_squared(row, channel, peer_scale):  # type: ignore[no-untyped-def]
    """How much it varies from day to day (Q20): its own scale and its peers', by how many days each is worth."""
    own, peers = np.int64(row.scale[channel]), np.int64(peer_scale)
    days = days_known(row, channel)
    mixed = (days * own * own + np.int64(PRIOR_DAYS) * peers * peers) // (days + np.int64(PRIOR_DAYS))
    return max(mixed, np.int64(SCALE_LEAST * SCALE_LEAST))


@njit
def peer_days(peer_scale, peer_spread):  # type: ignore[no-untyped-def]
    """How many days (in DAY_PARTS, at least one) the peers' centre is worth: many where they are all alike, next to
    none where each is very regular in another way."""
    spread, scale = max(np.int64(peer_spread), np.int64(1)), np.int64(peer_scale)
    return min(np.int64(PEER_DAYS_MOST * DAY_PARTS), max(np.int64(1), DAY_PARTS * scale * scale // (spread * spread)))


@njit
def peer_days_of(row, channel, peer_scale, peer_spread):  # type: ignore[no-untyped-def]
    """The same for a prediction of one channel of a subscription: what share goes up is a trait of each, so that once
    its own is known its peers' says nothing."""
    if channel == UP_SHARE and is_taught(row, channel):
        return np.int64(1)
    return peer_days(peer_scale, peer_spread)


@njit
def is_weekend(day):  # type: ignore[no-untyped-def]
    """Is it a Saturday or a Sunday? Day 0 was a Thursday."""
    return (np.int64(day) + np.int64(3)) % np.int64(7) >= 5


@njit
def predicted(row, channel, day, shift, peer_centre, peers):  # type: ignore[no-untyped-def]
    """The amount (Q10) that was to be expected of a day."""
    days = np.int64(DAY_PARTS) * days_known(row, channel)
    own = np.int64(row.centre[channel]) - np.int64(CENTRE_OFFSET)
    level = (days * own + peers * np.int64(peer_centre)) // (days + peers) + np.int64(shift)
    return level + np.int64(row.weekend[channel]) if is_weekend(day) else level


@njit
def says_nothing(row, channel, peer_centre):  # type: ignore[no-untyped-def]
    """Was a channel empty that usually is not? Then the day is no amount of it: silence is for other detectors.

    Nor is it one of a share where there was too little to share.
    """
    if row.features[channel] != 0:
        return False
    if channel == UP_SHARE:
        return True
    if is_taught(row, channel):
        return np.int64(row.centre[channel]) > np.int64(CENTRE_OFFSET + EMPTY_BELOW)
    return np.int64(peer_centre) > np.int64(EMPTY_BELOW) and row.learnt < EMPTY_DAYS


@njit
def variance(row, channel, squared, peers):  # type: ignore[no-untyped-def]
    """Of a prediction (Q20): how much days vary, and how uncertain the centre still is."""
    days = np.int64(DAY_PARTS) * days_known(row, channel)
    return squared + np.int64(DAY_PARTS) * squared // (days + peers)


@njit
def unexplained(off, beyond_usual):  # type: ignore[no-untyped-def]
    """What of a deviation neither the day's shift explains nor the usual one, where they differ by `beyond_usual`.

    Who does as always while its cohort does otherwise is not unusual, and nor is who goes half the way.
    """
    without = off + beyond_usual
    if (off >= 0) != (without >= 0):
        return np.int64(0)
    return off if abs(off) <= abs(without) else without


@njit
def bin_of(deviation, squared):  # type: ignore[no-untyped-def]
    """The bin of a deviation (Q10) under a variance (Q20): twenty-one bins to a doubling of their ratio."""
    if abs(np.int64(deviation)) < OFF_LEAST:
        return np.int64(0)
    ratio = min(np.int64(deviation) * np.int64(deviation) * np.int64(256) // squared, np.int64(1) << np.int64(40))
    return min(log2_q10(ratio) // np.int64(BIN_WIDTH), np.int64(SCORE_BINS - 1))


@njit
def side_of(deviation):  # type: ignore[no-untyped-def]
    """HIGHER or LOWER."""
    return np.int64(HIGHER) if deviation >= 0 else np.int64(LOWER)


@njit
def in_full(bits):  # type: ignore[no-untyped-def]
    """What a day says, with what the tables cut off of it beyond the knee."""
    beyond = np.int64(bits) - np.int64(KNEE)
    if beyond <= 0:
        return np.int64(bits)
    whole = np.int64(KNEE) + beyond * np.int64(10) // np.int64(BEYOND_KNEE_OF_TEN)
    return max(np.int64(bits), min(whole, np.int64(FULL_MOST)))


@njit
def added(ledger, side, bits):  # type: ignore[no-untyped-def]
    """The evidence of a channel after a day: what is left of it, what the day brings, less what ordinary days bring."""
    kept = np.int64(ledger) * np.int64(KEPT)
    left = kept // np.int64(OF) if kept >= 0 else -(-kept // np.int64(OF))
    said = in_full(bits) if (left >= LASTS if side == HIGHER else -left >= LASTS) else bits
    left += said if side == HIGHER else -said
    if left > 0:
        return min(max(left - np.int64(PAID), np.int64(0)), np.int64(LEDGER_MOST))
    return -min(max(-left - np.int64(PAID), np.int64(0)), np.int64(LEDGER_MOST))


@njit
def faded(ledger):  # type: ignore[no-untyped-def]
    """The evidence of a channel after a day on which nothing was heard."""
    kept = np.int64(ledger) * np.int64(KEPT)
    return kept // np.int64(OF) if kept >= 0 else -(-kept // np.int64(OF))


@njit
def total_of(ledger):  # type: ignore[no-untyped-def]
    """What the channels come to (bits, Q8): the strongest, a quarter of the second, an eighth of the third.

    They are far from independent: what is sent and what is received vary together, and a sum of them would say the same
    thing twice, so that the threshold would have to be higher for what shows in one channel alone.
    """
    first, second, third = np.int64(0), np.int64(0), np.int64(0)
    for channel in range(CHANNELS):
        value = abs(np.int64(ledger[channel]))
        if value > first:
            first, second, third = value, first, second
        elif value > second:
            second, third = value, second
        elif value > third:
            third = value
    return min(first + second // np.int64(4) + third // np.int64(8), np.int64(65_535))
