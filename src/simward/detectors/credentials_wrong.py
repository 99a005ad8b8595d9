"""A request shows wrong credentials, or none, where its segment asks for them.

**What it sees.** User-Password (PAP, RFC 2865 5.2) or CHAP-Password (5.3) of a request, against the secret that the
segment of its APN names with `credentials`. The gate compares; passwords are neither journalled nor shown.

- `wrong`: the password is another one.
- `missing`: the request shows none of the kind that the segment asks for, or names none of its APNs, so that nothing
  could be compared.

**Why it matters.** A SIM that is taken out of its device leaves the APN's password behind. Whoever asks with a wrong
one is not configured as the owner's devices are.

**What it misses.** A thief who takes the device with its configuration. All devices of a segment share one secret.

**Likely false alarms.** A gateway that answers PAP and CHAP itself, and sends the same password for every device: give
the segment that one, or `credentials: none`. A secret that was changed here before it was changed in the devices.

**What to do.** Compare the APN settings of the device with the segment's secret. Many at once, after a change of the
secret or of the gateway: correct that first, and set `responses: {credentials-wrong: observe}` until then.
"""

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, REFUSE, Detector, Knob
from simward.detectors.facts import (
    ACCESS_REQUEST,
    CREDENTIALS_NOT_ASKED,
    CREDENTIALS_RIGHT,
    CREDENTIALS_WRONG,
)

DETECTOR = Detector(
    id="credentials-wrong", runs="gate", scope="subscription", severity=HIGH, evidence={"*": "apn"},
    default_response=REFUSE,
)  # fmt: skip
CLASSES = ("wrong", "missing")
CLASS_WRONG, CLASS_MISSING = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("apns", "i4", path="segment", kind="apn-of-segment", shape=3, doc="The APNs of the use case's segments."),
    Knob("asked", "u1", path="segment", kind="credentials-of-segment", shape=3, doc="What each asks for."),
]


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """A request that names none of its APNs gets the addresses of the first segment, so it must show what that asks."""
    if event.kind != ACCESS_REQUEST:
        return NO_OPINION
    place, named = 0, False
    for one in range(knobs.apns_count):
        if knobs.apns[one] == event.apn and event.apn != 0:
            place, named = one, True
    if knobs.apns_count == 0 or knobs.asked[place] == 0:
        return QUIET
    evidence.now = event.apn
    if not named:
        return CLASS_MISSING
    if event.credentials == CREDENTIALS_RIGHT:
        return QUIET
    if event.credentials == CREDENTIALS_NOT_ASKED:
        return NO_OPINION  # history from before the segment asked: nobody compared anything
    return CLASS_WRONG if event.credentials == CREDENTIALS_WRONG else CLASS_MISSING
