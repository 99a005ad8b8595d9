"""The policy language: every kind of document and every key, declared once, and published as JSON Schema."""

from __future__ import annotations

from typing import Any

import yaml

from simward import quantities
from simward.detectors import installed
from simward.detectors.detector import NOTIFY, OBSERVE, RESPONSE_NAMES
from simward.detectors.facts import MOBILITIES
from simward.engine.tables import BINDING_MODES, LIMITED_ACTIONS, OTHER_SEGMENTS
from simward.errors import nearest
from simward.policy import later
from simward.policy.rules import RULE
from simward.policy.scalars import (
    ADDRESSES6,
    APN,
    ATTEMPTS,
    CIDR,
    CIDR6,
    COUNT,
    COUNT_RATE,
    DELEGATED_LENGTH,
    DISTANCE,
    DURATION,
    FILTER_ID,
    FILTER_RULE,
    HOURS,
    IMEI,
    INTERIM,
    NAME,
    PLMN,
    RAT,
    RESPONSE,
    SHARE,
    SIZE_RATE,
    TAC_RANGE,
    TEXT,
    TIME_RATE,
    WEEKDAYS,
    degrees,
)
from simward.policy.shapes import (
    WRONG,
    Key,
    Keyed,
    Listed,
    Mapped,
    OneOrMore,
    Rates,
    Reading,
    Scalar,
    Shape,
    Worded,
    Words,
)

NETWORKS_MOST = 256
RATS_MOST = 16


