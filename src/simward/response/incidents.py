"""Findings become incidents: each joins the one that it belongs to, or opens one, and many of one cause become one.

Stands before the announcing of findings, so that what is announced carries the number of its incident. Everything is
asked of the registry, inside the transaction of the facts: what was rolled back has left nothing in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.incident_settings import IncidentSettings
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.registry.work_orders import remarks
from simward.response import facts as f
from simward.response import grouping as g
from simward.response.announcing import Announcing, finding_behind
from simward.response.incident_life import SECOND_US, Life, count

JOINED_TOLD = 20
"""So many findings of an incident are entered into its story one by one; what comes after is counted."""
GROWN_AT = frozenset(first * 10**power for power in range(1, 8) for first in (1, 2, 5))
"""Numbers of subscriptions at which it is told that an incident has grown."""
RELEASED = {
    "person": "by somebody", "expiry": "when its time was over",
    "bound-device-returned": "by the gate: its device came back",
}  # fmt: skip
"""What took a lock off, in words."""
CATCHING_UP_US = 60_000_000
ONE_DEED_US = 10_000_000
"""The same said again so soon is the same deed: a revision of a large inventory comes in many rows."""
EACH_TICK = 200
"""Incidents that one tick looks at of each kind: the others wait for the next."""


class Incidents:
    """Takes facts, after the mirrors and before the announcing; `tick` each second."""

    def __init__(
        self, announcing: Announcing, settings: IncidentSettings, now: Callable[[], int],
    ) -> None:  # fmt: skip
        """`now` is the clock of this process, us UTC: deadlines run from when somebody can be told."""
        self.life = Life(announcing, settings)
        self._settings, self._now = settings, now
        self._at = self._taken_at = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of incidents since the start, by incident_life.COUNTS."""
        return self.life.counts

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """What a fact means for incidents."""
        self._at, self._taken_at = max(self._at, fact.at), self._now()
        match fact:
            case f.FindingBegan():
                self._found(connection, fact, fact.document, fact.seen)
            case f.FindingUpdated():
                self._updated(connection, fact)
            case f.FindingEnded():
                self._ended(connection, fact)
            case f.EffectSent():
                self._sent(connection, fact)
            case f.EffectProved() | f.SessionStopped():
                self._proved(connection, fact)
            case f.Released():
                self._released(connection, fact)
            case f.CommandAnswered() | f.PolicyApplied():
                self._commanded(connection, fact)

    def tick(self, connection: sa.Connection, now: int) -> None:
        """What time alone brings: proofs are weighed, deadlines pass, quiet incidents end."""
        for row in kept.to_weigh(connection, EACH_TICK):
            self.life.weigh(connection, row, now)
        for row in kept.due(connection, now, EACH_TICK):
            self.life.escalate(connection, row, now)
        until = self._followed(now) - self._settings.resolve_after_s * SECOND_US
        for row in kept.quiet(connection, until, EACH_TICK):
            self._end(connection, row, now)
        if self._at:
            kept.forget_traits(connection, self._at - g.KEPT_US)

    def _followed(self, now: int) -> int:
        """Up to when all is known: `now`, unless old facts are being read, and more may come."""
        catching_up = now - self._taken_at < CATCHING_UP_US and self._taken_at - self._at > CATCHING_UP_US
        return self._at if catching_up else now

    def gap(self, connection: sa.Connection, first: int, last: int) -> None:
        """Outputs from sequence `first` to `last` are gone and were followed by nobody."""
        title = f"Sequences {first} to {last} of the journal were not followed: what was found there opened nothing"
        facts = {"first": first, "last": last}
        self._by_itself(connection, g.GAP, f"gap {first}", title, "high", self._now(), facts)

    def _found(
        self, connection: sa.Connection, fact: f.Fact, document: dict[str, Any], seen: Mapping[str, str]
    ) -> None:
        tenant, family = document["tenant"], g.family_of(document)
        traits = g.shared(document, seen)
        causes = [(name, g.cause_key(family, what)) for name, what in traits]
        found = self._belongs(connection, fact, document, traits, causes)
        opened = found is None
        if found is None:
            if not g.matters(document) or document["detector"] in g.JOINS_ONLY:
                return
            grouping, what = self._cause(document)
            found, opened = self._reopened_or_new(connection, fact, document, grouping, what, family)
        new = self._join(connection, found, fact, document)
        if found.grouping in g.RANKS:
            kept.note_traits(connection, tenant, found.number, causes, fact.at, new)
        if not opened:
            return
        self.life.tell_opened(connection, found.number, document["id"])
        if found.grouping in (g.OUTAGE, g.LIMIT) or g.is_of_many(document):
            self._gather_to(connection, fact, found, document, family)
        elif found.grouping in g.RANKS:
            self._gather(connection, fact, document, family, causes, traits)

    def _belongs(
        self, connection: sa.Connection, fact: f.Fact, document: dict[str, Any], traits: list[tuple[str, str]],
        causes: list[tuple[str, str]],
    ) -> kept.Incident | None:  # fmt: skip
        """The unresolved incident that a finding belongs to; None where there is none."""
        tenant, family = document["tenant"], g.family_of(document)
        grouping, cause = self._cause(document)
        if grouping in (g.OUTAGE, g.LIMIT):  # their own cause, however long ago they grew last
            found = kept.joinable(connection, tenant, [(grouping, cause)], 0)
            return _wider(connection, tenant, cause, fact.at) if found is None and grouping == g.OUTAGE else found
        limit = g.limit_cause(document)
        if document["imsi"]:
            for one in kept.open_about(connection, tenant, document["imsi"]):
                if _same_trouble(one, family, document):
                    return one
        if not g.matters(document) or document["detector"] in g.JOINS_ONLY:
            return None
        wide = [(g.LIMIT, limit)] if limit else []
        wide += [(g.OUTAGE, what) for _, what in traits] if family == g.PLACE else []
        wide += causes
        if grouping == g.SINGLE:
            wide.append((grouping, cause))
        return kept.joinable(connection, tenant, wide, fact.at)

    def _cause(self, document: dict[str, Any]) -> tuple[str, str]:
        limit = g.limit_cause(document)
        if limit and document["held"] in g.LIMITS_HELD:
            return g.LIMIT, limit
        return g.own_cause(document)

    def _reopened_or_new(
        self, connection: sa.Connection, fact: f.Fact, document: dict[str, Any], grouping: str, cause: str, family: str
    ) -> tuple[kept.Incident, bool]:
        """The incident of a cause, and whether it is a new one."""
        since = fact.at - g.REOPEN_WITHIN_US
        before = kept.resolved_since(connection, document["tenant"], grouping, cause, since)
        if before is not None:
            why = f"{g.name_of(document)} again"
            self.life.reopen(connection, before, max(fact.at, before.resolved_at), self._now(), "", why)
            return kept.get(connection, before.number), False
        return self._new(connection, fact, document, grouping, cause, family), True

    def _new(
        self, connection: sa.Connection, fact: f.Fact, document: dict[str, Any], grouping: str, cause: str, family: str,
        what: str = "",
    ) -> kept.Incident:  # fmt: skip
        alone = grouping == g.SUBSCRIPTION
        title = g.title_of(grouping, document, what or cause)
        if alone:  # that the wrong SIM is in the right box says more than that a device has changed
            title = remarks(connection, [document["id"]]).get(document["id"], title)
        now = self._now()
        made = self.life.open(
            connection,
            {"tenant": document["tenant"], "severity": document["severity"] or "medium", "grouping": grouping,
             "cause": cause[:200], "title": title[:300], "family": family,
             "use_case": document["use_case"], "imsi": document["imsi"] if alone else None,
             "iccid": document["iccid"] if alone else None, "opened_at": fact.at,
             "joins_until": _joins_until(grouping, document, fact.at), "as_of_seq": fact.sequence},
            now,
        )  # fmt: skip
        if fact.at < now - self._settings.act_within_s * SECOND_US:
            text = "Read late: nothing acts on it by itself any more."
            kept.enter(connection, made.number, now, "late", text)
        return made

    def _join(self, connection: sa.Connection, row: kept.Incident, fact: f.Fact, document: dict[str, Any]) -> bool:
        """A finding is part of an incident from now on. Is its subscription new there?"""
        imsi, number = document["imsi"], row.number
        new = bool(imsi) and not kept.is_member(connection, number, imsi)
        kept.join(connection, number, document["id"])
        values: dict[str, Any] = {
            "findings": row.findings + 1, "open_findings": row.open_findings + 1, "quiet_since": None,
            "subscriptions": row.subscriptions + new, "as_of_seq": fact.sequence,
        }  # fmt: skip
        if row.grouping not in (g.SUBSCRIPTION, g.SINGLE):
            until = _joins_until(row.grouping, document, fact.at)
            values["joins_until"] = row.joins_until if row.grouping == g.OUTAGE and not _is_outage(document) else until
        if row.use_case != document["use_case"] and row.grouping not in (g.SUBSCRIPTION, g.SINGLE):
            values["use_case"] = None
        if row.state == kept.CONTAINED:
            values["proof_at"] = fact.at  # is it still?
        kept.change(connection, number, **values)
        if row.findings < JOINED_TOLD:
            about = f": {imsi}" if imsi else ""
            text = f"{g.name_of(document)}{about}."
            kept.enter(connection, number, fact.at, "finding", text, facts={"finding": document["id"]})
        if g.worse(document["severity"], row.severity) != row.severity:
            now = self._now()
            self.life.worsen(connection, row, fact.at, now, document["severity"], document["id"])
        if new and values["subscriptions"] in GROWN_AT:
            text = f"It is about {count(values['subscriptions'], 'subscription')} now."
            self.life.change(connection, number, fact.at, "grown", text, cause=document["id"])
        return new

    def _gather_to(
        self, connection: sa.Connection, fact: f.Fact, row: kept.Incident, document: dict[str, Any], family: str
    ) -> None:
        """A limit was reached, an outage or a storm is known: what it explains, and nobody has taken, is part of it."""
        if row.grouping == g.OUTAGE:
            cause, most = g.cause_key(g.PLACE, row.cause), g.RANKS.get(row.cause.split()[0], 0)
        elif g.is_of_many(document):
            cause, most = row.cause, g.RANKS[row.grouping]
        else:
            what = f"use case {document['tenant']}/{document['use_case']}"
            cause, most = g.cause_key(family, what), g.RANKS["use-case"]
        others = kept.sharing(connection, document["tenant"], [cause], fact.at - g.KEPT_US)
        free = [one for one in others if not one.taken and one.incident != row.number]
        numbers = [one.incident for one in free if g.RANKS.get(one.grouping, 99) <= most]
        if numbers:
            self._merge(connection, row.number, numbers, fact, row.title)

    def _gather(
        self, connection: sa.Connection, fact: f.Fact, document: dict[str, Any], family: str,
        causes: list[tuple[str, str]], traits: list[tuple[str, str]],
    ) -> None:  # fmt: skip
        """Have enough incidents something in common? Then they are one: of the narrowest grouping, and so on wider."""
        rank = 0
        while True:
            tenant = document["tenant"]
            common = kept.sharing(connection, tenant, [one for _, one in causes], fact.at - g.KEPT_US)
            for (name, cause), (_, what) in zip(causes, traits, strict=True):  # noqa: B007
                numbers = _of_one_cause(common, name, cause, fact.at) if g.RANKS[name] > rank else []
                if numbers:
                    break
            else:
                return
            rank = g.RANKS[name]
            since = fact.at - g.REOPEN_WITHIN_US
            wide = kept.resolved_since(connection, tenant, name, cause, since)
            if wide is None:
                wide = self._new(connection, fact, document, name, cause, family, what)
                self._merge(connection, wide.number, numbers, fact, g.BY_NAME[name].says)
                self.life.tell_opened(connection, wide.number, document["id"])
            else:
                why = f"{g.name_of(document)} again"
                self.life.reopen(connection, wide, max(fact.at, wide.resolved_at), self._now(), "", why)
                self._merge(connection, wide.number, numbers, fact, g.BY_NAME[name].says)

    def _merge(self, connection: sa.Connection, into: int, numbers: list[int], fact: f.Fact, why: str) -> None:
        rows = [kept.get(connection, one) for one in numbers]
        self.life.merge(connection, into, numbers, fact.at, why)
        fresh = kept.get(connection, into)
        worst = fresh.severity
        for row in rows:
            worst = g.worse(worst, row.severity)
        use_cases = {row.use_case for row in (*rows, fresh)}
        opened = min(row.opened_at for row in (*rows, fresh))
        deadlines = [row.deadline_at for row in (*rows, fresh) if row.deadline_at is not None]
        kept.change(
            connection, into, severity=worst, opened_at=opened, proof_at=fact.at,
            deadline_at=min(deadlines, default=None), use_case=use_cases.pop() if len(use_cases) == 1 else None,
            quiet_since=None if fresh.open_findings else fact.at,
        )  # fmt: skip

    def _updated(self, connection: sa.Connection, fact: f.FindingUpdated) -> None:
        found = _incident_of(connection, fact.document["id"])
        if found is None:
            known = connection.execute(
                sa.select(t.finding.c.document).where(t.finding.c.id == fact.document["id"])
            ).scalar_one()
            self._found(connection, fact, known, {})
            return
        row = kept.get(connection, found)
        if row.state == kept.RESOLVED:
            return
        if g.worse(fact.document["severity"], row.severity) != row.severity:
            severity = fact.document["severity"]
            self.life.worsen(connection, row, fact.at, self._now(), severity, fact.document["id"])
        kept.change(connection, found, proof_at=fact.at)  # what was held may not be any more

    def _ended(self, connection: sa.Connection, fact: f.FindingEnded) -> None:
        found = _incident_of(connection, fact.document["id"])
        if found is None:
            return
        row = kept.get(connection, found)
        left = max(0, row.open_findings - 1)
        values: dict[str, Any] = {"open_findings": left}
        if left == 0 and row.state != kept.RESOLVED:
            values["quiet_since"] = fact.at
        if row.grouping == g.OUTAGE and _is_outage(fact.document):
            values["joins_until"] = fact.at + g.EXPLAINS_FOR_US
        kept.change(connection, found, **values)

    def _sent(self, connection: sa.Connection, fact: f.EffectSent) -> None:
        if fact.imsi is None:
            return
        behind = finding_behind(connection, fact)
        number = _incident_of(connection, behind) if behind else None
        if number is None:
            about = kept.open_about(connection, fact.tenant, fact.imsi)
            number = about[0].number if about else None
        if number is not None:
            connection.execute(sa.update(t.effect).where(t.effect.c.id == fact.effect).values(incident=number))
            kept.change(connection, number, proof_at=fact.at)

    def _proved(self, connection: sa.Connection, fact: f.EffectProved | f.SessionStopped) -> None:
        e = t.effect.c
        proved = e.id == fact.effect if isinstance(fact, f.EffectProved) else e.imsi == fact.imsi
        found = sa.select(e.incident).where(proved, e.incident.is_not(None)).distinct()
        for number in list(connection.execute(found).scalars()):
            kept.change(connection, number, proof_at=fact.at)

    def _released(self, connection: sa.Connection, fact: f.Released) -> None:
        """What was locked is not any more, which its story tells: if nothing lasts either, the quiet begins now."""
        if fact.imsi is None:
            return
        for row in kept.open_about(connection, fact.tenant, fact.imsi):
            if row.subscriptions <= JOINED_TOLD:
                asked = fact.command or {}
                why, actor = RELEASED.get(fact.why, fact.why), str(asked.get("actor") or "")
                why = f"by {actor or 'somebody'}: {asked.get('because')}" if asked else why
                text = f"{fact.imsi} was released {why}."
                kept.enter(connection, row.number, fact.at, "released", text, actor, {"release": fact.id})
            if row.open_findings == 0:
                kept.change(connection, row.number, quiet_since=fact.at)

    def _commanded(self, connection: sa.Connection, fact: f.CommandAnswered | f.PolicyApplied) -> None:
        said = fact.command or {}
        if str(said.get("break_glass") or "no") != "yes":
            return
        actor = str(said.get("actor") or "somebody")
        title = f"A person went around control: {said.get('do') or 'a command'} by {actor}"
        facts = {"do": said.get("do"), "actor": actor, "because": said.get("because"), "command": fact.id}
        if isinstance(fact, f.CommandAnswered):
            facts |= {"iccid": fact.iccid, "answer": fact.answer}
        self._by_itself(connection, g.BREAK_GLASS, actor, title, "high", fact.at, facts)

    def _by_itself(
        self, connection: sa.Connection, grouping: str, cause: str, title: str, severity: str, at: int,
        facts: dict[str, Any],
    ) -> None:  # fmt: skip
        """An incident that no finding made; again by the same cause it is one more line of it."""
        cause = cause[:200]
        found = kept.joinable(connection, t.DEFAULT_TENANT, [(grouping, cause)], at)
        if found is not None:
            last = kept.last_entry(connection, found.number)
            if last.text != f"{title}." or at - last.at > ONE_DEED_US:
                self.life.change(connection, found.number, at, grouping, f"{title}.", facts=facts)
            return
        made = self.life.open(
            connection,
            {"severity": severity, "grouping": grouping, "cause": cause, "title": title[:300], "opened_at": at,
             "family": grouping},
            self._now(),
        )  # fmt: skip
        kept.enter(connection, made.number, at, grouping, f"{title}.", facts=facts)
        self.life.tell_opened(connection, made.number, None)

    def _end(self, connection: sa.Connection, row: kept.Incident, now: int) -> None:
        """Nothing of it lasts. It is over by itself, unless something is locked, or a person has to look at it."""
        if kept.locked(connection, row.number) or _needs_a_person(row):
            kept.change(connection, row.number, quiet_since=None)
            return
        why = "all that was found has ended, and nothing is locked"
        self.life.resolve(connection, row, now, "", None, why)


