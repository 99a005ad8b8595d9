"""What is erased of a subscription, and from which rows: its numbers, its devices, its addresses and its places.

What stays is that something happened: kinds, times, counts, the network and the radio. Statistics still add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simward import identity
from simward.engine.call_records import among_records
from simward.engine.events import SESSION_ID_OCTETS
from simward.engine.journal import BEHAVIOUR, EVENTS, INVENTORY, RECORDS, Layout, Row
from simward.engine.story import COMMANDS, Subject
from simward.engine.tables import InventoryDelta
from simward.engine.watching.own_inputs import OwnInput
from simward.engine.whole_ids import HASH_OCTETS, notes_of_pairs, pairs_noted
from simward.registry.spellings import Spellings

EVENT_IDENTIFIERS = (
    "imsi", "user", "msisdn", "imei", "subject", "cell", "address", "session_id", "session_id_octets", "prefix_high",
    "prefix_low", "delegated_high", "multi_session", "class_token", "class_row", "class_check", "prefix_length",
    "delegated_length",
)  # fmt: skip
"""Columns of an event that say whose it was, in which device, at which address or where."""
OUTPUT_IDENTIFIERS = (
    "imsi", "iccid", "was", "now", "expected", "before", "after", "address", "session_id", "session_id_octets",
)  # fmt: skip
EVIDENCE = ("was", "now", "expected")
NOT_REPORTED_AREA = -1
ERASED = "(erased)"


@dataclass(frozen=True)
class Identifiers:
    """The numbers of one subscription, as the engine keeps them."""

    imsis: frozenset[int]
    iccid: int
    msisdns: frozenset[int]

    @staticmethod
    def of(subject: Subject) -> Identifiers:
        """From whoever a person named."""
        return Identifiers(frozenset(subject.imsis), subject.iccid, frozenset(subject.msisdns))

    @property
    def numbers(self) -> frozenset[int]:
        """All of them: what must be nowhere in the end."""
        return self.imsis | self.msisdns | ({self.iccid} if self.iccid else set())

    @property
    def texts(self) -> list[str]:
        """As digits, in the spellings that people and programs use, the longest first."""
        found = {identity.imsi_text(one) for one in self.imsis} | {str(one)[1:] for one in self.msisdns}
        if self.iccid:
            text = identity.iccid_text(self.iccid)
            found |= {text, text[:-1]}  # with and without its check digit
        return sorted((one for one in found if len(one) >= 5), key=len, reverse=True)

    def without(self, text: str) -> str:
        """A text with every one of them struck out."""
        return str(Spellings(self.texts).struck(text, ERASED))

    def as_document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"imsis": sorted(self.imsis), "iccid": self.iccid, "msisdns": sorted(self.msisdns)}

    @staticmethod
    def from_document(said: dict[str, Any]) -> Identifiers:
        """What `as_document` gave."""
        return Identifiers(frozenset(said["imsis"]), int(said["iccid"]), frozenset(said["msisdns"]))


class Eraser:
    """Strikes one subscription out of journal rows, in their order: a Class stands for a request that came before."""

    def __init__(self, who: Identifiers) -> None:
        self.who = who
        self.rows = 0
        self._spellings = Spellings(who.texts)
        self._subject = Subject(set(who.imsis), who.iccid, set(who.msisdns))

    def row(self, row: Row, layout: Layout) -> Row:
        """The row without the identifiers; the same object where it had none."""
        inputs, outputs, notes = row.inputs, self._outputs(row.outputs, layout.outputs), self._notes(row)
        if row.kind == EVENTS:
            inputs = self._events(row, layout.events)
            if inputs is not row.inputs and "session_ids" in notes:
                notes = self._whole_ids(notes, np.frombuffer(inputs, layout.events))
        elif row.kind == INVENTORY:
            inputs = self._inventory(row.inputs)
        elif row.kind == RECORDS:
            inputs = self._records(row.inputs, layout.events)
        elif row.kind == BEHAVIOUR:
            inputs = self._own_input(row.inputs)
        if inputs is row.inputs and outputs is row.outputs and notes is row.notes:
            return row
        self.rows += 1
        return replace(row, inputs=inputs, outputs=outputs, notes=notes)

    def inventory(self, row: Row) -> Row:
        """A row of the inventory alone."""
        return replace(row, inputs=self._inventory(row.inputs))

    def _events(self, row: Row, dtype: np.dtype) -> bytes:
        events = np.frombuffer(row.inputs, dtype)
        mine = self._subject.among_events(events, False, first=row.first)
        if not len(mine):
            return row.inputs
        erased = events.copy()
        commands = np.isin(erased["kind"], COMMANDS)
        for name in EVENT_IDENTIFIERS:
            if name in (dtype.names or ()):
                kept = erased[name][mine] if name != "subject" else np.where(commands, 0, erased[name])[mine]
                erased[name][mine] = kept if name == "subject" else 0
        erased["area"][mine] = NOT_REPORTED_AREA
        return erased.tobytes()

    def _own_input(self, octets: bytes) -> bytes:
        """A verdict about it stays as one about nobody; fits name no subscription."""
        one = OwnInput.from_bytes(octets)
        if int(one.said.get("imsi", 0)) not in self.who.imsis:
            return octets
        said = {**one.said, "imsi": 0, "because": self._spellings.struck(str(one.said["because"]), ERASED)}
        return replace(one, said=said).to_bytes()

    def _records(self, octets: bytes, dtype: np.dtype) -> bytes:
        """Call detail records stay as usage of nobody; a telephone number of its own that another IMSI has goes too."""
        records = np.frombuffer(octets, dtype)
        mine = among_records(records, self.who.imsis, self.who.msisdns)
        numbers = np.isin(records["msisdn"], list(self.who.msisdns))
        if not (mine.any() or numbers.any()):
            return octets
        erased = records.copy()
        erased["imsi"][mine] = 0
        erased["msisdn"][mine | numbers] = 0
        return erased.tobytes()

    def _outputs(self, octets: bytes, dtype: np.dtype) -> bytes:
        outputs = np.frombuffer(octets, dtype)
        if not len(outputs):
            return octets
        mine = np.isin(outputs["imsi"], list(self.who.imsis))
        if self.who.iccid:
            mine |= outputs["iccid"] == self.who.iccid
        named = {name: np.isin(outputs[name], list(self.who.imsis)) for name in EVIDENCE}
        if not (mine.any() or any(one.any() for one in named.values())):
            return octets
        erased = outputs.copy()
        for name in OUTPUT_IDENTIFIERS:
            if name in (dtype.names or ()):
                erased[name][mine] = 0
        for name, one in named.items():  # evidence about another subscription that names this one
            erased[name][one] = 0
        return erased.tobytes()

    @staticmethod
    def _whole_ids(notes: dict[str, Any], left: np.ndarray) -> dict[str, Any]:
        """The notes with those whole Acct-Session-Ids alone that an event still has a part of."""
        parts = {one.tobytes() for one in left["session_id"]}
        pairs = [
            (named, whole) for named, whole in pairs_noted(notes["session_ids"])
            if whole[: SESSION_ID_OCTETS - HASH_OCTETS] + named in parts
        ]  # fmt: skip
        others = {name: value for name, value in notes.items() if name != "session_ids"}
        return {**others, "session_ids": notes_of_pairs(pairs)} if pairs else others

    def _inventory(self, octets: bytes) -> bytes:
        delta = InventoryDelta.from_bytes(octets)
        mine = np.isin(delta.upserts["imsi"], list(self.who.imsis))
        if self.who.iccid:
            mine |= delta.upserts["iccid"] == self.who.iccid
        gone = np.isin(delta.removals, list(self.who.imsis))
        if not (mine.any() or gone.any()):
            return octets
        return InventoryDelta(delta.upserts[~mine], delta.removals[~gone], delta.use_cases).to_bytes()

    def _notes(self, row: Row) -> dict[str, Any]:
        if not row.notes:
            return row.notes
        struck: dict[str, Any] = self._spellings.struck(row.notes, ERASED)
        return row.notes if struck == row.notes else struck


def leftovers(arrays: dict[str, np.ndarray], numbers: Iterable[int]) -> list[str]:
    """Where in tables one of these numbers still stands, as table.column."""
    wanted = list(numbers)
    found = []
    for name, array in arrays.items():
        for field in array.dtype.names or ():
            if array.dtype[field].kind == "i" and array.dtype[field].itemsize == 8 and array.dtype[field].shape == ():
                if np.isin(array[field], wanted).any():
                    found.append(f"{name}.{field}")
    return found
