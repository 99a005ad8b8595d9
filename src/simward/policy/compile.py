"""Documents and settings -> the arrays that the fold decides by; knows no detector by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simward.detectors import of_gate, of_watch
from simward.detectors.detector import (
    LOCK,
    MAX_CLASSES,
    NOTIFY,
    OBSERVE,
    REFUSE,
    RESPONSE_NAMES,
    DetectorModule,
    Knob,
)
from simward.detectors.facts import MOBILITIES
from simward.engine.tables import (
    ASKED_CHAP,
    ASKED_PAP,
    BINDING_MODES,
    FILTER_NORMAL,
    FILTER_QUARANTINE,
    LIMITED_ACTIONS,
    POOL_RANGE,
    RELEASE_AFTER,
    RELEASE_BOUND_DEVICE,
    RELEASE_NEVER,
    SEGMENT,
    SETTINGS,
    USE_CASE,
    PolicyTables,
    filter_text,
    knobs_dtype,
    watch_knobs_dtype,
)
from simward.errors import ConfigurationError, Problem, nearest
from simward.identity import Plmn, rat_number
from simward.policy.load import Document, Policy, listed, value_at
from simward.policy.models import pool_ranges, read_models
from simward.policy.places import countries, points, read_cells
from simward.policy.pools import Pools
from simward.policy.rules import endpoints_of
from simward.quantities import (
    PERIODS,
    Rate,
    count_rate,
    distance_m,
    duration_s,
    hours_bits,
    share_ppm,
    size_rate,
    time_rate,
    weekdays_bits,
)
from simward.settings import Settings

LEARN_S = 14 * 86_400
CANONICAL = "policy.json"
"""Under this name `PolicyTables.sources` holds the normalised documents, which `plan` compares."""
IN_FORCE_SETTINGS = "settings.json"
"""Under this name, the settings that the tables were made with."""
TABLES_BESIDE = "tables.json"
"""Under this name, which tables of cells and models stood beside the policies."""
BY_API = "api/"
"""What the names of texts begin with that did not come from files, but over the API."""
MADE = (CANONICAL, IN_FORCE_SETTINGS, TABLES_BESIDE)
"""The sources that no person wrote."""


@dataclass(frozen=True)
class Beside:
    """The tables that stand beside the policies in a working folder: where cells are, what models can do."""

    cells: np.ndarray
    models: np.ndarray

    @staticmethod
    def read(settings: Settings) -> Beside:
        """From `cells.csv` and `models.csv`; there need be neither. ConfigurationError with all that is wrong."""
        return Beside(read_cells(settings.cells_path), read_models(settings.models_path))

    @staticmethod
    def of(tables: PolicyTables) -> Beside:
        """Those of a revision in force."""
        return Beside(tables.cells, tables.models)


def compile_policy(policy: Policy, settings: Settings, beside: Beside | None = None) -> PolicyTables:
    """The tables of a policy; row 0 of use cases and segments means "none" and holds the defaults.

    `beside` is read from the working folder where it is not given. ConfigurationError with all that is wrong there, or
    with the segments whose secret, and the rules whose endpoint, simward.toml does not have.
    """
    unknown = [*_unknown_secrets(policy, settings), *_unknown_endpoints(policy, settings)]
    if unknown:
        raise ConfigurationError(unknown)
    beside = beside or Beside.read(settings)
    ranges = {name: pool_ranges(one) for name, one in policy.of("pool").items()}
    use_cases, segments = policy.of("use_case"), policy.of("segment")
    documents: list[dict[str, Any]] = [{}, *(one.value for one in use_cases.values())]
    segment_names = ["", *segments]
    tenants = sorted({"default", *(document.get("tenant", "default") for document in documents)}, key=_default_first)
    settings_row = np.zeros(1, SETTINGS)
    settings_row["unknown_response"] = REFUSE if settings.gate.unknown_subscription == "reject" else OBSERVE
    return PolicyTables(
        use_cases=np.concatenate(
            [_use_case(one, segment_names, tenants, settings, policy, ranges) for one in documents]
        ),
        segments=np.concatenate([np.zeros(1, SEGMENT), *(_segment(one.value) for one in segments.values())]),
        responses=np.stack([_responses(one, int(settings_row["unknown_response"][0])) for one in documents]),
        knobs=np.concatenate([_knobs(one, of_gate(), knobs_dtype()) for one in documents]),
        settings=settings_row,
        names={
            "use_cases": ["", *use_cases],
            "segments": segment_names,
            "tenants": tenants,
            "detectors": [one.id for one in of_gate()],
            "watch_detectors": [one.id for one in of_watch()],
            "secrets": ["", *(secret_of(one.value) for one in segments.values())],
            "filters": ["", *(_filter(one.value, "") for one in segments.values())],
            "quarantine_filters": ["", *(_filter(one.value, "quarantine_") for one in segments.values())],
        },
        sources={
            **_named_from(settings, policy.texts),
            CANONICAL: policy.canonical(),
            IN_FORCE_SETTINGS: _settings_text(settings),
            TABLES_BESIDE: json.dumps({"cells": _digest(beside.cells), "models": _digest(beside.models)}),
        },
        cells=beside.cells,
        countries=countries().copy(),
        models=beside.models,
        pools=np.concatenate([np.zeros(0, POOL_RANGE), *ranges.values()]),
        watch_responses=np.stack([_watch_responses(one) for one in documents]),
        watch_knobs=np.concatenate([_knobs(one, of_watch(), watch_knobs_dtype()) for one in documents]),
    )


def _digest(table: np.ndarray) -> str:
    """How many rows, and what names their contents; for people to compare, and for `plan`."""
    return f"{len(table)} rows, {hashlib.blake2b(table.tobytes(), digest_size=8).hexdigest()}" if len(table) else "none"


def _named_from(settings: Settings, texts: dict[str, str]) -> dict[str, str]:
    """The files by names that mean the same on every machine."""
    short = {}
    for name, text in texts.items():
        path = Path(name)
        short[path.relative_to(settings.dir).as_posix() if path.is_relative_to(settings.dir) else name] = text
    return short


def _default_first(name: str) -> tuple[bool, str]:
    return name != "default", name


def _settings_text(settings: Settings) -> str:
    gate = settings.gate
    kept = {
        "unknown_subscription": gate.unknown_subscription,
        "interim_interval_s": gate.interim_interval_s,
        "session_timeout_s": gate.session_timeout_s,
    }
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def _use_case(
    document: dict[str, Any], segments: list[str], tenants: list[str], settings: Settings, policy: Policy,
    ranges: dict[str, np.ndarray],
) -> np.ndarray:
    row = np.zeros(1, USE_CASE)
    row["mobility"] = MOBILITIES[value_at(document, "mobility.mode") or "free"]
    row["learn_s"] = _seconds(value_at(document, "mobility.learn"), LEARN_S)
    pool = value_at(document, "binding.pool")
    if pool is not None:
        row["pool_count"] = len(ranges[pool])
        row["pool_from"] = sum(len(one) for name, one in ranges.items() if name < pool)
    area = value_at(document, "mobility.area")
    if area is not None:
        circle = policy.of("area")[area].value["circle"]
        centre = points(np.array([circle["latitude"]]), np.array([circle["longitude"]]))[0]
        row["area_x"], row["area_y"], row["area_z"] = centre
        row["area_radius_m"] = distance_m(circle["radius"])
    row["binding_mode"] = BINDING_MODES[value_at(document, "binding.mode") or "none"]
    row["never_cut"] = document.get("criticality") == "never-cut"
    for place, name in enumerate(listed(document.get("segment", ""))):
        if place == 0:
            row["segment"] = segments.index(name)
        else:
            row["other_segments"][0, place - 1] = segments.index(name)
    row["tenant"] = tenants.index(document.get("tenant", "default"))
    row["release_rule"], row["release_after_s"] = _release(document.get("release_when", "never"))
    row["session_timeout_s"] = _seconds(value_at(document, "session.timeout"), settings.gate.session_timeout_s)
    interim = value_at(document, "session.interim_interval")
    row["interim_interval_s"] = _seconds(interim, settings.gate.interim_interval_s)
    for position, action in enumerate(LIMITED_ACTIONS):
        limit = value_at(document, f"limits.{action}") or {}
        row["limit_per_hour"][0, position] = limit.get("per_hour", -1)
        row["limit_share_ppm"][0, position] = share_ppm(limit["share_of_fleet"]) if "share_of_fleet" in limit else -1
    return row


def _release(rule: str) -> tuple[int, int]:
    if rule == "never":
        return RELEASE_NEVER, 0
    if rule == "bound-device-returns":
        return RELEASE_BOUND_DEVICE, 0
    return RELEASE_AFTER, duration_s(rule)


def _seconds(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    return 0 if text == "none" else duration_s(text)


def _segment(document: dict[str, Any]) -> np.ndarray:
    row = np.zeros(1, SEGMENT)
    apn = document["apn"].encode("ascii")
    row["apn_octets"] = len(apn)
    row["apn_name"][0, : len(apn)] = np.frombuffer(apn, np.uint8)
    one = Pools.normal(document)
    row["pool_first"], row["pool_last"], row["bare"] = one.first, one.last, one.bare
    row["prefix_base"], row["prefix_length"] = one.prefix_base, one.prefix_length
    row["ipv6_high"], row["ipv6_low"] = one.ipv6_high, one.ipv6_low
    row["delegated_base"], row["delegated_length"] = one.delegated_base, document.get("delegated_length", 0)
    one = Pools.quarantine(document)
    row["quarantine_first"], row["quarantine_last"], row["quarantine_bare"] = one.first, one.last, one.bare
    row["quarantine_prefix_base"], row["quarantine_prefix_length"] = one.prefix_base, one.prefix_length
    row["quarantine_ipv6_high"], row["quarantine_ipv6_low"] = one.ipv6_high, one.ipv6_low
    row["filters"] = (FILTER_NORMAL if _filter(document, "") else 0) | (
        FILTER_QUARANTINE if _filter(document, "quarantine_") else 0
    )
    if secret_of(document):
        row["credentials"] = ASKED_PAP if "pap" in document["credentials"] else ASKED_CHAP
    return row


def secret_of(segment: dict[str, Any]) -> str:
    """The name of the secret that a segment's devices show; empty where they show none."""
    asked = segment.get("credentials", "none")
    return "" if asked == "none" else str(next(iter(asked.values())))


