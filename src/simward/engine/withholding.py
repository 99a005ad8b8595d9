"""Which numbers of the pools must not be given yet after a revision: sessions that are not over may still hold them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simward.engine.hashing import mix
from simward.engine.layouts import SESSION_LIVE, WITHHELD
from simward.engine.session_names import CUT, HASHED
from simward.engine.state import State, rows
from simward.engine.tables import PolicyTables
from simward.engine.withheld import BY_DEPARTED, BY_SESSION, BY_SUBSCRIPTION

HOLDER = np.dtype(
    [
        ("address", "u4"),  # that the session holds, 0 = no IPv4 address
        ("prefix_mark", "i4"),  # of its prefix, as in SESSION
        ("subscription", "i4"),  # its row, -1 = it was removed
        ("session", "i4"),
        ("mark", "i8"),  # these as in WITHHELD
        ("effect_index", "u2"),
        ("by", "u1"),
    ]
)
PREFIXES_LOOKED_THROUGH = 1 << 22
"""A session that has a prefix alone is known by a hash of it: so many of a pool's first prefixes are compared."""
NOTHING = np.zeros(0, np.int64)
_mix = getattr(mix, "py_func", mix)  # the same text over whole arrays


class Pool(NamedTuple):
    """One pool of a segment: which addresses its numbers stand for."""

    segment: int
    quarantine: bool
    first: int  # 0 = there is none
    last: int
    bare: bool
    prefix_base: int
    prefix_length: int
    ipv6_high: int  # with `ipv6_low` the first IPv6 address; both 0 = there is none
    ipv6_low: int
    delegated_base: int
    delegated_length: int

    @staticmethod
    def of(policy: PolicyTables, segment: int, quarantine: bool) -> Pool:
        """That of a segment of a policy."""
        row = policy.segments[segment]
        names = ("pool_first", "pool_last", "bare", "prefix_base", "prefix_length", "ipv6_high", "ipv6_low")
        if quarantine:
            names = ("quarantine_first", "quarantine_last", "quarantine_bare", "quarantine_prefix_base",
                     "quarantine_prefix_length", "quarantine_ipv6_high", "quarantine_ipv6_low")  # fmt: skip
        first, last, bare, base, length, high, low = (int(row[name]) for name in names)
        delegated = (0, 0) if quarantine else (int(row["delegated_base"]), int(row["delegated_length"]))
        return Pool(segment, quarantine, first, last, bool(bare), base, length, high, low, *delegated)

    def marks(self, numbers: np.ndarray) -> list[np.ndarray]:
        """What SESSION.prefix_mark may say of each number (addressing.ipv6_mark): by its prefix, by its address."""
        steps, found = numbers.astype(np.int64) - self.first, []
        if self.prefix_length:
            found.append(_prefix_mark(self.prefix_base + steps))
        if self.ipv6_high or self.ipv6_low:
            found.append(_prefix_mark(_prefix_mark(np.array([self.ipv6_high])) ^ (self.ipv6_low + steps)))
        return found

    def offsets(self, other: Pool) -> set[int]:
        """By how much a number of `other` differs from the one here that stands for the same address or prefix."""
        found = set()
        if not self.bare and not other.bare:
            found.add(0)
        if self.prefix_length and other.prefix_length:
            found.add(other.prefix_base - self.prefix_base + self.first - other.first)
        if (self.ipv6_high or self.ipv6_low) and self.ipv6_high == other.ipv6_high:
            found.add(other.ipv6_low - self.ipv6_low + self.first - other.first)
        if self.delegated_length and self.delegated_length == other.delegated_length:
            found.add((other.delegated_base - self.delegated_base >> 64 - self.delegated_length)
                      + self.first - other.first)  # fmt: skip
        return found


def _prefix_mark(high: np.ndarray) -> np.ndarray:
    """`addressing.prefix_mark` of whole arrays."""
    mixed = _mix((high & 0x3FFFFFFFFFFFFFFF) ^ ((high >> 62 & 3) * 89))
    return np.asarray(np.maximum(mixed & 0x7FFFFFFF, 1))


def holders(state: State) -> np.ndarray:
    """The sessions that are not over and hold an address, as HOLDER rows: live ones, then those of removed
    subscriptions.
    """
    sessions = np.asarray(state.sessions)[: int(state.meta["sessions"][0])].view(np.ndarray)
    at = np.flatnonzero((sessions["flags"] & SESSION_LIVE != 0) & (sessions["address"].astype(bool)
                        | sessions["prefix_mark"].astype(bool)))  # fmt: skip
    at = at[_in_this_epoch(state, sessions[at])]
    live, found = sessions[at], np.zeros(len(at), HOLDER)
    for name in ("address", "prefix_mark", "subscription"):
        found[name] = live[name]
    whose = (live["subscription"].astype(np.int64) << 32) ^ (live["gateway"].astype(np.int64) << 16)
    found["session"], found["by"] = at, BY_SESSION
    last = np.where(live["id_form"] == CUT, live["id_words"][:, 2] & HASHED, live["id_words"][:, 2])
    found["mark"] = live["id_words"][:, 0] ^ live["id_words"][:, 1] ^ last ^ whose ^ live["client"]
    kept = np.asarray(state.departed)[: int(state.meta["departed"][0])].view(np.ndarray)
    kept = kept[kept["over"] == 0]
    gone = np.zeros(len(kept), HOLDER)
    gone["address"], gone["prefix_mark"], gone["subscription"] = kept["held_address"], kept["prefix_mark"], -1
    gone["session"], gone["by"] = -1, BY_DEPARTED
    gone["mark"], gone["effect_index"] = kept["effect_sequence"], kept["effect_index"]
    return np.concatenate([found, gone])


