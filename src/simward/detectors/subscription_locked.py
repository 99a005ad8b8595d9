"""A locked, suspended or retired subscription asks to connect.

**What it sees.** The subscription was locked (by a finding or by a person), or the inventory says that it is not in
service.

- `locked`: a lock is in force; `was` says since when.
- `suspended`, `retired`: the inventory's `state` says so.

**Why it matters.** The lock holds for whatever device asks, until it is released by a person, by expiry, or because
the bound device came back (`release_when`). Somebody still trying is worth knowing.

**What it misses.** Nothing that asks through the gate. Sessions of access types that do not ask it are not seen.

**Likely false alarms.** The right device, still out there, that tries again after its SIM was locked by mistake.

**What to do.** Read `simward explain` for why it was locked; then `simward release ICCID --because ...` or leave it.
"""

import numpy as np

from simward.detectors.detector import LOW, QUIET, REFUSE, Detector
from simward.detectors.facts import NONE

DETECTOR = Detector(
    id="subscription-locked", runs="gate", scope="subscription", severity=LOW, evidence={"locked": "time", "*": "none"},
    fixed_response=REFUSE, about_lock=True,
)
CLASSES = ("locked", "suspended", "retired")
CLASS_LOCKED, CLASS_SUSPENDED, CLASS_RETIRED = 1, 2, 3
STATE_SUSPENDED, STATE_RETIRED = 2, 3
MEMORY: list[tuple[str, str]] = []
KNOBS: list[object] = []


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """A lock stands above the inventory's state."""
    if subscription.locked != NONE:
        evidence.was = np.int64(subscription.locked_s) * np.int64(1_000_000)
        return CLASS_LOCKED
    if subscription.lifecycle == STATE_SUSPENDED:
        return CLASS_SUSPENDED
    if subscription.lifecycle == STATE_RETIRED:
        return CLASS_RETIRED
    return QUIET
