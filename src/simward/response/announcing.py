"""What other systems are told: facts become announcements, each with an id, a sequence and the id of what caused it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.announcements import announce, deliver
from simward.registry.deployments import DEPLOY, correlator_of
from simward.response import facts as f
from simward.response.parties import concerned, note_told
from simward.settings import Endpoint, Party

HOUR_US = 3_600_000_000
DELIVER_WITHIN_US = 24 * HOUR_US
"""A delivery that has not succeeded for so long is a dead letter."""

TYPES = {
    "binding.established": "A subscription belongs in a device from now on.",
    "binding.broken": "A subscription was seen where it does not belong: in another device, at another place, twice.",
    "binding.removed": "A subscription belongs in no device any more: a person or the inventory said so.",
    "subscription.locked": "A subscription is refused whatever comes.",
    "subscription.quarantined": "A person, a party or a rule put a subscription into quarantine.",
    "subscription.released": "A lock or a quarantine is off.",
    "finding.raised": "Something is odd.",
    "finding.ended": "It is over.",
    "incident.opened": "Findings that belong together need somebody.",
    "incident.changed": "An incident was acknowledged, contained, reopened, escalated or joined by others.",
    "incident.resolved": "An incident is over.",
    "deployment.accepted": "A device is to be installed with a subscription: expect its data.",
    "deployment.confirmed": "The right device has attached with the right subscription, and was let in.",
    "deployment.failed": "A deployment is not as it should be: another device came, it was refused, the gate said no.",
    "deployment.ended": "A deployment is over: it was cancelled, another one took its place, the files took it back.",
    "gateway.silent": "A gateway that was heard of is heard of no more.",
    "gateway.restarted": "A gateway has restarted: its sessions are gone.",
    "work_order.done": "All that a work order planned has happened.",
    "work_order.overdue": "The time of something that a work order planned is over, and it did not happen.",
    "policy.applied": "A revision of policy or inventory is in force.",
    "rule.fired": "A rule says so to an endpoint or a party that it names.",
    "endpoint.test": "A test of an endpoint that somebody asked for.",
}
"""Every type there is, and what it says."""

BREAKS_BINDING = (
    "device-change/same-model", "device-change/other-model", "device-change/not-reported", "device-change/not-in-pool",
    "copied-device", "cloned-subscription", "location-change", "outside-area", "impossible-travel",
)  # fmt: skip
"""Findings that say that a subscription is not where it belongs (detector, or detector/class).

Not among them is `device-change/returned`: it is where it belongs again, and who was told that the binding is whole
(`subscription.released`) may not hear after that that it is broken.
"""
OF_GATEWAYS = {"gateway-silent": "gateway.silent", "gateway-restarted": "gateway.restarted"}
ABOUT_DEPLOYED = ("binding.", "subscription.")
"""These carry the correlation of the deployment that they concern, also where they belong to an incident."""
ACTING = ("notify", "quarantine", "refuse", "lock")
"""Responses that tell somebody: what policy only observes is announced as a finding and breaks nothing."""


@dataclass(frozen=True)
class Announcement:
    """One thing to say. `subject` is the IMSI, or what else it is about; `cause` the id of what made it so."""

    type: str
    id: str
    at: int
    subject: str
    tenant: str = "default"
    use_case: str | None = None
    cause: str | None = None
    incident: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    correlation: str | None = None
    """What the request said that this comes from (x-correlator); else `incident` says what it belongs to."""


class Announcing:
    """Writes announcements and puts them on their way to every endpoint whose filter takes them."""

    def __init__(
        self, endpoints: Sequence[Endpoint], now: Callable[[], int], parties: Sequence[Party] = ()
    ) -> None:
        self._endpoints, self._parties = endpoints, parties
        self._now = now

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """Say what a fact means to others; nothing where it means nothing.

        Of a broken binding every party that it concerns is told, whatever the filter of its endpoint.
        """
        for one in announcements_of(connection, fact):
            parties = self._concerned(one) if one.type == "binding.broken" else []
            number = self.say(connection, one, [party.endpoint for party in parties])
            if number and one.incident is not None:
                note_told(connection, one.incident, one.id, parties, self._now())

    def say(self, connection: sa.Connection, one: Announcement, also: Sequence[str] = ()) -> int:
        """Write one announcement, and a delivery to each endpoint that takes its type or is named in `also`.

        Gives its number; 0 where it was said before.
        """
        values = {
            "id": one.id, "tenant": one.tenant, "type": one.type, "at": one.at, "subject": one.subject,
            "use_case": one.use_case, "cause": one.cause, "incident": one.incident, "data": one.data,
            "correlation": one.correlation or _correlation(connection, one),
        }  # fmt: skip
        number = announce(connection, values)
        if number:
            takers = [each.name for each in self._endpoints if takes(each, one.type, one.tenant)]
            now = self._now()
            deliver(connection, number, one.subject, [*takers, *also], now, now + DELIVER_WITHIN_US)
        return number

    def tell_parties(self, connection: sa.Connection, one: Announcement) -> int:
        """The same, also to every party of its use case, whatever the filters of their endpoints."""
        return self.say(connection, one, [party.endpoint for party in self._concerned(one)])

    def _concerned(self, one: Announcement) -> list[Party]:
        """The parties of the use case, as far as their endpoints are its owner's."""
        own = {each.name for each in self._endpoints if each.tenant == one.tenant}
        return [party for party in concerned(self._parties, one.use_case) if party.endpoint in own]


