"""Recorded outputs put into words: OUTPUT rows become findings that people and other programs can read.

Nothing here judges anything again. What the numbers mean is read from the journal itself: the texts that a row brought,
the names of the policy in force at that row, and the manifest of the kernel that wrote it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from simward import identity
from simward.detectors.detector import EVIDENCE_KINDS, RESPONSE_NAMES, SEVERITY_NAMES
from simward.engine import outputs as out
from simward.engine import weighing
from simward.engine.behaviour.cohort_numbers import ANY, MANY, cohort_of
from simward.engine.events import ACCESS_REQUEST
from simward.engine.last_words import hours_text, last_word
from simward.engine.phrases import (
    NOT_REPORTED,
    address_text,
    area_text,
    device_text,
    distance_text,
    octets,
    printable,
    span,
    when,
)
from simward.engine.tables import unpack

SHARD = "0"
WATCH_SHARD = "w0"
"""The watch's findings about shard 0: a sequence and index may be those of one of the gate's."""
FINDING_KINDS = (out.FINDING_BEGAN, out.FINDING_UPDATED, out.FINDING_ENDED)
SPOKEN_FORMS = {"imei", "imeisv", "plmn", "rat", "cell", "apn", "address"}
"""Evidence kinds where a zero in `now` means that the network did not say."""

WHOLE_FLEET, MANY_OF_THE_FLEET = "the whole fleet", "many of the fleet"
"""What findings are about that no tenant has for itself."""
SERVICES = ("data", "sms", "voice", "")
"""As `usage_text` counts them."""

ABOUT_WORDS = {"plmn": "network", "software": "model", "use-case": "use case"}

FINDING_KEYS = (
    "id", "at", "detector", "class", "severity", "tenant", "imsi", "iccid", "use_case", "was", "now", "expected",
    "verdict", "response", "held", "ended_at", "wanted", "scope", "gateway", "apn", "address", "session_id", "changes",
    "about", "segment", "projection", "last_word", "channels", "new_hours",
)  # fmt: skip
"""The keys of a finding as JSON; the first sixteen are what others may rely on."""
NEWEST = ("verdict", "response", "wanted", "held", "severity", "now", "projection", "channels", "new_hours")
"""Of a finding that lasts, what its latest row says."""
OTHERWISE = ("projects", "tells_last_word", "weighs")
"""Detectors that use `before` and `after` of an output for something else than what changed."""


def imeisv_text(value: int) -> str:
    """The evidence kind `imeisv`: imei * 1000 + (software + 1)."""
    imei, software = divmod(int(value), 1000)
    return device_text(imei, software - 1)


def usage_text(value: int) -> str:
    """The evidence kind `usage`: amount * 4 + service (detectors/budget_exceeded.py)."""
    amount, service = divmod(int(value), len(SERVICES))
    if service == 1:
        return f"{amount} messages"
    return span(amount * 1_000_000) if service else octets(amount)


def finding_id(sequence: int, index: int, shard: str = SHARD) -> str:
    """The name of an output for all time: shard/sequence/index."""
    return f"{shard}/{int(sequence)}/{int(index)}"


class Lexicon:
    """What numbers mean at the row being read. Feed it every row, in order, with `take`."""

    def __init__(self, manifest_of: Callable[[str], Mapping[str, Any]]) -> None:
        self._manifest_of = manifest_of
        self._manifests: dict[str, list[Mapping[str, Any]]] = {}
        self._texts: dict[int, str] = {}
        self._kernel = ""
        self.shard = SHARD
        self._names: dict[str, list[str]] = {"use_cases": [""], "segments": [""], "tenants": ["default"]}
        self.sources: Mapping[str, str] = {}
        """What the policy in force was made from, by name (`PolicyTables.sources`)."""
        self._tenant_of: list[int] = [0]
        self._segment_of: list[int] = [0]
        self._segment_at: dict[str, str] = {}

    def take(self, row: Any) -> None:
        """Learn from one journal row: its texts, its kernel and, where it is one, its policy."""
        for number, encoded in row.notes.get("texts", ()):
            self._texts[int(number)] = printable(base64.b64decode(encoded))
        self._kernel = row.kernel
        self.shard = WATCH_SHARD if row.kind == "findings" else SHARD
        if row.kind == "policy":
            self.policy(row.inputs)

    def policy(self, blob: bytes) -> None:
        """Names as of this policy revision."""
        arrays, notes = unpack(blob)
        self._names = notes["names"]
        self.sources = notes.get("sources", {})
        self._tenant_of = [int(one) for one in arrays["use_cases"]["tenant"]]
        self._segment_of = [int(one) for one in arrays["use_cases"]["segment"]]
        self._segment_at = {
            bytes(row["apn_name"][: row["apn_octets"]]).decode("ascii", "replace"): self.segment(number)
            for number, row in enumerate(arrays["segments"]) if row["apn_octets"]
        }  # fmt: skip

    def load(self, texts: Iterable[tuple[int, bytes]]) -> None:
        """Take texts that a reader kept from the rows before."""
        for number, encoded in texts:
            self._texts[number] = printable(encoded)

    def learn(self, name_of: Callable[[int], str], count: int) -> None:
        """Take over texts that a fold has beyond those that the journal brought (a policy never journalled)."""
        for number in range(len(self._texts), count):
            self._texts.setdefault(number, name_of(number))

    def text(self, number: int) -> str:
        """An APN, gateway or client name by its number; empty where it is none."""
        return self._texts.get(int(number), "")

    def use_case(self, number: int) -> str:
        """The name of a use case; empty where the subscription has none."""
        return str(_at(self._names.get("use_cases", []), number))

    @property
    def use_cases(self) -> list[str]:
        """The names of those in the policy in force."""
        return [name for name in self._names.get("use_cases", []) if name]

    def use_case_number(self, name: str) -> int:
        """The number of a use case in the policy in force, 0 where it is not there."""
        names = self._names.get("use_cases", [])
        return names.index(name) if name in names else 0

    def segment(self, number: int) -> str:
        """The name of a segment."""
        return str(_at(self._names.get("segments", []), number))

    def segment_of(self, use_case: int) -> str:
        """The name of the segment that a use case belongs to."""
        return self.segment(_at(self._segment_of, use_case) or 0)

    def segment_at(self, apn: str) -> str | None:
        """The name of the segment behind an APN; None where the policy in force has none there."""
        return self._segment_at.get(apn)

    def tenant_of(self, use_case: int) -> str:
        """The tenant that owns a use case."""
        return _at(self._names.get("tenants", []), _at(self._tenant_of, use_case) or 0) or "default"

    def tenant(self, number: int) -> str:
        """The name of a tenant."""
        return _at(self._names.get("tenants", []), number) or "default"

    def cohort(self, number: int) -> str:
        """A cohort by what its members have in common."""
        if number == MANY:
            return MANY_OF_THE_FLEET
        one = cohort_of(number)
        parts = [f"use case {self.use_case(one.use_case) or one.use_case}"] if one.use_case != ANY else []
        if one.use_case == ANY and one.tenant != ANY:
            parts.append(f"tenant {_at(self._names.get('tenants', []), one.tenant) or one.tenant}")
        if one.tac != ANY:
            parts.append(f"model {one.tac:08d}" if one.tac else "no model reported")
        if one.rat != ANY:
            parts.append(identity.rat_text(one.rat) if one.rat else "no radio access reported")
        return ", ".join(parts) or WHOLE_FLEET

    def detector(self, number: int) -> Mapping[str, Any]:
        """The manifest entry of a detector, as the kernel of this row numbers them."""
        if self._kernel not in self._manifests:
            self._manifests[self._kernel] = list(self._manifest_of(self._kernel).get("detectors", ()))
        return _at(self._manifests[self._kernel], number) or {"id": f"detector-{int(number)}"}

    def class_name(self, detector: int, number: int) -> str:
        """The name of a class (1 is the first); empty for 0."""
        return str(_at(self.detector(detector).get("classes", []), number))

    def reason(self, detector: int, class_number: int) -> str:
        """`detector/class`, as policy spells it."""
        name, class_name = str(self.detector(detector)["id"]), self.class_name(detector, class_number)
        return f"{name}/{class_name}" if class_name else name

    def evidence(self, kind: str, value: int, now: bool = False) -> str | int | None:
        """One of was, now, expected in words. None where there is nothing to say."""
        value = int(value)
        if kind == "count":
            return value
        if value == 0 or kind == "none":
            return NOT_REPORTED if now and kind in SPOKEN_FORMS else None
        return self._words(kind, value)

    def _words(self, kind: str, value: int) -> str | int:
        if kind in ("apn", "gateway", "text"):
            return self.text(value) or f"text {value}"
        if kind == "use-case":
            return self.use_case(value) or f"number {value}"
        if kind == "cohort":
            return self.cohort(value)
        if kind == "segment":
            return self.segment(value) or f"segment {value}"
        assert kind in EVIDENCE_KINDS, f"unknown kind of evidence {kind}"
        return _WORDS[kind](value)


_WORDS: dict[str, Callable[[int], str]] = {
    "imei": identity.imei_text,
    "imeisv": imeisv_text,
    "imsi": identity.imsi_text,
    "plmn": identity.plmn_text,
    "rat": identity.rat_text,
    "cell": identity.cell_text,
    "address": address_text,
    "time": when,
    "area": area_text,
    "distance": distance_text,
    "usage": usage_text,
    "model": lambda value: f"{int(value):08d}",
    "bits": lambda value: f"{int(value) / 256:.1f} bits",
    "software": lambda value: f"{int(value) // 100:08d} software {int(value) % 100:02d}",
    "hours": hours_text,
}

CHANGED = (
    ("device", "imeisv"), ("cell", "cell"), ("area", "number"), ("network", "plmn"), ("rat", "rat"),
    ("gateway", "gateway"), ("address", "address"), ("apn", "apn"),
)  # fmt: skip
"""What a detailed finding compares, and how each is put into words; as outputs.CHANGES counts them."""


def _at(sequence: Any, position: int) -> Any:
    """The element at a position, or an empty string where the list does not reach that far."""
    return sequence[int(position)] if 0 <= int(position) < len(sequence) else ""


def session_id_text(row: Any) -> str | None:
    """The raw Acct-Session-Id, printable; None where the row is about no session."""
    count = int(row["session_id_octets"])
    if not count:
        return None
    return printable(bytes(row["session_id"][:count]))


def finding(row: Any, lexicon: Lexicon, verdict: int | None = None) -> dict[str, Any]:
    """One FINDING_* row as a JSON object with FINDING_KEYS.

    `verdict` is the answer to the request that the row is about; None where it was no request, so nothing was answered.
    """
    entry = lexicon.detector(row["detector"])
    class_name = lexicon.class_name(row["detector"], row["class"])
    kind = str(_at(entry.get("evidence", []), row["class"]) or "none")
    ended = int(row["kind"]) == out.FINDING_ENDED
    began = int(row["kind"]) == out.FINDING_BEGAN
    sequence, index = (row["sequence"], row["index"]) if began else (row["opened_sequence"], row["opened_index"])
    return {
        "id": finding_id(sequence, index, lexicon.shard),
        "at": when(row["at"]),
        "detector": entry["id"],
        "class": class_name,
        "severity": _at(SEVERITY_NAMES, row["severity"]),
        "tenant": lexicon.tenant_of(row["use_case"]),
        "imsi": identity.imsi_text(int(row["imsi"])) if row["imsi"] else None,
        "iccid": identity.iccid_text(int(row["iccid"])) if row["iccid"] else None,
        "use_case": lexicon.use_case(row["use_case"]) or None,
        "was": lexicon.evidence(kind, row["was"]),
        "now": lexicon.evidence(kind, row["now"], now=True),
        "expected": lexicon.evidence(kind, row["expected"]) or None,
        "verdict": None if verdict is None else out.VERDICT_NAMES[verdict],
        "response": _at(RESPONSE_NAMES, row["response"]) or None,
        "held": _at(out.HELD_NAMES, row["held"]) or None,
        "ended_at": when(row["at"]) if ended else None,
        "wanted": _at(RESPONSE_NAMES, row["wanted"]) or None,
        "scope": "subscription" if entry.get("alone") and row["imsi"] else entry.get("scope", "subscription"),
        "gateway": lexicon.text(row["gateway"]) or None,
        "apn": lexicon.text(row["apn"]) or None,
        "address": address_text(row["address"]) if row["address"] else None,
        "session_id": session_id_text(row),
        "changes": None if any(map(entry.get, OTHERWISE)) else changes(row, lexicon),
        "about": about_text(row, entry, lexicon),
        "segment": lexicon.segment(row["row"]) or None if entry.get("scope") == "segment" else None,
        "projection": projection(row) if entry.get("projects") else None,
        "last_word": last_word(int(row["before"][0])) if entry.get("tells_last_word") else None,
        "channels": weighing.told(row) if entry.get("weighs") else None,
        "new_hours": weighing.new_hours(row) if entry.get("weighs") else None,
    }


def projection(row: Any) -> dict[str, str | None] | None:
    """What will be at this rate, of a finding of a detector that projects; None where nothing was reckoned."""
    will_be, used_up_at = int(row["before"][0]), int(row["before"][1])
    if not will_be:
        return None
    return {"period_ends_with": usage_text(will_be), "month_used_up_at": when(used_up_at) if used_up_at else None}


def changes(row: Any, lexicon: Lexicon) -> dict[str, dict[str, Any]] | None:
    """What differs, by name, as {"was", "now"}; None where the finding does not compare.

    Of a device its 14 digits and its software by themselves, of an APN the segment behind it as well.
    """
    found: dict[str, dict[str, Any]] = {}
    for place, (name, kind) in enumerate(CHANGED):
        before, after = int(row["before"][place]), int(row["after"][place])
        if before and after:
            if kind == "number":
                found[name] = {"was": before - 1, "now": after - 1}
            elif kind == "imeisv":
                found |= _device_changes(before, after)
            else:
                found[name] = {"was": lexicon.evidence(kind, before), "now": lexicon.evidence(kind, after)}
    if "apn" in found:
        segment = {key: lexicon.segment_at(str(apn)) for key, apn in found["apn"].items()}
        if any(segment.values()):
            found["segment"] = segment
    return found or None


def _device_changes(before: int, after: int) -> dict[str, dict[str, Any]]:
    """TS 23.003 6.2: the first 14 digits name the device, the last two of an IMEISV its software."""
    (imei, software), (other, newer) = divmod(before, 1000), divmod(after, 1000)
    found = {}
    if imei != other:
        found["device"] = {"was": identity.imei_text(imei), "now": identity.imei_text(other)}
    if software != newer and software and newer:
        found["software"] = {"was": f"{software - 1:02d}", "now": f"{newer - 1:02d}"}
    return found


def about_text(row: Any, entry: Mapping[str, Any], lexicon: Lexicon) -> str | None:
    """What a finding of the watch is about ("cell ecgi:1 in 00101", "network 00101"); None for a subscription's."""
    kind = str(_at(entry.get("about", []), row["class"]) or "none")
    said = lexicon.evidence(kind, row["subject"])
    if said is None:
        return None
    if kind == "cohort":
        return str(said)
    network = f" in {identity.plmn_text(int(row['plmn']))}" if row["plmn"] else ""
    return f"{ABOUT_WORDS.get(kind, kind)} {said}{network}"


