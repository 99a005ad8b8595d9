"""Policy and inventory as the fold reads them: arrays made by policy/, journalled as they are.

The fold never sees YAML or CSV: a revision is journalled in this compiled form (with its source text beside it for the
audit), so that a replay gives the same bytes whatever the compiler does by then.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from simward.detectors import of_gate, of_watch
from simward.detectors.detector import MAX_CLASSES, DetectorModule

_PARSING = Lock()
PARSED_AT_ONCE = 8
"""So often it is tried again where somebody else in this process parses Python at the same time."""
NAME_OCTETS = 100
"""An APN is at most 100 octets (TS 23.003 9.1)."""

# Binding modes.
BIND_NONE, BIND_FIRST_USE, BIND_DECLARED, BIND_MODEL, BIND_POOL = 0, 1, 2, 3, 4
BINDING_MODES = {"none": 0, "first-use": 1, "declared": 2, "model": 3, "pool": 4}

# release_when.
RELEASE_NEVER, RELEASE_BOUND_DEVICE, RELEASE_AFTER = 0, 1, 2

LIMITED_ACTIONS = ("quarantine", "refuse", "lock", "disconnect")
"""The actions that a use case may limit; the position is the index in the limit arrays."""

OTHER_SEGMENTS = 2
"""How many segments a use case may have besides its first."""

USE_CASE = np.dtype(
    [
        ("binding_mode", "u1"),
        ("never_cut", "u1"),
        ("release_rule", "u1"),
        ("mobility", "u1"),  # detectors.facts.FREE, FIXED or AREA
        ("segment", "i4"),  # index into segments, 0 = none
        ("tenant", "i4"),  # index into names["tenants"]
        ("release_after_s", "i4"),
        ("session_timeout_s", "i4"),  # 0 = do not send
        ("interim_interval_s", "i4"),  # 0 = do not send
        ("limit_per_hour", "i4", (4,)),  # -1 = no limit; order of LIMITED_ACTIONS
        ("limit_share_ppm", "i4", (4,)),  # millionths of the use case's members, -1 = no limit
        ("learn_s", "i4"),  # FIXED: how long its homes are learnt, from when it is first heard
        ("pool_from", "i4"),  # BIND_POOL: the rows of `pools` that are its pool
        ("pool_count", "i4"),
        ("area_x", "i4"),  # AREA: its centre (see CELL), m
        ("area_y", "i4"),
        ("area_z", "i4"),
        ("area_radius_m", "i4"),
        ("other_segments", "i4", (OTHER_SEGMENTS,)),  # further segments that its subscriptions may be in, 0 = none
    ],
    align=True,
)

SEGMENT = np.dtype(
    [
        ("apn", "i4"),  # text id; filled by the fold from apn_name when the revision is applied
        ("apn_octets", "i4"),
        ("pool_first", "u4"),  # first and last address that may be given (host order); 0 = no pool
        ("pool_last", "u4"),
        ("quarantine_first", "u4"),
        ("quarantine_last", "u4"),
        ("apn_name", "u1", (NAME_OCTETS,)),  # canonical: lower case, without operator identifier
        # One number n a subscription serves all families: address = pool_first + n, prefix = prefix_base + n,
        # delegated prefix = delegated_base + (n << 64 - delegated_length), all of them upper 64 bits; IPv6 address =
        # ipv6_low + n behind ipv6_high.
        ("prefix_base", "i8"),
        ("delegated_base", "i8"),
        ("quarantine_prefix_base", "i8"),
        ("prefix_length", "u1"),  # 64, 0 = no IPv6 pool
        ("delegated_length", "u1"),  # 0 = no pool to delegate from
        ("quarantine_prefix_length", "u1"),
        ("bare", "u1"),  # 1: pool_first.. are bare numbers and no IPv4 addresses
        ("quarantine_bare", "u1"),
        ("filters", "u1"),  # FILTER_*: what an Accept carries besides addresses
        ("credentials", "u1"),  # ASKED_*: what its devices show; names["secrets"] says which secret
        ("ipv6_high", "i8"),  # upper 64 bits of the first IPv6 address; with a lower half of 0 too: no such pool
        ("ipv6_low", "i8"),  # and the lower ones
        ("quarantine_ipv6_high", "i8"),
        ("quarantine_ipv6_low", "i8"),
    ],
    align=True,
)

CELL = np.dtype([("cell", "i8"), ("plmn", "i4"), ("x", "i4"), ("y", "i4"), ("z", "i4")], align=True)
"""Where a cell is, from cells.csv: metres from the centre of the earth (a sphere of EARTH_RADIUS_M), so that a distance
is a sum of squares. `cell` as in EVENT, or AREA_KIND << 56 | area for a whole tracking or location area."""
AREA_KIND = 15
EARTH_RADIUS_M = 6_371_009
"""The mean radius of the earth (IUGG R1, 6371008.8 m)."""
COUNTRY = np.dtype([("x", "i4"), ("y", "i4"), ("z", "i4"), ("radius_m", "i4")], align=True)
"""A circle that surely contains every place with that mobile country code (the row's number); radius 0 = unknown."""
COUNTRIES = 1000
MODEL = np.dtype([("tac", "i4"), ("model", "i4"), ("rats", "i8")], align=True)
"""One TAC of models.csv: the number of its model (TACs of one model share it, from 1) and the RAT types it can use, a
bit each (0 = not said)."""
POOL_RANGE = np.dtype([("first", "i8"), ("last", "i8")], align=True)
"""Devices of a pool, from IMEI to IMEI; the ranges of one pool stand together, sorted, without overlaps."""
FILTER_NORMAL, FILTER_QUARANTINE = 1, 2
ASKED_NOTHING, ASKED_PAP, ASKED_CHAP = 0, 1, 2
OF_SEGMENTS = ("secrets", "filters", "quarantine_filters")
"""Lists in `names` that go with `names["segments"]`, "" where there is none: the name of the secret that its devices
show, and its filters as `filter_text` writes them."""


def filter_text(name: str, rules: list[str]) -> str:
    """A filter as one text: the name of one that the gateway has, or rules, each begun by a line end."""
    return name or "".join(f"\n{one}" for one in rules)


def filter_parts(text: str) -> tuple[str, list[str]]:
    """The reverse of `filter_text`."""
    return ("", text[1:].split("\n")) if text.startswith("\n") else (text, [])

SETTINGS = np.dtype([("unknown_response", "u1"), ("paused", "u1"), ("spare", "u1", (6,))], align=True)
"""What simward.toml says that the fold must know: unknown_response is REFUSE ("reject") or OBSERVE ("allow")."""


def knobs_dtype() -> np.dtype:
    """One row a use case: a nested record a gate detector, in the order of `of_gate()`."""
    return _knobs_of(of_gate())


def watch_knobs_dtype() -> np.dtype:
    """The same of the watch's detectors."""
    return _knobs_of(of_watch())


def _knobs_of(detectors: tuple[DetectorModule, ...]) -> np.dtype:
    fields = []
    for one in detectors:
        columns: list[tuple[Any, ...]] = []
        for knob in one.knobs:
            columns.append((knob.name, knob.dtype, (knob.shape,)) if knob.shape else (knob.name, knob.dtype))
            if knob.shape:
                columns.append((f"{knob.name}_count", "i4"))
        fields.append((one.field, np.dtype(columns or [("unused", "u1")], align=True)))
    return np.dtype(fields, align=True)


@dataclass(frozen=True)
class PolicyTables:
    """A policy revision, compiled. Row 0 of `use_cases` and `segments` means "none" and holds the defaults."""

    use_cases: np.ndarray
    segments: np.ndarray
    responses: np.ndarray  # u1[use case, gate detector, class]; class 0 unused
    knobs: np.ndarray
    settings: np.ndarray  # one row
    names: dict[str, list[str]]
    """"use_cases", "segments", "tenants" ("" first where row 0 is none), "detectors", "watch_detectors", and those of
    OF_SEGMENTS."""
    sources: dict[str, str] = field(default_factory=dict)  # file name -> text, for the audit
    cells: np.ndarray = field(default_factory=lambda: np.zeros(0, CELL))
    countries: np.ndarray = field(default_factory=lambda: np.zeros(COUNTRIES, COUNTRY))
    models: np.ndarray = field(default_factory=lambda: np.zeros(0, MODEL))
    pools: np.ndarray = field(default_factory=lambda: np.zeros(0, POOL_RANGE))
    watch_responses: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, MAX_CLASSES), np.uint8))
    """u1[use case, watch detector, class]: what is to become of what the watch finds."""
    watch_knobs: np.ndarray = field(default_factory=lambda: np.zeros(0, watch_knobs_dtype()))
    """What the watch's detectors read from each use case; revisions of earlier versions have none."""

    def of_segments(self, kind: str) -> list[str]:
        """One of the lists of OF_SEGMENTS; revisions of earlier versions have none."""
        return self.names.get(kind) or [""] * len(self.segments)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array that the gate decides by, by its name, in the order in which they are journalled."""
        return {name: getattr(self, name) for name in POLICY_ARRAYS}

    def to_bytes(self) -> bytes:
        """The form that is journalled."""
        arrays = {**self.arrays(), "watch_responses": self.watch_responses, "watch_knobs": self.watch_knobs}
        return pack(arrays, {"names": self.names, "sources": self.sources})

    @staticmethod
    def from_bytes(blob: bytes) -> PolicyTables:
        """The reverse of `to_bytes`."""
        arrays, notes = unpack(blob)
        return PolicyTables(**arrays, names=notes["names"], sources=notes["sources"])

    @staticmethod
    def default() -> PolicyTables:
        """What holds before the first revision: nothing is known, unknown subscriptions are refused."""
        use_cases = np.zeros(1, USE_CASE)
        use_cases["limit_per_hour"] = -1
        use_cases["limit_share_ppm"] = -1
        settings = np.zeros(1, SETTINGS)
        settings["unknown_response"] = 4
        detectors = of_gate()
        return PolicyTables(
            use_cases, np.zeros(1, SEGMENT), np.zeros((1, len(detectors), MAX_CLASSES), np.uint8),
            np.zeros(1, knobs_dtype()), settings,
            {
                "use_cases": [""], "segments": [""], "tenants": ["default"],
                "detectors": [one.id for one in detectors], "watch_detectors": [one.id for one in of_watch()],
            },
        )


POLICY_ARRAYS = (
    "use_cases", "segments", "responses", "knobs", "settings", "cells", "countries", "models", "pools",
)  # fmt: skip

DECLARED = np.dtype(
    [
        ("imsi", "i8"),  # prefix-1 decimal
        ("iccid", "i8"),  # prefix-1 decimal without the leading 89
        ("msisdn", "i8"),  # prefix-1 decimal, 0 = none
        ("imei", "i8"),  # first 14 digits, 0 = not declared
        ("use_case", "i4"),  # index into the delta's own list of names
        ("state", "u1"),  # LIFECYCLE
        ("owner", "u1"),  # OF_FILES, OF_API or HANDED_BACK
        ("spare", "u1", (2,)),
    ],
    align=True,
)
"""One line of the inventory, as far as the gate decides by it."""

LIFECYCLE = ("active", "inventory", "suspended", "retired")
"""`state` in inventory.csv; empty = active. A subscription that is suspended or retired is refused as locked."""

OF_FILES, OF_API, HANDED_BACK = 0, 1, 2
"""Who says what a line says. A line of the files leaves alone what the API owns (engine/ownership.py); one that is
handed back is the files' from then on."""
OWNED_BY_API = 0x80
"""Set in `lifecycle` of a subscription's row, beside its state: the API owns its line."""
STATE_BITS = 0x7F


