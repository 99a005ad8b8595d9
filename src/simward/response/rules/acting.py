"""Automation at work: facts fire rules in the transaction that takes them; what has come due is done at each tick.

An action is a row under an id made of its rule and its trigger, so that what is taken twice is done once. Commands go
through the outbox and pass the gate's limits as an automation's; what a limit holds waits for a person.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.engine.phrases import when
from simward.incident_settings import ACT_WITHIN_S
from simward.logs import called
from simward.policy.conditions import Condition, ConditionError
from simward.policy.rules import LIVE, TO_THE_GATE
from simward.registry import rules as kept
from simward.registry import tables as t
from simward.registry.upsert import insert
from simward.response import facts as f
from simward.response.announcing import Announcement, Announcing
from simward.response.rules.incident_triggers import read_triggers, skip_earlier
from simward.response.rules.judging import Action, is_met, kept_by
from simward.response.rules.opening import Concern, Incidents
from simward.response.rules.rule import Deed, Rule, Rules, Trigger, trigger_of
from simward.response.rules.surroundings import Registered, WorkOrders, no_work_orders
from simward.settings import Party

log = logging.getLogger(__name__)

SECOND_US = 1_000_000
HOUR_US = 3_600_000_000
STEP_ACTIONS = 500
"""So many are done in one transaction at most."""
KEEP_US = 90 * 24 * HOUR_US
"""How long what a rule did stays here; what the gate did stays in the journal."""


class Automation:
    """A taker of facts, and `tick`: both inside a transaction of the control process, one at a time."""

    def __init__(
        self, announcing: Announcing, now: Callable[[], int], *, parties: Sequence[Party] = (),
        incidents: Incidents, work_orders: WorkOrders = no_work_orders, act_within_s: int = ACT_WITHIN_S,
    ) -> None:
        """`incidents` and `work_orders` are where others keep theirs.

        What should have been done `act_within_s` ago is done no more: an outage of this process must not end in stale
        locks.
        """
        self._act_within_us = act_within_s * SECOND_US
        self._announcing, self._now = announcing, now
        self._endpoint_of = {party.name: party.endpoint for party in parties}
        self._incidents: Incidents = incidents
        self._work_orders = work_orders
        self._rules = Rules([])
        self._documents: Mapping[str, Any] = {}
        self._forget_at = 0
        self.counts: Counter[str] = Counter()
        """State -> how many actions have come into it since the start; "unjudged": conditions without an answer."""

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """Keep the rules of a policy that comes into force; fire those that the fact triggers."""
        if isinstance(fact, f.PolicyApplied) and fact.what == "policy":
            self._keep(connection, fact)
        trigger = trigger_of(fact)
        if trigger is not None:
            self.fire(connection, trigger)

    def fire(self, connection: sa.Connection, trigger: Trigger) -> None:
        """Make a row of every action of every rule that is triggered and whose condition holds."""
        rules = self.in_force(connection).for_trigger(trigger)
        if not rules:
            return
        around = self._around(connection)
        for rule in rules:
            try:
                met = is_met(rule, trigger, around)
            except ConditionError as error:
                log.warning(
                    "rule %s about %s: its condition %s", rule.name, trigger.id, error,
                    extra=called("condition-unanswered", rule=rule.name, trigger=trigger.id),
                )
                self.counts["unjudged"] += 1
                continue
            if met:
                for deed in rule.deeds:
                    kept.add_action(connection, self._row(Action(rule, deed, trigger)))

    def tick(self, connection: sa.Connection, now: int) -> int:
        """Do what has come due, and take the gate's answers; gives how many there were: more may be left.

        To be called after facts were taken, and each second.
        """
        handled = 0
        for trigger in read_triggers(connection):
            self.fire(connection, trigger)
            handled += 1
        handled += self._do_due(connection, now) + self._take_answers(connection, now)
        if not handled and now >= self._forget_at:
            left = kept.forget_actions(connection, now - KEEP_US, STEP_ACTIONS) == STEP_ACTIONS
            self._forget_at = now if left else now + HOUR_US
        return handled

    def in_force(self, connection: sa.Connection) -> Rules:
        """The rules as of the cursor: asked of the registry each time, since a transaction may have been undone."""
        sequence = kept.rule_set_sequence(connection)
        if sequence != self._rules.sequence:
            sequence, document = kept.read_rule_set(connection)
            self._rules, self._documents = Rules(document.get("rule", {}).values(), sequence), document
        return self._rules

    def _keep(self, connection: sa.Connection, fact: f.PolicyApplied) -> None:
        skip_earlier(connection)
        named = {"use_case": ("criticality",), "segment": ("classification", "jurisdiction")}
        document: dict[str, Any] = {"rule": dict(fact.documents.get("rule", {}))}
        for kind, keys in named.items():
            some = fact.documents.get(kind, {}).items()
            document[kind] = {name: {key: one[key] for key in keys if key in one} for name, one in some}
        kept.keep_rule_set(connection, fact.sequence, document)

    def _around(self, connection: sa.Connection) -> Registered:
        return Registered(connection, self._documents, self._work_orders)

    def _row(self, action: Action) -> dict[str, Any]:
        trigger, rule, deed = action.trigger, action.rule, action.deed
        unless = deed.unless.text if isinstance(deed.unless, Condition) else deed.unless
        return {
            "id": action.id, "tenant": rule.tenant, "rule": rule.name, "revision": self._rules.sequence,
            "trigger": trigger.id[:96], "trigger_type": trigger.names[0][:96], "trigger_at": trigger.at,
            "imsi": trigger.imsi, "iccid": trigger.iccid, "use_case": trigger.use_case, "segment": trigger.segment,
            "generation": trigger.generation, "finding": trigger.finding["id"] if trigger.finding else None,
            "incident": trigger.incident, "action": deed.action, "arguments": {**deed.arguments, "deed": deed.position},
            "unless": unless[:1000] if unless else None, "mode": rule.mode, "due_at": action.due_at,
            "state": kept.WAITING, "changed_at": self._now(),
        }  # fmt: skip

    def _do_due(self, connection: sa.Connection, now: int) -> int:
        rows = kept.due_actions(connection, now, STEP_ACTIONS)
        if not rows:
            return 0
        rules, paused = self.in_force(connection), kept.paused_rules(connection)
        step = _Step(connection, now)
        for row in rows:
            rule = rules.by_name.get(row.rule)
            deed = rule.deeds[row.arguments["deed"]] if rule and row.arguments["deed"] < len(rule.deeds) else None
            if rule is None or deed is None or deed.action != row.action:
                step.over(row, kept.CANCELLED, "the rule is no longer in force")
            elif now - row.due_at > self._act_within_us and row.action != "open-incident":
                step.over(row, kept.TOO_OLD, f"{(now - row.due_at) // 60_000_000} minutes after its time")
            else:
                self._come_due(step, row, rule, deed, row.rule in paused)
        self._finish(step)
        return len(rows)

    def _come_due(self, step: _Step, row: Any, rule: Rule, deed: Deed, paused: bool) -> None:
        trigger = _trigger(step.connection, row)
        try:
            kept_from = kept_by(deed.unless, trigger, self._around(step.connection), step.now)
        except ConditionError as error:
            step.hold(row, f"unless {error}"[:200])
            return
        to_gate = row.action in TO_THE_GATE
        if kept_from is not None:
            step.over(row, kept.CANCELLED, kept_from)
        elif to_gate and row.iccid is None:
            step.over(row, kept.REFUSED, "it is about no subscription")
        elif paused or rule.mode != LIVE or row.mode != LIVE:
            step.over(row, kept.DRY_RUN, "the rule is paused" if paused else f"would {row.action}")
        elif to_gate and not step.within(rule):
            step.hold(row, f"limits.per_hour {rule.per_hour}")
        else:
            self._do(step, row, trigger)

    def _do(self, step: _Step, row: Any, trigger: Trigger) -> None:
        match row.action:
            case action if action in TO_THE_GATE:
                step.command(row, trigger)
            case "notify" | "webhook":
                self._tell(step, row, trigger)
            case "open-incident":
                self._open(step, row)
            case _:
                step.over(row, kept.REFUSED, f"no way to {row.action}")

    def _tell(self, step: _Step, row: Any, trigger: Trigger) -> None:
        to = row.arguments.get("endpoint") or self._endpoint_of.get(row.arguments.get("party", ""), "")
        data = {
            "rule": row.rule, "trigger": {"id": row.trigger, "type": row.trigger_type, "at": when(row.trigger_at)},
            "subscription": {"imsi": row.imsi, "iccid": row.iccid} if row.imsi else None,
            "use_case": row.use_case, "segment": row.segment, "finding": trigger.finding and dict(trigger.finding),
            "incident": trigger.incident,
        }  # fmt: skip
        one = Announcement(
            "rule.fired", f"rule.fired:{row.id}", step.now, trigger.subject, row.tenant, row.use_case, row.trigger,
            trigger.incident, data,
        )  # fmt: skip
        if not to:
            step.over(row, kept.REFUSED, "simward.toml no longer says whom to tell")
            return
        self._announcing.say(step.connection, one, [to])
        step.over(row, kept.DONE, f"told {to}"[:200])

    def _open(self, step: _Step, row: Any) -> None:
        subject = row.imsi or (f"incident {row.incident}" if row.incident else row.trigger_type)
        title = row.arguments.get("title") or f"Rule {row.rule}: {subject}"
        number = self._incidents.raise_concern(
            step.connection,
            Concern(
                key=f"rule/{row.rule}/{subject}", title=title, text=f"Rule {row.rule} fired: {row.trigger_type} "
                f"[{row.trigger}].", severity=row.arguments.get("severity", "medium"), at=step.now,
                tenant=row.tenant, imsi=row.imsi, iccid=row.iccid, use_case=row.use_case, cause=row.trigger,
            ),
        )  # fmt: skip
        kept.change_actions(step.connection, [row.id], step.now, state=kept.DONE, result="opened", incident=number)

    def _take_answers(self, connection: sa.Connection, now: int) -> int:
        rows = kept.answered_actions(connection, STEP_ACTIONS)
        step = _Step(connection, now)
        for row in rows:
            if row.answer in ("applied", "duplicate"):
                step.over(row, kept.DONE, row.answer)
            elif row.answer == "expired":
                step.over(row, kept.TOO_OLD, "no gate answered in time")
            elif row.answer == "limited":
                step.hold(row, "the gate's limits, never-cut or a pause hold it")
            else:
                step.over(row, kept.REFUSED, f"the gate said {row.answer}"[:200])
        self._finish(step)
        return len(rows)

    def _finish(self, step: _Step) -> None:
        """Write what became of the actions of one step, and say in one incident a rule what is held."""
        for (state, result), ids in step.became.items():
            kept.change_actions(step.connection, ids, step.now, state=state, result=result)
            self.counts[state] += len(ids)
        for (rule, tenant), number in step.held.items():
            text = f"{number} more action{'s' * (number != 1)} of rule {rule} held: a person must let them go."
            self._incidents.raise_concern(
                step.connection,
                Concern(
                    key=f"rule/{rule}/held", title=f"Rule {rule}: what it does is held and waits for a person",
                    text=text, severity="high", at=step.now, tenant=tenant,
                ),
            )  # fmt: skip


class _Step:
    """What one transaction makes of some actions."""

    def __init__(self, connection: sa.Connection, now: int) -> None:
        self.connection, self.now = connection, now
        self.became: dict[tuple[str, str], list[str]] = {}
        self.held: Counter[tuple[str, str]] = Counter()
        self._used: dict[str, int] = {}

    def over(self, row: Any, state: str, result: str) -> None:
        self.became.setdefault((state, result), []).append(row.id)

    def hold(self, row: Any, why: str) -> None:
        self.over(row, kept.HELD, why)
        self.held[row.rule, row.tenant] += 1

    def within(self, rule: Rule) -> bool:
        """May this rule give one more command by itself? If so it is counted."""
        if rule.per_hour is None:
            return True
        if rule.name not in self._used:
            since = self.now - HOUR_US
            self._used[rule.name] = kept.commands_since(self.connection, rule.name, TO_THE_GATE, since)
        if self._used[rule.name] >= rule.per_hour:
            return False
        self._used[rule.name] += 1
        return True

    def command(self, row: Any, trigger: Trigger) -> None:
        """On its way to the gate, as an automation's."""
        values = {
            "id": row.id, "tenant": row.tenant, "do": row.action, "iccid": row.iccid, "actor": f"rule {row.rule}",
            "because": because(row), "cause": row.finding or row.trigger, "automation": True,
            "generation": row.generation, "asked_at": self.now, "next_at": self.now,
        }  # fmt: skip
        self.connection.execute(
            insert(self.connection, t.command).values(values).on_conflict_do_nothing(index_elements=["id"])
        )
        changed: dict[str, Any] = {"state": kept.SENT, "command": row.id, "incident": trigger.incident}
        kept.change_actions(self.connection, [row.id], self.now, **changed)


def rules_of(connection: sa.Connection) -> Rules:
    """The rules in force, for others than the thread that acts by them."""
    sequence, document = kept.read_rule_set(connection)
    return Rules(document.get("rule", {}).values(), sequence)


def because(row: Any) -> str:
    """Why a rule asks the gate for something; undo knows by its beginning what a rule did."""
    return f"rule {row.rule}: {row.trigger_type} [{row.trigger}]"[:500]


def _trigger(connection: sa.Connection, row: Any) -> Trigger:
    """The trigger of an action, with its finding as it now is."""
    finding, incident = None, row.incident
    if row.finding is not None:
        found = sa.select(t.finding.c.document, t.finding.c.incident).where(t.finding.c.id == row.finding)
        mirrored = connection.execute(found).one_or_none()
        if mirrored is not None:
            finding, incident = mirrored.document, incident or mirrored.incident
    return Trigger(
        id=row.trigger, names=(row.trigger_type,), at=row.trigger_at, tenant=row.tenant, imsi=row.imsi,
        iccid=row.iccid, use_case=row.use_case, segment=row.segment, generation=row.generation, finding=finding,
        incident=incident,
    )  # fmt: skip
