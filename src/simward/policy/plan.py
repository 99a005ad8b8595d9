"""What applying the files would change, and for whom: the difference between what is in force and what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.engine.leaving import REMOVALS_MAX
from simward.engine.state import State
from simward.engine.tables import (
    BIND_FIRST_USE,
    BIND_NONE,
    DECLARED,
    HANDED_BACK,
    LIFECYCLE,
    OF_API,
    OWNED_BY_API,
    STATE_BITS,
    InventoryDelta,
    PolicyTables,
)
from simward.identity import iccid_text, imei_text, msisdn_text
from simward.policy.compile import BY_API, CANONICAL, IN_FORCE_SETTINGS, MADE, TABLES_BESIDE
from simward.policy.inventory import Inventory
from simward.policy.load import listed
from simward.policy.plan_lines import lines_of, subscriptions
from simward.policy.readdressing import readdressed
from simward.policy.rules import goes_live

DELTA_ROWS = 20_000
"""Rows a journalled change: a gate in service stays away from its packets for a few milliseconds each."""
EXAMPLES = 5
CUT_ALWAYS_ALLOWED = 10
CUT_SHARE_ALLOWED = 0.01
"""Cutting more than ten subscriptions that are more than one in a hundred of the fleet asks first."""
CUT_SHARE_ASKS = 0.5
"""Cutting half of a fleet or more asks first however small the fleet: an export cut to its header looks like that."""

IN_SERVICE = (LIFECYCLE.index("active"), LIFECYCLE.index("inventory"))


@dataclass(frozen=True)
class Current:
    """What is in force: subscriptions as declared, the policy as last applied, and what hangs on each subscription."""

    declared: np.ndarray
    """DECLARED; `use_case` points into `tables.names["use_cases"]`."""
    tables: PolicyTables
    locked: np.ndarray
    """bool, one a row of `declared`."""
    bound: np.ndarray
    """i8, one a row: the IMEI that it is bound to, 0 = none."""
    numbers: np.ndarray
    """u4, one a row: what it holds of its main segment's pools (engine/addressing.py), 0 = nothing yet."""

    @staticmethod
    def of(state: State) -> Current:
        """From the fold's state."""
        rows = state.subscriptions[: int(state.meta["subscriptions"][0])]
        rows = rows[np.asarray(rows["imsi"]) != 0]
        lines = np.zeros(len(rows), DECLARED)
        for name, column in (
            ("imsi", "imsi"), ("iccid", "iccid"), ("msisdn", "msisdn"), ("imei", "declared_imei"),
            ("use_case", "use_case"), ("state", "lifecycle"),
        ):  # fmt: skip
            lines[name] = rows[column]
        lines["owner"] = (lines["state"] & OWNED_BY_API) != 0
        lines["state"] &= STATE_BITS
        return Current(lines, state.policy, np.asarray(rows["locked"]) != 0, np.array(rows["bound_imei"]),
                       np.array(rows["address"]))  # fmt: skip

    @staticmethod
    def empty() -> Current:
        """Before anything was applied."""
        return Current(np.zeros(0, DECLARED), PolicyTables.default(), np.zeros(0, bool), np.zeros(0, np.int64),
                       np.zeros(0, np.uint32))  # fmt: skip