@dataclass(frozen=True)
class InventoryDelta:
    """A change of the inventory: rows added or changed (whole rows), and IMSIs removed."""

    upserts: np.ndarray  # DECLARED
    removals: np.ndarray  # i8 IMSIs
    use_cases: list[str]  # names that `upserts["use_case"]` points into

    def to_bytes(self) -> bytes:
        """The form that is journalled."""
        return pack({"upserts": self.upserts, "removals": self.removals}, {"use_cases": self.use_cases})

    @staticmethod
    def from_bytes(blob: bytes) -> InventoryDelta:
        """The reverse of `to_bytes`."""
        arrays, notes = unpack(blob)
        return InventoryDelta(_with_owner(arrays["upserts"]), arrays["removals"], notes["use_cases"])


def _with_owner(lines: np.ndarray) -> np.ndarray:
    """Lines of before they had an owner are the files'."""
    if lines.dtype.names != tuple(name for name in DECLARED.names or () if name != "owner"):
        return lines
    today = np.zeros(len(lines), DECLARED)
    for name in lines.dtype.names:
        if name != "spare":
            today[name] = lines[name]
    return today


def pack(arrays: dict[str, np.ndarray], notes: dict[str, Any]) -> bytes:
    """Arrays with their layouts and JSON notes as one blob (npy parts behind a JSON header)."""
    parts, header = [], []
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        parts.append(buffer.getvalue())
        header.append([name, len(parts[-1])])
    head = json.dumps({"arrays": header, "notes": notes}, separators=(",", ":"), sort_keys=True).encode()
    return len(head).to_bytes(8, "little") + head + b"".join(parts)


def unpack(blob: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The reverse of `pack`."""
    length = int.from_bytes(blob[:8], "little")
    head = json.loads(blob[8 : 8 + length])
    arrays, at = {}, 8 + length
    for name, size in head["arrays"]:
        arrays[name] = loaded(blob[at : at + size])
        at += size
    return arrays, head["notes"]


def loaded(octets: bytes) -> Any:
    """What `numpy.load` gives of a file in memory.

    Its header is parsed as Python, and CPython 3.11 keeps the depth of that for all threads together: where two parse
    at the same time it may raise SystemError, though nothing is wrong ("AST constructor recursion depth mismatch").
    """
    for _ in range(PARSED_AT_ONCE):
        with _PARSING, suppress(SystemError):
            return np.load(io.BytesIO(octets), allow_pickle=False)
    return np.load(io.BytesIO(octets), allow_pickle=False)
