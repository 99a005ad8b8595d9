"""A subscription asks for, or is in, an APN that is not one of its segments'.

**What it sees.** The APN of the request (Called-Station-Id, TS 29.061 16.4.7) without operator identifier and in
lower case, against the APNs of the segments that the use case belongs to. A subscription may be in several of them at
once.

- `other-apn`: the APN is another one.

**Why it matters.** Segments keep classes of devices and data apart. A meter in the cameras' APN has their reach.

**What it misses.** Traffic inside the right APN. A request that names no APN cannot be judged.

**Likely false alarms.** A device delivered with a default APN that the operator's core maps to the right one only
later.

**What to do.** Correct the device's APN through device management, or the use case's segment if the device is right.
"""

from simward.detectors.detector import MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import NONE

DETECTOR = Detector(id="apn-not-permitted", runs="gate", scope="subscription", severity=MEDIUM, evidence={"*": "apn"})
CLASSES = ("other-apn",)
CLASS_OTHER_APN = 1
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("permitted", "i4", path="segment", kind="apn-of-segment", shape=3, doc="The APNs of the use case's segments.")
]


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Equal text ids are equal APNs."""
    if knobs.permitted_count == 0:
        return QUIET
    for place in range(knobs.permitted_count):
        if event.apn == knobs.permitted[place]:
            return QUIET
    if event.apn == NONE:
        return NO_OPINION
    evidence.was, evidence.now, evidence.expected = subscription.apn, event.apn, knobs.permitted[0]
    return CLASS_OTHER_APN