def _unknown_secrets(policy: Policy, settings: Settings) -> Iterator[Problem]:
    for one in policy.of("segment").values():
        name = secret_of(one.value)
        if name and name not in settings.secrets:
            what = f"simward.toml has no [[secret]] {name!r}"
            yield one.problem("credentials", what, nearest(name, settings.secrets))


def _unknown_endpoints(policy: Policy, settings: Settings) -> Iterator[Problem]:
    of_endpoints = {one.name: one.tenant for one in settings.endpoints}
    of_parties = {one.name: of_endpoints.get(one.endpoint, "default") for one in settings.parties}
    tenants = {"endpoint": of_endpoints, "party": of_parties}
    known = {kind: list(names) for kind, names in tenants.items()}
    for one in policy.of("rule").values():
        for key, kind, name in endpoints_of(one.value):
            if name not in known[kind]:
                yield one.problem(key, f"simward.toml has no [[{kind}]] {name!r}", nearest(name, known[kind]))
            elif tenants[kind][name] != one.value.get("tenant", "default"):
                what = f"{kind} {name!r} belongs to tenant {tenants[kind][name]!r}"
                yield one.problem(key, what, "a rule tells its own tenant's")


def _filter(segment: dict[str, Any], prefix: str) -> str:
    return filter_text(segment.get(f"{prefix}filter_id", ""), segment.get(f"{prefix}filter", []))


