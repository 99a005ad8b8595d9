"""Applying policy and inventory revisions to the state: rare, vectorised, and as deterministic as the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.compiled import INTERPRETED, entry
from simward.detectors import of_gate
from simward.detectors.detector import MAX_CLASSES
from simward.engine import events, hashing, layouts, lookup, sessions
from simward.engine import rows as rows_module
from simward.engine import tables as policy_tables
from simward.engine.layouts import LIMIT, SEGMENT_STATE
from simward.engine.lookup import find_imsi, put_imsi, put_msisdn
from simward.engine.rows import finding_at, meta_of, session_at, subscription_at, zero_finding, zero_session
from simward.engine.sessions import NOWHERE
from simward.engine.state import State, rows
from simward.engine.tables import BIND_DECLARED, BIND_MODEL, InventoryDelta, PolicyTables, knobs_dtype


def apply_policy(state: State, wanted: PolicyTables) -> None:
    """Make `wanted` the policy in force: use cases and segments keep their counters and addresses by name."""
    tables = in_todays_layout(wanted)
    segments = tables.segments.copy()
    for segment in segments[1:]:
        segment["apn"] = state.texts.intern(segment["apn_name"][: int(segment["apn_octets"])].tobytes())
    knobs = tables.knobs.copy()
    for one in of_gate():
        for knob in one.knobs:
            if knob.kind == "apn-of-segment":
                knobs[one.field][knob.name] = segments["apn"][tables.use_cases["segment"]]
    old = state.policy
    carried = PolicyTables(
        tables.use_cases, segments, tables.responses, knobs, tables.settings, tables.names, tables.sources
    )
    remap_use_cases(state, old, carried)
    remap_segments(state, old, carried)
    state.policy = carried
    state.moved()
    settle_bindings(state)


def in_todays_layout(tables: PolicyTables) -> PolicyTables:
    """Tables compiled for another list of detectors, with their columns put where today's detectors look for them."""
    today = [one.id for one in of_gate()]
    if tables.names["detectors"] == today and tables.knobs.dtype == knobs_dtype():
        return tables
    responses = np.ones((len(tables.use_cases), len(today), MAX_CLASSES), np.uint8)
    knobs = np.zeros(len(tables.use_cases), knobs_dtype())
    for number, one in enumerate(of_gate()):
        if one.id not in tables.names["detectors"]:
            continue
        before = tables.names["detectors"].index(one.id)
        responses[:, number, : tables.responses.shape[2]] = tables.responses[:, before, :MAX_CLASSES]
        if one.field in (tables.knobs.dtype.names or ()):
            for name in knobs[one.field].dtype.names or ():
                if name in (tables.knobs[one.field].dtype.names or ()):
                    knobs[one.field][name] = tables.knobs[one.field][name]
    names = {**tables.names, "detectors": today}
    return PolicyTables(
        tables.use_cases, tables.segments, responses, knobs, tables.settings, names, tables.sources
    )


def remap_use_cases(state: State, old: PolicyTables, new: PolicyTables) -> None:
    """Point every subscription at its use case's new number; one whose use case is gone has none (0)."""
    number = {name: position for position, name in enumerate(new.names["use_cases"])}
    moved = np.array([number.get(name, 0) for name in old.names["use_cases"]], np.uint16)
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    used["use_case"] = moved[used["use_case"]]
    limits = rows(len(new.use_cases), LIMIT)
    for position, name in enumerate(old.names["use_cases"]):
        if name in number:
            limits[number[name]] = state.limits[position]
    state.limits = limits
    count_members(state)


