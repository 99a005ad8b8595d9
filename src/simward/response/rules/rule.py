"""Rules as they are judged: what triggers one, on which condition, and what it then does."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simward.logs import called
from simward.policy.conditions import Condition, ConditionError
from simward.policy.rules import ACTIONS, APPROVE_ABOVE, DRY_RUN, UNLESS, groups_of, unless_groups
from simward.quantities import duration_s
from simward.response import facts as f
from simward.response.announcing import breaks_binding

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something that happened, as rules see it. `names` are all that an `on` may call it, the exact one first."""

    id: str
    names: tuple[str, ...]
    at: int
    tenant: str = "default"
    imsi: str | None = None
    iccid: str | None = None
    use_case: str | None = None
    segment: str | None = None
    generation: int = -1
    finding: Mapping[str, Any] | None = None
    incident: int | None = None

    @property
    def subject(self) -> str:
        """Whom or what it is about, in a word."""
        return self.imsi or (f"incident {self.incident}" if self.incident else "fleet")


def trigger_of(fact: f.Fact) -> Trigger | None:
    """What a fact triggers, if anything."""
    document: Mapping[str, Any] | None = None
    match fact:
        case f.FindingBegan():
            document = fact.document
            names = [f"{document['detector']}/{document['class']}", document["detector"]]
            names += ["binding.broken"] if breaks_binding(document) else []
        case f.Bound():
            names = ["binding.established"]
        case f.Unbound():
            names = ["binding.removed"]
        case _:
            return None
    return Trigger(
        id=fact.id, names=tuple(names), at=fact.at, tenant=fact.tenant, imsi=fact.imsi, iccid=fact.iccid,
        use_case=fact.use_case, segment=fact.segment, generation=fact.generation, finding=document,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a rule does. `unless` is a word of `policy.rules.UNLESS`, a condition, or nothing."""

    position: int
    action: str
    arguments: Mapping[str, Any]
    after_us: int
    unless: str | Condition | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policy in force."""

    name: str
    tenant: str
    on: frozenset[str]
    condition: Condition | None
    deeds: tuple[Deed, ...]
    mode: str
    per_hour: int | None
    approve_above: int

    @staticmethod
    def read(document: Mapping[str, Any]) -> Rule:
        """From its normalised document. Raises ConditionError where this version cannot judge it."""
        groups = groups_of(document["on"])
        text = document.get("if")
        return Rule(
            document["rule"], document.get("tenant", "default"), frozenset(document["on"]),
            Condition(text, groups) if text else None,
            tuple(_deed(at, deed, groups) for at, deed in enumerate(document["do"])),
            document.get("mode", DRY_RUN), document.get("limits", {}).get("per_hour"),
            document.get("approve_above", APPROVE_ABOVE),
        )  # fmt: skip


def _deed(position: int, document: Mapping[str, Any], groups: frozenset[str]) -> Deed:
    action = next(name for name in ACTIONS if name in document)
    unless = document.get("unless")
    after = document.get("after")
    return Deed(
        position, action, document[action], duration_s(after) * 1_000_000 if after else 0,
        unless if unless is None or unless in UNLESS else Condition(unless, unless_groups(groups)),
    )  # fmt: skip


class Rules:
    """The rules of one revision, found by what triggers them."""

    def __init__(self, documents: Iterable[Mapping[str, Any]], sequence: int = 0) -> None:
        """`sequence` is that of the revision. Rules that this version cannot judge are left out, and logged."""
        self.sequence = sequence
        self.by_name: dict[str, Rule] = {}
        for document in documents:
            try:
                rule = Rule.read(document)
            except (ConditionError, KeyError, ValueError) as error:
                log.error(
                    "rule %r of revision %d is not judged: %s", document.get("rule"), sequence, error,
                    extra=called("rule-not-judged", rule=document.get("rule"), revision=sequence),
                )
                continue
            self.by_name[rule.name] = rule
        self._by_trigger: dict[str, list[Rule]] = {}
        for rule in self.by_name.values():
            for name in rule.on:
                self._by_trigger.setdefault(name, []).append(rule)

    def for_trigger(self, trigger: Trigger) -> list[Rule]:
        """The rules that it triggers, by name; each once."""
        found = {
            rule.name: rule
            for name in trigger.names
            for rule in self._by_trigger.get(name, ())
            if rule.tenant == trigger.tenant
        }
        return [found[name] for name in sorted(found)]
