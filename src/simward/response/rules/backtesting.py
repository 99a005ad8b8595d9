"""What rules would have done with recorded facts: the same judging as today's, over surroundings kept in memory.

Open loop: what a rule would have cut goes on in the recording. Limits of use cases, which the gate keeps, are not
judged; those of the rule itself are. Nobody acknowledges anything and no work order is open.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simward.policy.conditions import ConditionError
from simward.policy.rules import TO_THE_GATE
from simward.response import facts as f
from simward.response.announcing import BREAKS_BINDING
from simward.response.rules.judging import Action, is_met, kept_by
from simward.response.rules.rule import Rules, Trigger, trigger_of

HOUR_US = 3_600_000_000
WAITING_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would have become of one action at `at` (us UTC). `state`: done, cancelled (and why), held by its rule."""

    action: Action
    at: int
    state: str
    why: str = ""


class WouldAct:
    """Facts in order of time in, what would have become of actions out, in the order in which it would have come.

    Actions that wait are judged when their time has come in the recording. At most WAITING_MAX wait at once: the oldest
    come first.
    """

    def __init__(self, rules: Rules, known: Remembered | None = None) -> None:
        self._rules, self.known = rules, known or Remembered()
        self._waiting: list[tuple[int, int, Action]] = []
        self._limits: dict[str, deque[int]] = {}
        self._number = 0

    def take(self, fact: f.Fact) -> Iterator[Outcome]:
        """What was due up to this fact, and what it brings about at once."""
        yield from self.due(fact.at)
        self.known.take(fact)
        trigger = trigger_of(fact)
        if trigger is None:
            return
        for rule in self._rules.for_trigger(trigger):
            if _met(rule, trigger, self.known):
                for deed in rule.deeds:
                    self._number += 1
                    action = Action(rule, deed, trigger)
                    heapq.heappush(self._waiting, (action.due_at, self._number, action))
        yield from self.due(fact.at)
        while len(self._waiting) > WAITING_MAX:
            yield _outcome(heapq.heappop(self._waiting)[2], self.known, self._limits)

    def due(self, now: int) -> Iterator[Outcome]:
        """What is due at `now` (us UTC)."""
        while self._waiting and self._waiting[0][0] <= now:
            yield _outcome(heapq.heappop(self._waiting)[2], self.known, self._limits)


def would_act(rules: Rules, facts: Iterable[f.Fact], until: int | None = None) -> Iterator[Outcome]:
    """What the rules would have done about `facts`; see WouldAct.

    What would be due after the last fact is judged only as far as `until` (us UTC; None: not at all).
    """
    would = WouldAct(rules)
    for fact in facts:
        yield from would.take(fact)
    if until is not None:
        yield from would.due(until)


def _met(rule: Any, trigger: Trigger, known: Remembered) -> bool:
    try:
        return is_met(rule, trigger, known)
    except ConditionError:
        return False


def _outcome(action: Action, known: Remembered, limits: dict[str, deque[int]]) -> Outcome:
    at, rule = action.due_at, action.rule
    try:
        kept = kept_by(action.deed.unless, action.trigger, known, at)
    except ConditionError as error:
        return Outcome(action, at, "held", error.what)
    if kept is not None:
        return Outcome(action, at, "cancelled", kept)
    if rule.per_hour is not None and action.deed.action in TO_THE_GATE:
        done = limits.setdefault(rule.name, deque())
        while done and done[0] <= at - HOUR_US:
            done.popleft()
        if len(done) >= rule.per_hour:
            return Outcome(action, at, "held", f"limits.per_hour {rule.per_hour}")
        done.append(at)
    return Outcome(action, at, "done")


@dataclass
class Remembered:
    """The surroundings as facts have told them so far."""

    documents: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[str], Mapping[str, Any]] = lambda imsi: {}
    """What was known of an IMSI before the first fact: imei, bound, locked, quarantined."""
    _subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    _open: dict[str, dict[str, bool]] = field(default_factory=dict)
    """IMSI -> open findings, and whether each breaks the binding."""
    _all_open: set[str] = field(default_factory=set)

    def take(self, fact: f.Fact) -> None:
        """Learn from one fact."""
        match fact:
            case f.PolicyApplied():
                self.documents = fact.documents or self.documents
            case f.FindingBegan():
                self._all_open.add(fact.document["id"])
                if fact.imsi:
                    self._open.setdefault(fact.imsi, {})[fact.document["id"]] = is_about_binding(fact.document)
            case f.FindingEnded():
                self._all_open.discard(fact.document["id"])
                if fact.imsi and fact.imsi in self._open:
                    self._open[fact.imsi].pop(fact.document["id"], None)
            case f.Bound():
                self._note(fact, imei=fact.imei, bound=True, apn=fact.apn, address=fact.address)
            case f.Unbound():
                self._note(fact, imei=None, bound=False)
            case f.Locked() | f.Quarantined() | f.Released():
                self._note(fact, locked=isinstance(fact, f.Locked), quarantined=isinstance(fact, f.Quarantined))
            case f.AddressGiven():
                self._note(fact, apn=fact.apn, address=fact.address)
            case _:
                pass

    def _note(self, fact: f.Fact, **known: Any) -> None:
        if fact.imsi:
            self._subscriptions.setdefault(fact.imsi, {}).update(known)

    def subscription(self, imsi: str) -> Mapping[str, Any]:
        """What was said of it."""
        known = {**self.before(imsi), **self._subscriptions.get(imsi, {})}
        return {**known, "open_findings": len(self._open.get(imsi, ()))}

    def finding_ended(self, finding: str) -> bool:
        """Has its end been told?"""
        return finding not in self._all_open

    def incident_of(self, trigger: Trigger) -> Mapping[str, Any]:
        """Incidents are no part of the recording."""
        return {}

    def document(self, kind: str, name: str) -> Mapping[str, Any]:
        """Of the policy that was in force."""
        found: Mapping[str, Any] = self.documents.get(kind, {}).get(name, {})
        return found

    def binding_is_broken(self, imsi: str) -> bool:
        """Is a finding about it open?"""
        return any(self._open.get(imsi, {}).values())

    def work_order_is_open(self, imsi: str) -> bool:
        """Work orders are no part of the recording."""
        return False


def is_about_binding(document: Mapping[str, Any]) -> bool:
    """Does a finding, while it is open, say that its subscription is not where it belongs?"""
    name, whole = document["detector"], f"{document['detector']}/{document['class']}"
    return name in BREAKS_BINDING or whole in BREAKS_BINDING
