"""Recorded outputs of one row put into words as facts (facts.py), in their order. Nothing is judged or recomputed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from simward import identity
from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.benign import Benign
from simward.engine.both_journals import verdict_in
from simward.engine.journal import BEHAVIOUR, EVENTS, FINDINGS, INVENTORY, POLICY, Layout, Row, row_events, row_outputs
from simward.engine.layouts import CONFINED_BY_RULE
from simward.engine.past_sessions import facts_of
from simward.engine.phrases import address_text, prefix_text
from simward.engine.tables import HANDED_BACK, OF_API, InventoryDelta
from simward.engine.words import WATCH_SHARD, Lexicon, changes, finding, finding_id, imeisv_text, session_id_text
from simward.policy.compile import CANONICAL
from simward.response.facts import (
    AddressGiven,
    Attached,
    Bound,
    CommandAnswered,
    DeviceSeen,
    EffectProved,
    EffectSent,
    Fact,
    FindingBegan,
    FindingEnded,
    FindingUpdated,
    Judged,
    Locked,
    PlanEnded,
    Planned,
    PolicyApplied,
    Quarantined,
    Refused,
    Released,
    Restricted,
    SessionStopped,
    Unbound,
)

NOBODY: Mapping[int, str] = {}


class Reading:
    """Makes facts of rows; keeps the lexicon. `take` every row of both journals once, in order."""

    def __init__(self, lexicon: Lexicon, layouts: Mapping[str, Layout]) -> None:
        self.lexicon = lexicon
        self.layouts = layouts
        self._row: Row | None = None
        self._events: np.ndarray | None = None

    def take(
        self, row: Row, awaited: Collection[int] = (), attaching: Mapping[int, str] = NOBODY
    ) -> Iterator[Fact]:
        """The facts of one row. `awaited` are the IMSIs (numbers) of which a Stop would be proof; `attaching` are IMSIs
        and MSISDNs (numbers) of subscriptions whose coming is waited for, with the IMSI of each."""
        self.lexicon.take(row)
        self._row, self._events = row, None
        notes: Mapping[str, Any] = row.notes.get("commands") or {}
        if row.kind in (POLICY, INVENTORY):
            is_policy = row.kind == POLICY
            deployed, handed_back = ((), ()) if is_policy else _owned(row)
            yield PolicyApplied(
                id=finding_id(row.first, 0), at=row.at, sequence=row.first, what="policy" if is_policy else "inventory",
                documents=json.loads(self.lexicon.sources.get(CANONICAL, "{}")) if is_policy else {},
                command=notes.get(str(row.first)), deployed=deployed, handed_back=handed_back,
            )  # fmt: skip
        if row.kind == BEHAVIOUR:
            yield from self._judged(row)
        if row.outputs:
            yield from self._outputs(row, notes)
        if row.kind == EVENTS and awaited:
            yield from self._stops(row, awaited)
        if row.kind == EVENTS and attaching:
            yield from self._attached(row, attaching)

    def _judged(self, row: Row) -> Iterator[Fact]:
        said = verdict_in(row)
        one = None if said is None else Benign.of(row.at, said)
        if one is None:
            return
        case = one.cohort.use_case if one.cohort is not None else 0
        yield Judged(
            id=finding_id(row.last, 0, f"{WATCH_SHARD}-verdict"), at=row.at, sequence=row.last,
            imsi=identity.imsi_text(one.imsi) if one.imsi else None, finding=one.finding, by=one.by, why=one.because,
            tenant=self.lexicon.tenant_of(case), use_case=self.lexicon.use_case(case) or None,
            until_day=one.until_day, subject=one.subject, about=one.about(self.lexicon),
        )  # fmt: skip

    def _outputs(self, row: Row, notes: Mapping[str, Any]) -> Iterator[Fact]:
        rows = row_outputs(row, self.layouts)
        # What is given with a binding is known when the binding is told.
        rows = rows[np.lexsort((rows["index"], rows["kind"] != out.ADDRESS_GIVEN, rows["sequence"]))]
        verdicts = {int(one["sequence"]): int(one["verdict"]) for one in rows[rows["kind"] == out.VERDICT]}
        deployed = row.kind == INVENTORY  # what a revision binds is bound by who sent it
        for one in rows:
            make = _MAKERS.get(int(one["kind"]))
            if make is None:
                continue
            by_command = int(one["event_kind"]) in COMMAND_KINDS or (deployed and int(one["kind"]) == out.BOUND)
            said = _note(notes, one) if by_command else None
            fact = make(self, one, {**self._base(one, row), "command": said}, verdicts)
            if fact is not None:
                yield fact

    def _base(self, one: Any, row: Row) -> dict[str, Any]:
        use_case = int(one["use_case"])
        kind = int(one["kind"])
        decided = row.kind == FINDINGS or not (kind in NOT_BECAUSE or int(one["event_kind"]) in COMMAND_KINDS)
        return {
            "id": finding_id(one["sequence"], one["index"], self.lexicon.shard),
            "at": int(one["at"]), "sequence": int(one["sequence"]),
            "tenant": self.lexicon.tenant_of(use_case),
            "imsi": identity.imsi_text(int(one["imsi"])) if one["imsi"] else None,
            "iccid": identity.iccid_text(int(one["iccid"])) if one["iccid"] else None,
            "use_case": self.lexicon.use_case(use_case) or None,
            "segment": self.lexicon.segment_of(use_case) or None,
            "generation": int(one["generation"]) if one["iccid"] and row.kind != FINDINGS else -1,
            "because": self.lexicon.reason(int(one["detector"]), one["class"]) if decided else None,
        }  # fmt: skip

    def _stops(self, row: Row, awaited: Collection[int]) -> Iterator[Fact]:
        events = row_events(row, self.layouts)
        found = (events["kind"] == ev.ACCOUNTING_STOP) & np.isin(events["imsi"], list(awaited))
        for position in np.flatnonzero(found).tolist():
            one, sequence = events[position], row.first + position
            yield SessionStopped(
                id=finding_id(sequence, 0, f"{self.lexicon.shard}-event"), at=int(one["received_at"]),
                sequence=sequence, imsi=identity.imsi_text(int(one["imsi"])), session_id=session_id_text(one),
                gateway=self.lexicon.text(one["gateway"]) or None,
            )  # fmt: skip

    def _attached(self, row: Row, attaching: Mapping[int, str]) -> Iterator[Fact]:
        events = row_events(row, self.layouts)
        found = np.flatnonzero(np.isin(events["kind"], (ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM)))
        named = zip(*(events[name][found].tolist() for name in ("imsi", "msisdn", "user")), strict=True)
        whose = ((place, next((attaching[one] for one in names if one in attaching), None))
                 for place, names in zip(found.tolist(), named, strict=True))  # fmt: skip
        verdicts: dict[int, Any] | None = None
        for place, imsi in whose:
            if imsi is None:
                continue
            if verdicts is None:
                outputs = row_outputs(row, self.layouts)
                verdicts = {int(one["sequence"]): one for one in outputs[outputs["kind"] == out.VERDICT]}
            one, sequence = events[place], row.first + place
            said = verdicts.get(sequence)
            yield Attached(
                id=finding_id(sequence, 0, f"{self.lexicon.shard}-event"), at=int(one["received_at"]),
                sequence=sequence, imsi=imsi, imei=identity.imei_text(int(one["imei"])) or None,
                verdict=out.VERDICT_NAMES[int(said["verdict"])] if said is not None else "allow",
                because=self.lexicon.reason(int(said["detector"]), said["class"]) if said is not None else None,
                seen=facts_of(one, self.lexicon),
            )  # fmt: skip

    def _began(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return FindingBegan(**base, document=self._finding(one, verdicts), seen=self._seen(one))

    def _seen(self, one: Any) -> Mapping[str, str]:
        """What its event reported; nothing where no event of this row made it."""
        row = self._row
        place = int(one["sequence"]) - row.first if row is not None and row.kind == EVENTS else -1
        if row is None or not 0 <= place < row.count:
            return {}
        if self._events is None:
            self._events = row_events(row, self.layouts)
        return facts_of(self._events[place], self.lexicon)

    def _updated(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return FindingUpdated(**base, document=self._finding(one, verdicts))

    def _ended(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return FindingEnded(**base, document=self._finding(one, verdicts))

    def _finding(self, one: Any, verdicts: Mapping[int, int]) -> dict[str, Any]:
        asked = int(one["event_kind"]) == ev.ACCESS_REQUEST
        return finding(one, self.lexicon, verdicts.get(int(one["sequence"]), out.ALLOW) if asked else None)

    def _bound(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        imei = int(one["now"]) // 1000
        return Bound(
            **base, device=imeisv_text(one["now"]), imei=identity.imei_text(imei),
            apn=self.lexicon.text(one["apn"]) or None,
            address=address_text(one["address"]) if one["address"] else None,
        )  # fmt: skip

    def _unbound(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        was = identity.imei_text(int(one["was"])) if one["was"] else None
        return Unbound(**base, imei=was, removed=int(one["event_kind"]) == out.BY_REVISION)

    def _seen_in(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        was = identity.imei_text(int(one["was"])) or None
        return DeviceSeen(**base, was=was, imei=identity.imei_text(int(one["now"])))

    def _restricted(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return Restricted(**base, limited=int(one["kind"]) == out.RESTRICTED)

    def _locked(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return Locked(**base, until=int(one["was"]) or None, by_person=int(one["event_kind"]) in COMMAND_KINDS)

    def _quarantined(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return Quarantined(**base, until=int(one["was"]) or None)

    def _released(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        was = "quarantine" if int(one["now"]) >= CONFINED_BY_RULE else "lock"
        return Released(**base, why=out.RELEASE_NAMES[int(one["result"])], was=was)

    def _given(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        prefix_length, delegated_length = divmod(int(one["expected"]), 256)
        return AddressGiven(
            **base, apn=self.lexicon.text(one["apn"]) or None,
            address=address_text(one["address"]) if one["address"] else None,
            prefix=prefix_text(one["was"], 0, prefix_length) or None,
            delegated=prefix_text(one["now"], 0, delegated_length) or None,
        )  # fmt: skip

    def _verdict(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return Refused(**base, verdict=out.VERDICT_NAMES[int(one["verdict"])])

    def _effect(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        first = int(one["opened_sequence"]) or int(one["sequence"])
        index = one["opened_index"] if one["opened_sequence"] else one["index"]
        change = int(one["kind"]) == out.CHANGE
        return EffectSent(
            **base, effect=finding_id(first, index, self.lexicon.shard),
            what=out.CHANGE_NAMES[int(one["result"])] if change else "disconnect",
            gateway=self.lexicon.text(one["gateway"]) or None, session_id=session_id_text(one),
            held=out.HELD_NAMES[int(one["held"])] or None,
        )  # fmt: skip

    def _proof(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return EffectProved(
            **base, effect=finding_id(one["opened_sequence"], one["opened_index"], self.lexicon.shard),
            result=ev.EFFECT_RESULT_NAMES[int(one["result"])], error_cause=int(one["error_cause"]) or None,
        )  # fmt: skip

    def _answer(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        return CommandAnswered(**base, answer=out.ANSWER_NAMES[int(one["result"])])

    def _planned(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        what = int(one["result"])
        device = bool(what & out.PLAN_DEVICE)
        was, now = (identity.imei_text(int(one[name])) or None if device else None for name in ("was", "now"))
        return Planned(
            **base, order=int(one["expected"]), device=device, place=bool(what & out.PLAN_PLACE), was=was, now=now,
            changes=changes(one, self.lexicon) or {},
        )  # fmt: skip

    def _plan_ended(self, one: Any, base: dict[str, Any], verdicts: Mapping[int, int]) -> Fact:
        why = out.ENDED_NAMES[int(one["result"])]
        return PlanEnded(**base, order=int(one["expected"]), imei=identity.imei_text(int(one["now"])) or None, why=why)


COMMAND_KINDS = frozenset(ev.COMMANDS)
NOT_BECAUSE = frozenset(
    (out.BOUND, out.UNBOUND, out.ADDRESS_GIVEN, out.COMMAND_ANSWER, out.EFFECT_PROOF, out.PLANNED, out.PLAN_ENDED,
     out.DEVICE_SEEN, out.RESTRICTED, out.UNRESTRICTED)
)
"""Kinds of outputs that no detector decided: their `detector` says nothing."""

_MAKERS = {
    out.FINDING_BEGAN: Reading._began, out.FINDING_UPDATED: Reading._updated, out.FINDING_ENDED: Reading._ended,
    out.BOUND: Reading._bound, out.UNBOUND: Reading._unbound, out.LOCKED: Reading._locked,
    out.CONFINED: Reading._quarantined, out.DEVICE_SEEN: Reading._seen_in, out.RESTRICTED: Reading._restricted,
    out.UNRESTRICTED: Reading._restricted,
    out.RELEASED: Reading._released, out.ADDRESS_GIVEN: Reading._given, out.VERDICT: Reading._verdict,
    out.DISCONNECT: Reading._effect, out.CHANGE: Reading._effect, out.EFFECT_PROOF: Reading._proof,
    out.COMMAND_ANSWER: Reading._answer, out.PLANNED: Reading._planned, out.PLAN_ENDED: Reading._plan_ended,
}  # fmt: skip


def _owned(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The IMSIs of an inventory's lines that become the API's, and of those that become the files' again."""
    lines = InventoryDelta.from_bytes(row.inputs).upserts
    chosen = (lines["imsi"][lines["owner"] == owner].tolist() for owner in (OF_API, HANDED_BACK))
    deployed, handed_back = (tuple(map(identity.imsi_text, imsis)) for imsis in chosen)
    return deployed, handed_back


def _note(notes: Mapping[str, Any], one: Any) -> Mapping[str, Any]:
    """Who asked for a command and why: kept with its row under its sequence, or under the number of its id."""
    for key in (str(int(one["sequence"])), str(int(one["subject"]))):
        said = notes.get(key)
        if isinstance(said, dict):
            return said
    return {}