def _needs_a_person(row: kept.Incident) -> bool:
    """Does what was severe, and is no outage, stay until somebody has seen it?"""
    return row.acknowledged_at is None and row.severity in g.SEVERE and row.grouping != g.OUTAGE


def _same_trouble(row: kept.Incident, family: str, document: Mapping[str, Any]) -> bool:
    """Is a finding about a subscription of an incident part of it?"""
    if row.family == family or document["detector"] in g.JOINS_ONLY:
        return True
    return row.grouping == g.SUBSCRIPTION and row.family in g.KIN and family in g.KIN


def _is_outage(document: Mapping[str, Any]) -> bool:
    return document["detector"] in g.OUTAGES


def _joins_until(grouping: str, document: Mapping[str, Any], at: int) -> int | None:
    """Until when others may join; None: for as long as it is unresolved (an outage: until it is over)."""
    if grouping == g.OUTAGE:
        return at + g.EXPLAINS_FOR_US if document["detector"] == "gateway-restarted" else None
    if grouping == g.LIMIT:
        return at + g.HOUR_US
    return at + g.BY_NAME[grouping].window_us if grouping in g.BY_NAME else None


def _wider(connection: sa.Connection, tenant: str, place: str, at: int) -> kept.Incident | None:
    """The incident that already holds, as a part of something wider, what an outage of this place has moved."""
    rank = g.RANKS.get(place.split()[0], 0)
    for one in kept.sharing(connection, tenant, [g.cause_key(g.PLACE, place)], at - g.KEPT_US):
        wider = rank < g.RANKS.get(one.grouping, 0)
        if wider and one.subscriptions >= g.GROUPINGS[rank - 1].subscriptions:
            return kept.get(connection, one.incident)
    return None


def _of_one_cause(common: list[Any], name: str, cause: str, at: int) -> list[int]:
    """The incidents of narrower groupings that this cause makes one; empty where they are too few."""
    rule = g.BY_NAME[name]
    mine = [
        one for one in common
        if one.cause == cause and one.at >= at - rule.window_us and not one.taken
        and g.RANKS.get(one.grouping, 99) < g.RANKS[name]
    ]  # fmt: skip
    enough = len(mine) >= rule.incidents and sum(one.subscriptions for one in mine) >= rule.subscriptions
    return [one.incident for one in mine] if enough else []


def _incident_of(connection: sa.Connection, finding: str) -> int | None:
    found = connection.execute(sa.select(t.finding.c.incident).where(t.finding.c.id == finding)).scalar()
    return None if found is None else int(found)
