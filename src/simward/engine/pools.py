"""Address pools after a revision, made anew from who holds what: nothing leaks, nothing clashes."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.engine.layouts import FREED, NOWHERE, SEGMENT_STATE
from simward.engine.state import State, rows
from simward.engine.tables import OTHER_SEGMENTS, PolicyTables
from simward.engine.withholding import Pool, holders, keep_withheld, taken_by_others, unexplained, withheld_rows

POOLS = (
    (False, "pool_first", "pool_last", "next_address", "freed_head"),
    (True, "quarantine_first", "quarantine_last", "next_quarantine", "freed_quarantine_head"),
)
"""Is it the quarantine pool, its bounds, cursor and head of the free list."""
COLUMNS = {False: ("address", "other_addresses"), True: ("quarantine_address", "other_quarantine")}
BARE = {False: "bare", True: "quarantine_bare"}
NORMAL_POOLS = (
    "pool_first", "pool_last", "bare", "prefix_base", "prefix_length", "ipv6_high", "ipv6_low", "delegated_base",
    "delegated_length",
)  # fmt: skip
QUARANTINE_POOLS = (
    "quarantine_first", "quarantine_last", "quarantine_bare", "quarantine_prefix_base", "quarantine_prefix_length",
    "quarantine_ipv6_high", "quarantine_ipv6_low",
)  # fmt: skip
"""What makes two pools the same one, in every family."""
PLACES = OTHER_SEGMENTS + 1


def column(used: np.ndarray, quarantine: bool, place: int) -> np.ndarray:
    """The numbers that subscriptions hold in one place, as a view to read and write."""
    first, others = COLUMNS[quarantine]
    held: np.ndarray = used[first] if place == 0 else used[others][:, place - 1]
    return held


def segments_in(policy: PolicyTables, place: int) -> np.ndarray:
    """The segment in one place of every use case."""
    one = policy.use_cases["segment"] if place == 0 else policy.use_cases["other_segments"][:, place - 1]
    return np.asarray(one)


def places_used(policy: PolicyTables) -> int:
    """How many places any use case has: almost always one."""
    return PLACES if policy.use_cases["other_segments"].any() else 1


def same_segments(old: PolicyTables, new: PolicyTables) -> np.ndarray:
    """For each segment of `old` its number in `new`, 0 = it is gone.

    A segment is known by its name. One whose name is gone is the one of a new name that has the same pools: it was
    renamed, and its subscriptions keep their addresses. (Pools of one policy do not overlap, so there is one at most.)
    """
    number = {name: position for position, name in enumerate(new.names["segments"]) if position}
    moved = np.array([number.get(name, 0) if at else 0 for at, name in enumerate(old.names["segments"])], np.int64)
    unclaimed = sorted(set(number.values()) - set(moved.tolist()))
    for columns in (NORMAL_POOLS, QUARANTINE_POOLS):
        for position in range(1, len(moved)):
            pools = [int(old.segments[name][position]) for name in columns]
            if moved[position] or not pools[0]:
                continue
            for one in unclaimed:
                if pools == [int(new.segments[name][one]) for name in columns]:
                    moved[position] = one
                    unclaimed.remove(one)
                    break
    return moved


def renumber(state: State, old: PolicyTables, new: PolicyTables) -> None:
    """Take numbers from the old pools into the new ones; subscriptions still have the old numbers of their use cases.

    Which segment is which, `same_segments` says. An address that lies in the new pool stays. Else its distance from the
    first one stays, where that is free: so a pool can move, or get another family, and every prefix beside it stays. In
    a segment that a use case is no longer in, numbers are given up.
    """
    if _numbers_stay(old, new):
        return
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    use_case_of = {name: number for number, name in enumerate(new.names["use_cases"])}
    target = np.array([use_case_of.get(name, 0) for name in old.names["use_cases"]], np.int64)
    moved, sitting = same_segments(old, new), holders(state)
    for quarantine, *_ in POOLS:
        kept = np.zeros((PLACES, len(used)), np.uint32)
        for place in range(places_used(old)):
            held = column(used, quarantine, place)
            segment = segments_in(old, place)[used["use_case"]]
            for number in np.unique(segment[held != 0]).tolist():
                mine = np.flatnonzero((segment == number) & (held != 0))
                numbers = moved_numbers(held[mine].astype(np.int64), old, number, new, int(moved[number]), quarantine)
                if moved[number]:
                    pool = Pool.of(new, int(moved[number]), quarantine)
                    shifted = np.flatnonzero((numbers != 0) & (numbers != held[mine]))
                    clash = taken_by_others(sitting, pool, numbers[shifted], mine[shifted])
                    numbers[shifted[clash]] = 0  # a session of another has it: it gets a new one
                for there in range(PLACES) if moved[number] else ():
                    stays = segments_in(new, there)[target[used["use_case"][mine]]] == moved[number]
                    kept[there][mine[stays]] = numbers[stays]
        for place in range(PLACES):
            column(used, quarantine, place)[:] = kept[place]


def _numbers_stay(old: PolicyTables, new: PolicyTables) -> bool:
    """Has every use case the segments that it had, and every segment the pools?"""
    pools = [*(name for _, first, last, *_ in POOLS for name in (first, last)), *BARE.values()]

    def described(policy: PolicyTables) -> dict[str, list[tuple[Any, ...]]]:
        named = zip(policy.names["segments"], policy.segments, strict=True)
        segments = [(name, *(int(row[key]) for key in pools)) for name, row in named]
        return {
            name: [segments[int(one)] for one in (row["segment"], *row["other_segments"])]
            for name, row in zip(policy.names["use_cases"], policy.use_cases, strict=True)
        }

    before, after = described(old), described(new)
    return all(after.get(name) == segments for name, segments in before.items())


def moved_numbers(
    held: np.ndarray, old: PolicyTables, before: int, new: PolicyTables, after: int, quarantine: bool
) -> np.ndarray:
    """What numbers of one segment become in it as it is now; 0 = given up."""
    _, first, last, _, _ = POOLS[quarantine]
    was, now = old.segments[before], new.segments[after]
    begin, low, high = int(was[first]), int(now[first]), int(now[last])
    if low == 0:
        return np.zeros(len(held), np.int64)
    inside = (held >= low) & (held <= high) & (was[BARE[quarantine]] == now[BARE[quarantine]])
    shifted = held - begin + low
    fits = ~inside & (shifted <= high) & ~np.isin(shifted, held[inside])
    return np.where(inside, held, np.where(fits, shifted, 0))


def remap_segments(state: State, old: PolicyTables, new: PolicyTables) -> None:
    """Give each segment its row in the new order, with its detectors' memory and open findings (`same_segments`)."""
    states = rows(len(new.segments), SEGMENT_STATE)
    states["finding_head"] = NOWHERE
    moved = same_segments(old, new)
    for earlier in np.flatnonzero(moved).tolist():
        position = int(moved[earlier])
        if earlier >= len(state.segment_states):
            continue
        states[position] = state.segment_states[earlier]
        for quarantine, first, _, cursor, _ in POOLS:
            # Numbers of another pool say nothing here: every one up to them would be taken for given back.
            for column_of_pool in (first, BARE[quarantine]):
                if old.segments[column_of_pool][earlier] != new.segments[column_of_pool][position]:
                    states[cursor][position] = 0
        for at in chain(state, int(states["finding_head"][position])):
            state.findings["row"][at] = position
    for gone in np.flatnonzero(moved == 0).tolist():
        if 0 < gone < len(state.segment_states):
            for at in chain(state, int(state.segment_states["finding_head"][gone])):
                give_up_finding(state, at)
    state.segment_states = states


