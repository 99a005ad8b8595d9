"""The members of a fleet as columns: who they are, where they stand, how each differs from its kind; seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simward.errors import UsageError
from simward.identity import rat_number
from simward.lab import geography
from simward.lab.traffic.kinds import APNS, CAR, KINDS, LIFT, TRACKER

DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60
SECOND_US = 1_000_000
DAY_US = DAY_S * SECOND_US
BEGINS_AT = 1_699_920_000_000_000
"""Midnight of a Tuesday in 2023: where the lab's days begin."""
FIRST_WEEKDAY = 1
GATEWAYS = ("pgw1", "pgw2", "pgw3")
SUBSCRIPTIONS_MOST = 5_000_000
DENSE_SHARE, DENSE_MEMBERS = 0.15, 40
"""Of what stands still: in estates, so many to a cell."""

MEMBER = np.dtype(
    [
        ("imsi", "i8"),  # prefix-1 decimals, as in identity.py
        ("iccid", "i8"),
        ("msisdn", "i8"),
        ("imei", "i8"),
        ("session_at", "i8"),  # of the session that is always on, us; 0 = none
        ("session_up", "i8"),  # and what it has counted
        ("session_down", "i8"),
        ("site", "i4"),  # where it is, or begins its day
        ("serial", "i4"),  # of its sessions
        ("report_s", "i8"),  # its second of the day
        ("leans", "f4", (2,)),  # towards which neighbours of its cell it reselects
        ("up", "f4"),  # octets of a usual day
        ("down", "f4"),
        ("kind", "u1"),  # position in KINDS
        ("sector", "u1"),
        ("network", "u1"),  # position in geography.PLMNS
        ("gateway", "u1"),  # position in GATEWAYS
        ("rat", "u1"),
        ("software", "i1"),
        ("heading", "i1"),  # of what drives
        ("model", "u1"),  # position in its kind's tacs
    ],
    align=True,
)


@dataclass
class Members:
    """The columns, and who is of which kind."""

    seed: int
    rows: np.ndarray
    """MEMBER."""
    by_kind: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, kinds: tuple[str, ...]) -> np.ndarray:
        """Numbers of the members of some kinds."""
        return np.concatenate([self.by_kind[name] for name in kinds])


def make_members(seed: int, size: int) -> Members:
    """`size` members; the same for the same seed."""
    if not len(KINDS) <= size <= SUBSCRIPTIONS_MOST:
        raise UsageError(f"a made-up fleet has {len(KINDS)} to {SUBSCRIPTIONS_MOST:,} subscriptions, not {size:,}")
    rng = np.random.default_rng([seed, size, 1])
    rows = np.zeros(size, MEMBER)
    edges = np.rint(np.cumsum([one.share for one in KINDS]) * size).astype(np.int64)
    edges[-1] = size
    rows["kind"] = np.searchsorted(edges, np.arange(size), side="right")
    rows["imsi"] = 100_101 * 10**10 + scattered(rng, size, 10**10)
    rows["iccid"] = iccids(scattered(rng, size, 10**11))
    rows["msisdn"] = 1_999 * 10**9 + scattered(rng, size, 10**9)
    rows["leans"] = rng.random((size, 2))
    rows["sector"] = rng.integers(1, 4, size)
    rows["gateway"] = rng.choice(len(GATEWAYS), size, p=(0.40, 0.35, 0.25))
    rows["heading"] = rng.choice((-1, 1), size)
    rows["software"] = 1
    by_kind = {}
    for number, one in enumerate(KINDS):
        who = np.flatnonzero(rows["kind"] == number)
        by_kind[one.name] = who
        rows["rat"][who] = rat_number(one.rat)
        rows["model"][who] = rng.choice(len(one.tacs), len(who), p=[share for _, share in one.tacs])
        tac = np.array([int(tac) for tac, _ in one.tacs], np.int64)[rows["model"][who]]
        rows["imei"][who] = tac * 10**6 + scattered(rng, len(who), 10**6)
        for name, usual in (("up", one.up), ("down", one.down)):
            rows[name][who] = usual * np.exp(rng.normal(0.0, one.spread_devices, len(who)))
        rows["report_s"][who] = rng.integers(0, DAY_S - HOUR_S, len(who))
        together = rng.random(len(who)) < one.synchronised
        rows["report_s"][who[together]] = synchronised_s(rng, int(together.sum()))
    place(rows, by_kind, rng)
    return Members(seed, rows, by_kind)


