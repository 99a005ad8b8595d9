"""Deployments as they go on: made, in force, the right or a wrong device seen, taken back; and what is told of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from simward.engine.phrases import when
from simward.identity import Imsi, Msisdn
from simward.logs import called
from simward.registry import deployments as kept
from simward.registry import tables as t
from simward.registry.audit import Deed, note
from simward.response import facts as f
from simward.response.announcing import Announcement, Announcing
from simward.response.deploying import Fit, Policy, Wanted, before_of

log = logging.getLogger(__name__)

TELLS = {
    kept.ACCEPTED: "deployment.accepted", kept.CONFIRMED: "deployment.confirmed",
    kept.WRONG_DEVICE: "deployment.failed", kept.REFUSED: "deployment.failed", kept.FAILED: "deployment.failed",
    kept.CANCELLED: "deployment.ended", kept.SUPERSEDED: "deployment.ended", kept.TAKEN_BACK: "deployment.ended",
}  # fmt: skip
"""State -> the type of the announcement that says so."""
SAID_CHARACTERS_MAX = 300


class Deployments:
    """Makes and ends them for the API, and takes facts after the mirrors."""

    def __init__(self, announcing: Announcing) -> None:
        self._announcing = announcing
        self.attaching: dict[int, str] = {}
        """IMSIs and MSISDNs (numbers) of subscriptions whose device is waited for -> the IMSI. Of who follows alone."""

    def make(
        self, connection: sa.Connection, wanted: Wanted, fit: Fit, *, actor: str, because: str, correlator: str, at: int
    ) -> tuple[int, bool]:
        """Keep one that can be meant; (its number, was it made now?): the same again is the one there is."""
        earlier = kept.live_of(connection, iccid=fit.iccid)
        if earlier is not None and _is_same(earlier, wanted):
            return int(earlier.number), False
        before = [before_of(row) for row in fit.lines]
        if earlier is not None:
            before = earlier.before
            self._end(connection, earlier, kept.SUPERSEDED, "another deployment of the same subscription", actor, at)
        values = {
            "tenant": fit.tenant, "imsi": fit.lines[0].imsi, "iccid": fit.iccid, "imei": wanted.imei,
            "use_case": wanted.use_case, "segment": fit.segment, "label": wanted.label, "latitude": wanted.latitude,
            "longitude": wanted.longitude, "actor": actor, "because": because, "correlator": correlator,
            "state": kept.ACCEPTED, "live": True, "created_at": at, "changed_at": at, "asked": kept.DEPLOY,
            "lines": fit.declares(wanted), "before": before,
        }  # fmt: skip
        number = kept.create(connection, values)
        note(connection, Deed(
            at=at, actor=actor, what="deployment.create", object=f"deployment {number}", why=because,
            tenant=fit.tenant, imsi=fit.lines[0].imsi, iccid=fit.iccid,
            after={"imei": wanted.imei, "use_case": wanted.use_case, "label": wanted.label, "correlator": correlator},
        ))  # fmt: skip
        self._tell(connection, number, at)
        return number, True

    def cancel(
        self, connection: sa.Connection, row: Any, lines: list[dict[str, Any]], *, actor: str, because: str, at: int
    ) -> None:
        """Have the gate told that the subscription is as `lines` say again; nothing where that is under way."""
        if row.state == kept.CANCELLING:
            return
        kept.change(
            connection, row.number, at, state=kept.CANCELLING, asked=kept.UNDEPLOY, lines=lines, revision=None,
            answered=False, attempts=0, next_at=0, ended_by=actor, said=because[:SAID_CHARACTERS_MAX],
        )  # fmt: skip
        note(connection, Deed(
            at=at, actor=actor, what="deployment.cancel", object=f"deployment {row.number}", why=because,
            tenant=row.tenant, imsi=row.imsi, iccid=row.iccid, before={"state": row.state},
        ))  # fmt: skip

    def refused(self, connection: sa.Connection, row: Any, why: str, at: int) -> None:
        """The gate said no."""
        self._becomes(connection, row, kept.FAILED, at, said=f"the gate says: {why}", asked=None)

    def begin(self, connection: sa.Connection) -> None:
        """Read from the registry who is waited for."""
        self.attaching = {}
        for row in kept.attended(connection):
            self._attend(row._mapping)

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """What a fact means for them."""
        match fact:
            case f.PolicyApplied() if fact.what == "inventory":
                self._applied(connection, fact)
            case f.Attached() if fact.imsi is not None:
                row = kept.live_of_imsi(connection, fact.imsi)
                if row is not None and row.state in kept.ATTENDED:
                    self._attached(connection, row, fact)

    def _applied(self, connection: sa.Connection, fact: f.PolicyApplied) -> None:
        command: Mapping[str, Any] = fact.command or {}
        rows = kept.of_revision(connection, str(command.get("id"))) if command.get("do") == kept.DEPLOY else []
        for row in rows:
            imsis = [line["imsi"] for line in row.lines]
            if any(line.get("moved") for line in row.lines):
                kept.forget_addresses(connection, imsis)
            if row.asked == kept.UNDEPLOY:
                self._becomes(connection, row, kept.CANCELLED, fact.at, asked=None, said=row.said)
            elif not set(imsis) & set(fact.deployed):
                said = "the subscription is in the inventory no more"
                self._becomes(connection, row, kept.FAILED, fact.at, asked=None, said=said)
            else:
                self._becomes(connection, row, kept.WAITING, fact.at, asked=None, in_force_seq=fact.sequence)
                for line in row.lines:
                    self._attend(line)
        ours = {line["imsi"] for row in rows for line in row.lines}
        for imsi in fact.handed_back:
            row = kept.live_of_imsi(connection, imsi) if imsi not in ours else None
            if row is not None:
                by = str(command.get("actor") or "the files")
                self._end(connection, row, kept.TAKEN_BACK, f"taken back by the files ({by})", by, fact.at)

    def _attached(self, connection: sa.Connection, row: Any, fact: f.Attached) -> None:
        """Right or wrong?"""
        seen = {"seen": {**fact.seen, "verdict": fact.verdict}, "seen_at": fact.at}
        if fact.imei is None:
            if row.seen is None or row.seen.get("device"):
                said = "it attached, and its device was not reported"
                kept.change(connection, row.number, fact.at, said=said, **seen)
            return
        if fact.imei != row.imei:
            if row.state != kept.WRONG_DEVICE or (row.seen or {}).get("device") != fact.imei:
                said = f"device {fact.imei} attached with it, not {row.imei}"
                self._becomes(connection, row, kept.WRONG_DEVICE, fact.at, cause=fact.id, said=said, **seen)
        elif fact.verdict != "allow":
            said = f"{fact.verdict}: {fact.because}"
            if row.state != kept.REFUSED or row.said != said:
                self._becomes(connection, row, kept.REFUSED, fact.at, cause=fact.id, said=said, **seen)
        else:
            self._becomes(connection, row, kept.CONFIRMED, fact.at, cause=fact.id, said="", **seen)
            self._leave(row)

    def _end(self, connection: sa.Connection, row: Any, state: str, said: str, by: str, at: int) -> None:
        self._becomes(connection, row, state, at, asked=None, said=said, ended_by=by)

    def _becomes(
        self, connection: sa.Connection, row: Any, state: str, at: int, *, cause: str | None = None, said: str = "",
        **values: Any,
    ) -> None:
        kept.change(connection, row.number, at, state=state, said=said[:SAID_CHARACTERS_MAX], **values)
        log.info(
            "deployment %d: %s%s", row.number, state, f" ({said})" if said else "",
            extra=called("deployment-changed", deployment=row.number, state=state),
        )
        if state in TELLS:
            self._tell(connection, row.number, at, cause)

    def _tell(self, connection: sa.Connection, number: int, at: int, cause: str | None = None) -> None:
        row = kept.find(connection, number)
        assert row is not None
        known = known_of(connection, row)
        data = {"subscription": {"imsi": row.imsi, "iccid": row.iccid}, "deployment": document(row, known)}
        type_name = TELLS[row.state]
        name = f"{type_name}:{number}" + (f":{cause or at}" if type_name == "deployment.failed" else "")
        self._announcing.tell_parties(connection, Announcement(
            type_name, name, at, row.imsi, row.tenant, row.use_case, cause, correlation=row.correlator, data=data,
        ))  # fmt: skip

    def _attend(self, line: Mapping[str, Any]) -> None:
        for number in _numbers(line["imsi"], line["msisdn"]):
            self.attaching[number] = line["imsi"]

    def _leave(self, row: Any) -> None:
        for line in row.lines:
            for number in _numbers(line["imsi"], line["msisdn"]):
                self.attaching.pop(number, None)


def _numbers(imsi: str, msisdn: str | None) -> list[int]:
    """What its events may be known by."""
    return [Imsi.parse(imsi).number, *([Msisdn.parse(msisdn).number] if msisdn else [])]


def known_of(connection: sa.Connection, row: Any) -> Any | None:
    """Its subscription in the mirror."""
    return connection.execute(sa.select(t.subscription).where(t.subscription.c.imsi == row.imsi)).one_or_none()


def document(row: Any, known: Any | None, policy: Policy | None = None) -> dict[str, Any]:
    """A deployment as JSON; with the policy in force, it says more of how its address comes."""
    seen = dict(row.seen) if row.seen else None
    return {
        "number": row.number, "state": row.state, "said": row.said or None, "tenant": row.tenant, "iccid": row.iccid,
        "imsi": row.imsi, "imei": row.imei, "use_case": row.use_case, "segment": row.segment,
        "site": {"label": row.label, "latitude": row.latitude, "longitude": row.longitude},
        "address": address_of(row, known, policy), "generation": known.generation if known is not None else None,
        "seen": seen, "seen_at": when(row.seen_at) if row.seen_at else None,
        "created_at": when(row.created_at), "created_by": row.actor, "because": row.because or None,
        "changed_at": when(row.changed_at), "ended_by": row.ended_by, "correlator": row.correlator,
        "in_force_seq": row.in_force_seq,
    }  # fmt: skip


def address_of(row: Any, known: Any | None, policy: Policy | None) -> dict[str, Any]:
    """Its addresses where they are known, else how they come."""
    segment = policy.segment(row.segment) if policy is not None else {}
    pools = [str(segment[name]) for name in ("pool", "pool6", "address_pool6", "delegated_pool") if segment.get(name)]
    there = known is not None and known.segment == row.segment
    names = ("address", "prefix", "delegated")
    facts = {name: getattr(known, name) if there else None for name in names}
    if any(facts.values()):
        how = "given, and kept"
    elif row.segment is None:
        how = "by its gateway: its use case has no segment"
    elif policy is not None and not pools:
        how = "by its gateway: its segment has no pool"
    else:
        how = f"by the gate with its first session{f', from {pools[0]}' if pools else ''}, to keep"
    apn = segment.get("apn") or (known.apn if known is not None and there else None)
    return {"apn": apn, **facts, "how": how}


def _is_same(row: Any, wanted: Wanted) -> bool:
    same = (row.imei, row.use_case, row.label, row.latitude, row.longitude)
    asked = (wanted.imei, wanted.use_case, wanted.label, wanted.latitude, wanted.longitude)
    return row.state != kept.CANCELLING and same == asked