def chain(state: State, head: int) -> list[int]:
    """The rows of a chain of findings."""
    found = []
    while head != NOWHERE:
        found.append(head)
        head = int(state.findings["next"][head])
    return found


def give_up_finding(state: State, at: int) -> None:
    """Zero a finding's row and put it on the free list."""
    state.findings[at : at + 1].view(np.uint8)[:] = 0
    state.findings["next"][at] = state.meta["finding_free"][0]
    state.meta["finding_free"] = at
    state.meta["findings_live"] -= 1


def settle_pools(state: State, policy: PolicyTables) -> None:
    """Make cursors, free lists and counts agree with the addresses that subscriptions and sessions hold.

    A subscription keeps its address while it lies in its segment's pool. The cursor never goes back below an address
    that is held; the gaps below it are what may be given again, lowest first. What a session of somebody else may
    still hold is withheld until that is over.
    """
    held = {
        (quarantine, segment): found
        for quarantine, *_ in POOLS
        for segment, found in enumerate(held_numbers(state, policy, quarantine))
    }
    pools = {key: Pool.of(policy, key[1], key[0]) for key in held}
    sitting = unexplained(holders(state), [(pools[key], *found) for key, found in held.items() if len(found[0])])
    freed: list[np.ndarray] = []
    withheld: list[np.ndarray] = []
    for (quarantine, number), (_, found) in held.items():
        _, _, _, cursor, head = POOLS[quarantine]
        pool, mine, places = pools[quarantine, number], np.unique(found), state.segment_states[number]
        if not pool.first:
            places[cursor], places[head] = 0, NOWHERE
            if not quarantine:
                places["given"] = places["left"] = 0
            continue
        elsewhere, shadows = other_pools(pool, pools, held)
        kept = int(places[cursor])
        next_one = kept if pool.first < kept <= pool.last + 1 else pool.first
        if len(mine):
            next_one = max(next_one, int(mine[-1]) + 1)
        back = withheld_rows(pool, sitting, mine, elsewhere)
        out = np.unique(back["number"]).astype(np.int64)
        gaps = np.setdiff1d(np.arange(pool.first, next_one), np.union1d(mine, out))
        for low, high in shadows:
            gaps = gaps[(gaps < low) | (gaps > high)]
        if shadows:
            next_one = pool.last + 1  # what it has not given yet is the other segment's to give
        withheld.append(back)
        places[cursor], places[head] = next_one, sum(map(len, freed)) if len(gaps) else NOWHERE
        freed.append(gaps)
        if not quarantine:
            places["given"] = len(mine) + len(out)
            ahead = pool.last + 1 - next_one - int(np.count_nonzero(out >= next_one))
            places["left"] = max(0, ahead) + len(gaps)
    write_freed(state, freed)
    keep_withheld(state, withheld)


