"""A subscription was silent for long, and something that matters is different since.

**What it sees.** The first report after an absence, longer than `cadence.silent_after` (a day unless said), against
the last one before it: device, software, cell, area, network, radio technology, gateway, address and APN. One finding
says everything that differs.

- `changed`: the device is another one (and neither the bound one nor, after a release with `--rebind`, the one that is
  waited for), or the APN or a fixed address is, or (for fixed devices) it is outside its homes and by `cells.csv` at
  least 10 km from where it was. The rest is told along with it, and is no finding alone: software, cell, technology
  and gateway change in honest lives, and so does the neighbouring cell that is heard best.

**Why it matters.** What is stolen is carried away switched off. Whatever vanishes and comes back otherwise should be
looked at; whatever comes back unchanged had a flat battery.

**What it misses.** A change without an absence: other detectors see that. A place that is not reported. Another place
alone, where `cells.csv` does not say how far away it is: `location-change` sees that after some reports. An address
is compared only where accounting is the first word after the absence, since a request says none.

**Likely false alarms.** A device that was taken in for repair and came back rebuilt.

**What to do.** Ask what happened at the site at that time. `simward explain` tells what else fell silent with it.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import MEDIUM, NO_OPINION, Detector, Knob
from simward.detectors.facts import NO_SOFTWARE, NONE, NOT_REPORTED, imeisv, tac

DETECTOR = Detector(
    id="reappeared-changed",
    runs="gate",
    scope="subscription",
    severity=MEDIUM,
    evidence={"*": "time"},
    momentary=True,
    detailed=True,
)
CLASSES = ("changed",)
CLASS_CHANGED = 1
NEAR_M = 10_000
DEVICE, CELL, LOCATION_AREA, NETWORK, RAT, GATEWAY, ADDRESS, APN = 0, 1, 2, 3, 4, 5, 6, 7
MODE_NONE, MODE_FIRST_USE, MODE_MODEL = 0, 1, 3
SECOND_US = 1_000_000
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("absent_s", "i4", default=86_400, path="cadence.silent_after", kind="duration", doc="What is an absence."),
    Knob(
        "binding", "u1", path="binding.mode", kind="choice",
        values={"none": 0, "first-use": 1, "declared": 2, "model": 3, "pool": 4}, doc="Whether its device matters.",
    ),
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """Only what both reports say is compared."""
    if around.elapsed_s < knobs.absent_s:
        return NO_OPINION
    other_device = event.imei != NOT_REPORTED and subscription.last_imei != NONE
    other_device = other_device and event.imei != subscription.last_imei and knobs.binding != MODE_NONE
    if other_device and knobs.binding == MODE_MODEL and tac(event.imei) == tac(subscription.last_imei):
        other_device = False
    if other_device and around.in_pool == 1:
        other_device = False
    if other_device and expected(subscription, event, knobs):
        other_device = False
    other_apn = event.apn != NONE and subscription.apn != NONE and event.apn != subscription.apn
    given = subscription.address  # by the gate itself: what a gateway gives may be another one each time
    other_address = given != NONE and event.address != NONE and event.address != given
    elsewhere = around.at_home == 0 and around.travelled_m >= NEAR_M
    if not (other_device or other_apn or other_address or elsewhere):
        return NO_OPINION
    evidence.was, evidence.now = np.int64(subscription.heard_s) * np.int64(SECOND_US), event.received_at
    for place in range(8):
        evidence.before[place] = 0
        evidence.after[place] = 0
    if event.imei != NOT_REPORTED and subscription.last_imei != NONE:
        software = event.software if subscription.last_software != NO_SOFTWARE else NO_SOFTWARE
        before = subscription.last_software if event.software != NO_SOFTWARE else NO_SOFTWARE
        evidence.before[DEVICE] = imeisv(subscription.last_imei, before)
        evidence.after[DEVICE] = imeisv(event.imei, software)
    if around.placed:
        evidence.before[CELL], evidence.after[CELL] = subscription.cell, event.cell
        evidence.before[LOCATION_AREA], evidence.after[LOCATION_AREA] = subscription.area + 1, event.area + 1
    evidence.before[NETWORK], evidence.after[NETWORK] = subscription.plmn, event.plmn
    evidence.before[RAT], evidence.after[RAT] = subscription.rat, event.rat
    evidence.before[GATEWAY], evidence.after[GATEWAY] = subscription.gateway, event.gateway
    evidence.before[ADDRESS], evidence.after[ADDRESS] = given, event.address
    evidence.before[APN], evidence.after[APN] = subscription.apn, event.apn
    for place in range(8):
        if evidence.before[place] == evidence.after[place] or evidence.before[place] == 0 or evidence.after[place] == 0:
            evidence.before[place] = 0
            evidence.after[place] = 0
    return CLASS_CHANGED


@njit
def expected(subscription, event, knobs):  # type: ignore[no-untyped-def]
    """Is it the bound device that is back, or the one that a release with rebind waits for?"""
    if event.imei == subscription.bound_imei:
        return True
    return subscription.bound_imei == NONE and (knobs.binding == MODE_FIRST_USE or knobs.binding == MODE_MODEL)