def synchronised_s(rng: np.random.Generator, count: int, window_s: int = 900) -> np.ndarray:
    """Seconds of the day at which devices that report together do so: Beta(3, 4) from midnight on (see kinds.py)."""
    return (rng.beta(3, 4, count) * window_s).astype(np.int64)


def place(rows: np.ndarray, by_kind: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Put everybody somewhere: estates share a cell, cars keep off the border, trackers begin anywhere on a road."""
    for number, one in enumerate(KINDS):
        who = by_kind[one.name]
        columns = (20, 100) if one.name == CAR else (5, geography.BORDER - 5)
        row, column = rng.integers(0, geography.ROWS, len(who)), rng.integers(*columns, len(who))
        site = geography.site_at(row, column)
        if one.fixed:
            estates = max(1, round(len(who) * DENSE_SHARE / DENSE_MEMBERS))
            among = rng.random(len(who)) < DENSE_SHARE
            estate = rng.integers(0, estates, len(who))
            homes = geography.site_at(rng.integers(0, geography.ROWS, estates), rng.integers(*columns, estates))
            site = np.where(among, homes[estate], site)
            rows["sector"][who] = np.where(among, 1 + (estate + number) % 3, rows["sector"][who])
        rows["site"][who] = site
        partner = rng.random(len(who)) < (0.1 if one.fixed and one.name != LIFT else 0.0)
        rows["network"][who] = np.where(partner, geography.PARTNER, geography.HOME)
    # A tracker comes back from wherever it is: nothing of it is bound to a place.
    rows["heading"][by_kind[TRACKER]] = rng.choice((-1, 1), len(by_kind[TRACKER]))


def unused_devices(members: Members, tac: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An IMEI (14 digits) of each of these models (TACs) that no member's device has, each a different one."""
    made: np.ndarray = tac * 10**6 + rng.integers(0, 10**6, len(tac))
    while True:
        _, first = np.unique(made, return_index=True)
        again = np.isin(made, members.rows["imei"])
        again |= ~np.isin(np.arange(len(made)), first)
        if not again.any():
            return made
        made[again] = tac[again] * 10**6 + rng.integers(0, 10**6, int(again.sum()))


def scattered(rng: np.random.Generator, count: int, below: int) -> np.ndarray:
    """`count` different numbers below a power of ten, in no order that anybody sees."""
    step = int(below * 0.618_033_988) | 1
    while math.gcd(step, below) != 1:
        step += 2
    begin = int(rng.integers(0, below))
    if below <= 10**9:
        return (begin + np.arange(count, dtype=np.int64) * step) % below
    # The product would not fit 64 bits: in two parts.
    high, low = np.divmod(np.arange(count, dtype=np.int64), 1 << 16)
    return (begin + high * ((step << 16) % below) % below + low * step % below) % below


def iccids(accounts: np.ndarray) -> np.ndarray:
    """ICCIDs (ITU-T E.118), 89 001 01, an account of 11 digits and their Luhn digit, as identity.py has them."""
    body = np.int64(8_900_101) * 10**11 + accounts
    total, rest = np.zeros(len(accounts), np.int64), body.copy()
    for position in range(19):
        rest, digit = np.divmod(rest, 10)
        twice = digit * 2
        total += np.where(twice > 9, twice - 9, twice) if position % 2 == 0 else digit
    check = -total % 10
    return (np.int64(100_101) * 10**11 + accounts) * 10 + check


def apn_numbers() -> dict[str, int]:
    """Position of each APN in APNS."""
    return {apn: number for number, apn in enumerate(APNS)}
