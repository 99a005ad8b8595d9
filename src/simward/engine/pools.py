"""Address pools after a revision, made anew from who holds what: nothing leaks, nothing clashes."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.engine.layouts import FREED, NOWHERE, SEGMENT_STATE
from simward.engine.state import State, rows
from simward.engine.tables import OTHER_SEGMENTS, PolicyTables

POOLS = (
    (False, "pool_first", "pool_last", "next_address", "freed_head"),
    (True, "quarantine_first", "quarantine_last", "next_quarantine", "freed_quarantine_head"),
)
"""Is it the quarantine pool, its bounds, cursor and head of the free list."""
COLUMNS = {False: ("address", "other_addresses"), True: ("quarantine_address", "other_quarantine")}
BARE = {False: "bare", True: "quarantine_bare"}
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


def renumber(state: State, old: PolicyTables, new: PolicyTables) -> None:
    """Take numbers from the old pools into the new ones; subscriptions still have the old numbers of their use cases.

    A segment is known by its name. An address that lies in the new pool stays. Else its distance from the first one
    stays, where that is free: so a pool can move, or get another family, and every prefix beside it stays. In a segment
    that a use case is no longer in, numbers are given up.
    """
    if _numbers_stay(old, new):
        return
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    use_case_of = {name: number for number, name in enumerate(new.names["use_cases"])}
    segment_of = {name: number for number, name in enumerate(new.names["segments"])}
    target = np.array([use_case_of.get(name, 0) for name in old.names["use_cases"]], np.int64)
    moved = np.array([segment_of.get(name, 0) if number else 0 for number, name in enumerate(old.names["segments"])])
    for quarantine, *_ in POOLS:
        kept = np.zeros((PLACES, len(used)), np.uint32)
        for place in range(places_used(old)):
            held = column(used, quarantine, place)
            segment = segments_in(old, place)[used["use_case"]]
            for number in np.unique(segment[held != 0]).tolist():
                mine = np.flatnonzero((segment == number) & (held != 0))
                numbers = moved_numbers(held[mine].astype(np.int64), old, number, new, int(moved[number]), quarantine)
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
    """Give each segment its row in the new order, with its detectors' memory and open findings, by name."""
    states = rows(len(new.segments), SEGMENT_STATE)
    states["finding_head"] = NOWHERE
    before = {name: position for position, name in enumerate(old.names["segments"]) if position}
    for position, name in enumerate(new.names["segments"]):
        earlier = before.pop(name, -1) if position else -1
        if not 0 <= earlier < len(state.segment_states):
            continue
        states[position] = state.segment_states[earlier]
        for quarantine, first, _, cursor, _ in POOLS:
            # Numbers of another pool say nothing here: every one up to them would be taken for given back.
            for column_of_pool in (first, BARE[quarantine]):
                if old.segments[column_of_pool][earlier] != new.segments[column_of_pool][position]:
                    states[cursor][position] = 0
        for at in chain(state, int(states["finding_head"][position])):
            state.findings["row"][at] = position
    for gone in before.values():
        if gone < len(state.segment_states):
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
    """Make cursors, free lists and counts agree with the addresses that subscriptions hold.

    A subscription keeps its address while it lies in its segment's pool. The cursor never goes back below an address
    that is held; the gaps below it are what may be given again, lowest first.
    """
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    freed: list[tuple[int, int]] = []
    for quarantine, first, last, cursor, head in POOLS:
        low, high = policy.segments[first].astype(np.int64), policy.segments[last].astype(np.int64)
        found = []
        for place in range(places_used(policy)):
            segment, view = segments_in(policy, place)[used["use_case"]], column(used, quarantine, place)
            numbers = view.astype(np.int64)
            inside = (numbers != 0) & (low[segment] != 0) & (numbers >= low[segment]) & (numbers <= high[segment])
            view[:] = np.where(inside, view, 0)
            found.append((numbers[inside], segment[inside]))
        held, owners = (np.concatenate(parts) for parts in zip(*found, strict=True))
        for number in range(len(policy.segments)):
            mine = np.unique(held[owners == number])
            kept = int(state.segment_states[cursor][number])
            next_one = kept if low[number] < kept <= high[number] + 1 else int(low[number])
            if len(mine):
                next_one = max(next_one, int(mine[-1]) + 1)
            gaps = np.setdiff1d(np.arange(low[number], next_one), mine) if low[number] else mine[:0]
            state.segment_states[cursor][number] = next_one
            state.segment_states[head][number] = len(freed) if len(gaps) else NOWHERE
            freed += [(int(address), len(freed) + step + 1) for step, address in enumerate(gaps)]
            if len(gaps):
                freed[-1] = (freed[-1][0], NOWHERE)
            if not quarantine:
                state.segment_states["given"][number] = len(mine)
                state.segment_states["left"][number] = max(0, int(high[number]) + 1 - next_one) + len(gaps)
                if not low[number]:
                    state.segment_states["left"][number] = 0
    write_freed(state, freed)


def write_freed(state: State, freed: list[tuple[int, int]]) -> None:
    """Replace the table of free addresses."""
    table = rows(max(len(state.freed), len(freed) + 1024), FREED)
    if freed:
        table["address"][: len(freed)], table["next"][: len(freed)] = np.array(freed, np.int64).T
    state.freed = table
    state.meta["freed"], state.meta["freed_free"] = len(freed), NOWHERE
    state.moved()
