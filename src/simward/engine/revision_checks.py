"""Is a revision that was read from a file one that the fold may be given? Compiled code looks up by its numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simward.detectors import of_gate
from simward.detectors.detector import RESPONSE_NAMES
from simward.detectors.facts import MOBILITIES
from simward.engine.leaving import REMOVALS_MAX
from simward.engine.revisions import in_todays_layout
from simward.engine.tables import (
    ASKED_CHAP,
    BINDING_MODES,
    COUNTRIES,
    DECLARED,
    LIFECYCLE,
    NAME_OCTETS,
    OF_SEGMENTS,
    POLICY_ARRAYS,
    RELEASE_AFTER,
    InventoryDelta,
    PolicyTables,
)
from simward.errors import UsageError

IDENTITY_BELOW = 1 << 62
"""What hashes and indexes take (hashing.mix)."""
USE_CASES_MOST = 0xFFFF
FILTER_OCTETS_MOST, FILTER_NAME_OCTETS_MOST = 1100, 253
"""What an Access-Accept has room for."""
NAMED = ("use_cases", "segments", "tenants", "detectors")


def checked_policy(tables: PolicyTables) -> PolicyTables:
    """The tables, in today's layout; UsageError with the first thing that is wrong with them."""
    _refuse(_misshapen(tables))
    today = in_todays_layout(tables)
    _refuse(_out_of_range(today))
    return tables


def checked_inventory(delta: InventoryDelta) -> InventoryDelta:
    """The change, as it is; UsageError with the first thing that is wrong with it."""
    _refuse(_wrong_lines(delta))
    return delta


def _refuse(problems: Iterator[str]) -> None:
    for problem in problems:
        raise UsageError(problem)


def _whole_numbers(dtype: np.dtype) -> bool:
    """Are all columns integers, also of records in records?"""
    if dtype.subdtype is not None:
        return _whole_numbers(dtype.subdtype[0])
    if dtype.names is not None:
        return all(_whole_numbers(dtype[name]) for name in dtype.names)
    return dtype.kind in "iu"


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _misshapen(tables: PolicyTables) -> Iterator[str]:
    """What would not even convert."""
    for name in POLICY_ARRAYS:
        array = getattr(tables, name)
        wanted = 3 if name == "responses" else 1
        if array.ndim != wanted:
            yield f"{name}: {array.ndim} dimensions instead of {wanted}"
        if (array.dtype.names is None) != (name == "responses") or not _whole_numbers(array.dtype):
            yield f"{name}: not the columns of whole numbers that it is made of"
    if not isinstance(tables.names, dict) or not all(_texts(tables.names.get(name)) for name in NAMED):
        yield f"names: not the lists {', '.join(NAMED)}"
    if not isinstance(tables.sources, dict) or not _texts(list(tables.sources.values())):
        yield "sources: not texts by file"
    for name in ("use_cases", "segments"):
        names = tables.names[name]
        if not names or names[0] or len(set(names)) != len(names):
            yield f"names: {name} must begin with the empty name, and hold each once"
        if len(names) != len(getattr(tables, name)):
            yield f"{name}: {len(getattr(tables, name))} rows for {len(names)} names"
    yield from _wrong_of_segments(tables)
    count = len(tables.use_cases)
    if count > USE_CASES_MOST:
        yield f"use_cases: more than {USE_CASES_MOST}"
    for name in ("responses", "knobs"):
        if len(getattr(tables, name)) != count:
            yield f"{name}: {len(getattr(tables, name))} rows for {count} use cases"
    if tables.responses.shape[1] != len(tables.names["detectors"]):
        yield f"responses: {tables.responses.shape[1]} columns for {len(tables.names['detectors'])} detectors"
    if len(tables.settings) != 1 or len(tables.countries) != COUNTRIES or not tables.names["tenants"]:
        yield f"settings, countries, tenants: not one row, {COUNTRIES} rows and at least one name"


