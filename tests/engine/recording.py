"""A journal in memory, written by the real fold from events that a test spells out in one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.engine.apply import revision_row
from simward.engine.fold import Fold
from simward.engine.journal import INVENTORY, POLICY, Journal, MemoryJournal, Row, events_row
from simward.engine.outputs import OUTPUT
from simward.engine.tables import DECLARED, InventoryDelta
from simward.identity import Cell, Iccid, Imsi, Msisdn, Plmn, rat_number
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import ControlSettings, GateSettings, Settings

METERS = """\
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
responses: {default: observe, device-change: lock, device-change/software: observe}
release_when: never
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""
IMSI, ICCID, MSISDN = "001010000000001", "8900101000000000019", "+4740000001"
OTHER_IMSI, OTHER_ICCID = "001010000000002", "8900101000000000027"
METER, PHONE = 35000000000001, 35999900000007
MINUTE, HOUR = 60, 3600
MIDNIGHT = 1_795_392_000  # 2026-11-23T00:00:00Z


class Recording:
    """`journal` holds what was recorded so far; time stands still unless `after` moves it."""

    def __init__(self, policies: str = METERS, journal: Journal | None = None) -> None:
        self.journal: Journal = journal or MemoryJournal()
        self.fold = Fold.new()
        self.journal.register_kernel(self.fold.kernel, self.fold.manifest())
        self.now = MIDNIGHT * 1_000_000
        self.revise(policies)

    def after(self, seconds: float) -> Recording:
        """Let time pass."""
        self.now += int(seconds * 1_000_000)
        return self

    def revise(self, policies: str) -> None:
        """A policy revision."""
        settings = Settings(Path("."), GateSettings(), (), ControlSettings(), (), (), ())
        tables = compile_policy(read_policies({"policies/test.yaml": policies}), settings)
        first = self.fold.sequence + 1
        self.fold.policy(tables, self.now)
        self._append(Row(first, 1, POLICY, self.now, self.fold.kernel, tables.to_bytes(), b"", self._texts()))

    def declare(self, imsi: str = IMSI, iccid: str = ICCID, msisdn: str = MSISDN, **more: Any) -> Recording:
        """One line of the inventory."""
        line = np.zeros(1, DECLARED)
        line["imsi"], line["iccid"] = Imsi.parse(imsi).number, Iccid.parse(iccid).number
        line["msisdn"] = Msisdn.parse(msisdn).number if msisdn else 0
        for name, value in more.items():
            line[name] = value
        delta = InventoryDelta(line, np.zeros(0, np.int64), ["water-meter"])
        first = self.fold.sequence + 1
        self.fold.inventory(delta, self.now)
        self._append(Row(first, 1, INVENTORY, self.now, self.fold.kernel, delta.to_bytes(), b"", self._texts()))
        return self

    def remove(self, imsi: str = IMSI) -> Recording:
        """The same line taken out of the inventory."""
        delta = InventoryDelta(np.zeros(0, DECLARED), np.array([Imsi.parse(imsi).number]), [])
        self._append(revision_row(self.fold, delta, self.now))
        return self

    def event(self, kind: int, session: str = "", note: dict[str, str] | None = None, **said: Any) -> np.ndarray:
        """One event; what is not said is what an honest meter reports. Returns its outputs."""
        event = ev.empty(1)
        event["kind"] = kind
        event["received_at"] = event["happened_at"] = self.now
        reported: dict[str, Any] = {"gateway": "pgw1"}
        if kind in (ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP):
            reported |= {"imsi": IMSI, "imei": METER, "software": 1, "plmn": "00101", "rat": "nb-iot",
                         "cell": "ecgi:1001", "area": 7, "apn": "meters.iot"}  # fmt: skip
        for name, value in (reported | said).items():
            event[name] = self._number(name, value)
        event["session_id_octets"] = len(session)
        event["session_id"][0, : len(session)] = np.frombuffer(session.encode(), np.uint8)
        if kind not in (ev.EFFECT_RESULT, ev.CHANGE_RESULT):
            event["request"] = event["request"][0] or self.fold.sequence + 1
        first = self.fold.sequence + 1
        folded = self.fold.events(event)
        outputs = np.asarray(folded.outputs).view(OUTPUT).copy()
        if folded.kept[0]:
            notes = self._texts() | ({"commands": {str(first): note}} if note else {})
            texts = [(number, text) for number, text in self._taken]
            notes.pop("texts", None)
            self._append(events_row(first, self.now, self.fold.kernel, event, outputs, texts, notes))
        return outputs

    def asks(self, **said: Any) -> np.ndarray:
        """An Access-Request."""
        return self.event(ev.ACCESS_REQUEST, **said)

    def session(self, name: str, seconds: float = MINUTE, **said: Any) -> Recording:
        """An honest session: asked for, begun, and ended by its device."""
        self.asks(**{key: value for key, value in said.items() if key != "address"})
        said.setdefault("address", "10.64.0.0")
        self.event(ev.ACCOUNTING_START, name, **said)
        self.after(seconds)
        self.event(ev.ACCOUNTING_STOP, name, cause=1, uplink_octets=2000, downlink_octets=300, **said)
        return self

    def command(self, kind: int, because: str, iccid: str = ICCID, flags: int = 0) -> np.ndarray:
        """A command of a person."""
        note = {"do": ev.KIND_NAMES[kind], "actor": "ada", "because": because}
        return self.event(kind, note=note, subject=Iccid.parse(iccid).number, imsi=IMSI, gateway=0, flags=flags)

    def _append(self, row: Row) -> None:
        self.journal.append(row)

    def _texts(self) -> dict[str, Any]:
        self._taken = self.fold.state.texts.take_new()
        if not self._taken:
            return {}
        return events_row(1, 0, "", np.zeros(0, ev.EVENT), np.zeros(0, OUTPUT), self._taken).notes

    def _number(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if name in ("apn", "gateway", "client"):
            return self.fold.state.texts.intern(value.encode())
        if name == "address":
            return int.from_bytes(bytes(int(part) for part in value.split(".")), "big")
        read: dict[str, Any] = {
            "imsi": Imsi.parse, "user": Imsi.parse, "msisdn": Msisdn.parse, "plmn": Plmn.parse, "cell": Cell.parse,
        }  # fmt: skip
        return read[name](value).number if name in read else rat_number(value)