def count_members(state: State) -> None:
    """How many subscriptions each use case has, for limits by share."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    known = used["use_case"][used["imsi"] != 0]
    state.limits["members"] = np.bincount(known, minlength=len(state.limits))[: len(state.limits)]


def remap_segments(state: State, old: PolicyTables, new: PolicyTables) -> None:
    """Keep each pool's cursor by segment name; where the pool itself changed, its members get new addresses."""
    states = rows(len(new.segments), SEGMENT_STATE)
    states["freed_head"] = states["freed_quarantine_head"] = states["finding_head"] = NOWHERE
    states["next_address"] = new.segments["pool_first"]
    states["next_quarantine"] = new.segments["quarantine_first"]
    before = {name: position for position, name in enumerate(old.names["segments"])}
    for position, name in enumerate(new.names["segments"]):
        if position == 0 or name not in before or before[name] >= len(state.segment_states):
            continue
        known, earlier = old.segments[before[name]], state.segment_states[before[name]]
        now = new.segments[position]
        states[position]["finding_head"] = earlier["finding_head"]
        if known["pool_first"] == now["pool_first"] and known["pool_last"] <= now["pool_last"]:
            states[position]["next_address"] = earlier["next_address"]
            states[position]["freed_head"] = earlier["freed_head"]
        if known["quarantine_first"] == now["quarantine_first"] and known["quarantine_last"] <= now["quarantine_last"]:
            states[position]["next_quarantine"] = earlier["next_quarantine"]
            states[position]["freed_quarantine_head"] = earlier["freed_quarantine_head"]
    state.segment_states = states
    drop_foreign_addresses(state, new)
    count_addresses(state, new)


def drop_foreign_addresses(state: State, new: PolicyTables) -> None:
    """Subscriptions whose address is outside their segment's pool, or in a part not given out yet, lose it."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    segment = new.use_cases["segment"][used["use_case"]]
    for field, first, cursor in (
        ("address", "pool_first", "next_address"),
        ("quarantine_address", "quarantine_first", "next_quarantine"),
    ):
        low = new.segments[first][segment].astype(np.int64)
        end = np.asarray(state.segment_states[cursor])[segment]
        held = used[field].astype(np.int64)
        used[field] = np.where((low != 0) & (held >= low) & (held < end), used[field], 0)


def count_addresses(state: State, new: PolicyTables) -> None:
    """`given` and `left` of each pool, from the rows that hold addresses."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    holders = new.use_cases["segment"][used["use_case"]][(used["address"] != 0) & (used["imsi"] != 0)]
    given = np.bincount(holders, minlength=len(new.segments))
    first, last = new.segments["pool_first"].astype(np.int64), new.segments["pool_last"].astype(np.int64)
    state.segment_states["given"] = given
    state.segment_states["left"] = np.where(first != 0, last - first + 1 - given, 0)


