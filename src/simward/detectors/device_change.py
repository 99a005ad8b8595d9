"""The SIM is in a device that it does not belong in.

**What it sees.** Each request names the device by its IMEISV. The first 14 digits are the device (TS 23.003 6.2); the
last two are its software version and are judged apart from it. The device is compared with the one that the
subscription is bound to, by first use or by declaration.

- `software`: the same device reports another software version than last time. Expected after an update.
- `same-model`: another device with the same TAC, as when a failed unit was replaced, or a thief has two of a kind.
- `other-model`: a device with another TAC: the SIM was taken out and put into something else.
- `returned`: the bound device is back, after another in between (A-B-A). The response is never more than `notify`
  unless policy names this class. A device that was bound earlier and is not any more counts as another one.
- `not-reported`: the subscription is bound, and this request carries no IMEI, or one that cannot be read.
- `not-in-pool`: the use case lets its subscriptions be in the devices of a pool (`binding: {pool: NAME}`), and this
  one is not among them.

**Why it matters.** A SIM taken out of its device is free data and calls at the owner's cost, and a way into the
private network.

**What it misses.** A device whose IMEI was rewritten to the bound one. A subscription that was never bound. Accounting
records without an IMEI say nothing, since many gateways leave it out of them.

**Likely false alarms.** A repaired or refitted unit that nobody announced (`simward work plan` does: then there is no
finding); a gateway that stops sending 3GPP-IMEISV.

**What to do.** Ask whoever is responsible for the site. If the exchange was meant, `simward release --rebind` lets
the next device become the bound one. If not, keep the lock and treat the device as stolen. Where a work order was
waiting for another device, `expected` is that one: the wrong SIM is in the box, or the right SIM in a wrong one.

Where a command bound a subscription to its device (`simward bind`, CAMARA's IMEIBIND), it belongs in that device
whatever `binding` says, and `same-model` and `other-model` are refused, whatever milder policy says; the use case's
limits hold for that as for every refusal.
"""

from numba import njit

from simward.detectors.detector import HIGH, INFO, LOW, MEDIUM, NO_OPINION, QUIET, REFUSE, Detector, Knob
from simward.detectors.facts import ACCESS_REQUEST, NO_SOFTWARE, NONE, NOT_REPORTED, TIED, imeisv, tac

DETECTOR = Detector(
    id="device-change",
    runs="gate",
    scope="subscription",
    severity={
        "software": INFO, "same-model": MEDIUM, "other-model": HIGH, "returned": LOW, "not-reported": MEDIUM,
        "not-in-pool": HIGH,
    },
    evidence={"software": "imeisv", "*": "imei"},
    mild_classes=("returned",),
    response_paths={"not-reported": ("binding.not_reported", REFUSE)},
    about_device=True,
    enforced={"same-model": "device", "other-model": "device"},
)
CLASSES = ("software", "same-model", "other-model", "returned", "not-reported", "not-in-pool")
CLASS_SOFTWARE, CLASS_SAME_MODEL, CLASS_OTHER_MODEL, CLASS_RETURNED, CLASS_NOT_REPORTED = 1, 2, 3, 4, 5
CLASS_NOT_IN_POOL = 6
MODE_NONE, MODE_FIRST_USE, MODE_MODEL, MODE_POOL = 0, 1, 3, 4
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob(
        "mode", "u1", default=0, path="binding.mode", kind="choice",
        values={"none": 0, "first-use": 1, "declared": 2, "model": 3, "pool": 4},
        doc="What the subscription is bound to; `model` lets devices of one TAC take each other's place.",
    )
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """Compare the reported device with the bound one (TS 23.003 6.2), or with the pool."""
    bound = subscription.bound_imei
    mode = MODE_FIRST_USE if subscription.marks & TIED else knobs.mode
    if mode == MODE_POOL:
        evidence.was, evidence.now = subscription.last_imei, event.imei
        if event.imei == NOT_REPORTED:
            return CLASS_NOT_REPORTED if event.kind == ACCESS_REQUEST else NO_OPINION
        return QUIET if around.in_pool == 1 else CLASS_NOT_IN_POOL
    planned = around.planned_imei
    if mode == MODE_NONE or (bound == NONE and (planned == NONE or event.imei == NOT_REPORTED)):
        return QUIET
    if bound == NONE:
        bound = planned  # its first device is announced
    evidence.was, evidence.now = subscription.last_imei, event.imei
    evidence.expected = planned if planned != NONE else bound
    if event.imei == NOT_REPORTED:
        # Only a request must name the device: 3GPP-IMEISV is optional in accounting (TS 29.061 16.4.7.1).
        return CLASS_NOT_REPORTED if event.kind == ACCESS_REQUEST else NO_OPINION
    if event.imei == around.left_imei:
        return NO_OPINION  # the end of the session in the device that it was taken out of as planned
    if event.imei == bound:
        return home(subscription, event, mode, evidence)
    if mode == MODE_MODEL and tac(event.imei) == tac(bound):
        return QUIET
    return CLASS_SAME_MODEL if tac(event.imei) == tac(bound) else CLASS_OTHER_MODEL


@njit
def home(subscription, event, mode, evidence):  # type: ignore[no-untyped-def]
    """The bound device itself: is it back from another one, or does it run other software?"""
    bound, away = subscription.bound_imei, subscription.last_imei
    if away != NONE and away != bound and not (mode == MODE_MODEL and tac(away) == tac(bound)):
        return CLASS_RETURNED
    before = subscription.last_software
    if away == bound and before != NO_SOFTWARE and event.software != NO_SOFTWARE and before != event.software:
        evidence.was, evidence.now = imeisv(bound, before), imeisv(bound, event.software)
        evidence.expected = evidence.was
        return CLASS_SOFTWARE
    return QUIET