class Findings:
    """Findings merged from their rows: one object each, from when it began until it ended."""

    def __init__(self) -> None:
        self._by_id: dict[str, dict[str, Any]] = {}

    def take(self, rows: np.ndarray, lexicon: Lexicon) -> Iterator[dict[str, Any]]:
        """Add the finding rows among the outputs `rows`; yields each that began or changed, as it now stands."""
        kinds = rows["kind"]
        answers = {int(row["sequence"]): int(row["verdict"]) for row in rows[kinds == out.VERDICT]}
        for row in rows[np.isin(kinds, FINDING_KINDS)]:
            asked = int(row["event_kind"]) == ACCESS_REQUEST
            verdict = answers.get(int(row["sequence"]), out.ALLOW) if asked else None
            yield self._merge(row, lexicon, verdict)

    def _merge(self, row: Any, lexicon: Lexicon, verdict: int | None) -> dict[str, Any]:
        fresh = finding(row, lexicon, verdict)
        # A finding whose beginning is no longer in the journal is told as far as its later rows know it.
        known = self._by_id.setdefault(fresh["id"], fresh)
        if int(row["kind"]) == out.FINDING_ENDED:
            known["ended_at"], known["now"] = fresh["ended_at"], fresh["now"]
        elif known is not fresh:
            for key in NEWEST:
                known[key] = fresh[key]
        return known

    def take_ended(self) -> list[dict[str, Any]]:
        """Give up those that have ended, in the order in which they began: nothing more will be said of them."""
        ended = [one for one in self._by_id.values() if one["ended_at"]]
        for one in ended:
            del self._by_id[one["id"]]
        return ended

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


def findings_of(rows: Iterable[tuple[np.ndarray, Lexicon]]) -> list[dict[str, Any]]:
    """All findings among output arrays read with their lexicon, in the order in which they began."""
    merged = Findings()
    for array, lexicon in rows:
        for _ in merged.take(array, lexicon):
            pass
    return list(merged)