@dataclass(frozen=True)
class ObjectChange:
    """A use case, segment, area, pool or rule that comes, goes or changes; `keys` says what, as (key, old, new)."""

    kind: str
    name: str
    change: str
    """"added", "changed" or "removed"."""
    members: int
    """How many subscriptions of today it concerns (a segment: those of its use cases)."""
    keys: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Count:
    """How many subscriptions, and a few of them."""

    number: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What would change; `deltas` is what to journal for it."""

    objects: tuple[ObjectChange, ...]
    settings: tuple[tuple[str, str, str], ...]
    """(key, old, new) of the settings that the gate decides by."""
    recompiled: bool
    """The same policy compiles to other tables, as after an upgrade."""
    rewritten: bool
    """The API's documents say the same in other words, or what files said is said over the API now, or the reverse."""
    added: Count
    changed: Count
    removed: Count
    taken_out: Count
    """Still declared, and no longer in service (suspended or retired)."""
    left_to_api: Count
    """Owned by the API, where the files say something else or nothing: left as they are."""
    taken_back: Count
    """Owned by the API so far: the files' from then on."""
    locks_lost: int
    """Locks of subscriptions that would be removed."""
    bindings_lost: int
    """Bindings of subscriptions that would be removed."""
    bindings_moved: int
    """Bound subscriptions that another device is declared for, or whose use case binds otherwise."""
    readdressed: int
    """Subscriptions whose addresses or prefixes would change with the pools, at their next session."""
    members: dict[str, tuple[int, int]]
    """Use case -> how many subscriptions it has now and would have."""
    fleet: int
    going_live: tuple[str, ...]
    """Rules that would act without having been in force like this in dry-run."""
    tables: PolicyTables | None = field(repr=False)
    upserts: np.ndarray = field(repr=False)
    removals: np.ndarray = field(repr=False)
    use_cases: tuple[str, ...] = field(repr=False)

    @property
    def empty(self) -> bool:
        """Is everything as the files say?"""
        return self.tables is None and not len(self.upserts) and not len(self.removals)

    @property
    def needs_confirmation(self) -> tuple[str, ...]:
        """Why this asks first; empty where it need not.

        Cutting (removing, suspending, retiring) more than ten subscriptions that are also more than 1 % of the fleet
        asks, since that is what a truncated export looks like; so does cutting half of the fleet or more, whatever its
        size, the end of a use case that has members, and a rule that acts before it was seen in dry-run.
        """
        reasons = []
        cut = self.removed.number + self.taken_out.number
        much = cut > max(CUT_ALWAYS_ALLOWED, CUT_SHARE_ALLOWED * self.fleet)
        if much or (cut and cut >= CUT_SHARE_ASKS * self.fleet):
            reasons.append(f"{cut:,} of {self.fleet:,} subscriptions would be removed or taken out of service")
        for name in self.going_live:
            reasons.append(f"rule {name} would act for the first time; nobody has seen it in dry-run as it is now")
        for one in self.objects:
            if one.kind == "use_case" and one.change == "removed" and one.members:
                reasons.append(f"use case {one.name} would end; it has {subscriptions(one.members)}")
        return tuple(reasons)

    def deltas(self) -> tuple[PolicyTables | None, list[InventoryDelta]]:
        """The policy revision (None where it stays), then the inventory in chunks, removals first."""
        names, chunks = list(self.use_cases), []
        nothing = np.zeros(0, DECLARED)
        for start in range(0, len(self.removals), REMOVALS_MAX):
            chunks.append(InventoryDelta(nothing, self.removals[start : start + REMOVALS_MAX], []))
        for start in range(0, len(self.upserts), DELTA_ROWS):
            chunks.append(InventoryDelta(self.upserts[start : start + DELTA_ROWS], np.zeros(0, np.int64), names))
        return self.tables, chunks

    def lines(self) -> list[str]:
        """The plan in words, for a terminal."""
        return list(lines_of(self))


def plan(current: Current, tables: PolicyTables, inventory: Inventory, *, take_back: bool = False) -> Plan:
    """Compare what is in force with compiled policies and an inventory.

    What the API owns is left as it is, whatever the files say; with `take_back` it becomes the files' again.
    """
    now, wanted, order = _aligned(current, tables, inventory)
    wanted, left, back = _as_owned(now, wanted, take_back)
    known = np.isin(wanted["imsi"], now["imsi"])
    kept = np.isin(now["imsi"], wanted["imsi"])
    old, new = now[kept], wanted[known]
    differs = new["owner"] == HANDED_BACK
    for name in SAID:
        differs |= old[name] != new[name]
    names = _all_names(current, tables)
    taken_out = np.isin(old["state"], IN_SERVICE) & ~np.isin(new["state"], IN_SERVICE)
    bound, locked = current.bound[order], current.locked[order]
    changed_rows = np.flatnonzero(differs)
    upserts = np.concatenate([new[differs], wanted[~known]])
    recompiled = _recompiled(current.tables, tables)
    rewritten = _described_alike(current.tables, tables) and _of_api(current.tables) != _of_api(tables)
    return Plan(
        objects=tuple(_objects(current, tables)),
        settings=tuple(_settings(current.tables, tables)),
        recompiled=recompiled,
        rewritten=rewritten,
        added=Count(int((~known).sum()), tuple(map(_who, wanted[~known][:EXAMPLES]))),
        changed=Count(len(changed_rows), tuple(_what(old[row], new[row], names) for row in changed_rows[:EXAMPLES])),
        removed=Count(int((~kept).sum()), tuple(map(_who, now[~kept][:EXAMPLES]))),
        taken_out=Count(int(taken_out.sum()), tuple(map(_who, new[taken_out][:EXAMPLES]))),
        left_to_api=Count(len(left), tuple(map(_who, left[:EXAMPLES]))),
        taken_back=Count(len(back), tuple(map(_who, back[:EXAMPLES]))),
        locks_lost=int(locked[~kept].sum()),
        bindings_lost=int((bound[~kept] != 0).sum()),
        bindings_moved=_bindings_moved(old, new, bound[kept], names, current, tables),
        readdressed=readdressed(current.tables, tables, current.declared["use_case"], current.numbers),
        members=_members(now, wanted, names),
        fleet=len(now),
        going_live=tuple(_going_live(current.tables, tables)),
        tables=tables if recompiled or rewritten or not _described_alike(current.tables, tables) else None,
        upserts=upserts,
        removals=now["imsi"][~kept].copy(),
        use_cases=tuple(names),
    )


