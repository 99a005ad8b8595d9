"""The gate's state: one row a subscription, session, gateway, device, stranger, segment and open finding.

Rows are plain NumPy records, so a snapshot is a copy and a byte can be counted. Rows that are given up are zeroed and
chained (`next`), lowest effort and the same in every replay. Indexes are derived: they are rebuilt, never saved.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from simward.compiled import entry
from simward.detectors import of_gate
from simward.detectors.detector import MAX_CLASSES, SCOPES
from simward.engine.events import SESSION_ID_OCTETS
from simward.engine import lookup
from simward.engine.tables import LIMITED_ACTIONS, PolicyTables
from simward.engine.texts import TEXTS_MAX, Texts

build_subscription_indexes = entry(lookup.build_subscription_indexes, depends=[lookup])
build_device_index = entry(lookup.build_device_index, depends=[lookup])

NOWHERE = -1
"""No row."""
STRANGERS = 4096
COMMANDS_KEPT = 1024
GATEWAYS_MAX = 4096
ENDED_KEPT = 4
TOKENS_KEPT = 4

# Locks.
UNLOCKED, LOCKED_BY_FINDING, LOCKED_BY_PERSON = 0, 1, 2

# Session flags.
SESSION_LIVE, SESSION_START_SEEN, SESSION_DISCONNECTING = 1, 2, 4


def memory_of(scope: str) -> list[tuple[str, Any]]:
    """The nested memory records of every gate detector of one scope."""
    return [
        (one.field, np.dtype(list(one.memory), align=True))
        for one in of_gate()
        if one.detector.scope == scope and one.memory
    ]


def record(fields: list[tuple[Any, ...]], scope: str = "") -> np.dtype:
    """A row layout, with the detectors' memory of its scope behind the engine's own fields."""
    return np.dtype([*fields, *(memory_of(scope) if scope else [])], align=True)


SUBSCRIPTION = record(
    [
        ("imsi", "i8"), ("iccid", "i8"), ("msisdn", "i8"),
        ("declared_imei", "i8"), ("bound_imei", "i8"), ("earlier_imei", "i8"), ("last_imei", "i8"),
        ("bound_at", "i8"), ("last_at", "i8"), ("last_request", "i8"), ("decided_sequence", "i8"),
        ("locked_at", "i8"), ("locked_until", "i8"), ("cell", "i8"),
        ("ended", "i8", (ENDED_KEPT,)),  # hashes of sessions that ended, bit 0 = Start seen, bit 1 = Stop seen
        ("plmn", "i4"), ("area", "i4"), ("apn", "i4"), ("gateway", "i4"),
        ("address", "u4"), ("quarantine_address", "u4"),
        ("session_head", "i4"), ("finding_head", "i4"), ("generation", "i4"),
        ("use_case", "u2"), ("rat", "u1"), ("last_software", "i1"), ("locked", "u1"), ("lock_detector", "u1"),
        ("last_verdict", "u1"), ("last_detector", "u1"), ("last_class", "u1"), ("lifecycle", "u1"), ("session_count", "u1"),
        ("ended_at", "u1"),  # position in `ended` that is overwritten next
    ],
    "subscription",
)
SESSION = np.dtype(
    [
        ("subscription", "i4"), ("next", "i4"), ("gateway", "i4"), ("client", "i4"), ("apn", "i4"), ("address", "u4"),
        ("epoch", "i4"), ("duration_s", "i4"),
        ("started_at", "i8"), ("last_at", "i8"), ("uplink_octets", "i8"), ("downlink_octets", "i8"), ("imei", "i8"),
        ("effect_sequence", "i8"),  # the Disconnect that is under way, 0 = none
        ("tokens", "i4", (TOKENS_KEPT,)),  # what the last interims can be told apart by
        ("effect_index", "u1"), ("attempts", "u1"), ("flags", "u1"), ("token_at", "u1"), ("session_id_octets", "u1"),
        ("session_id", "u1", (SESSION_ID_OCTETS,)),
    ],
    align=True,
)
GATEWAY = record(
    [
        ("epoch_at", "i8"), ("last_at", "i8"), ("gateway", "i4"), ("client", "i4"), ("epoch", "i4"), ("sessions", "i4"),
        ("finding_head", "i4"), ("started", "i4"),  # sessions begun in this epoch
    ],
    "gateway",
)
STRANGER = record(
    [("imsi", "i8"), ("last_at", "i8"), ("last_request", "i8"), ("decided_sequence", "i8"), ("finding_head", "i4"), ("used", "u1"),
     ("last_verdict", "u1"), ("last_class", "u1")],
    "stranger",
)
SEGMENT_STATE = record(
    [("next_address", "i8"), ("next_quarantine", "i8"), ("left", "i8"), ("given", "i8"), ("freed_head", "i4"),
     ("freed_quarantine_head", "i4"), ("finding_head", "i4")],
    "segment",
)
FREED = np.dtype([("address", "u4"), ("next", "i4")], align=True)
FINDING = np.dtype(
    [("opened_sequence", "i8"), ("was", "i8"), ("now", "i8"), ("row", "i4"), ("next", "i4"), ("opened_index", "u1"),
     ("detector", "u1"), ("class", "u1"), ("scope", "u1"), ("response", "u1"), ("wanted", "u1"), ("held", "u1")],
    align=True,
)
DEVICE = np.dtype([("imei", "i8"), ("last_at", "i8"), ("subscription", "i4"), ("moves", "i4")], align=True)
LIMIT = np.dtype(
    [("members", "i4"), ("minute", "i8"), ("counts", "i4", (len(LIMITED_ACTIONS) * 60,))], align=True
)
META = np.dtype(
    [
        ("sequence", "i8"), ("now", "i8"), ("device_overflow", "i8"), ("late", "i8"),
        ("subscriptions", "i4"), ("subscription_free", "i4"), ("subscriptions_live", "i4"),
        ("sessions", "i4"), ("session_free", "i4"), ("sessions_live", "i4"), ("gateways", "i4"),
        ("findings", "i4"), ("finding_free", "i4"), ("findings_live", "i4"), ("freed", "i4"), ("freed_free", "i4"),
        ("devices", "i4"), ("command_at", "i4"), ("sweep", "i4"), ("stranger_sweep", "i4"), ("paused", "u1"),
    ],
    align=True,
)
DETECTOR_FACTS = np.dtype(
    [("severity", "u1", (MAX_CLASSES,)), ("momentary", "u1"), ("about_device", "u1"), ("about_lock", "u1"), ("fixed", "u1"),
     ("scope", "u1")],
    align=True,
)


class Tables(NamedTuple):
    """Everything that the kernel reads and writes, as it takes it."""

    meta: Any
    subscriptions: Any
    imsi_index: Any
    msisdn_index: Any
    sessions: Any
    gateways: Any
    gateway_of_text: Any
    strangers: Any
    segment_states: Any
    freed: Any
    findings: Any
    devices: Any
    device_index: Any
    limits: Any
    commands: Any
    use_cases: Any
    segments: Any
    responses: Any
    knobs: Any
    settings: Any
    detectors: Any


def rows(count: int, dtype: np.dtype) -> Any:
    """Zeroed rows. Untouched pages take no memory, so room may be given generously."""
    return np.zeros(count, dtype).view(np.recarray)


def detector_facts() -> Any:
    """What the kernel must know about each gate detector, by number."""
    facts = rows(max(1, len(of_gate())), DETECTOR_FACTS)
    for number, one in enumerate(of_gate()):
        for position, name in enumerate(one.classes, start=1):
            facts["severity"][number, position] = one.detector.severity_of(name)
        facts["momentary"][number] = one.detector.momentary
        facts["about_device"][number] = one.detector.about_device
        facts["about_lock"][number] = one.detector.about_lock
        facts["fixed"][number] = one.detector.fixed_response > 0
        facts["scope"][number] = SCOPES.index(one.detector.scope)
    return facts


# What a snapshot holds: table name -> the meta field that says how many rows are used (None: the whole table).
SAVED = {
    "subscriptions": "subscriptions", "sessions": "sessions", "gateways": "gateways", "findings": "findings",
    "freed": "freed", "devices": "devices", "strangers": None, "segment_states": None, "limits": None, "commands": None,
    "meta": None,
}
LAYOUTS = {
    "subscriptions": SUBSCRIPTION, "sessions": SESSION, "gateways": GATEWAY, "findings": FINDING, "freed": FREED,
    "devices": DEVICE, "strangers": STRANGER, "segment_states": SEGMENT_STATE, "limits": LIMIT, "meta": META,
}


class State:
    """The tables, their growth, and the names that belong to them."""

    def __init__(self, policy: PolicyTables) -> None:
        self.texts = Texts()
        self.policy = policy
        self.meta = rows(1, META)
        for name in ("subscription_free", "session_free", "finding_free", "freed_free"):
            self.meta[name] = NOWHERE
        self.subscriptions = rows(1024, SUBSCRIPTION)
        self.sessions = rows(2048, SESSION)
        self.gateways = rows(GATEWAYS_MAX, GATEWAY)
        self.gateway_of_text = np.zeros(TEXTS_MAX, np.int32)
        self.strangers = rows(STRANGERS, STRANGER)
        self.strangers["finding_head"] = NOWHERE
        self.segment_states = rows(1, SEGMENT_STATE)
        self.freed = rows(1024, FREED)
        self.findings = rows(1024, FINDING)
        self.devices = rows(4096, DEVICE)
        self.limits = rows(1, LIMIT)
        self.commands = np.zeros(COMMANDS_KEPT, np.int64)
        self.detectors = detector_facts()
        self.index_subscriptions()
        self.index_devices()

    def index_subscriptions(self) -> None:
        """Make the IMSI and MSISDN indexes anew."""
        size = 1024
        while size < 2 * len(self.subscriptions):
            size *= 2
        self.imsi_index = np.zeros(size, np.int64)
        used = self.subscriptions[: int(self.meta["subscriptions"][0])]
        numbers = int(np.count_nonzero(used["msisdn"])) if len(used) else 0
        self.msisdn_index = np.zeros(size if numbers else 16, np.int32)
        build_subscription_indexes(used, self.imsi_index, self.msisdn_index)

    def index_devices(self) -> None:
        """Make the IMEI index anew."""
        size = 8192
        while size < 2 * len(self.devices):
            size *= 2
        self.device_index = np.zeros(size, np.int32)
        build_device_index(self.devices[: int(self.meta["devices"][0])], self.device_index)

    def index_gateways(self) -> None:
        """Make the text-to-gateway map anew."""
        self.gateway_of_text[:] = 0
        for row in range(int(self.meta["gateways"][0])):
            self.gateway_of_text[int(self.gateways["gateway"][row])] = row + 1

    def make_room(self, events: int) -> None:
        """See to it that `events` more events cannot run out of rows; called between batches."""
        meta = self.meta[0]
        self._grow("sessions", int(meta.sessions) + events)
        self._grow("findings", int(meta.findings) + 16 * events)
        self._grow("freed", int(meta.freed) + events)
        bound = 2 * len(self.subscriptions) + 65_536
        if self._grow("devices", min(bound, int(meta.devices) + events)):
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
        return True

    def tables(self) -> Tables:
        """The arrays as the kernel takes them; ask again after anything may have grown."""
        policy = self.policy
        return Tables(
            self.meta, self.subscriptions, self.imsi_index, self.msisdn_index, self.sessions, self.gateways,
            self.gateway_of_text, self.strangers, self.segment_states, self.freed, self.findings, self.devices,
            self.device_index, self.limits, self.commands, policy.use_cases.view(np.recarray),
            policy.segments.view(np.recarray), policy.responses, policy.knobs.view(np.recarray),
            policy.settings.view(np.recarray), self.detectors,
        )

    def saved(self) -> dict[str, np.ndarray]:
        """The used rows of every table, as plain arrays without a copy: what a snapshot holds and a digest covers."""
        meta = self.meta[0]
        arrays = {}
        for name, counter in SAVED.items():
            table = getattr(self, name)
            used = len(table) if counter is None else int(meta[counter])
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

    def allocated_octets(self) -> int:
        """Octets of all tables as allocated (touched or not)."""
        return sum(array.nbytes for array in self.tables() if hasattr(array, "nbytes"))
