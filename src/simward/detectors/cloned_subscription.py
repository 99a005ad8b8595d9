"""One subscription is live in two devices, or jumps to and fro between places, as two copies of a SIM do.

**What it sees.** Sessions of one subscription that overlap. What decides:

- `two-devices`: a session reports (an interim) that began before another session, in another device, was last heard.
  A session whose Stop was lost never reports again; a handover and a second APN stay in one device; a failover to
  another gateway takes the device along. So two devices that both go on reporting are two.
- `two-places`: within a day it went farther than anything travels, and back again just as fast (see
  `impossible-travel`): in another device, or if one device was in both places or none was told, then there once more.
  One record with a wrong cell is a way there and a way back.

Two gateways, two addresses, or two areas at once decide nothing by themselves: failovers, second connections and
devices that move show them every day.

**Why it matters.** A copied SIM is a way in with the owner's name and at the owner's cost.

**What it misses.** Copies that are used in turns, less than 50 km apart, in devices that both report the same IMEI or
none.

**Likely false alarms.** A gateway that puts the IMEI of another session into a record. Cells with wrong coordinates.

**What to do.** Lock the subscription and have the SIM replaced: from here no one can tell which is the copy.
"""

import numpy as np

from simward.detectors.detector import CRITICAL, NO_OPINION, QUIET, Detector
from simward.detectors.facts import ACCOUNTING_INTERIM, ACCOUNTING_STOP, area_number

DETECTOR = Detector(
    id="cloned-subscription",
    runs="gate",
    scope="subscription",
    severity=CRITICAL,
    evidence={"two-devices": "imei", "two-places": "area"},
    sticky=True,
)
CLASSES = ("two-devices", "two-places")
CLASS_TWO_DEVICES, CLASS_TWO_PLACES = 1, 2
WITHIN_S = 86_400
MEMORY: list[tuple[str, str]] = []
MARK_JUMPED = 16
"""Of `marks`: when it last went farther than anything travels it had within the day before (engine/layouts.py)."""
KNOBS: list[object] = []


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """Devices decide before places."""
    if around.two_devices:
        evidence.was, evidence.now = subscription.last_imei, event.imei
        return CLASS_TWO_DEVICES
    lately = subscription.jumped_s != 0 and around.event_s - np.int64(subscription.jumped_s) < WITHIN_S
    if around.jumped and lately and event.kind != ACCOUNTING_STOP:  # which may tell where its session began
        again = np.int64(subscription.marks) & MARK_JUMPED != 0
        another = event.imei != 0 and subscription.last_imei != 0 and event.imei != subscription.last_imei
        if not again and not another:
            return NO_OPINION
        evidence.was = area_number(subscription.plmn, subscription.area)
        evidence.now = area_number(event.plmn, event.area)
        return CLASS_TWO_PLACES
    return QUIET if event.kind == ACCOUNTING_INTERIM and not lately else NO_OPINION