SAID = ("iccid", "msisdn", "imei", "use_case", "state")
"""What a line says of its subscription."""


def _as_owned(now: np.ndarray, wanted: np.ndarray, take_back: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is wanted where the API owns lines; those that are left to it though the files do not say so, and those that
    are taken back. Both sides sorted by IMSI.
    """
    owned = now[now["owner"] == OF_API]
    if not len(owned):
        return wanted, owned, owned
    listed_too = np.isin(owned["imsi"], wanted["imsi"])
    by_files = wanted[np.isin(wanted["imsi"], owned["imsi"])]
    others = wanted[~np.isin(wanted["imsi"], owned["imsi"])]
    if take_back:  # what the files do not name is theirs as it stands: to be removed by the next plan, which says so
        lines = np.concatenate([by_files, owned[~listed_too]])
        lines["owner"] = HANDED_BACK
        return _sorted(np.concatenate([others, lines])), owned[:0], lines
    unlike = np.zeros(len(by_files), bool)
    for name in SAID:
        unlike |= owned[listed_too][name] != by_files[name]
    left = np.concatenate([owned[listed_too][unlike], owned[~listed_too]])
    return _sorted(np.concatenate([others, owned])), left, owned[:0]


def _sorted(lines: np.ndarray) -> np.ndarray:
    return lines[np.argsort(lines["imsi"], kind="stable")]


def _all_names(current: Current, tables: PolicyTables) -> list[str]:
    """Use cases of both sides; the first is "" (none)."""
    old, new = current.tables.names["use_cases"], tables.names["use_cases"]
    return [*new, *(name for name in old if name not in new)]


def _aligned(
    current: Current, tables: PolicyTables, inventory: Inventory
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides sorted by IMSI with use cases numbered alike, and the order that sorts the current side."""
    number = {name: position for position, name in enumerate(_all_names(current, tables))}
    order = np.argsort(current.declared["imsi"], kind="stable")
    now = current.declared[order]
    wanted = inventory.declared[np.argsort(inventory.declared["imsi"], kind="stable")]
    for rows, names in ((now, current.tables.names["use_cases"]), (wanted, inventory.use_cases)):
        rows["use_case"] = np.array([number.get(name, 0) for name in names] or [0], np.int32)[rows["use_case"]]
    return now, wanted, order


def _source(tables: PolicyTables, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tables.sources.get(name, "{}"))
    return found


def _described_alike(old: PolicyTables, new: PolicyTables) -> bool:
    """Are they made from equal documents and settings? Comments and the layout of files do not count."""
    return all(old.sources.get(name) == new.sources[name] for name in MADE)


def _of_api(tables: PolicyTables) -> dict[str, str]:
    """The texts that came over the API: who reads them back finds what was sent, comments too."""
    return {name: text for name, text in tables.sources.items() if name.startswith(BY_API)}


def _recompiled(old: PolicyTables, new: PolicyTables) -> bool:
    """Do equal documents stand in different tables, as after an upgrade?

    The fold fills in some knobs itself, and keeps a use case that is gone at the end until its members are gone too.
    """
    count = len(new.use_cases)
    return _described_alike(old, new) and not (
        all(old.names.get(key, [])[: len(names)] == names for key, names in new.names.items())
        and old.knobs.dtype == new.knobs.dtype
        and old.watch_knobs.dtype == new.watch_knobs.dtype
        and np.array_equal(old.responses[:count], new.responses)
        and np.array_equal(old.use_cases[:count], new.use_cases)
    )


def _settings(old: PolicyTables, new: PolicyTables) -> Iterator[tuple[str, str, str]]:
    """Settings that differ; the first revision has nothing to differ from."""
    if IN_FORCE_SETTINGS in old.sources:
        yield from _differences(_source(old, IN_FORCE_SETTINGS), _source(new, IN_FORCE_SETTINGS))
        yield from _differences(_source(old, TABLES_BESIDE), _source(new, TABLES_BESIDE))


def _objects(current: Current, tables: PolicyTables) -> Iterator[ObjectChange]:
    old, new = _source(current.tables, CANONICAL), _source(tables, CANONICAL)
    names = current.tables.names["use_cases"]
    counts = np.bincount(current.declared["use_case"], minlength=len(names))
    members = {name: int(counts[position]) for position, name in enumerate(names) if name}
    for kind, name, change, keys in object_changes(old, new):
        concerned = _concerned(kind, name, members, old.get("use_case", {}), new["use_case"])
        yield ObjectChange(kind, name, change, concerned, keys)


def object_changes(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, tuple[tuple[str, str, str], ...]]]:
    """What differs between two policies (kind -> name -> document): kind, name, the change, and (key, old, new)."""
    for kind in sorted({*old, *new}):
        before, after = old.get(kind, {}), new.get(kind, {})
        for name in sorted({*before, *after}):
            if before.get(name) == after.get(name):
                continue
            change = "added" if name not in before else "removed" if name not in after else "changed"
            keys = tuple(_differences(before.get(name, {}), after.get(name, {}))) if change == "changed" else ()
            yield kind, name, change, keys