def _responses(document: dict[str, Any], unknown: int) -> np.ndarray:
    table = np.zeros((len(of_gate()), MAX_CLASSES), np.uint8)
    for number, one in enumerate(of_gate()):
        for position, name in enumerate(one.classes, 1):
            table[number, position] = unknown if one.detector.scope == "stranger" else response(document, one, name)
    return table


def _watch_responses(document: dict[str, Any]) -> np.ndarray:
    """Judged behind the gate, when the answer has long been given: nothing stronger than a notice is carried out."""
    table = np.zeros((len(of_watch()), MAX_CLASSES), np.uint8)
    for number, one in enumerate(of_watch()):
        for position, name in enumerate(one.classes, 1):
            table[number, position] = min(response(document, one, name), NOTIFY)
    return table


def response(document: dict[str, Any], one: DetectorModule, name: str) -> int:
    """What a use case says about one class of one detector; the first of these that says anything:

    what policy cannot change; the class by name; the key that states it (`binding.not_reported`) where it is written;
    the detector; the default of that key; the detector's own default; `responses.default`; observe.
    """
    said = {key: RESPONSE_NAMES.index(word) for key, word in document.get("responses", {}).items()}
    path, path_default = one.detector.response_paths.get(name, ("", 0))
    written = value_at(document, path) if path else None
    if fixed := one.detector.fixed_of(name):
        return fixed
    if f"{one.id}/{name}" in said:
        return said[f"{one.id}/{name}"]
    if written is not None:
        return RESPONSE_NAMES.index(written)
    inherited = said.get(one.id) or path_default or one.detector.default_response or said.get("default") or OBSERVE
    # A mild class (a device that came home) must be named to be met with more than a notice.
    return min(inherited, NOTIFY) if name in one.detector.mild_classes else inherited


