"""One device is live in two subscriptions at once.

**What it sees.** Which subscription each device was last seen to move into. When a session that began before that
move still reports from the same device, while the other subscription has a session in it as well, the IMEI is in two
places.

- `two-subscriptions`: `now` is the other subscription. The finding is about the one that had the device first.

**Why it matters.** An IMEI is easily written to another device. A copy passes every lock to a device, and takes the
trust that the original earned.

**What it misses.** Copies that are never live at the same time; a copy whose subscription is not in the inventory; a
device that reports its IMEI with no session of the first subscription going on.

**Likely false alarms.** A device with two SIMs that reports one IMEI for both (two IMSIs of one card are known by
their ICCID, and quiet). A SIM that was exchanged is none: the old session does not report again.

**What to do.** Find out which of the two is real, by place and by what it does. Lock the other one.
"""

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, Detector
from simward.detectors.facts import ACCOUNTING_INTERIM, NONE

DETECTOR = Detector(
    id="copied-device", runs="gate", scope="subscription", severity=HIGH, evidence={"*": "imsi"}, sticky=True
)
CLASSES = ("two-subscriptions",)
CLASS_TWO_SUBSCRIPTIONS = 1
MEMORY: list[tuple[str, str]] = []
KNOBS: list[object] = []


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """Only a session that goes on shows that its device is still where it was."""
    if event.kind != ACCOUNTING_INTERIM:
        return NO_OPINION
    evidence.now = around.holder
    return CLASS_TWO_SUBSCRIPTIONS if around.holder != NONE else QUIET