def _going_live(current: PolicyTables, tables: PolicyTables) -> Iterator[str]:
    old, new = _source(current, CANONICAL).get("rule", {}), _source(tables, CANONICAL).get("rule", {})
    return (name for name, rule in sorted(new.items()) if goes_live(old.get(name), rule))


def _concerned(kind: str, name: str, members: dict[str, int], before: dict[str, Any], after: dict[str, Any]) -> int:
    """How many of today's subscriptions are in use cases that are, or refer to, this object."""
    if kind == "use_case":
        return members.get(name, 0)
    if kind == "rule":
        return 0  # it changes no subscription before something happens

    def refers(document: dict[str, Any]) -> bool:
        mobility, binding = document.get("mobility"), document.get("binding")
        area = mobility.get("area") if isinstance(mobility, dict) else None
        pool = binding.get("pool") if isinstance(binding, dict) else None
        return name in listed({"segment": document.get("segment"), "area": area, "pool": pool}[kind])

    sides = (before, after)
    return sum(number for one, number in members.items() if any(refers(side.get(one, {})) for side in sides))


def _differences(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key that differs, dotted, with both values in words ("-" where there is none)."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield where, _shown(old), _shown(new)
        return
    for key in sorted({*old, *new}):
        inside = f"{where}.{key}" if where else key
        both = isinstance(old.get(key), dict) or isinstance(new.get(key), dict)
        if both and isinstance(old.get(key, {}), dict) and isinstance(new.get(key, {}), dict):
            yield from _differences(old.get(key, {}), new.get(key, {}), inside)
        elif old.get(key) != new.get(key):
            yield inside, _shown(old.get(key)), _shown(new.get(key))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def _who(row: Any) -> str:
    return iccid_text(int(row["iccid"]))


def _what(old: Any, new: Any, names: list[str]) -> str:
    """One subscription, and what changes about it."""
    said = []
    texts = {"iccid": iccid_text, "msisdn": msisdn_text, "imei": imei_text}
    for name in ("iccid", "msisdn", "imei"):
        if old[name] != new[name]:
            said.append(f"{name} {texts[name](int(old[name])) or '-'} -> {texts[name](int(new[name])) or '-'}")
    if old["use_case"] != new["use_case"]:
        said.append(f"use_case {names[int(old['use_case'])] or '-'} -> {names[int(new['use_case'])] or '-'}")
    if old["state"] != new["state"]:
        said.append(f"state {LIFECYCLE[int(old['state'])]} -> {LIFECYCLE[int(new['state'])]}")
    return f"{_who(new)}: {', '.join(said)}"


def _bindings_moved(
    old: np.ndarray, new: np.ndarray, bound: np.ndarray, names: list[str], current: Current, tables: PolicyTables
) -> int:
    """Bound rows for which another device is declared, or another way of binding begins to hold."""
    modes = {}
    for side, one in (("old", current.tables), ("new", tables)):
        known = dict(zip(one.names["use_cases"], one.use_cases["binding_mode"].tolist(), strict=True))
        modes[side] = np.array([known.get(name, BIND_NONE) for name in names], np.int64)
    before, after = modes["old"][old["use_case"]], modes["new"][new["use_case"]]
    otherwise = (before != after) & (after != BIND_FIRST_USE)
    declared = (new["imei"] != old["imei"]) & (new["imei"] != 0) & (new["imei"] != bound)
    return int(((bound != 0) & (otherwise | declared)).sum())


def _members(now: np.ndarray, wanted: np.ndarray, names: list[str]) -> dict[str, tuple[int, int]]:
    before = np.bincount(now["use_case"], minlength=len(names))
    after = np.bincount(wanted["use_case"], minlength=len(names))
    return {name: (int(before[at]), int(after[at])) for at, name in enumerate(names) if before[at] or after[at]}
