"""Applying policy and inventory revisions to the state: rare, vectorised, and as deterministic as the kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simward.compiled import entry, records
from simward.detectors import of_gate
from simward.detectors.detector import MAX_CLASSES
from simward.engine import addressing, long_ids, planned, session_names, sessions
from simward.engine.addressing import carry_numbers, holds_numbers
from simward.engine.layouts import LIMIT
from simward.engine.leaving import about_row, farewells
from simward.engine.long_ids import free_long_id
from simward.engine.lookup import find_gateway, find_imsi, put_imsi, put_msisdn
from simward.engine.outputs import BOUND, OUTPUT
from simward.engine.planned import drop_plan
from simward.engine.pools import remap_segments, renumber, same_segments, settle_pools
from simward.engine.rows import (
    finding_at,
    gateway_at,
    meta_of,
    session_at,
    subscription_at,
    zero_finding,
    zero_session,
)
from simward.engine.sessions import NOWHERE
from simward.engine.snapshot import convert
from simward.engine.state import INDEX_SOURCES, State, rows
from simward.engine.tables import (
    BIND_DECLARED,
    BIND_FIRST_USE,
    BIND_MODEL,
    CELL,
    COUNTRY,
    MODEL,
    OF_API,
    OF_SEGMENTS,
    OWNED_BY_API,
    POOL_RANGE,
    SEGMENT,
    SETTINGS,
    USE_CASE,
    InventoryDelta,
    PolicyTables,
    knobs_dtype,
)


def apply_policy(state: State, wanted: PolicyTables) -> None:
    """Make `wanted` the policy in force: use cases and segments keep their counters and addresses by name."""
    old = state.policy
    carried = with_texts(with_members(in_todays_layout(wanted), old, state), state)
    renumber(state, old, carried)
    remap_use_cases(state, old, carried)
    remap_segments(state, old, carried)
    state.policy = carried
    state.index_cells()
    settle_pools(state, carried)
    settle_bindings(state)


def with_texts(tables: PolicyTables, state: State) -> PolicyTables:
    """The tables with their APNs as text ids, in the segments and in the knobs that compare with them."""
    segments, knobs = tables.segments.copy(), tables.knobs.copy()
    for segment in segments[1:]:
        segment["apn"] = state.texts.intern(segment["apn_name"][: int(segment["apn_octets"])].tobytes(), reserved=True)
    for one in of_gate():
        for knob in one.knobs:
            if knob.kind == "apn-of-segment":
                named = np.column_stack([tables.use_cases["segment"], tables.use_cases["other_segments"]])
                knobs[one.field][knob.name] = segments["apn"][named]  # segment 0 has no APN: 0
                knobs[one.field][f"{knob.name}_count"] = np.count_nonzero(named, axis=1)
            elif knob.kind == "credentials-of-segment":
                named = np.column_stack([tables.use_cases["segment"], tables.use_cases["other_segments"]])
                knobs[one.field][knob.name] = segments["credentials"][named]
                knobs[one.field][f"{knob.name}_count"] = np.count_nonzero(named, axis=1)
    return replace(tables, segments=segments, knobs=knobs)


def with_members(tables: PolicyTables, old: PolicyTables, state: State) -> PolicyTables:
    """The tables with those use cases of the old ones that they do without, but that still have members.

    A use case that is renamed or merged goes before its members do, since the inventory's revision comes after the
    policy's. Until then they are judged as before, never by nothing.
    """
    gone = [
        position
        for position, name in enumerate(old.names["use_cases"])
        if position and name not in tables.names["use_cases"] and int(state.limits["members"][position])
    ]
    if not gone:
        return tables
    names = {key: list(value) for key, value in tables.names.items()}
    use_cases, segments, same = old.use_cases[gone].copy(), [tables.segments], same_segments(old, tables)
    for position, number in enumerate(gone):
        names["use_cases"].append(old.names["use_cases"][number])
        use_cases["segment"][position] = kept_segment(int(old.use_cases["segment"][number]), old, same, names, segments)
        for step, other in enumerate(old.use_cases["other_segments"][number].tolist()):
            use_cases["other_segments"][position, step] = kept_segment(other, old, same, names, segments)
        tenant = old.names["tenants"][int(old.use_cases["tenant"][number])]
        if tenant not in names["tenants"]:
            names["tenants"].append(tenant)
        use_cases["tenant"][position] = names["tenants"].index(tenant)
    use_cases["pool_from"] += len(tables.pools)
    return replace(
        tables,
        use_cases=np.concatenate([tables.use_cases, use_cases]),
        segments=np.concatenate(segments),
        responses=np.concatenate([tables.responses, old.responses[gone]]),
        knobs=np.concatenate([tables.knobs, old.knobs[gone]]),
        pools=np.concatenate([tables.pools, old.pools]),
        watch_responses=_with_rows(tables.watch_responses, old.watch_responses, gone),
        watch_knobs=_with_rows(tables.watch_knobs, old.watch_knobs, gone),
        names=names,
    )


def _with_rows(table: np.ndarray, old: np.ndarray, gone: list[int]) -> np.ndarray:
    """The watch's part of use cases that are kept; nothing of it where another version made the old one."""
    alike = len(old) > max(gone) and old.dtype == table.dtype and old.shape[1:] == table.shape[1:]
    kept = old[gone] if alike else np.zeros((len(gone), *table.shape[1:]), table.dtype)
    return np.concatenate([table, kept]) if len(table) else table


