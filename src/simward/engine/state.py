"""The gate's state: its tables, their growth, and the names that belong to them. Indexes are derived, never saved."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from simward.compiled import INTERPRETED, entry, with_attributes
from simward.detectors import of_gate
from simward.detectors.detector import SCOPES
from simward.engine import departed, events, hashing, layouts, lookup, outputs, session_names
from simward.engine import rows as row_access
from simward.engine import tables as policy_tables
from simward.engine.layouts import (
    AROUND,
    COMMANDS_KEPT,
    DEPARTED,
    DETECTOR_FACTS,
    DEVICE,
    FINDING,
    FREED,
    GATEWAY,
    GATEWAYS_MAX,
    LIMIT,
    LONG_ID,
    LONG_ID_BLOCKS_MAX,
    MARK_AREA,
    MARK_TIED,
    META,
    NOWHERE,
    OWN,
    PLAN,
    PLANS_MAX,
    SEEN,
    SEGMENT_STATE,
    SESSION,
    STRANGER,
    STRANGERS,
    SUBSCRIPTION,
    TABLES,
    WITHHELD,
)
from simward.engine.outputs import OUTPUT, RESULT
from simward.engine.remembering import DEVICES_SPARE
from simward.engine.rows import MAPPED
from simward.engine.tables import PolicyTables
from simward.engine.texts import Texts


def rows(count: int, dtype: np.dtype) -> Any:
    """Zeroed rows. Untouched pages take no memory, so room may be given generously."""
    return np.zeros(count, dtype)


MARKS_OF = {"": 0, "device": MARK_TIED, "area": MARK_AREA}
"""By what a detector says that it enforces."""


def detector_facts() -> Any:
    """What the kernel must know about each gate detector, by number."""
    facts = rows(max(1, len(of_gate())), DETECTOR_FACTS)
    for number, one in enumerate(of_gate()):
        for position, name in enumerate(one.classes, start=1):
            facts["severity"][number, position] = one.detector.severity_of(name)
            facts["enforced"][number, position] = MARKS_OF[one.detector.enforced.get(name, "")]
        facts["momentary"][number] = one.detector.momentary
        facts["about_device"][number] = one.detector.about_device
        facts["about_lock"][number] = one.detector.about_lock
        facts["fixed"][number] = bool(one.detector.fixed_response)
        facts["scope"][number] = SCOPES.index(one.detector.scope)
        facts["sticky"][number] = one.detector.sticky
        facts["detailed"][number] = one.detector.detailed
    return facts


def index_size(count: int, least: int) -> int:
    """A power of two that keeps an index of `count` entries at most two thirds full."""
    while 2 * least < 3 * count:
        least *= 2
    return least


def interpreted(array: np.ndarray) -> Any:
    """The array as interpreted code reads rows from it: records with attributes, plain numbers under `value`."""
    flat = array.reshape(-1)
    if flat.dtype.names is None:
        flat = flat.view(np.ndarray).view(np.dtype([("value", flat.dtype)]))
    return with_attributes(flat)


INDEX_SOURCES: list[ModuleType | Path | str] = [
    hashing, lookup, row_access, layouts, layouts.MEMORIES, events, outputs, policy_tables,
]  # fmt: skip
"""Every module whose source an index's machine code is made from, and the layouts that detectors add to."""
build_subscription_indexes = entry(lookup.build_subscription_indexes, depends=INDEX_SOURCES)
build_device_index = entry(lookup.build_device_index, depends=INDEX_SOURCES)
build_gateway_index = entry(lookup.build_gateway_index, depends=INDEX_SOURCES)
build_cell_index = entry(lookup.build_cell_index, depends=INDEX_SOURCES)
build_departed_index = entry(departed.build_departed_index, depends=[*INDEX_SOURCES, session_names, departed])

BATCH_MAX = 4096
"""Most events folded by one call of the kernel."""
OUTPUTS_ROOM = 4 * BATCH_MAX