def _wrong_of_segments(tables: PolicyTables) -> Iterator[str]:
    """The lists that go with the segments; revisions of earlier versions have none."""
    for kind in OF_SEGMENTS:
        listed = tables.names.get(kind, [""] * len(tables.segments))
        if not _texts(listed) or len(listed) != len(tables.segments):
            yield f"names: {kind} must be texts, one a segment"
            return
    for text in (*tables.of_segments("filters"), *tables.of_segments("quarantine_filters")):
        most = FILTER_OCTETS_MOST if text.startswith("\n") else FILTER_NAME_OCTETS_MOST
        octets = text.encode("utf-8", "replace")
        if len(octets) > most or octets.decode() != text:
            yield f"filters: one that is no text of at most {most} octets"


def _out_of_range(tables: PolicyTables) -> Iterator[str]:
    """Numbers that point beyond what they point into, column by column."""
    use_cases, segments = tables.use_cases, tables.segments
    limits = [
        ("binding_mode", use_cases["binding_mode"], len(BINDING_MODES)),
        ("release_rule", use_cases["release_rule"], RELEASE_AFTER + 1),
        ("mobility", use_cases["mobility"], len(MOBILITIES)),
        ("segment", use_cases["segment"], len(segments)),
        ("other_segments", use_cases["other_segments"], len(segments)),
        ("tenant", use_cases["tenant"], len(tables.names["tenants"])),
        ("pool_from", use_cases["pool_from"], len(tables.pools) + 1),
        ("pool_count", use_cases["pool_count"], len(tables.pools) + 1),
        ("pool_from and pool_count", use_cases["pool_from"].astype(np.int64) + use_cases["pool_count"],
         len(tables.pools) + 1),
        ("responses", tables.responses, len(RESPONSE_NAMES)),
        ("unknown_response", tables.settings["unknown_response"], len(RESPONSE_NAMES)),
        ("credentials", segments["credentials"], ASKED_CHAP + 1),
        ("apn_octets", segments["apn_octets"], NAME_OCTETS + 1),
        *((f"{one.field}.{knob.name}_count", tables.knobs[one.field][f"{knob.name}_count"], knob.shape + 1)
          for one in of_gate() for knob in one.knobs if knob.shape),
        *((name, segments[name], 65) for name in ("prefix_length", "delegated_length", "quarantine_prefix_length")),
    ]  # fmt: skip
    for name, values, below in limits:
        if ((values < 0) | (values >= below)).any():
            yield f"{name}: a number that is not below {below}"
    for first, last in (("pool_first", "pool_last"), ("quarantine_first", "quarantine_last")):
        room = segments[last].astype(np.int64) - segments[first]
        if ((room < 0) | ((segments[first] == 0) != (segments[last] == 0))).any():
            yield f"{first}, {last}: no pool"


def _wrong_lines(delta: InventoryDelta) -> Iterator[str]:
    """What an inventory's change must not hold."""
    upserts, removals = delta.upserts, delta.removals
    if upserts.dtype != DECLARED or upserts.ndim != 1:
        yield "upserts: not lines of an inventory"
    if removals.dtype != np.int64 or removals.ndim != 1:
        yield "removals: not IMSIs"
    if not _texts(delta.use_cases):
        yield "use_cases: not names"
    if len(removals) > REMOVALS_MAX:
        yield f"removals: more than {REMOVALS_MAX} in one piece"
    if ((removals <= 0) | (removals >= IDENTITY_BELOW)).any():
        yield "removals: a number that is no IMSI"
    for name, imsis in (("removals", removals), ("upserts", upserts["imsi"])):
        if len(np.unique(imsis)) != len(imsis):  # a row that is freed twice would be given to two subscriptions
            yield f"{name}: the same IMSI twice in one piece"
    for name, least in (("imsi", 1), ("iccid", 0), ("msisdn", 0), ("imei", 0)):
        if ((upserts[name] < least) | (upserts[name] >= IDENTITY_BELOW)).any():
            yield f"{name}: a number that is no identity"
    if ((upserts["use_case"] < 0) | (upserts["use_case"] >= max(1, len(delta.use_cases)))).any():
        yield f"use_case: a number that is not below {max(1, len(delta.use_cases))}"
    if (upserts["state"] >= len(LIFECYCLE)).any():
        yield f"state: a number that is not below {len(LIFECYCLE)}"