def _knobs(document: dict[str, Any], detectors: tuple[DetectorModule, ...], layout: np.dtype) -> np.ndarray:
    row = np.zeros(1, layout)
    for one in detectors:
        for knob in one.knobs:
            value = knob_value(document, knob)
            if knob.shape:
                row[one.field][knob.name][0, : len(value)] = value
                row[one.field][f"{knob.name}_count"] = len(value)
            else:
                row[one.field][knob.name] = value
    return row


def knob_value(document: dict[str, Any], knob: Knob) -> Any:
    """What a knob reads from a use case: a number, or a sorted list of numbers where it has a shape."""
    raw = value_at(document, knob.path) if knob.path else None
    if knob.kind in ("apn-of-segment", "credentials-of-segment"):
        return []  # the fold's to fill in, when the revision is applied
    if raw is None:
        return [] if knob.shape else knob.default
    match knob.kind:
        case "choice":
            return knob.values[raw]
        case "response":
            return RESPONSE_NAMES.index(raw)
        case "plmn-list":
            return sorted(Plmn.parse(one).number for one in raw)
        case "rat-list":
            return sorted(rat_number(one) for one in raw)
        case "duration":
            return duration_s(raw)
        case "is-none":
            return int(raw == "none")
        case "is-said":
            return 1
        case "hours":
            return hours_bits(raw)
        case "weekdays":
            return weekdays_bits(raw)
        case "data-budget" | "sms-budget" | "voice-budget":
            return _budget(raw, _RATES[knob.kind])
        case "integer":
            return int(raw)
    raise ValueError(f"knob {knob.name}: no kind {knob.kind!r}")


_RATES: dict[str, Callable[[object], Rate]] = {
    "data-budget": size_rate, "sms-budget": count_rate, "voice-budget": time_rate
}  # fmt: skip


def _budget(raw: Any, rate_of: Callable[[object], Rate]) -> list[int]:
    """How much an hour, day, week and month; -1 where there is no such budget."""
    if raw in ("none", "unlimited"):
        return []
    rates = {one.period_s: one.amount for one in map(rate_of, listed(raw))}
    return [rates.get(period_s, -1) for period_s in PERIODS.values()]


def unlimited_locks(policy: Policy, tables: PolicyTables) -> Iterator[Problem]:
    """Use cases that lock without any limit: one wrong rule, or one bad day of a gateway, could cut them all."""
    action = LIMITED_ACTIONS.index("lock")
    for one in policy.of("use_case").values():
        row = tables.names["use_cases"].index(one.name)
        limits = tables.use_cases[row]
        limited = limits["limit_per_hour"][action] >= 0 or limits["limit_share_ppm"][action] >= 0
        if not limited and not limits["never_cut"] and LOCK in tables.responses[row]:
            what = "locks without any limit: one mistake could cut every member"
            yield one.problem(_first_lock(one), what, "limits: {lock: {per_hour: 20}}", warning=True)


def _first_lock(one: Document) -> str:
    locking = [key for key, word in one.value.get("responses", {}).items() if word == "lock"]
    return f"responses.{locking[0]}" if locking else "use_case"
