"""The layouts of what the watch keeps of when a subscription is heard and where it was, and of what is judged of it.

Together with eight octets in WATCHED, 32 octets a subscription.
"""

from __future__ import annotations

import numpy as np

WORD_KIND = 7
"""Bits of `word` in WATCHED that hold the event kind of its last word (a request, a start, an interim, a stop)."""
WORD_MOVED, WORD_OTHER_SOFTWARE, WORD_OTHER_MODEL, WORD_OTHER_NETWORK = 8, 16, 32, 64
"""What was otherwise on the last day on which it was heard than before."""
WORD_NEW_NETWORK = 128
"""It is in a network in which it never was before today, and that was not judged yet."""
OF_THE_DAY = WORD_MOVED | WORD_OTHER_SOFTWARE | WORD_OTHER_MODEL | WORD_OTHER_NETWORK

HOURS = (1 << 24) - 1
"""Bits of `known`, `seen` and `today` for the hours of a day (UTC)."""
WEEKDAYS_SHIFT = 24
"""Behind them in `known` and `seen`: seven bits for the days of the week, Monday first; in `today` the day's number,
of which eight bits are kept."""

RHYTHM = np.dtype(
    [
        ("visited", "i8"),  # networks and countries where it ever was: two of 63 bits for each (cadence.visit_bits)
        ("known", "u4"),  # hours and weekdays of its contacts in the last whole period, 0 = they show no habit
        ("seen", "u4"),  # and in the present one
        ("today", "u4"),  # hours of its contacts on the day of its newest word, and that day
        ("most_sessions", "u1"),  # in a day, up to 255; it is forgotten slowly
        ("cause", "u1"),  # Acct-Terminate-Cause of its last Stop (RFC 2866 5.10)
        ("marks", "u1"),  # contacts at hours that are not known: how many lately (MARKS_MOST), and in which week
        ("period", "u1"),  # which period of four weeks it is, and on how many days of it there was a contact
    ],
    align=True,
)
"""One row a subscription, under the row number that it has in the gate's table."""

VISIT = np.dtype([("key", "i8"), ("visitors", "i4"), ("spare", "i4")], align=True)
"""How many devices of a model have ever been in a network, or in a country; found by key (cadence.visit_key)."""
VISITS_ROOM = 8_192

CADENCE = np.dtype(
    [
        ("word", "i8"),  # the event's kind; 0 at a tick
        ("at_s", "i8"),  # when it was received; at a tick, the time
        ("heard_at", "i8"),  # when the subscription was heard last before this, us
        ("heard_again", "i8"),  # 1: with this event
        ("is_overdue", "i8"),  # 1: it has said nothing for as long as is silence, and nothing explains it
        ("is_excused", "i8"),  # 1: nothing is expected of it (any more)
        ("limit_s", "i8"),  # for how long that is
        ("by_habit", "i8"),  # 1: by its own habit, since nothing is declared
        ("last_word", "i8"),  # evidence: what its last word was (cadence.last_word)
        ("contact", "i8"),  # 1: it began a session, or asked for one, of its own accord
        ("hour", "i8"),  # of the day (UTC) when that happened, by the gateway's clock
        ("weekday", "i8"),  # 0 = Monday
        ("received_hour", "i8"),  # and by the gate's own
        ("received_weekday", "i8"),
        ("known", "i8"),  # RHYTHM.known
        ("marks", "i8"),  # contacts lately at hours that are not known
        ("is_marked", "i8"),  # 1: this is one
        ("told_lately", "i8"),  # findings that words of others at its gateway began within the hour
        ("members", "i8"),  # of its gateway
        ("sessions", "i8"),  # today
        ("hours_today", "i8"),  # in how many hours of the day there was a contact
        ("most_sessions", "i8"),  # the most in a day so far
        ("known_days", "i8"),  # for how many days it has been heard of
        ("days_heard", "i8"),  # and on how many of them
        ("plmn", "i8"),  # the network where it is; 0 = not reported
        ("before", "i8"),  # and where it was before this event
        ("new_country", "i8"),  # 1: it was never heard in that country before
        ("new_network", "i8"),  # 1: nor in that network before today, and it is there still
        ("visitors", "i8"),  # how many of its model have been in that network
        ("country_visitors", "i8"),  # and in that country
        ("peers", "i8"),  # devices of its model
    ],
    align=True,
)
"""What a detector with `given="cadence"` is given: a word of a subscription, or at a tick its silence."""
