"""What rules would do about a trigger, and what keeps it from being done: pure, over whatever surroundings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from simward.policy.conditions import NOW, Condition
from simward.response.rules.rule import Deed, Rule, Trigger

_EPOCH = datetime.fromtimestamp(0, UTC)


class Surroundings(Protocol):
    """What conditions may ask about, at the moment of asking. Values are by field name, as conditions have them."""

    def subscription(self, imsi: str) -> Mapping[str, Any]:
        """Fields of `subscription` that are known."""
        ...

    def finding_ended(self, finding: str) -> bool:
        """Is it over?"""
        ...

    def incident_of(self, trigger: Trigger) -> Mapping[str, Any]:
        """Fields of `incident`: the one that triggered, or that the finding has become part of; empty for none."""
        ...

    def document(self, kind: str, name: str) -> Mapping[str, Any]:
        """A use case or segment of the policy in force; empty where there is none of this name."""
        ...

    def binding_is_broken(self, imsi: str) -> bool:
        """Is there an open finding that says that the subscription is not where it belongs?"""
        ...

    def work_order_is_open(self, imsi: str) -> bool:
        """Is somebody sent to it?"""
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do because of one trigger. The same trigger gives the same id, however often it is judged."""

    rule: Rule
    deed: Deed
    trigger: Trigger

    @property
    def id(self) -> str:
        """Made from the rule's name, the trigger's id and the position of the deed."""
        return action_id(self.rule.name, self.trigger.id, self.deed.position)

    @property
    def due_at(self) -> int:
        """When, us UTC."""
        return self.trigger.at + self.deed.after_us


def action_id(rule: str, trigger: str, position: int) -> str:
    """The name of an action for all time."""
    text = f"{rule}\0{trigger}\0{position}".encode()
    return f"rule-{hashlib.blake2b(text, digest_size=16).hexdigest()}"


def is_met(rule: Rule, trigger: Trigger, surroundings: Surroundings) -> bool:
    """Does the condition of a rule hold? Raises ConditionError where it has no answer."""
    if rule.condition is None:
        return True
    return rule.condition.holds(values_of(rule.condition, trigger, surroundings, trigger.at))


def kept_by(unless: str | Condition | None, trigger: Trigger, surroundings: Surroundings, now: int) -> str | None:
    """Why what has come due is not done, in words; None where it is. Raises ConditionError where there is no answer."""
    match unless:
        case None:
            return None
        case "ended":
            over = trigger.finding is not None and surroundings.finding_ended(trigger.finding["id"])
            return "the finding has ended" if over else None
        case "bound-device-returns":
            back = trigger.imsi is not None and not surroundings.binding_is_broken(trigger.imsi)
            return "the bound device is back" if back else None
        case "acknowledged":
            seen = surroundings.incident_of(trigger).get("acknowledged", False)
            return "somebody has acknowledged the incident" if seen else None
        case "work-order":
            sent = trigger.imsi is not None and surroundings.work_order_is_open(trigger.imsi)
            return "a work order is open" if sent else None
        case Condition():
            holds = unless.holds(values_of(unless, trigger, surroundings, now))
            return f"unless {unless.text}"[:200] if holds else None
    raise ValueError(f"no way to judge unless {unless!r}")


def values_of(condition: Condition, trigger: Trigger, surroundings: Surroundings, now: int) -> dict[str, Any]:
    """The variables of the groups that a condition may name, by dotted name."""
    values: dict[str, Any] = {
        NOW: moment(now), "trigger.type": trigger.names[0], "trigger.at": moment(trigger.at)
    }  # fmt: skip
    for group in condition.groups:
        for name, value in _group(group, trigger, surroundings).items():
            if value is not None:
                values[f"{group}.{name}"] = value
    return values


def _group(group: str, trigger: Trigger, surroundings: Surroundings) -> Mapping[str, Any]:
    if group == "finding" and trigger.finding is not None:
        return _finding(trigger.finding, surroundings, trigger.at)
    if group == "subscription" and trigger.imsi is not None:
        known = {"imsi": trigger.imsi, "iccid": trigger.iccid, "use_case": trigger.use_case, "segment": trigger.segment}
        generation = trigger.generation if trigger.generation >= 0 else None
        return {**surroundings.subscription(trigger.imsi), **known, "generation": generation}
    if group == "incident":
        return surroundings.incident_of(trigger)
    if group == "use_case" and trigger.use_case:
        document = surroundings.document("use_case", trigger.use_case)
        return {"name": trigger.use_case, "criticality": document.get("criticality", "normal")}
    if group == "segment" and trigger.segment:
        document = surroundings.document("segment", trigger.segment)
        return {"name": trigger.segment, **{key: document.get(key) for key in ("classification", "jurisdiction")}}
    return {}


_TEXTS = (
    "id", "detector", "class", "severity", "response", "wanted", "held", "verdict", "was", "now", "expected", "gateway",
    "apn", "about",
)  # fmt: skip


def _finding(document: Mapping[str, Any], surroundings: Surroundings, at: int) -> dict[str, Any]:
    texts = {name: str(document[name]) for name in _TEXTS if document.get(name) is not None}
    return {**texts, "began_at": moment(at), "ended": surroundings.finding_ended(document["id"])}


def moment(us: int) -> datetime:
    """A time as conditions have it."""
    return _EPOCH + timedelta(microseconds=us)
