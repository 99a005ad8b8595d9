"""What a subscription signals, inside compiled code: how often it asks, connects, fails, and shows wrong credentials.

Requests and Starts count, by when they happened: records that come late make no storm. A request with a Start behind it
is one time that it connects; several within a few seconds (two APNs, IPv4 and IPv6) are one. What an outage, a change
of its software or its own silence explains is no sign of anything.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.events import (
    ACCESS_REQUEST,
    ACCOUNTING_START,
    CREDENTIALS_MISSING,
    CREDENTIALS_RIGHT,
    CREDENTIALS_WRONG,
)
from simward.engine.places import happened_s
from simward.engine.watching.groups import SECOND_US
from simward.engine.watching.layouts import SILENT
from simward.engine.watching.rows import group_at, signals_at
from simward.engine.watching.signal_layouts import ASKED, FAILING, STORMING
from simward.engine.watching.storms import begin_sign, end_sign
from simward.engine.watching.waves import come_back, hit

ROUND_S = 5
"""What it asks within so long of the first is the same attempt: one for each of its APNs."""
FAST_S, SLOW_S = 120, 900
"""Connecting again so soon is soon for anybody; up to SLOW_S where that is an eighth of its usual time."""
USUAL_SHARE, AT_ONCE_SHARE = 8, 32
STORMING_FROM = 4
"""`run` counts 1 for each time that it connects again soon, and 2 where that is at once: within FAST_S, or a
thirty-second of its usual time. A third time at once, or a fifth time in a row, is a sign of a storm."""
RUN_MOST = 200
COUNTED, LEVEL_MOST, MINUTE_MOST = 32, 64_000, 15
WORTH = 10 * COUNTED
"""Below so many in an hour nothing is found about one subscription."""
HOUR_MIN = 60
FAILING_MIN = 10
"""So long wrong credentials are a sign, where no right ones follow."""
EXPLAINED_US, UNSETTLED_US = 900_000_000, 300_000_000
"""So long after an outage of its gateway is over, the first time that each connects is explained; and so long what
connects together is no wave."""


@njit
def minute_of(at_s):  # type: ignore[no-untyped-def]
    """As SIGNALS keeps it."""
    return (at_s // np.int64(60)) & np.int64(0xFFFF)


@njit
def minutes_since(signals, at_s):  # type: ignore[no-untyped-def]
    """Minutes from its newest signal to `at_s`; negative where that is before it.

    The 16 bits come round after 45 days. Which of them are meant is known from when it connected last, which is never
    far from its newest signal; else whoever is silent for weeks, or new, would seem to signal long before its newest.
    """
    round_min = np.int64(signals.round_s) // np.int64(60)
    beyond = (np.int64(signals.minute) - round_min) & np.int64(0xFFFF)
    beyond = beyond - np.int64(0x10000) if beyond >= np.int64(0x8000) else beyond
    return at_s // np.int64(60) - (round_min + beyond)


@njit
def faded(level, passed):  # type: ignore[no-untyped-def]
    """What is left of the level of a moving hour after some minutes."""
    return np.int64(level) * max(np.int64(0), np.int64(HOUR_MIN) - passed) // np.int64(HOUR_MIN)


@njit
def moved_on(lately, passed):  # type: ignore[no-untyped-def]
    """The minute at hand becomes the one before, where one has passed."""
    return (np.int64(lately) & np.int64(MINUTE_MOST)) << np.int64(4) if passed == 1 else np.int64(0)


@njit
def one_more(lately):  # type: ignore[no-untyped-def]
    """One more in the minute at hand; 15 are as many as can be told apart."""
    count = np.int64(lately)
    return count + np.int64(1) if count & np.int64(MINUTE_MOST) < MINUTE_MOST else count


@njit
def one_less(lately):  # type: ignore[no-untyped-def]
    """One less: of the minute at hand, or else of the one before."""
    count = np.int64(lately)
    if count & np.int64(MINUTE_MOST):
        return count - np.int64(1)
    return max(np.int64(0), count - np.int64(16))


@njit
def advance(signals, at_s):  # type: ignore[no-untyped-def]
    """Time has come to `at_s`; False where that is long before what it signalled last, so that nothing counts it."""
    passed = minutes_since(signals, at_s)
    if passed < 0:
        return passed >= -1
    if passed > 0:
        signals.failed = faded(signals.failed, passed)
        signals.sessions = faded(signals.sessions, passed)
        signals.wrong = faded(signals.wrong, passed)
        signals.failed_lately = moved_on(signals.failed_lately, passed)
        signals.sessions_lately = moved_on(signals.sessions_lately, passed)
        signals.minute = minute_of(at_s)
    return True


@njit
def risen(level):  # type: ignore[no-untyped-def]
    """One more."""
    return min(np.int64(level) + np.int64(COUNTED), np.int64(LEVEL_MOST))


@njit
def count_session(signals):  # type: ignore[no-untyped-def]
    """It has connected."""
    signals.sessions = risen(signals.sessions)
    signals.sessions_lately = one_more(signals.sessions_lately)


@njit
def count_failure(signals):  # type: ignore[no-untyped-def]
    """It has asked: that has failed, until a session follows."""
    signals.failed = risen(signals.failed)
    signals.failed_lately = one_more(signals.failed_lately)


@njit
def uncount_failure(signals):  # type: ignore[no-untyped-def]
    """A session followed."""
    signals.failed = max(np.int64(0), np.int64(signals.failed) - np.int64(COUNTED))
    signals.failed_lately = one_less(signals.failed_lately)


@njit
def soon_s(signals):  # type: ignore[no-untyped-def]
    """Within how long to connect again is soon."""
    by_habit_s = np.int64(signals.usual_min) * np.int64(60) // np.int64(USUAL_SHARE)
    return max(np.int64(FAST_S), min(np.int64(SLOW_S), by_habit_s))


@njit
def at_once_s(signals):  # type: ignore[no-untyped-def]
    """Within how long it is at once."""
    by_habit_s = np.int64(signals.usual_min) * np.int64(60) // np.int64(AT_ONCE_SHARE)
    return max(np.int64(FAST_S), min(np.int64(SLOW_S), by_habit_s))


@njit
def learn_usual(signals, gap_s, soon):  # type: ignore[no-untyped-def]
    """Its usual time between two; what comes soon moves it little, so that a storm becomes no habit within a day."""
    gap_min = min(max(np.int64(1), gap_s // np.int64(60)), np.int64(0xFFFF))
    usual = np.int64(signals.usual_min)
    if usual == 0:
        signals.usual_min = gap_min
    elif soon:
        signals.usual_min = max(np.int64(1), usual - usual // np.int64(64))
    else:
        signals.usual_min = usual + (gap_min - usual) // np.int64(8)


@njit
def outage_of(w, one, gateway, round_s, now):  # type: ignore[no-untyped-def]
    """Row + 1 of the gateway whose outage explains that a subscription connects anew, or 0.

    The one through which it comes has lately begun anew, or is heard again; or the one through which it came has
    stopped.
    """
    if gateway != 0:
        here = group_at(w, gateway - np.int64(1))
        over_at = max(np.int64(here.epoch_at), np.int64(here.resumed_at))
        if over_at != 0 and now - over_at <= EXPLAINED_US and round_s * np.int64(SECOND_US) < over_at:
            return gateway
    before = np.int64(one.gateway)
    if before != 0 and before != gateway:
        there = group_at(w, before - np.int64(1))
        if there.off or there.stopped:
            return before
    return np.int64(0)


@njit
def is_unsettled(w, gateway, now):  # type: ignore[no-untyped-def]
    """Is an outage of the gateway only just over? Then some of those that come back have to try twice."""
    if gateway == 0:
        return False
    here = group_at(w, gateway - np.int64(1))
    return now - max(np.int64(here.epoch_at), np.int64(here.resumed_at)) <= UNSETTLED_US


@njit
def has_new_software(one, event):  # type: ignore[no-untyped-def]
    """Does it report another software version than before? Then it has restarted with a good reason."""
    reported = np.int64(event.software) + np.int64(2) if event.software >= 0 else np.int64(0)
    if reported == 0:
        return False
    before = np.int64(one.version)
    one.version = reported
    return before != 0 and before != reported


@njit
def connect(w, row, one, signals, event, gateway, at_s):  # type: ignore[no-untyped-def]
    """It connects: is that the same time, a new one, or once more in a row?"""
    round_s = np.int64(signals.round_s)
    gap_s = at_s - round_s
    if gap_s < ROUND_S:
        return
    signals.round_s = at_s
    updated = has_new_software(one, event)
    if round_s == 0:
        return
    outage = outage_of(w, one, gateway, round_s, np.int64(event.received_at))
    soon, at_once = gap_s <= soon_s(signals), gap_s <= at_once_s(signals)
    learn_usual(signals, gap_s, soon)
    if outage != 0:
        come_back(w, outage, at_s)
    elif not updated and one.standing != SILENT:
        if not is_unsettled(w, gateway, np.int64(event.received_at)):
            hit(w, row, one, at_s)
        if soon:
            weight = np.int64(2) if at_once else np.int64(1)
            one.run = min(np.int64(one.run) + weight, np.int64(RUN_MOST))
            if one.run >= STORMING_FROM and np.int64(one.signs) & np.int64(STORMING) == 0:
                begin_sign(w, row, one, np.int64(STORMING))
            return
    one.run = 0
    if np.int64(one.signs) & np.int64(STORMING):
        end_sign(w, one, np.int64(STORMING))


@njit
def ask(w, row, one, signals, event, gateway):  # type: ignore[no-untyped-def]
    """A request."""
    at_s = happened_s(event)
    if not advance(signals, at_s):
        return
    connect(w, row, one, signals, event, gateway, at_s)
    if gateway != 0 and group_at(w, gateway - np.int64(1)).accounts:
        count_failure(signals)
        one.signs = np.int64(one.signs) | np.int64(ASKED)
    else:
        count_session(signals)
    credentials = np.int64(event.credentials)
    if credentials == CREDENTIALS_WRONG or credentials == CREDENTIALS_MISSING:
        signals.wrong = risen(signals.wrong)
        if np.int64(one.signs) & np.int64(FAILING) == 0:
            begin_sign(w, row, one, np.int64(FAILING))
    elif credentials == CREDENTIALS_RIGHT and np.int64(one.signs) & np.int64(FAILING):
        end_sign(w, one, np.int64(FAILING))


@njit
def start(w, row, one, signals, event, gateway):  # type: ignore[no-untyped-def]
    """A session begins: what was asked before it was granted."""
    if gateway != 0:
        group_at(w, gateway - np.int64(1)).accounts = 1
    at_s = happened_s(event)
    asked = np.int64(one.signs) & np.int64(ASKED)
    if asked:  # whatever the clock of the gateway says
        one.signs = np.int64(one.signs) & ~np.int64(ASKED)
        uncount_failure(signals)
    if not advance(signals, at_s):
        return
    if not asked:
        connect(w, row, one, signals, event, gateway, at_s)
    count_session(signals)


@njit
def signal(w, row, one, event, gateway):  # type: ignore[no-untyped-def]
    """Count what an event says; True where there is so much of it that it is to be judged by itself.

    To be called before the subscription is placed anew: which gateway it came through before matters.
    """
    if event.kind == ACCESS_REQUEST:
        signals = signals_at(w, row)
        ask(w, row, one, signals, event, gateway)
    elif event.kind == ACCOUNTING_START:
        signals = signals_at(w, row)
        start(w, row, one, signals, event, gateway)
    else:
        return False
    return signals.failed >= WORTH or signals.sessions >= WORTH or signals.wrong >= WORTH


@njit
def rest(w, row, one, now_s):  # type: ignore[no-untyped-def]
    """The sweep looks at one that had a sign: is that over?"""
    signals = signals_at(w, row)
    if np.int64(one.signs) & np.int64(STORMING) and now_s - np.int64(signals.round_s) > soon_s(signals):
        one.run = 0
        end_sign(w, one, np.int64(STORMING))
    if np.int64(one.signs) & np.int64(FAILING) and minutes_since(signals, now_s) >= FAILING_MIN:
        end_sign(w, one, np.int64(FAILING))