def settle_bindings(state: State) -> None:
    """Declared devices are bound at once where the use case binds by declaration (or a model was declared)."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    mode = state.policy.use_cases["binding_mode"][used["use_case"]]
    declared = used["declared_imei"]
    moves = (declared != 0) & (
        ((mode == BIND_DECLARED) & (used["bound_imei"] != declared))
        | ((mode == BIND_MODEL) & (used["bound_imei"] // 1_000_000 != declared // 1_000_000))
    )
    chosen = np.flatnonzero(moves)
    used["earlier_imei"][chosen] = used["bound_imei"][chosen]
    used["bound_imei"][chosen] = declared[chosen]
    used["generation"][chosen] += 1


def upsert(tables, upserts, use_cases):  # type: ignore[no-untyped-def]
    """Write inventory rows into the table; returns 1 where an MSISDN changed, so that its index must be made anew."""
    t = tables[0]
    stale = 0
    for position in range(len(upserts)):
        line = upserts[position]
        row = find_imsi(t, line.imsi)
        if row < 0:
            row = np.int64(meta_of(t).subscription_free)
            if row >= 0:
                meta_of(t).subscription_free = subscription_at(t, row).session_head
            else:
                row = np.int64(meta_of(t).subscriptions)
                meta_of(t).subscriptions = row + np.int64(1)
            meta_of(t).subscriptions_live = np.int64(meta_of(t).subscriptions_live) + np.int64(1)
            subscription_at(t, row).imsi = line.imsi
            subscription_at(t, row).session_head = NOWHERE
            subscription_at(t, row).finding_head = NOWHERE
            subscription_at(t, row).last_software = NOWHERE
            put_imsi(t, line.imsi, row)
            if line.msisdn != 0 and stale == 0 and t.msisdn_mask > 15:
                put_msisdn(t, line.msisdn, row)
            elif line.msisdn != 0:
                stale = 1
        elif subscription_at(t, row).msisdn != line.msisdn:
            stale = 1
        subscription = subscription_at(t, row)
        subscription.iccid = line.iccid
        subscription.msisdn = line.msisdn
        subscription.declared_imei = line.imei
        subscription.use_case = use_cases[line.use_case]
        subscription.lifecycle = line.state
    return stale


def forget(tables, gone, used):  # type: ignore[no-untyped-def]
    """Give up the sessions and findings of removed subscriptions; `used` gets their rows (-1 = not there)."""
    t = tables[0]
    count = np.int64(0)
    for position in range(len(gone)):
        row = find_imsi(t, gone[position])
        used[position] = NOWHERE
        if row < 0:
            continue
        used[position] = row
        at = np.int64(subscription_at(t, row).session_head)
        while at != NOWHERE:
            after = np.int64(session_at(t, at).next)
            zero_session(t, at)
            session_at(t, at).next = meta_of(t).session_free
            meta_of(t).session_free = at
            meta_of(t).sessions_live = np.int64(meta_of(t).sessions_live) - np.int64(1)
            at = after
        at = np.int64(subscription_at(t, row).finding_head)
        while at != NOWHERE:
            after = np.int64(finding_at(t, at).next)
            zero_finding(t, at)
            finding_at(t, at).next = meta_of(t).finding_free
            meta_of(t).finding_free = at
            meta_of(t).findings_live = np.int64(meta_of(t).findings_live) - np.int64(1)
            at = after
        count += 1
    meta_of(t).subscriptions_live = np.int64(meta_of(t).subscriptions_live) - count
    return count


upsert_rows = entry(upsert, depends=[hashing, lookup, sessions, layouts, rows_module, events, policy_tables])
forget_rows = entry(forget, depends=[hashing, lookup, sessions, layouts, rows_module, events, policy_tables])


def apply_inventory(state: State, delta: InventoryDelta) -> None:
    """Add, change and remove subscriptions; a row keeps its history where its IMSI stays."""
    if len(delta.removals):
        remove(state, delta.removals)
    if len(delta.upserts):
        state.make_room_for_subscriptions(len(delta.upserts))
        number = {name: position for position, name in enumerate(state.policy.names["use_cases"])}
        use_cases = np.array([number.get(name, 0) for name in delta.use_cases] or [0], np.uint16)
        before = addresses_by_segment(state)
        upserts = delta.upserts.view(np.recarray) if INTERPRETED else np.ascontiguousarray(delta.upserts)
        stale = upsert_rows(state.tables(), upserts, use_cases)
        if stale:
            state.index_subscriptions()
        give_back_moved(state, before)
    count_members(state)
    count_addresses(state, state.policy)
    settle_bindings(state)


def addresses_by_segment(state: State) -> Any:
    """The segment of every row, to see afterwards who moved to another one."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    return state.policy.use_cases["segment"][used["use_case"]]


def give_back_moved(state: State, before: Any) -> None:
    """A subscription that moved to another segment gives its addresses back to the one it left."""
    used = state.subscriptions[: len(before)]
    now = state.policy.use_cases["segment"][used["use_case"]]
    for row in np.flatnonzero((now != before) & ((used["address"] != 0) | (used["quarantine_address"] != 0))):
        give_back(state, int(row), int(before[row]))


def give_back(state: State, row: int, segment: int) -> None:
    """Put a row's addresses at the head of its segment's list of free ones."""
    for field, head in (("address", "freed_head"), ("quarantine_address", "freed_quarantine_head")):
        address = int(state.subscriptions[field][row])
        if address == 0:
            continue
        state.subscriptions[field][row] = 0
        at = int(state.meta["freed_free"][0])
        if at >= 0:
            state.meta["freed_free"] = state.freed["next"][at]
        else:
            at = int(state.meta["freed"][0])
            state.make_room(1)
            state.meta["freed"] = at + 1
        state.freed["address"][at] = address
        state.freed["next"][at] = state.segment_states[head][segment]
        state.segment_states[head][segment] = at


def remove(state: State, removals: np.ndarray) -> None:
    """Take subscriptions out: sessions and findings with them, addresses back to their pools."""
    gone = np.zeros(len(removals), np.int64)
    forget_rows(state.tables(), np.ascontiguousarray(removals), gone)
    segments = addresses_by_segment(state)
    for row in gone[gone >= 0]:
        give_back(state, int(row), int(segments[row]))
        state.subscriptions[row : row + 1].view(np.uint8)[:] = 0
        state.subscriptions["session_head"][row] = state.meta["subscription_free"][0]
        state.meta["subscription_free"] = row
    state.index_subscriptions()
