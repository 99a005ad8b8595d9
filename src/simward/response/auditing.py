"""Facts into the audit: what policy, people and programs had the network do. What only happened is in the journal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.engine.benign import last_day
from simward.registry import benign
from simward.registry import tables as t
from simward.registry.audit import Deed, note
from simward.response import facts as f
from simward.response.announcing import command_id, finding_behind

BY_POLICY = "policy"
STRONG = ("quarantine", "refuse", "lock")


class Auditing:
    """Takes a fact before the mirrors do: they still say what was before.

    A verdict is not an entry of its own: a refused device asks again and again. What decided it is: the response to a
    finding, or the lock; each verdict is in the journal, which has a chain of its own.
    """

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """Note what a fact decided, if it decided anything."""
        deed = deed_of(connection, fact)
        if deed is not None:
            note(connection, deed)


def deed_of(connection: sa.Connection, fact: f.Fact) -> Deed | None:
    """A fact as an entry of the audit; None where nobody and nothing decided it."""
    match fact:
        case f.PolicyApplied():
            return _deed(fact, f"{fact.what}.applied", object=f"revision {fact.sequence}")
        case f.CommandAnswered():
            name = str((fact.command or {}).get("do", "command"))
            return _deed(fact, f"command.{name}", after={"answer": fact.answer, **_switches(fact)})
        case f.FindingBegan() | f.FindingUpdated() if fact.document["response"] in STRONG:
            said = fact.document
            name = f"{said['detector']}/{said['class']}" if said["class"] else said["detector"]
            after = {key: said[key] for key in ("response", "held", "verdict", "was", "now", "expected")}
            return _deed(fact, f"response.{said['response']}", object=said["id"], after={"finding": name, **after})
        case f.Judged():
            return _judged(connection, fact)
        case f.Locked():
            return _deed(fact, "lock", **_lock(connection, fact, {"locked": True, "until": fact.until}))
        case f.Quarantined():
            return _deed(fact, "quarantine", **_lock(connection, fact, {"quarantined": True, "until": fact.until}))
        case f.Released():
            what = "quarantined" if fact.was == "quarantine" else "locked"
            return _deed(fact, "release", **_lock(connection, fact, {what: False, "why": fact.why}))
        case f.Bound():
            after = {"device": fact.device, "generation": fact.generation}
            return _deed(fact, "bind", before=_bound(connection, fact), after=after)
        case f.Planned():
            said = {"device": {"was": fact.was, "now": fact.now}} if fact.device else {}
            after = {"changes": {**fact.changes, **said}}
            return _deed(fact, "work-order.planned", object=f"work order {fact.order}", after=after)
        case f.PlanEnded():
            after = {"expected": fact.imei, "why": fact.why}
            return _deed(fact, f"work-order.{fact.why}", object=f"work order {fact.order}", after=after)
        case f.Unbound():
            return _deed(fact, "unbind", before=_bound(connection, fact), after={"device": None})
        case f.Restricted():
            return _deed(fact, "restrict" if fact.limited else "unrestrict", after={"limited_to_area": fact.limited})
        case f.EffectSent():
            after = {"gateway": fact.gateway, "session_id": fact.session_id, "held": fact.held}
            return _deed(fact, f"effect.{fact.what}", object=fact.effect, after=after, cause=_cause(connection, fact))
        case f.EffectProved():
            after = {"result": fact.result, "error_cause": fact.error_cause}
            return _deed(fact, "effect.proved", object=fact.effect, after=after)
        case _:
            return None


def actor_of(fact: f.Fact) -> str:
    """Who or what did it: a person or program by name, the detector that policy gave the word, or policy itself."""
    if fact.command:
        return str(fact.command.get("actor") or "somebody")
    if isinstance(fact, f.Planned):
        return f"work order {fact.order}"
    return f"{BY_POLICY} {fact.because}" if fact.because else BY_POLICY


def _deed(fact: f.Fact, what: str, **more: Any) -> Deed:
    why = str((fact.command or {}).get("because") or fact.because or "")
    more.setdefault("cause", command_id(fact) or fact.id)
    return Deed(
        at=fact.at, actor=actor_of(fact), what=what, tenant=fact.tenant, imsi=fact.imsi, iccid=fact.iccid, why=why,
        **more,
    )  # fmt: skip


def _cause(connection: sa.Connection, fact: f.Fact) -> str:
    return command_id(fact) or finding_behind(connection, fact) or fact.id


def _judged(connection: sa.Connection, fact: f.Judged) -> Deed | None:
    """A person's verdict on a finding of behaviour; the same said again is none."""
    before = benign.of_subject(connection, fact.subject)
    if before is not None and benign.says_the_same(before, fact.finding, fact.by, fact.why, fact.until_day):
        return None
    whose = benign.whose(connection, fact.finding, fact.imsi)
    return Deed(
        at=fact.at, actor=fact.by, what="finding.benign" if fact.until_day else "finding.not-benign",
        object=fact.finding, cause=fact.id, tenant=whose.tenant or fact.tenant, imsi=fact.imsi, iccid=whose.iccid,
        why=fact.why, after={"about": fact.about, "until": last_day(fact.until_day)},
        before=None if before is None else {
            "finding": before.finding, "by": before.actor, "until": last_day(before.until_day)
        },
    )  # fmt: skip


def _switches(fact: f.Fact) -> dict[str, Any]:
    said = fact.command or {}
    return {name: said[name] for name in ("rebind", "automation", "break_glass", "area", "imei") if name in said}


def _lock(connection: sa.Connection, fact: f.Fact, after: dict[str, Any]) -> dict[str, Any]:
    s = t.subscription.c
    found = connection.execute(sa.select(s.locked_at, s.confined).where(s.imsi == fact.imsi)).one_or_none()
    before: dict[str, Any] = {"locked": False}
    if found is not None and found.locked_at is not None:
        before = {"quarantined" if found.confined else "locked": True, "since": found.locked_at}
    return {"before": before, "after": after, "cause": _cause(connection, fact)}


def _bound(connection: sa.Connection, fact: f.Fact) -> dict[str, Any]:
    found = connection.execute(sa.select(t.subscription.c.device).where(t.subscription.c.imsi == fact.imsi)).scalar()
    return {"device": found}
