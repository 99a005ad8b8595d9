"""Facts into the mirrors of the registry: what was found, what was done, and how each subscription stands."""

from __future__ import annotations

import sqlalchemy as sa

from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.identity import Imsi
from simward.registry import mirrors
from simward.registry.hourly import count
from simward.response import facts as f

COUNTED = {f.Locked: "locked", f.Quarantined: "quarantined", f.Released: "released"}
"""What is counted by the hour, and as what."""


class Mirroring:
    """The first that takes a fact: those after it find the mirrors up to date."""

    def __init__(self) -> None:
        self.awaited: set[int] = set()
        """IMSIs (numbers) of which a Stop would be the proof of a Disconnect."""

    def begin(self, connection: sa.Connection) -> None:
        """Read from the mirrors what is kept in memory."""
        self.awaited = {Imsi.parse(imsi).number for imsi in mirrors.unproved(connection)}

    def expect(self, fact: f.Fact) -> None:
        """A Disconnect is on its way: from here on a Stop of this subscription is of interest."""
        if isinstance(fact, f.EffectSent) and fact.what == "disconnect" and fact.held is None and fact.imsi:
            self.awaited.add(Imsi.parse(fact.imsi).number)

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """Mirror one fact."""
        match fact:
            case f.FindingBegan() | f.FindingUpdated():
                mirrors.note_finding(connection, fact.at, fact.sequence, fact.document)
            case f.FindingEnded():
                mirrors.note_finding(connection, fact.at, fact.sequence, fact.document, ended_at=fact.at)
            case f.EffectSent():
                self._sent(connection, fact)
            case f.EffectProved():
                mirrors.note_proof(
                    connection, fact.effect, fact.result, fact.error_cause, fact.at, fact.sequence
                )
                if fact.imsi and (fact.result == "ack" or fact.error_cause == SESSION_CONTEXT_NOT_FOUND):
                    self._settle(connection, fact.imsi)
            case f.SessionStopped():
                assert fact.imsi is not None
                mirrors.stopped(connection, fact.imsi, fact.session_id, fact.at, fact.sequence)
                self._settle(connection, fact.imsi)
            case _:
                self._subscription(connection, fact)

    def _subscription(self, connection: sa.Connection, fact: f.Fact) -> None:
        if fact.imsi is None:
            return
        base = {"iccid": fact.iccid, "tenant": fact.tenant, "use_case": fact.use_case, "segment": fact.segment}
        match fact:
            case f.Bound():
                facts = {"device": fact.device, "imei": fact.imei, "generation": fact.generation}
                if _ordered(fact, "bind"):
                    facts["tied"] = True
                if fact.apn:
                    facts["apn"] = fact.apn
                mirrors.note_binding(
                    connection, fact.imsi, fact.generation, fact.at, tenant=fact.tenant, iccid=fact.iccid,
                    imei=fact.imei, device=fact.device, as_of_seq=fact.sequence,
                )  # fmt: skip
            case f.Unbound():
                facts = {"device": None, "imei": None, "tied": False}
                mirrors.end_binding(connection, fact.imsi, fact.at)
            case f.Restricted():
                facts = {"limited_to_area": fact.limited}
            case f.DeviceSeen():
                mirrors.note_device(connection, fact.imsi, fact.sequence, fact.imei, fact.at, base)
                return
            case f.Locked():
                because = fact.because or (fact.command or {}).get("because") or "a person"
                facts = {"locked_at": fact.at, "locked_because": because[:200], "confined": False}
            case f.Quarantined():
                because = (fact.command or {}).get("because") or "a person"
                facts = {"locked_at": fact.at, "locked_because": because[:200], "confined": True}
            case f.Released():
                facts = {"locked_at": None, "locked_because": None, "confined": False}
            case f.AddressGiven():
                facts = {"apn": fact.apn, "address": fact.address, "prefix": fact.prefix, "delegated": fact.delegated}
            case _:
                return
        mirrors.note_subscription(connection, fact.imsi, fact.sequence, **base, **facts)
        if what := COUNTED.get(type(fact)):
            count(connection, fact.at, fact.tenant, what, _by(fact))

    def _sent(self, connection: sa.Connection, fact: f.EffectSent) -> None:
        mirrors.note_effect(
            connection,
            {"id": fact.effect, "tenant": fact.tenant, "imsi": fact.imsi, "iccid": fact.iccid, "what": fact.what,
             "gateway": fact.gateway, "session_id": fact.session_id, "because": fact.because, "held": fact.held,
             "at": fact.at, "as_of_seq": fact.sequence},
        )  # fmt: skip

    def _settle(self, connection: sa.Connection, imsi: str) -> None:
        if not mirrors.awaits_proof(connection, imsi):
            self.awaited.discard(Imsi.parse(imsi).number)


def _ordered(fact: f.Fact, do: str) -> bool:
    return (fact.command or {}).get("do") == do


def _by(fact: f.Fact) -> str:
    """Who decided it: policy in the gate, a rule, a party, or a person who asked for it."""
    if fact.command is None:
        return "policy"
    kind = str(fact.command.get("actor", "")).partition(" ")[0]
    return kind if kind in ("rule", "party") else "person"
