"""Calls and short messages of a day, as an operator's records tell of them some time later."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.lab.traffic.kinds import KINDS, LIFT, NUMBER
from simward.lab.traffic.members import BEGINS_AT, DAY_S, DAY_US, HOUR_S, MINUTE_S, SECOND_US, Members

VOICE, SHORT_MESSAGE = 1, 2
HOME, NATIONAL, INTERNATIONAL, PREMIUM = 1, 2, 3, 4
"""Who is called: the fleet's own centre, anybody in the country, anybody abroad, a number that costs extra."""
FILE_EVERY_S, FILE_TAKES_S = HOUR_S, 15 * MINUTE_S
"""Records come in files, one an hour, a quarter of an hour after it."""

CALL = np.dtype(
    [
        ("happened_at", "i8"),  # us
        ("arrives_at", "i8"),
        ("imsi", "i8"),
        ("who", "i4"),
        ("duration_s", "i4"),
        ("kind", "u1"),  # VOICE, SHORT_MESSAGE
        ("destination", "u1"),
        ("network", "u1"),  # position in sessions.NETWORKS
    ],
    align=True,
)


def calls_of(members: Members, who: np.ndarray, at: Any, kind: int, destination: int, duration_s: Any) -> np.ndarray:
    """CALL rows of members, each at a moment (us); they arrive with the next file."""
    rows = np.zeros(len(who), CALL)
    rows["who"], rows["kind"], rows["destination"], rows["duration_s"] = who, kind, destination, duration_s
    rows["imsi"], rows["network"] = members.rows["imsi"][who], members.rows["network"][who]
    rows["happened_at"] = at
    every = FILE_EVERY_S * SECOND_US
    rows["arrives_at"] = (rows["happened_at"] // every + 1) * every + FILE_TAKES_S * SECOND_US
    return rows


def honest_calls(members: Members, number: int, rng: np.random.Generator) -> np.ndarray:
    """CALL rows of the day with this number: tests of lifts each third day, buttons, a message now and then."""
    begins_at = BEGINS_AT + number * DAY_US
    parts = [np.zeros(0, CALL)]
    for one in KINDS:
        mine = members.by_kind[one.name]
        if one.calls_a_day:
            third = (mine + number) % 3 == 0
            calls = mine[third] if one.name == LIFT else mine[rng.random(len(mine)) < one.calls_a_day]
            # A lift tests at its own time of the day; others call when something happens.
            own_s = members.rows["report_s"][calls]
            at_s = own_s if one.name == LIFT else rng.integers(0, DAY_S, len(calls))
            parts.append(calls_of(members, calls, begins_at + at_s * SECOND_US, VOICE, HOME,
                                  rng.integers(20, 120, len(calls))))  # fmt: skip
        if one.sms_a_day:
            sends = mine[rng.random(len(mine)) < one.sms_a_day]
            at_s = rng.integers(6 * HOUR_S, 22 * HOUR_S, len(sends))
            parts.append(calls_of(members, sends, begins_at + at_s * SECOND_US, SHORT_MESSAGE, HOME, -1))
    return np.concatenate(parts)


assert NUMBER[LIFT] >= 0
