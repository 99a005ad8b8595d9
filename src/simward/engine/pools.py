"""Address pools after a revision, made anew from who holds what: nothing leaks, nothing clashes."""

from __future__ import annotations

import numpy as np

from simward.engine.layouts import FREED, NOWHERE, SEGMENT_STATE
from simward.engine.state import State, rows
from simward.engine.tables import PolicyTables

POOLS = (
    ("address", "pool_first", "pool_last", "next_address", "freed_head"),
    ("quarantine_address", "quarantine_first", "quarantine_last", "next_quarantine", "freed_quarantine_head"),
)
"""Column of the subscription, bounds of the pool, cursor and head of the free list."""


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
    segment = policy.use_cases["segment"][used["use_case"]]
    freed: list[tuple[int, int]] = []
    for field, first, last, cursor, head in POOLS:
        low, high = policy.segments[first].astype(np.int64), policy.segments[last].astype(np.int64)
        held = used[field].astype(np.int64)
        inside = (held != 0) & (low[segment] != 0) & (held >= low[segment]) & (held <= high[segment])
        used[field] = np.where(inside, used[field], 0)
        held, owners = held[inside], segment[inside]
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
            if field == "address":
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