def takes(endpoint: Endpoint, type_name: str, tenant: str) -> bool:
    """Is an endpoint that owner's, and does its filter let a type through? Without a filter it takes all but tests."""
    if endpoint.tenant != tenant:
        return False
    if not endpoint.events:
        return type_name != "endpoint.test"
    return any(fnmatch.fnmatchcase(type_name, pattern) for pattern in endpoint.events)


def announcements_of(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    """What a fact means to others, in the order in which it is said."""
    make = _MAKERS.get(type(fact))
    return [] if make is None else make(connection, fact)


def _correlation(connection: sa.Connection, one: Announcement) -> str | None:
    """Of what concerns a subscription that was deployed: what that request said, so that who asked knows it again."""
    if one.incident is not None and not one.type.startswith(ABOUT_DEPLOYED):
        return None
    said = one.data.get("subscription") or one.data.get("finding")
    iccid = said.get("iccid") if isinstance(said, dict) else None
    return correlator_of(connection, iccid) if iccid else None


def breaks_binding(document: dict[str, Any]) -> bool:
    """Does a finding say that its subscription is not where it belongs, and does policy want somebody to know?"""
    name, whole = document["detector"], f"{document['detector']}/{document['class']}"
    acting = document["response"] in ACTING or document["wanted"] in ACTING
    return acting and document["imsi"] is not None and (name in BREAKS_BINDING or whole in BREAKS_BINDING)


def subscription_of(fact: f.Fact) -> dict[str, Any]:
    """How announcements name a subscription."""
    return {"imsi": fact.imsi, "iccid": fact.iccid}


def subject_of(fact: f.Fact, document: dict[str, Any] | None = None) -> str:
    """What a fact is about: a subscription, else what the finding names."""
    if fact.imsi:
        return fact.imsi
    if document is None:
        return "fleet"
    if document.get("about"):
        return str(document["about"])[:96]
    for key in ("gateway", "segment"):
        if document.get(key):
            return f"{key} {document[key]}"[:96]
    return str(document["detector"])


def _about(fact: f.Fact, type_name: str, **more: Any) -> Announcement:
    said = {"id": f"{type_name}:{fact.id}", "at": fact.at, "subject": subject_of(fact), "tenant": fact.tenant}
    return Announcement(type=type_name, use_case=fact.use_case, **{**said, **more})


def _raised(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.FindingBegan)
    document = fact.document
    incident = connection.execute(_INCIDENT, {"id": document["id"]}).scalar()
    about: dict[str, Any] = {"subject": subject_of(fact, document), "incident": incident}
    said = [_about(fact, "finding.raised", data={"finding": document}, **about)]
    if breaks_binding(document):
        data = {
            "subscription": subscription_of(fact), "was": document["was"], "now": document["now"],
            "expected": document["expected"], "response": document["response"], "held": document["held"],
            "detector": document["detector"], "class": document["class"], "use_case": fact.use_case,
            "segment": fact.segment, "incident": about["incident"],
        }  # fmt: skip
        said.append(_about(fact, "binding.broken", data=data, cause=document["id"], **about))
    if document["detector"] in OF_GATEWAYS:
        name = document["gateway"] or document["about"] or document["now"]
        data = {"gateway": name, "finding": document["id"]}
        said.append(_about(fact, OF_GATEWAYS[document["detector"]], data=data, cause=document["id"], **about))
    return said


def _ended(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.FindingEnded)
    data = {"finding": fact.document["id"], "detector": fact.document["detector"], "class": fact.document["class"]}
    data["ended_at"] = fact.document["ended_at"]
    subject = subject_of(fact, fact.document)
    return [_about(fact, "finding.ended", data=data, cause=fact.document["id"], subject=subject)]


def _established(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.Bound)
    known = connection.execute(sa.select(t.subscription).where(t.subscription.c.imsi == fact.imsi)).one_or_none()
    data = {
        "device": {"imei": fact.imei, "imeisv": fact.device}, "subscription": subscription_of(fact),
        "use_case": fact.use_case, "segment": fact.segment, "apn": fact.apn or (known.apn if known else None),
        "address": (known.address if known else None) or fact.address, "prefix": known.prefix if known else None,
        "generation": fact.generation,
    }  # fmt: skip
    return [_about(fact, "binding.established", data=data, cause=command_id(fact))]


def _removed(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.Unbound)
    data = {"subscription": subscription_of(fact), "was": fact.imei, "removed": fact.removed, **_asked(fact)}
    return [_about(fact, "binding.removed", data=data, cause=command_id(fact))]


def _locked(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.Locked)
    data = {"subscription": subscription_of(fact), "because": fact.because, "until": fact.until, **_asked(fact)}
    cause = command_id(fact) or finding_behind(connection, fact)
    return [_about(fact, "subscription.locked", data=data, cause=cause)]


def _quarantined(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.Quarantined)
    data = {"subscription": subscription_of(fact), "until": fact.until, **_asked(fact)}
    return [_about(fact, "subscription.quarantined", data=data, cause=command_id(fact))]


def _released(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.Released)
    data = {"subscription": subscription_of(fact), "why": fact.why, "was": fact.was, **_asked(fact)}
    cause = command_id(fact) or finding_behind(connection, fact)
    return [_about(fact, "subscription.released", data=data, cause=cause)]


def _applied(connection: sa.Connection, fact: f.Fact) -> list[Announcement]:
    assert isinstance(fact, f.PolicyApplied)
    if (fact.command or {}).get("do") == DEPLOY:
        return []  # what was deployed is told by itself
    data = {"what": fact.what, "sequence": fact.sequence, **_asked(fact)}
    return [_about(fact, "policy.applied", data=data, subject="policy")]


def _asked(fact: f.Fact) -> dict[str, Any]:
    """Who asked, and why; nothing where nobody did."""
    if not fact.command:
        return {}
    return {"actor": fact.command.get("actor"), "reason": fact.command.get("because")}


def command_id(fact: f.Fact) -> str | None:
    """The id of the command that did it."""
    if fact.command is None:
        return None
    return str(fact.command.get("id") or f"command:{fact.sequence}")[:96]


def finding_behind(connection: sa.Connection, fact: f.Fact) -> str | None:
    """The finding that decided an output: the newest of its detector about this subscription."""
    if fact.because is None or fact.imsi is None:
        return None
    return connection.execute(_BEHIND, {"imsi": fact.imsi, "detector": fact.because.split("/")[0]}).scalar()


# Made once: making a statement takes longer than running it.
_BEHIND = (
    sa.select(t.finding.c.id)
    .where(t.finding.c.imsi == sa.bindparam("imsi"), t.finding.c.detector == sa.bindparam("detector"))
    .order_by(t.finding.c.began_at.desc()).limit(1)
)  # fmt: skip
_INCIDENT = sa.select(t.finding.c.incident).where(t.finding.c.id == sa.bindparam("id"))


_MAKERS: dict[type[f.Fact], Callable[[sa.Connection, f.Fact], list[Announcement]]] = {
    f.FindingBegan: _raised, f.FindingEnded: _ended, f.Bound: _established, f.Unbound: _removed, f.Locked: _locked,
    f.Quarantined: _quarantined,
    f.Released: _released, f.PolicyApplied: _applied,
}  # fmt: skip
