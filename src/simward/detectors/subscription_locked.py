"""A subscription that is locked, in quarantine, suspended or retired asks to connect.

**What it sees.** The subscription was locked (by a finding, a rule or a person) or put into quarantine by a command, or
the inventory says that it is not in service.

- `locked`: a lock is in force; `was` says since when.
- `suspended`, `retired`: the inventory's `state` says so.
- `quarantined`: a person, a party or a rule put it into quarantine; `was` says since when. It is let in, confined.

**Why it matters.** The lock holds for whatever device asks, until it is released by a person, by expiry, or because
the bound device came back (`release_when`). Somebody still trying is worth knowing.

**What it misses.** Nothing that asks through the gate. Sessions of access types that do not ask it are not seen.

**Likely false alarms.** The right device, still out there, that tries again after its SIM was locked by mistake.

**What to do.** Read `simward explain` for why it was locked or confined; then `simward release ICCID --because ...` or
leave it.
"""

import numpy as np

from simward.detectors.detector import LOW, QUARANTINE, QUIET, REFUSE, Detector
from simward.detectors.facts import NONE

DETECTOR = Detector(
    id="subscription-locked", runs="gate", scope="subscription", severity=LOW,
    evidence={"locked": "time", "quarantined": "time", "*": "none"},
    fixed_response={"quarantined": QUARANTINE, "*": REFUSE}, about_lock=True,
)
CLASSES = ("locked", "suspended", "retired", "quarantined")
CLASS_LOCKED, CLASS_SUSPENDED, CLASS_RETIRED, CLASS_QUARANTINED = 1, 2, 3, 4
STATE_SUSPENDED, STATE_RETIRED = 2, 3
STATE_BITS = 0x7F
"""The other bit of `lifecycle` says who owns the subscription's line (engine/tables.py)."""
CONFINED_FROM = 3
"""From here on `locked` says that it is in quarantine (layouts.CONFINED_BY_RULE)."""
MEMORY: list[tuple[str, str]] = []
KNOBS: list[object] = []


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """A lock stands above the inventory's state, and that above a quarantine, which lets in."""
    if subscription.locked != NONE and subscription.locked < CONFINED_FROM:
        evidence.was = np.int64(subscription.locked_s) * np.int64(1_000_000)
        return CLASS_LOCKED
    if (subscription.lifecycle & STATE_BITS) == STATE_SUSPENDED:
        return CLASS_SUSPENDED
    if (subscription.lifecycle & STATE_BITS) == STATE_RETIRED:
        return CLASS_RETIRED
    if subscription.locked != NONE:
        evidence.was = np.int64(subscription.locked_s) * np.int64(1_000_000)
        return CLASS_QUARANTINED
    return QUIET
