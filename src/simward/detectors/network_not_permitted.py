"""A subscription is in a network, or uses a radio technology, that its use case does not permit.

**What it sees.** The visited network (3GPP-User-Location-Info, else 3GPP-SGSN-MCC-MNC) against `networks.plmn`, and
3GPP-RAT-Type against `networks.rat`.

- `plmn`: the network is not in the list.
- `rat`: the radio technology is not in the list.

**Why it matters.** A meter abroad has been carried there. A NB-IoT meter on LTE is no longer a NB-IoT meter.

**What it misses.** A request that reports neither. A move within the permitted networks.

**Likely false alarms.** Sites near a border; a network that was renamed or merged and reports a new code.

**What to do.** Look where it is (`simward explain`). Permit the network if the site is real; else treat it as moved
or stolen.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import NOT_REPORTED

DETECTOR = Detector(
    id="network-not-permitted",
    runs="gate",
    scope="subscription",
    severity=MEDIUM,
    evidence={"plmn": "plmn", "rat": "rat"},
)
CLASSES = ("plmn", "rat")
CLASS_PLMN, CLASS_RAT = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("plmn", "i4", path="networks.plmn", kind="plmn-list", shape=256, doc="Networks permitted; none listed = all."),
    Knob(
        "rat",
        "i4",
        path="networks.rat",
        kind="rat-list",
        shape=16,
        doc="Radio technologies permitted; none listed = all.",
    ),
]


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """The network is judged before the radio technology, since it says more about where the SIM is."""
    silent = (knobs.plmn_count > 0 and event.plmn == NOT_REPORTED) or (
        knobs.rat_count > 0 and event.rat == NOT_REPORTED
    )
    if knobs.plmn_count > 0 and event.plmn != NOT_REPORTED and not listed(knobs.plmn, knobs.plmn_count, event.plmn):
        evidence.was, evidence.now, evidence.expected = subscription.plmn, event.plmn, knobs.plmn[0]
        return CLASS_PLMN
    if knobs.rat_count > 0 and event.rat != NOT_REPORTED and not listed(knobs.rat, knobs.rat_count, event.rat):
        evidence.was, evidence.now, evidence.expected = subscription.rat, event.rat, knobs.rat[0]
        return CLASS_RAT
    return NO_OPINION if silent else QUIET


@njit
def listed(values, count, wanted):  # type: ignore[no-untyped-def]
    """Is `wanted` among the first `count` values, which are sorted? A roaming agreement may list some two hundred."""
    low, high = np.int64(0), np.int64(count)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < count and values[low] == wanted
