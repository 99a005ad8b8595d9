"""The kind `rule` of the policy language: what is to be done when something happens, and on which conditions not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from simward.detectors import installed
from simward.errors import Problem, nearest
from simward.policy import later
from simward.policy.conditions import Condition, ConditionError
from simward.policy.scalars import COUNT, DURATION, NAME, TEXT
from simward.policy.shapes import WRONG, Key, Keyed, Reading, Scalar, Shape, Words
from simward.quantities import QuantityError

ACTIONS = ("lock", "quarantine", "release", "disconnect", "notify", "webhook", "open-incident")
TO_THE_GATE = ("lock", "quarantine", "release", "disconnect")
"""Actions that are commands to the gate, and pass its limits."""
WHAT_HAPPENS = {
    "incident.opened": "An incident was opened; not by a rule, so that rules cannot go round in circles.",
    "incident.changed": "It was acknowledged, contained, reopened, escalated or joined by others.",
    "incident.resolved": "It is over.",
    "deadline-missed": "Nobody acknowledged or contained it in time.",
    "binding.established": "A subscription belongs in a device from now on.",
    "binding.removed": "It belongs in none any more: a person or the inventory said so.",
    "binding.broken": "A finding says that a subscription is not where it belongs, and policy wants somebody to know.",
}
"""Triggers besides detectors and their classes, and what each means."""
WITHOUT_FINDING = {
    "incident.opened": ("incident", "subscription", "use_case", "segment"),
    "incident.changed": ("incident", "subscription", "use_case", "segment"),
    "incident.resolved": ("incident", "subscription", "use_case", "segment"),
    "deadline-missed": ("incident", "subscription", "use_case", "segment"),
    "binding.established": ("subscription", "use_case", "segment"),
    "binding.removed": ("subscription", "use_case", "segment"),
}
"""What may trigger a rule besides findings -> the groups of variables that are known then."""
OF_FINDINGS = ("finding", "subscription", "use_case", "segment")
BINDING_BROKEN = "binding.broken"
UNLESS = ("bound-device-returns", "work-order", "acknowledged", "ended")
DRY_RUN, LIVE = "dry-run", "live"
TRIGGERS_MAX, DEEDS_MAX = 32, 8
APPROVE_ABOVE = 100
"""Unless a rule says: more approvals than so many in an hour take a second person."""


def _trigger(text: str) -> str:
    detector, slash, name = text.partition("/")
    known = {one.id: one for one in installed()}
    if text in WITHOUT_FINDING or text == BINDING_BROKEN or later.is_later(detector):
        return text
    if detector not in known:
        right = later.nearest_detector(detector, [*WITHOUT_FINDING, BINDING_BROKEN, *known])
        raise QuantityError(f"nothing triggers as {text!r}", right)
    if slash and name not in known[detector].classes:
        raise QuantityError(f"{detector} has no class {name!r}", nearest(name, known[detector].classes))
    return text


def _trigger_schema() -> dict[str, Any]:
    names = [*WITHOUT_FINDING, BINDING_BROKEN]
    for one in installed():
        names += [one.id, *(f"{one.id}/{each}" for each in one.classes)]
    words = "|".join(name for name in later.DETECTORS if later.is_later(name))
    return {"anyOf": [{"enum": names}, {"type": "string", "pattern": rf"^({words})(/[a-z0-9-]+)?$"}]}


@dataclass(frozen=True)
class Triggers:
    """One trigger, or several; as a sorted list."""

    item: Scalar = Scalar("trigger", _trigger, {})

    def json(self) -> dict[str, Any]:
        """One or an array."""
        one = _trigger_schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": TRIGGERS_MAX}]}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        """The triggers, each known."""
        if not isinstance(node, yaml.SequenceNode):
            value = self.item.read(node, where, reading)
            return value if value is WRONG else [value]
        if not 1 <= len(node.value) <= TRIGGERS_MAX:
            return reading.report(node, where, f"has {len(node.value)} entries", f"from 1 to {TRIGGERS_MAX}")
        values = [self.item.read(one, f"{where}[{at}]", reading) for at, one in enumerate(node.value)]
        return WRONG if WRONG in values else sorted(set(values))


@dataclass(frozen=True)
class Bare:
    """An object of which nothing need be written: `lock:` is `lock: {}`."""

    whole: Shape

    def json(self) -> dict[str, Any]:
        """The object or null."""
        return {"anyOf": [{"type": "null"}, self.whole.json()]}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        """The object, empty where nothing is written."""
        if isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null"):
            return {}
        return self.whole.read(node, where, reading)


@dataclass(frozen=True)
class Deeds:
    """What is done, in order."""

    item: Shape

    def json(self) -> dict[str, Any]:
        """An array."""
        return {"type": "array", "items": self.item.json(), "minItems": 1, "maxItems": DEEDS_MAX}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        """The deeds."""
        if not isinstance(node, yaml.SequenceNode):
            return reading.report(node, where, "should be a list", "write it like [{notify: {endpoint: ops}}]")
        if not 1 <= len(node.value) <= DEEDS_MAX:
            return reading.report(node, where, f"has {len(node.value)} entries", f"from 1 to {DEEDS_MAX}")
        values = [self.item.read(one, f"{where}[{at}]", reading) for at, one in enumerate(node.value)]
        return WRONG if any(value is WRONG for value in values) else values


def _deed(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    named = [name for name in ACTIONS if name in values]
    if len(named) != 1:
        what = "names no action" if not named else f"names {len(named)} actions: {', '.join(named)}"
        return reading.report(node, where, what, "one of: " + ", ".join(ACTIONS[:-1]))
    if named[0] in ("notify", "webhook") and len(values[named[0]]) != 1:
        keys = "endpoint or party" if named[0] == "notify" else "endpoint"
        return reading.report(node, f"{where}.{named[0]}", f"should name one {keys}", "write it like {endpoint: ops}")
    return values


def _rule(values: dict[str, Any], node: yaml.Node, where: str, reading: Reading) -> Any:
    """Conditions, which depend on the triggers; and words that mean nothing for them."""
    groups = groups_of(values["on"])
    right = True
    for key, text, known in _conditions(values, groups):
        if key != "if" and (text in UNLESS or re.fullmatch(r"[a-z]+(-[a-z]+)*", text)):
            right = _word(key, text, groups, reading) and right
            continue
        try:
            Condition(text, known)
        except ConditionError as error:
            line = reading.lines.get(key, node.start_mark.line + 1) + (error.line if "\n" in text else 0)
            reading.problems.append(Problem(reading.file, line, key, error.what, error.instead))
            right = False
    return values if right else WRONG


def _conditions(values: dict[str, Any], groups: frozenset[str]) -> Iterator[tuple[str, str, frozenset[str]]]:
    if "if" in values:
        yield "if", values["if"], groups
    for at, deed in enumerate(values["do"]):
        if "unless" in deed:
            yield f"do[{at}].unless", deed["unless"], unless_groups(groups)


def _word(key: str, text: str, groups: frozenset[str], reading: Reading) -> bool:
    wrong, instead = "", ""
    if text not in UNLESS:
        wrong, instead = f"{text!r} is no word for it, and no condition", nearest(text, UNLESS)
    elif text == "ended" and "finding" not in groups:
        wrong, instead = "only a finding ends", "leave it out, or write a condition"
    elif text == "acknowledged" and not groups & {"finding", "incident"}:
        wrong, instead = "only an incident is acknowledged", "leave it out, or write a condition"
    if wrong:
        reading.problems.append(Problem(reading.file, reading.lines.get(key, 1), key, wrong, instead))
    return not wrong


def groups_of(triggers: list[str]) -> frozenset[str]:
    """The groups of variables that are known whichever of the triggers it is."""
    known = [frozenset(WITHOUT_FINDING.get(one, OF_FINDINGS)) for one in triggers]
    return frozenset.intersection(*known) | {"trigger"}


def unless_groups(groups: frozenset[str]) -> frozenset[str]:
    """Those that an `unless` may name: by then a finding may have become part of an incident."""
    return groups | {"incident"} if "finding" in groups else groups


def _condition(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


CONDITION = Scalar("condition", _condition, {"type": "string", "minLength": 1})
_SENT = {
    "endpoint": Key(NAME, "An [[endpoint]] of simward.toml."),
    "party": Key(NAME, "A [[party]] of simward.toml: its endpoint."),
}
_NOTHING = Keyed({})
_DEED = Keyed(
    {
        "lock": Key(Bare(_NOTHING), "Refuse the subscription whatever comes, until it is released."),
        "quarantine": Key(Bare(_NOTHING), "Confine it to its segment's quarantine, until it is released."),
        "release": Key(Bare(_NOTHING), "Take the lock off it, or let it out of quarantine."),
        "disconnect": Key(Bare(_NOTHING), "End its live sessions."),
        "notify": Key(Keyed(_SENT), "Tell an endpoint or a party (`rule.fired`)."),
        "webhook": Key(Keyed({"endpoint": _SENT["endpoint"]}), "Tell an endpoint (`rule.fired`)."),
        "open-incident": Key(
            Bare(
                Keyed(
                    {
                        "severity": Key(Words(("low", "medium", "high", "critical")), "Of the incident; medium."),
                        "title": Key(TEXT, "Of the incident; the rule's name unless said."),
                    }
                )
            ),
            "Open an incident for the subscription, or join the one that this rule has open for it.",
        ),
        "after": Key(DURATION, "So long after the trigger; at once unless said."),
        "unless": Key(
            Words(UNLESS, CONDITION, "a condition"),
            "What keeps it from being done when its time has come: a word, or a condition.",
        ),
    },
    _deed,
)
RULE = Keyed(
    {
        "rule": Key(NAME, "Its name.", needed=True),
        "tenant": Key(NAME, "Whose subscriptions it is about; default unless said."),
        "on": Key(Triggers(), "What triggers it: a detector or detector/class, or another trigger.", needed=True),
        "if": Key(CONDITION, "On which condition (CEL); on any unless said."),
        "do": Key(Deeds(_DEED), "What is done then.", needed=True),
        "mode": Key(Words((DRY_RUN, LIVE)), "dry-run (unless said): it is recorded what would be done; live: done."),
        "limits": Key(
            Keyed({"per_hour": Key(COUNT, "At most so many commands to the gate in any sixty minutes.")}),
            "Of this rule, besides those of the use case; what is beyond them is held.",
        ),
        "approve_above": Key(COUNT, f"More approvals than so many in an hour take two people; {APPROVE_ABOVE}."),
    },
    _rule,
)


def endpoints_of(rule: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(key, "endpoint" or "party", name) of everybody that a rule tells."""
    for at, deed in enumerate(rule["do"]):
        for action in ("notify", "webhook"):
            for kind, name in deed.get(action, {}).items():
                yield f"do[{at}].{action}.{kind}", kind, name


def unenforced(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, why) of what a rule says and this version does not do yet."""
    for trigger in rule["on"]:
        detector = trigger.partition("/")[0]
        if later.is_later(detector):
            yield "on", f"no detector {detector} ({later.DETECTORS[detector]})"


def goes_live(old: dict[str, Any] | None, new: dict[str, Any]) -> bool:
    """Would a rule act that was never in force like this before, not even in dry-run?"""
    if new.get("mode", DRY_RUN) != LIVE:
        return False
    parts = ("on", "if", "do", "tenant")
    return old is None or any(old.get(part) != new.get(part) for part in parts)