# What a snapshot holds: table name -> the meta field that says how many rows are used (None: the whole table).
SAVED = {
    "subscriptions": "subscriptions",
    "sessions": "sessions",
    "gateways": "gateways",
    "findings": "findings",
    "freed": "freed",
    "devices": "devices",
    "departed": "departed",
    "withheld": "withheld",
    "long_ids": "long_ids",
    "plans": "plans",
    "strangers": None,
    "segment_states": None,
    "limits": None,
    "commands": None,
    "meta": None,
}
LAYOUTS = {
    "subscriptions": SUBSCRIPTION,
    "sessions": SESSION,
    "gateways": GATEWAY,
    "findings": FINDING,
    "freed": FREED,
    "devices": DEVICE,
    "departed": DEPARTED,
    "withheld": WITHHELD,
    "long_ids": LONG_ID,
    "plans": PLAN,
    "strangers": STRANGER,
    "segment_states": SEGMENT_STATE,
    "limits": LIMIT,
    "meta": META,
}


class State:
    """The tables, their growth, and the names that belong to them."""

    def __init__(self, policy: PolicyTables) -> None:
        self._tables: Any = None
        self.texts = Texts()
        self.policy = policy
        self.meta = rows(1, META)
        for name in ("subscription_free", "session_free", "finding_free", "freed_free"):
            self.meta[name] = NOWHERE
        self.subscriptions = rows(1024, SUBSCRIPTION)
        self.sessions = rows(2048, SESSION)
        self.gateways = rows(GATEWAYS_MAX, GATEWAY)
        self.gateway_index = np.zeros(2 * GATEWAYS_MAX, np.int32)
        self.cell_index = np.zeros(1, np.int32)
        self.strangers = rows(STRANGERS, STRANGER)
        self.strangers["finding_head"] = NOWHERE
        self.segment_states = rows(1, SEGMENT_STATE)
        for name in ("finding_head", "freed_head", "freed_quarantine_head"):
            self.segment_states[name] = NOWHERE
        self.freed = rows(1024, FREED)
        self.findings = rows(1024, FINDING)
        self.devices = rows(4096, DEVICE)
        self.departed = rows(1, DEPARTED)
        self.departed_index = np.zeros(2, np.int32)
        self.withheld = rows(1, WITHHELD)
        self.long_ids = rows(1024, LONG_ID)
        self.plans = rows(256, PLAN)
        self.limits = rows(1, LIMIT)
        self.commands = np.zeros(COMMANDS_KEPT, np.int64)
        self.detectors = detector_facts()
        self.imsi_index = np.zeros(2048, np.int64)
        self.msisdn_index = np.zeros(16, np.int32)
        self.device_index = np.zeros(8192, np.int32)
        self.scratch = {
            "outputs": rows(OUTPUTS_ROOM, OUTPUT),
            "results": rows(BATCH_MAX, RESULT),
            "around": rows(1, AROUND),
            "evidence": rows(max(1, len(of_gate())), SEEN),
            "classes": np.zeros(len(of_gate()), np.int64),
            "whole_ids": self.texts.whole_ids.rows,
        }

    def index_subscriptions(self) -> None:
        """Make the IMSI and MSISDN indexes anew."""
        size = index_size(len(self.subscriptions), 2048)
        self.imsi_index = np.zeros(size, np.int64)
        used = self.subscriptions[: int(self.meta["subscriptions"][0])]
        numbers = int(np.count_nonzero(used["msisdn"])) if len(used) else 0
        self.msisdn_index = np.zeros(size if numbers else 16, np.int32)
        self.moved()
        build_subscription_indexes(self.tables())

    def index_devices(self) -> None:
        """Make the IMEI index anew."""
        self.device_index = np.zeros(index_size(len(self.devices), 8192), np.int32)
        self.moved()
        build_device_index(self.tables())

    def index_gateways(self) -> None:
        """Make the index of gateways anew."""
        self.gateway_index[:] = 0
        self.moved()
        build_gateway_index(self.tables())

    def index_departed(self) -> None:
        """Make the index of the sessions of removed subscriptions anew."""
        self.departed_index = np.zeros(index_size(int(self.meta["departed"][0]), 2), np.int32)
        self.moved()
        build_departed_index(self.tables())

    def index_cells(self) -> None:
        """Make the index of the policy's cells anew."""
        count = len(self.policy.cells)
        self.cell_index = np.zeros(index_size(count, 2) if count else 1, np.int32)
        self.moved()
        if count:
            build_cell_index(self.tables(), count)

    def make_room(self, events: int) -> None:
        """See to it that `events` more events cannot run out of rows; called between batches."""
        meta = self.meta
        sessions, findings = int(meta["sessions"][0]), int(meta["findings"][0])
        freed, devices = int(meta["freed"][0]), int(meta["devices"][0])
        if sessions + events > len(self.sessions):
            self._grow("sessions", sessions + events)
        long_ids = int(meta["long_ids"][0]) + LONG_ID_BLOCKS_MAX * events
        if long_ids > len(self.long_ids):
            self._grow("long_ids", long_ids)
        if findings + 16 * events > len(self.findings):
            self._grow("findings", findings + 16 * events)
        events_freed = events + int(meta["withheld_open"][0])
        if freed + events_freed > len(self.freed):
            self._grow("freed", freed + events_freed)
        if (plans := int(meta["plans"][0])) + events >= len(self.plans):
            self._grow("plans", min(plans + events, PLANS_MAX) + 1)
        if devices + events > len(self.devices):
            wanted = min(2 * int(meta["subscriptions"][0]) + DEVICES_SPARE, devices + events)
            if self._grow("devices", wanted):
                self.index_devices()

    def make_room_for_subscriptions(self, more: int) -> None:
        """Room for `more` subscriptions; the indexes are made anew where the table grew."""
        if self._grow("subscriptions", int(self.meta["subscriptions"][0]) + more):
            self.index_subscriptions()

    def _grow(self, name: str, wanted: int) -> bool:
        table = getattr(self, name)
        if wanted <= len(table):
            return False
        grown = rows(max(wanted, len(table) + len(table) // 2), table.dtype)
        grown[: len(table)] = table
        setattr(self, name, grown)
        self.moved()
        return True

    def tables(self) -> Any:
        """Where everything is, as the kernel takes it; made anew only after something moved."""
        whole = self.texts.whole_ids
        if self.scratch["whole_ids"] is not whole.rows:
            self.scratch["whole_ids"] = whole.rows
            self.moved()
        if self._tables is None:
            self._tables = self._addresses()
        self._tables["whole_count"] = whole.count
        return self._tables

    def moved(self) -> None:
        """Some array was replaced: what `tables` gave before must not be used again."""
        self._tables = None

    def _addresses(self) -> Any:
        t = np.zeros(1, TABLES)
        policy = self.policy
        arrays = {
            **{name: getattr(self, name) for name in OWN},
            **policy.arrays(),
            **self.scratch,
        }
        for name, array in arrays.items():
            t[name] = array.ctypes.data
            if INTERPRETED:
                MAPPED[array.ctypes.data] = interpreted(array)
        t["imsi_mask"], t["msisdn_mask"] = len(self.imsi_index) - 1, len(self.msisdn_index) - 1
        t["device_mask"] = len(self.device_index) - 1
        t["gateway_mask"], t["cell_mask"] = len(self.gateway_index) - 1, len(self.cell_index) - 1
        t["departed_mask"] = len(self.departed_index) - 1
        t["model_count"] = len(policy.models)
        t["gateways_room"] = GATEWAYS_MAX
        t["outputs_room"] = len(self.scratch["outputs"])
        t["detector_count"] = len(self.detectors)
        if INTERPRETED:
            return with_attributes(t)
        return t

    def saved(self) -> dict[str, np.ndarray]:
        """The used rows of every table, as plain arrays without a copy: what a snapshot holds and a digest covers."""
        arrays = {}
        for name, counter in SAVED.items():
            table = getattr(self, name)
            used = len(table) if counter is None else int(self.meta[counter][0])
            arrays[name] = np.asarray(table)[:used].view(np.ndarray)
        return arrays

    def digest(self) -> str:
        """BLAKE2b over the used rows: equal digests mean equal states."""
        digest = hashlib.blake2b(digest_size=16)
        for name, array in self.saved().items():
            digest.update(f"{name} {len(array)} ".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        digest.update(self.policy.responses.tobytes())
        return digest.hexdigest()