def kept_segment(
    number: int, old: PolicyTables, same: np.ndarray, names: dict[str, list[str]], segments: list[np.ndarray]
) -> int:
    """The new number of an old segment; one that is gone is kept too, at the end."""
    if same[number]:
        return int(same[number])
    name = old.names["segments"][number]
    if name not in names["segments"]:
        for kind in OF_SEGMENTS:
            names[kind].append(old.of_segments(kind)[number])
        names["segments"].append(name)
        segments.append(old.segments[[number]])
    return names["segments"].index(name)


def in_todays_layout(tables: PolicyTables) -> PolicyTables:
    """Tables compiled for other detectors or layouts, with their columns put where today's kernel looks for them."""
    today = [one.id for one in of_gate()]
    responses = np.ones((len(tables.use_cases), len(today), MAX_CLASSES), np.uint8)
    for number, name in enumerate(today):
        if name in tables.names["detectors"]:
            before = tables.responses[:, tables.names["detectors"].index(name), :MAX_CLASSES]
            responses[:, number, : before.shape[1]] = before
    return replace(
        tables,
        use_cases=convert(tables.use_cases, USE_CASE),
        segments=convert(tables.segments, SEGMENT),
        responses=responses,
        knobs=convert(tables.knobs, knobs_dtype()),
        settings=convert(tables.settings, SETTINGS),
        cells=convert(tables.cells, CELL),
        countries=convert(tables.countries, COUNTRY),
        models=convert(tables.models, MODEL),
        pools=convert(tables.pools, POOL_RANGE),
        names={**tables.names, **{kind: tables.of_segments(kind) for kind in OF_SEGMENTS}, "detectors": today},
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


def settle_bindings(state: State) -> None:
    """Declared devices are bound at once where the use case binds by declaration (or a model was declared)."""
    used = state.subscriptions[: int(state.meta["subscriptions"][0])]
    mode = state.policy.use_cases["binding_mode"][used["use_case"]]
    chosen = np.flatnonzero(must_be_bound(used["declared_imei"], used["bound_imei"], mode))
    used["bound_imei"][chosen] = used["declared_imei"][chosen]
    used["generation"][chosen] += 1


def must_be_bound(declared: np.ndarray, bound: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Which of some subscriptions are bound to another device (or model) than is declared; `mode` of each."""
    return (declared != 0) & (
        ((mode == BIND_DECLARED) & (bound != declared))
        | ((mode == BIND_MODEL) & (bound // 1_000_000 != declared // 1_000_000))
    )


MSISDN_MOVED, NUMBER_MOVED = 1, 2
"""What else has to be made anew after `upsert`: the index by MSISDN; the pools, since an address may be free now."""


def upsert(tables, upserts, use_cases, places):  # type: ignore[no-untyped-def]
    """Write inventory rows into the table; `places` gets the row of each line and the use case that it had (-1 = new).

    Returns MSISDN_MOVED and NUMBER_MOVED.
    """
    t = tables[0]
    stale, moved = 0, 0
    for position in range(len(upserts)):
        line = upserts[position]
        row = find_imsi(t, line.imsi)
        places[position, 1] = NOWHERE if row < 0 else np.int64(subscription_at(t, row).use_case)
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
            subscription_at(t, row).area = NOWHERE
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
        if subscription.use_case != use_cases[line.use_case]:
            if holds_numbers(subscription):
                moved = NUMBER_MOVED
            carry_numbers(t, subscription, subscription.use_case, use_cases[line.use_case])
        subscription.use_case = use_cases[line.use_case]
        subscription.lifecycle = np.int64(line.state) | (OWNED_BY_API if line.owner == OF_API else 0)
        places[position, 0] = row
    return stale | moved


def forget(tables, gone, used):  # type: ignore[no-untyped-def]
    """Give up the sessions, plans and findings of removed subscriptions; `used` gets their rows (-1 = not there)."""
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
            gateway = find_gateway(t, session_at(t, at).client, session_at(t, at).gateway)
            if gateway >= 0 and gateway_at(t, gateway).epoch == session_at(t, at).epoch:
                gateway_at(t, gateway).sessions = max(0, np.int64(gateway_at(t, gateway).sessions) - 1)
            free_long_id(t, at)
            zero_session(t, at)
            session_at(t, at).next = meta_of(t).session_free
            meta_of(t).session_free = at
            meta_of(t).sessions_live = np.int64(meta_of(t).sessions_live) - np.int64(1)
            at = after
        while subscription_at(t, row).plans != 0:
            drop_plan(t, np.int64(subscription_at(t, row).plans))
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


ROW_SOURCES = [*INDEX_SOURCES, addressing, sessions, session_names, long_ids, planned]
upsert_rows = entry(upsert, depends=ROW_SOURCES)
forget_rows = entry(forget, depends=ROW_SOURCES)


def apply_inventory(state: State, delta: InventoryDelta) -> np.ndarray:
    """Add, change and remove subscriptions; a row keeps its history where its IMSI stays.

    What this costs goes by how many lines the revision has, not by how many subscriptions there are, but where
    subscriptions go or one gives up an address: then the pools are settled anew.
    """
    outputs, settle = np.zeros(0, OUTPUT), False
    if len(delta.removals):
        outputs, settle = farewells(state, delta.removals), True
        remove(state, delta.removals)
        count_members(state)
    if len(delta.upserts):
        state.make_room_for_subscriptions(len(delta.upserts))
        number = {name: position for position, name in enumerate(state.policy.names["use_cases"])}
        use_cases = np.array([number.get(name, 0) for name in delta.use_cases] or [0], np.uint16)
        lines = np.ascontiguousarray(delta.upserts)
        places = np.full((len(lines), 2), NOWHERE, np.int64)
        stale = upsert_rows(state.tables(), records(lines), use_cases, places)
        if stale & MSISDN_MOVED:
            state.index_subscriptions()
        settle |= bool(stale & NUMBER_MOVED)
        move_members(state, places)
        outputs = np.concatenate([outputs, bind_declared(state, lines, places[:, 0], len(outputs))])
    if settle:
        settle_pools(state, state.policy)
    return outputs


def move_members(state: State, places: np.ndarray) -> None:
    """Count the members of use cases after `upsert`; `places` as it left them."""
    members, before = state.limits["members"], places[:, 1]
    np.subtract.at(members, before[before >= 0], 1)
    np.add.at(members, state.subscriptions["use_case"][places[:, 0]], 1)


def bind_declared(state: State, lines: np.ndarray, places: np.ndarray, index: int) -> np.ndarray:
    """Bind what these lines declare, as `settle_bindings` does; what the API declares is bound on first use, too, and
    told: gives BOUND outputs, numbered from `index` on.
    """
    used = state.subscriptions
    by_api = (lines["owner"] == OF_API) & (lines["imei"] != 0)
    mode = state.policy.use_cases["binding_mode"][used["use_case"][places]]
    bound = used["bound_imei"][places]
    first = by_api & (mode == BIND_FIRST_USE) & (bound != lines["imei"])
    moved = first | must_be_bound(used["declared_imei"][places], bound, mode)  # whole rows would be hundreds of octets
    chosen = places[moved]
    used["bound_imei"][chosen] = used["declared_imei"][chosen]
    used["generation"][chosen] += 1
    told = places[moved & by_api]
    outputs = np.zeros(len(told), OUTPUT)
    for position, row in enumerate(told.tolist()):
        outputs[position] = about_row(state, row, BOUND)
        outputs["now"][position] = int(used["bound_imei"][row]) * 1000  # the software is not known yet
        outputs["index"][position] = index + position
    return outputs


def remove(state: State, removals: np.ndarray) -> None:
    """Take subscriptions out: sessions and findings with them, addresses back to their pools."""
    gone = np.zeros(len(removals), np.int64)
    forget_rows(state.tables(), np.ascontiguousarray(removals), gone)
    for row in gone[gone >= 0]:
        state.subscriptions[row : row + 1].view(np.uint8)[:] = 0
        state.subscriptions["session_head"][row] = state.meta["subscription_free"][0]
        state.meta["subscription_free"] = row
    state.index_subscriptions()
