"""What the journals say happened, as values in the past tense; `reading.py` makes them of recorded outputs.

A fact carries what every later step needs, so that none of them reads a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened. `at` is the gate's clock, us UTC; `sequence` that of the journal row it stands in."""

    id: str
    """shard/sequence/index of the output; the same however often it is read."""
    at: int
    sequence: int
    tenant: str = "default"
    imsi: str | None = None
    iccid: str | None = None
    use_case: str | None = None
    segment: str | None = None
    generation: int = -1
    """Of the subscription's binding, as it was then; -1 where it is about no subscription that is known."""
    because: str | None = None
    """detector/class that decided it, where one did."""
    command: Mapping[str, Any] | None = None
    """Who asked, and why (do, actor, because, id, break_glass), where a command did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingBegan(Fact):
    """`document` is the finding as JSON (words.FINDING_KEYS)."""

    document: dict[str, Any]
    seen: Mapping[str, str] = field(default_factory=dict)
    """What the event reported on which it began (past_sessions.facts_of): device, software, network, cell, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingUpdated(Fact):
    """Another response is in force; `document` as it now is."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingEnded(Fact):
    """`document` has ended_at."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Fact):
    """A person judged a finding of behaviour: of that device or cohort more is allowed (engine/benign.py)."""

    finding: str
    by: str
    why: str
    until_day: int
    """The last day of it (days since 1970, UTC); 0: it is not benign after all."""
    subject: str
    """Of whom it is: an IMSI, or a cohort by number."""
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(Fact):
    """The subscription belongs in this device from now on."""

    device: str
    imei: str
    apn: str | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbound(Fact):
    """It belongs in none: released with rebind, unbound, or removed from the inventory (`removed`)."""

    imei: str | None
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSeen(Fact):
    """It was heard in another device than last time, allowed or not. `was` None: in none so far (IMEIs, 14 digits)."""

    was: str | None
    imei: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted(Fact):
    """A command limited it to the area of its use case (`limited`), or took that back."""

    limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Fact):
    """Refused whatever comes; `until` us UTC, None = until it is released."""

    until: int | None
    by_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined(Fact):
    """A command put it into quarantine; `until` us UTC, None = until it is released."""

    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Fact):
    """It is off. `why`: person, expiry, bound-device-returned; `was`: lock, quarantine."""

    why: str
    was: str = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGiven(Fact):
    """Static addresses, to keep."""

    apn: str | None
    address: str | None
    prefix: str | None
    delegated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Fact):
    """A request was answered with a verdict other than allow (`verdict`: reject, quarantine)."""

    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSent(Fact):
    """The gate sends a request. `what`: disconnect, into-quarantine, out-of-quarantine; `held` by a limit it is not."""

    effect: str
    what: str
    gateway: str | None
    session_id: str | None
    held: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectProved(Fact):
    """What came of it. `result`: ack, nak, silence, not-sent; `error_cause` of RFC 5176 3.5."""

    effect: str
    result: str
    error_cause: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStopped(Fact):
    """A Stop came for a subscription whose disconnect was not proved yet."""

    session_id: str | None
    gateway: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered(Fact):
    """`answer`: applied, duplicate, stale, limited, not-found."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Fact):
    """What work order `order` announced has happened. `changes` says what differs, by name, as {"was", "now"}."""

    order: int
    device: bool
    place: bool
    was: str | None
    """The device that it was in; None where none is known, or only the place changed."""
    now: str | None
    changes: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEnded(Fact):
    """What work order `order` announced has not happened. `why`: expired, cancelled, removed; `imei` None = any."""

    order: int
    imei: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApplied(Fact):
    """A revision of the policy (`what` policy) or of the inventory (inventory) is in force."""

    what: str
    documents: Mapping[str, Any] = field(default_factory=dict)
    """Of a policy: kind -> name -> document, normalised."""
    deployed: tuple[str, ...] = ()
    """Of an inventory: IMSIs of its lines that the API owns from here on."""
    handed_back: tuple[str, ...] = ()
    """And of those that are the files' again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached(Fact):
    """A subscription that is waited for has asked to connect (`verdict`: allow, quarantine, reject), or a session of it
    begins or goes on. `imei` None: its device was not reported. `seen` is what it reported (past_sessions.facts_of)."""

    imei: str | None
    verdict: str
    seen: Mapping[str, str] = field(default_factory=dict)