def _binding(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    """`{pool: NAME}` means mode pool; a pool with another mode, or a mode pool without one, means nothing."""
    if "pool" in values and values.setdefault("mode", "pool") != "pool":
        return reading.report(node, f"{where}.pool", f"means nothing with mode {values['mode']}", "leave the mode out")
    if values.get("mode") == "pool" and "pool" not in values:
        return reading.report(node, f"{where}.mode", "names no pool", "write binding: {pool: NAME}")
    if "mode" not in values:
        return reading.report(node, f"{where}.mode", "is missing", "one of: " + ", ".join(BINDING_MODES))
    return values


def _cadence(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    if "every" in values and "silent_after" in values:
        every, silent = (quantities.duration_s(values[key]) for key in ("every", "silent_after"))
        if silent <= every:
            what = f"{values['silent_after']} is not longer than every {values['every']}"
            return reading.report(node, f"{where}.silent_after", what, "leave room for one that is late")
    return values


def _mobility(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    """`{area: NAME}` means mode area; learning and confirming belong to mode fixed alone."""
    if "area" in values and values.setdefault("mode", "area") != "area":
        return reading.report(node, f"{where}.area", f"means nothing with mode {values['mode']}", "leave the mode out")
    if values.get("mode") == "area" and "area" not in values:
        return reading.report(node, f"{where}.mode", "names no area", "write mobility: {area: NAME}")
    for key in ("learn", "confirm"):
        if key in values and values.setdefault("mode", "fixed") != "fixed":
            return reading.report(node, f"{where}.{key}", f"means nothing with mode {values['mode']}", "leave it out")
    if "mode" not in values:
        return reading.report(node, f"{where}.mode", "is missing", "one of: " + ", ".join(MOBILITIES))
    return values


def _credentials(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    if len(values) != 1:
        return reading.report(node, where, "should hold one of pap, chap", "write it like {pap: secret-name}")
    return values


def _segment(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    """Delegation needs both a pool and a length, and the pool must hold prefixes of that length."""
    pool, length = values.get("delegated_pool"), values.get("delegated_length")
    if (pool is None) != (length is None):
        missing = "delegated_length" if length is None else "delegated_pool"
        return reading.report(node, missing, "is missing: delegated_pool and delegated_length go together")
    if pool is not None and length is not None and int(pool.partition("/")[2]) > length:
        return reading.report(node, "delegated_length", f"{pool} holds no /{length}", "a number above the pool's own")
    return values


def response_key_problem(key: str) -> tuple[str, str] | None:
    """What is wrong with a key of `responses`, and the nearest right spelling; None where nothing is."""
    detector, slash, name = key.partition("/")
    known = {one.id: one for one in installed()}
    if key == "default" or later.is_later(detector):
        return None
    if detector not in known:
        return f"no detector {detector!r}", later.nearest_detector(detector, ["default", *known])
    if slash and name not in known[detector].classes:
        right = nearest(name, known[detector].classes)
        return f"{detector} has no class {name!r}", right
    fixed = known[detector].detector.fixed_response
    if fixed:
        words = dict.fromkeys(known[detector].detector.fixed_of(one) for one in known[detector].classes)
        said = " or ".join(RESPONSE_NAMES[one] for one in words)
        return f"the response to {detector} is always {said}", "leave it out"
    return None


def _response_keys(value: dict[str, Any]) -> dict[str, Any]:
    free = [one for one in installed() if not one.detector.fixed_response]
    names = {name: one for one in free for name in (one.id, *(f"{one.id}/{each}" for each in one.classes))}
    notice = {"enum": [RESPONSE_NAMES[OBSERVE], RESPONSE_NAMES[NOTIFY]]}  # all that the watch's findings may ask for
    words = "|".join(name for name in later.DETECTORS if later.is_later(name))
    return {
        "properties": {
            "default": value,
            **{name: notice if one.detector.runs == "watch" else value for name, one in names.items()},
        },
        "patternProperties": {rf"^({words})(/[a-z0-9-]+)?$": value},
        "additionalProperties": False,
    }


_LIMIT = Keyed(
    {
        "per_hour": Key(COUNT, "At most so many in any sixty minutes."),
        "share_of_fleet": Key(SHARE, "At most this share of the use case's members (but at least one)."),
    }
)
_BINDING = Keyed(
    {
        "mode": Key(Words(tuple(BINDING_MODES)), "What the subscription is bound to."),
        "pool": Key(NAME, "The pool of devices that it may be in (mode pool)."),
        "not_reported": Key(RESPONSE, "What a request without an IMEI counts as."),
    },
    _binding,
)
_MOBILITY = Keyed(
    {
        "mode": Key(Words(tuple(MOBILITIES)), "fixed: it stays where it is; area: within one; free: anywhere."),
        "area": Key(NAME, "The area to stay in (mode area)."),
        "learn": Key(DURATION, "How long areas that it is heard in become homes (mode fixed); 14d unless said."),
        "confirm": Key(DURATION, "How long it may be elsewhere before it has moved (mode fixed); 6h unless said."),
    },
    _mobility,
)


def _service(rate: Scalar, example: str, doc: str) -> Key:
    return Key(Words(("none", "unlimited"), Rates(rate, len(quantities.PERIODS)), example), doc)


_SERVICES = {
    "data": _service(SIZE_RATE, "2 MB/day", "Data in both directions together; one budget, or several as a list."),
    "sms": _service(COUNT_RATE, "10/day", "Short messages; likewise."),
    "voice": _service(TIME_RATE, "10m/day", "Calls; likewise."),
    "premium": Key(Words(("none", "unlimited")), "Calls and messages to premium numbers; none unless said."),
}

_SOME_HOURS = Listed(HOURS, 1, 12, "is empty: none listed means that all are permitted")
_SOME_DAYS = Listed(WEEKDAYS, 1, 7, "is empty: none listed means that all are permitted")
_RULES = Listed(FILTER_RULE, 1, 256, "is empty: a filter without rules means nothing", ordered=True)

USE_CASE = Keyed(
    {
        "use_case": Key(NAME, "Its name, as inventory.csv spells it.", needed=True),
        "tenant": Key(NAME, "The owner; default unless said."),
        "segment": Key(
            OneOrMore(NAME, OTHER_SEGMENTS + 1),
            "The segment that its subscriptions are in, or several: each APN with its own; the first is the main one.",
        ),
        "binding": Key(
            Worded(tuple(mode for mode in BINDING_MODES if mode != "pool"), _BINDING, "mode"),
            "Which device a subscription belongs in, and how firmly.",
        ),
        "mobility": Key(Worded(("fixed", "free"), _MOBILITY, "mode"), "Whether and where it moves; free unless said."),
        "networks": Key(
            Keyed(
                {
                    "plmn": Key(
                        Listed(PLMN, 1, NETWORKS_MOST, "is empty: none listed means that all are permitted"),
                        "Visited networks permitted, as MCC and MNC in quotes.",
                    ),
                    "rat": Key(
                        Listed(RAT, 1, RATS_MOST, "is empty: none listed means that all are permitted"),
                        "Radio access technologies permitted.",
                    ),
                }
            ),
            "Networks and radio access technologies permitted.",
        ),
        "services": Key(Keyed(_SERVICES), "What it uses, and how much."),
        "cadence": Key(
            Keyed(
                {
                    "every": Key(DURATION, "How often it is heard of."),
                    "silent_after": Key(DURATION, "After how long its silence is a finding."),
                    "hours": Key(_SOME_HOURS, "At which hours it begins to connect, UTC: ['02-05', '22-24']."),
                    "days": Key(_SOME_DAYS, "On which days of the week (UTC): [mon-fri]."),
                },
                _cadence,
            ),
            "How often, and when, it is heard of.",
        ),
        "session": Key(
            Keyed(
                {
                    "timeout": Key(Words(("none",), DURATION, "24h"), "Session-Timeout; else what the settings say."),
                    "interim_interval": Key(Words(("none",), INTERIM, "15m"), "Acct-Interim-Interval; likewise."),
                }
            ),
            "What the gateway is told about its sessions.",
        ),
        "signalling": Key(
            Keyed(
                {
                    "attempts_per_hour": Key(ATTEMPTS, "Requests without a session; 30 unless said."),
                    "sessions_per_hour": Key(ATTEMPTS, "Sessions that it begins; 30 unless said."),
                }
            ),
            "How often one subscription may ask to connect.",
        ),
        "responses": Key(
            Mapped(RESPONSE, response_key_problem, _response_keys),
            "What follows a finding: by detector/class, by detector, or by default.",
        ),
        "release_when": Key(
            Words(("bound-device-returns", "never"), DURATION, "24h"),
            "What ends a lock besides a person; never unless said.",
        ),
        "limits": Key(
            Keyed({action: Key(_LIMIT, f"How many members {action} may hit.") for action in LIMITED_ACTIONS}),
            "Past these a response becomes notify.",
        ),
        "criticality": Key(Words(("normal", "never-cut")), "never-cut: responses stronger than notify are held."),
    }
)
SEGMENT = Keyed(
    {
        "segment": Key(NAME, "Its name.", needed=True),
        "apn": Key(APN, "The APN, without operator identifier.", needed=True),
        "pool": Key(CIDR, "Static addresses, one a subscription."),
        "quarantine_pool": Key(CIDR, "Addresses for subscriptions in quarantine."),
        "pool6": Key(CIDR6, "Static prefixes, one /64 a subscription (Framed-IPv6-Prefix)."),
        "quarantine_pool6": Key(CIDR6, "Prefixes for subscriptions in quarantine."),
        "address_pool6": Key(ADDRESSES6, "Static IPv6 addresses, one a subscription (Framed-IPv6-Address)."),
        "quarantine_address_pool6": Key(ADDRESSES6, "IPv6 addresses for subscriptions in quarantine."),
        "delegated_pool": Key(CIDR6, "Static prefixes to delegate, one a subscription (Delegated-IPv6-Prefix)."),
        "delegated_length": Key(DELEGATED_LENGTH, "How long each of them is; with delegated_pool."),
        "credentials": Key(
            Words(("none",), Keyed({"pap": Key(NAME), "chap": Key(NAME)}, _credentials), "{pap: secret-name}"),
            "How its devices authenticate.",
        ),
        "filter": Key(_RULES, "Filter rules of its sessions, first match first (NAS-Filter-Rule)."),
        "filter_id": Key(FILTER_ID, "Or the name of a filter that the gateway has (Filter-Id)."),
        "quarantine_filter": Key(_RULES, "Filter rules of sessions in quarantine."),
        "quarantine_filter_id": Key(FILTER_ID, "Or the name of a filter for them."),
        "classification": Key(TEXT, "Of its data: internal, confidential, ..."),
        "jurisdiction": Key(TEXT, "Where its data may be: EU, NO, ..."),
    },
    _segment,
)
AREA = Keyed(
    {
        "area": Key(NAME, "Its name.", needed=True),
        "circle": Key(
            Keyed(
                {
                    "latitude": Key(degrees(90), needed=True),
                    "longitude": Key(degrees(180), needed=True),
                    "radius": Key(DISTANCE, needed=True),
                }
            ),
            "Around a point (WGS 84).",
            needed=True,
        ),
    }
)
POOL = Keyed(
    {
        "pool": Key(NAME, "Its name.", needed=True),
        "tac": Key(Listed(TAC_RANGE), "Models: TACs, or ranges of them, in quotes."),
        "imei": Key(Listed(IMEI), "Single devices, in quotes."),
    }
)
KINDS: dict[str, Keyed] = {"use_case": USE_CASE, "segment": SEGMENT, "area": AREA, "pool": POOL, "rule": RULE}
"""In this order a document's kind is told where its first key does not say it: a use case names a segment too."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one document of a policy file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Simward policy document",
        "description": "One document of a YAML file under policies/: a use case, a segment, an area, a pool or a rule.",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS],
        "$defs": {kind: {"title": kind.replace("_", " "), **shape.json()} for kind, shape in KINDS.items()},
    }


def read_document(node: yaml.Node, reading: Reading) -> tuple[str, dict[str, Any]] | None:
    """The kind and the normalised value of a document; None where it is wrong (and reported)."""
    if not isinstance(node, yaml.MappingNode):
        reading.report(node, "", "a document should hold keys and values", "begin with use_case: NAME")
        return None
    kind = _kind_of(node, reading)
    if kind is None:
        return None
    shape: Shape = KINDS[kind]
    value = shape.read(node, "", reading)
    return None if value is WRONG else (kind, value)


def _kind_of(node: yaml.MappingNode, reading: Reading) -> str | None:
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    if keys and keys[0] in KINDS:
        return str(keys[0])
    known = {key for shape in KINDS.values() for key in shape.keys}
    if keys and keys[0] not in known and nearest(keys[0], KINDS).startswith("did"):
        # A slip in the first key ("usecase") must not make a use case that names a segment look like a segment.
        reading.report(node.value[0][0], keys[0], "unknown kind of document", nearest(keys[0], KINDS))
        return None
    for kind in KINDS:
        if kind in keys:
            return kind
    first = keys[0] if keys else ""
    reading.report(node, first, "no kind of document", "begin with use_case:, segment:, area:, pool: or rule:")
    return None