def _in_this_epoch(state: State, sessions: np.ndarray) -> np.ndarray:
    """Has the gateway of each session not restarted since?"""
    gateways = np.asarray(state.gateways)[: int(state.meta["gateways"][0])].view(np.ndarray)
    key = (gateways["client"].astype(np.int64) << 32) | gateways["gateway"]
    order = np.argsort(key)
    wanted = (sessions["client"].astype(np.int64) << 32) | sessions["gateway"]
    if not len(order):
        return np.ones(len(sessions), bool)
    at = order[np.minimum(np.searchsorted(key[order], wanted), len(order) - 1)]
    return np.asarray((key[at] != wanted) | (gateways["epoch"][at] == sessions["epoch"]))


def numbers_of(found: np.ndarray, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """Which of these HOLDER rows hold a number of the pool, and which: (positions, numbers)."""
    if not pool.first:
        return NOTHING, NOTHING
    at, numbers = NOTHING, NOTHING
    if not pool.bare:
        at = np.flatnonzero((found["address"] >= pool.first) & (found["address"] <= pool.last))
        numbers = found["address"][at].astype(np.int64)
    unaddressed = np.flatnonzero((found["address"] == 0) & (found["prefix_mark"] != 0))
    looked_through = NOTHING
    if len(unaddressed):
        looked_through = np.arange(pool.first, min(pool.last, pool.first + PREFIXES_LOOKED_THROUGH - 1) + 1)
    for marks in pool.marks(looked_through) if len(unaddressed) else ():
        order = unaddressed[np.argsort(found["prefix_mark"][unaddressed], kind="stable")]
        sought = found["prefix_mark"][order]
        low, high = np.searchsorted(sought, marks, "left"), np.searchsorted(sought, marks, "right")
        for one in np.flatnonzero(high > low).tolist():
            several = order[low[one] : high[one]]
            at = np.concatenate([at, several])
            numbers = np.concatenate([numbers, np.full(len(several), looked_through[one])])
    return at, numbers


def unexplained(found: np.ndarray, pools: list[tuple[Pool, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Those HOLDER rows whose address or prefix is not the one that their own subscription has.

    `pools`: each with the rows of the subscriptions that have a number of it, and the numbers.
    """
    explained = np.zeros(len(found), bool)
    for pool, owners, numbers in pools:
        order = np.argsort(owners)
        if not len(order):
            continue
        at = order[np.minimum(np.searchsorted(owners[order], found["subscription"]), len(order) - 1)]
        own = np.where(owners[at] == found["subscription"], numbers[at], 0)
        if not pool.bare:
            explained |= (own != 0) & (found["address"] == own)
        for marks in pool.marks(own):
            explained |= (own != 0) & (found["address"] == 0) & (found["prefix_mark"] == marks)
    return found[~explained]


def taken_by_others(found: np.ndarray, pool: Pool, numbers: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """For numbers that these subscriptions are to have: does a session of another hold the address?"""
    at, held = numbers_of(found, pool)
    taken = np.zeros(len(numbers), bool)
    if not len(at):
        return taken
    order = np.argsort(held, kind="stable")
    low, high = np.searchsorted(held[order], numbers, "left"), np.searchsorted(held[order], numbers, "right")
    for one in np.flatnonzero(high > low).tolist():
        whose = found["subscription"][at[order[low[one] : high[one]]]]
        taken[one] = bool((whose != owners[one]).any())
    return taken


def withheld_rows(pool: Pool, found: np.ndarray, mine: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """WITHHELD rows of one pool, sorted by number: what sessions hold (`found`), and what subscriptions of other
    segments do (`elsewhere`), but for the numbers that its own subscriptions have (`mine`).
    """
    at, numbers = numbers_of(found, pool)
    others = ~np.isin(numbers, mine)
    at, numbers = at[others], numbers[others]
    elsewhere = np.setdiff1d(elsewhere, mine)
    made = np.zeros(len(at) + len(elsewhere), WITHHELD)
    made["number"] = np.concatenate([numbers, elsewhere])
    for name in ("session", "mark", "effect_index", "by"):
        made[name][: len(at)] = found[name][at]
    made["session"][len(at) :], made["by"][len(at) :] = -1, BY_SUBSCRIPTION
    made["segment"], made["quarantine"] = pool.segment, pool.quarantine
    return made[np.lexsort((made["session"], made["mark"], made["by"], made["number"]))]


def keep_withheld(state: State, parts: list[np.ndarray]) -> None:
    """Replace the table; it is looked up by segment, pool and number."""
    whole = np.concatenate([np.zeros(0, WITHHELD), *parts])
    whole = whole[np.lexsort((whole["number"], whole["quarantine"], whole["segment"]))]
    table: Any = rows(max(1, len(whole)), WITHHELD)
    table[: len(whole)] = whole
    state.withheld = table
    state.meta["withheld"] = state.meta["withheld_open"] = len(whole)
    state.meta["withheld_sweep"] = 0
    state.moved()
