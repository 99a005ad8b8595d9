"""Sessions, one row each and day: what of a session lies in the day; everything that gateways report is made from them.

A session that goes on over midnight has a row in each day. Attacks and honest happenings change rows, drop some or add
their own; `expanding.py` makes the events.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.lab import geography
from simward.lab.traffic.members import Members

SESSION = np.dtype(
    [
        ("begins_at", "i8"),  # of the part that lies in this day, us
        ("ends_at", "i8"),
        ("began_at", "i8"),  # of the session itself
        ("up", "i8"),  # octets of the part
        ("down", "i8"),
        ("up_before", "i8"),  # and what it had counted when the part began
        ("down_before", "i8"),
        ("imsi", "i8"),
        ("imei", "i8"),
        ("columns_an_hour", "f4"),  # how fast what drives does so, east is positive
        ("leans", "f4", (2,)),  # of what stands still: see members.py; negative = it is heard by its own cell alone
        ("every_s", "i4"),  # between interims, 0 = none
        ("retry_s", "i4"),  # between tries
        ("drift_s", "i4"),  # by how much its gateway's clock is wrong
        ("site", "i4"),
        ("who", "i4"),  # member, -1 = none of the fleet's
        ("serial", "i4"),
        ("tries", "u2"),  # requests before the one that succeeds
        ("sector", "u1"),
        ("network", "u1"),  # position in NETWORKS
        ("rat", "u1"),
        ("software", "i1"),
        ("apn", "u1"),  # position in APNS
        ("gateway", "u1"),
        ("credentials", "u1"),  # as events have them
        ("salt", "u1"),  # keeps names of sessions apart that are not the member's own
        ("flags", "u1"),
    ],
    align=True,
)
CONTINUES, GOES_ON, NO_STOP, NO_START, ONLY_TRIES, NO_RECORDS_LOST = 1, 2, 4, 8, 16, 32
"""Flags: it began on an earlier day; it does not end on this one; its Stop, its Start is never heard; nothing comes of
its requests; the network loses, doubles and delays nothing of it."""
NETWORKS = (*geography.PLMNS, geography.NORTHERN_PLMN, geography.EASTERN_PLMN)
"""Home, partner, abroad by land; and two networks that no road leads to."""
NORTHERN, EASTERN = 3, 4

Column = Any
"""One value for all, or an array."""


def sessions_of(members: Members, whose: np.ndarray, begins_at: Column, ends_at: Column, **more: Column) -> np.ndarray:
    """SESSION rows of members as they are now: within the day, in their own device, cell, APN and gateway.

    More: any columns of SESSION that are to be otherwise.
    """
    rows = np.zeros(len(whose), SESSION)
    mine = members.rows[whose]
    for name in ("imsi", "imei", "site", "sector", "network", "rat", "software", "gateway", "leans"):
        rows[name] = mine[name]
    rows["who"], rows["apn"] = whose, mine["kind"]
    rows["credentials"] = mine["kind"] == 0  # of meters alone: events.CREDENTIALS_RIGHT
    rows["begins_at"] = rows["began_at"] = begins_at
    rows["ends_at"] = ends_at
    for name, value in more.items():
        rows[name] = value
    return rows


def next_serials(members: Members, who: np.ndarray) -> np.ndarray:
    """A serial for one more session of each (each named once), counted in its member."""
    members.rows["serial"][who] += 1
    return members.rows["serial"][who]
