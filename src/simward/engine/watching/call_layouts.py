"""The layouts of what call detail records add up to: a number a subscription, and a row for each kind of its use.

Most subscriptions of a fleet never call, so what they would count is kept apart: four octets of each, and 36 of each
combination of service, class of destination and visited network that it has used.
"""

from __future__ import annotations

import numpy as np

CALLED = np.dtype([("head", "i4")])  # row + 1 of the newest of its TALLY
"""One row a subscription, under the row number that it has in the gate's table."""

PERIODS = 4
TALLY = np.dtype(
    [
        ("next", "i4"),  # row + 1 of the subscription's next, or the next free one
        ("hour", "i4"),  # hours since 1970 of its newest record: whose hour, day, week and month the counters count
        ("key", "i4"),  # tallies.py tally_key: service, class of destination and network; above 0
        ("low", "u4", (PERIODS,)),  # messages, seconds or octets by period, 40 bits each: the lower 32
        ("high", "u1", (PERIODS - 1,)),  # and the upper 8; of an hour there are none
        ("times_hour", "u1"),  # so many records
        ("times_day", "u2"),
        ("times_month", "u2"),
    ],
    align=True,
)
"""What a subscription used of one service, to one class of destination, in one network."""
TALLIES_EACH = 24
"""Rows of one subscription; beyond that, and once none is of a month that is over, the network is not told apart."""

CALL = np.dtype(
    [
        ("service", "i8"),  # layouts.SMS or VOICE
        ("destination", "i8"),  # call_records.HOME, ...; 0 at a tick
        ("at_s", "i8"),  # when it happened; at a tick, the time
        ("premium_day", "i8"),  # calls and messages to premium numbers in the day of `at_s`
        ("premium_month", "i8"),  # and in its month
        ("premium_s_hour", "i8"),  # and how long such calls lasted
        ("international_hour", "i8"),  # calls to international numbers in the hour
        ("international_day", "i8"),
    ],
    align=True,
)
"""What a detector that is given "call" judges: one record of a call or message, and what it adds up to."""

CALLERS_OF_GROUP = [
    ("callers_at", "i8"),  # when the last was told of those that call premium numbers (tolls.py), us
    ("callers_hour", "i4"),  # hours since 1970: which of them `callers_now` counts
    ("callers_now", "i4"),  # members that called in that hour
    ("callers_before", "i4"),  # and in the one before
    ("callers_most", "i4"),  # the most of both together, of what came when the last was told
    ("callers_cause", "i4"),  # row + 1 of another group that explains them; 0 = it does itself
]
"""What a group keeps of it: models and use cases."""