def held_numbers(state: State, policy: PolicyTables, quarantine: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Who has which numbers of each segment, (rows, numbers); one outside of its pool is given up."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    _, first, last, _, _ = POOLS[quarantine]
    low, high = policy.segments[first].astype(np.int64), policy.segments[last].astype(np.int64)
    owners, numbers, segments = [], [], []
    for place in range(places_used(policy)):
        segment, view = segments_in(policy, place)[used["use_case"]], column(used, quarantine, place)
        held = view.astype(np.int64)
        inside = (held != 0) & (low[segment] != 0) & (held >= low[segment]) & (held <= high[segment])
        view[:] = np.where(inside, view, 0)
        owners.append(np.flatnonzero(inside))
        numbers.append(held[inside])
        segments.append(segment[inside])
    whose, which, where = np.concatenate(owners), np.concatenate(numbers), np.concatenate(segments)
    return [(whose[where == number], which[where == number]) for number in range(len(policy.segments))]


def other_pools(
    pool: Pool, pools: dict[tuple[bool, int], Pool], held: dict[tuple[bool, int], tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Numbers of this pool whose addresses subscriptions of other segments have, and ranges that are not its to give.

    Pools of one policy do not overlap. Those of a segment that is gone, but whose use case still has members, may
    overlap new ones: what is free belongs to the segment that stays, which stands before it.
    """
    numbers, ranges = [np.zeros(0, np.int64)], []
    for key, other in pools.items():
        if other == pool or not other.first:
            continue
        for offset in pool.offsets(other):
            low, high = max(pool.first, other.first + offset), min(pool.last, other.last + offset)
            if low > high:
                continue
            mine = held[key][1] + offset
            numbers.append(mine[(mine >= low) & (mine <= high)])
            if other.segment < pool.segment:
                ranges.append((low, high))
    return np.unique(np.concatenate(numbers)), ranges


def write_freed(state: State, lists: list[np.ndarray]) -> None:
    """Replace the table of free addresses by these, each a list of its own in this order."""
    count = sum(map(len, lists))
    table = rows(max(len(state.freed), count + 1024), FREED)
    if count:
        table["address"][:count], table["next"][:count] = np.concatenate(lists), np.arange(1, count + 1)
        table["next"][np.cumsum([len(one) for one in lists if len(one)]) - 1] = NOWHERE
    state.freed = table
    state.meta["freed"], state.meta["freed_free"] = count, NOWHERE
    state.moved()


def place_of_apn(policy: PolicyTables, use_case: int, apn: int) -> int:
    """`addressing.place_of` outside of compiled code."""
    for step, segment in enumerate(policy.use_cases["other_segments"][use_case].tolist()):
        if apn and segment and int(policy.segments["apn"][segment]) == apn:
            return step + 1
    return 0
