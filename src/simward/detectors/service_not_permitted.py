"""A subscription uses a service that its use case does not have.

**What it sees.** Each session that accounting reports (or call detail records, of a subscription that no accounting
tells of), against `services.data`, and each call and short message that call detail records tell of, against
`services.voice` and `services.sms`. It ends a day after it was last told.

- `data`: a data session, where the use case says `services: {data: none}`. `now` is the APN.
- `voice`: a call, where it says `voice: none`. `now` is how long it called on that day, to numbers of that class.
- `sms`: a short message, where it says `sms: none`. `now` is how many it sent on that day, likewise.
- `premium`: a call or message to a premium number, as the owner's list of beginnings has them (`destinations` of the
  template), unless the use case says `premium: unlimited`. `now` is how much on that day.
- `first-use`: the first use ever of a service by a subscription that is known for a month, where the use case does not
  say what is meant. Of calls and messages: where there have been records for a month as well. Not more than a notice
  comes of it unless policy names the class.

**Why it matters.** The network lets it, so nothing else will tell: services are often open on every SIM because one use
case needs them. An alarm button whose SIM begins a data session is no longer in the alarm button, or no longer alone.
The first premium call is where a bill of tens of thousands begins.

**What it misses.** Requests that are refused: a use of the service is what accounting or a record tells. Calls and
messages of operators whose records are not imported, and what records tell later than a week after.

**Likely false alarms.** A firmware that opens a data session after each restart, and sends nothing in it. A use case
that says `none` because nobody knew. Messages of the operator's own, where the template does not ignore received ones.

**What to do.** Have the service taken off the SIM by the operator: what is not open cannot be misused. Where the device
needs it, say so in the use case, with a budget. `simward usage` says which services nobody uses.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import CRITICAL, HIGH, LOW, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="service-not-permitted",
    runs="watch",
    scope="subscription",
    severity={"premium": CRITICAL, "first-use": LOW, "*": HIGH},
    evidence={"data": "apn", "*": "usage"},
    mild_classes=("first-use",),
)
CLASSES = ("data", "voice", "sms", "premium", "first-use")
CLASS_DATA, CLASS_VOICE, CLASS_SMS, CLASS_PREMIUM, CLASS_FIRST_USE = 1, 2, 3, 4, 5
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("no_data", "u1", path="services.data", kind="is-none", doc="1: it has no data service."),
    Knob("no_sms", "u1", path="services.sms", kind="is-none", doc="1: it has no short messages."),
    Knob("no_voice", "u1", path="services.voice", kind="is-none", doc="1: it has no calls."),
    Knob(
        "premium", "u1", path="services.premium", kind="choice", values={"none": 0, "unlimited": 1},
        doc="1: it may call and write to premium numbers.",
    ),
    Knob("data_said", "u1", path="services.data", kind="is-said", doc="1: the use case says what data is for."),
    Knob("sms_said", "u1", path="services.sms", kind="is-said", doc="And messages."),
    Knob("voice_said", "u1", path="services.voice", kind="is-said", doc="And calls."),
]  # fmt: skip
DATA, SMS, VOICE = 0, 1, 2
SERVICES = 4
"""Evidence of the kind "usage" is an amount times this, plus the service."""
PREMIUM = 4
"""The class of destination (engine/call_records.py)."""
LASTS_S = 86_400
KNOWN_S = 30 * 86_400
"""What is new of a subscription that is known for less is not odd: it is being taken into service."""


def judge(memory, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge one use of a service; at ticks, whether it was told lately."""
    told = np.int64(use.open_class)
    if event.kind == TICK:
        lapsed = use.at_s - use.seen_s >= LASTS_S
        return QUIET if lapsed or not still_odd(told, use.service, knobs) else NO_OPINION
    cls = np.int64(QUIET)
    if use.destination == PREMIUM and knobs.premium == 0:
        cls = np.int64(CLASS_PREMIUM)
    elif banned(use.service, knobs) == 1:
        cls = np.int64(CLASS_DATA if use.service == DATA else (CLASS_SMS if use.service == SMS else CLASS_VOICE))
    elif said(use.service, knobs) == 0 and use.is_first == 1 and use.at_s - use.known_s >= KNOWN_S:
        cls = np.int64(CLASS_FIRST_USE)
    if cls == CLASS_DATA:
        evidence.now = use.apn
    else:
        evidence.now = (use.to_destination if use.recorded == 1 else use.used) * SERVICES + use.service
    if cls == told:
        evidence.now = use.told  # it is told once: what comes after it is more of the same
    elif told == CLASS_PREMIUM or (told == CLASS_FIRST_USE and cls == QUIET):
        return NO_OPINION if still_odd(told, use.service, knobs) else cls
    return cls


@njit
def banned(service, knobs):  # type: ignore[no-untyped-def]
    """1: the use case has none of the service."""
    return knobs.no_data if service == DATA else (knobs.no_sms if service == SMS else knobs.no_voice)


@njit
def said(service, knobs):  # type: ignore[no-untyped-def]
    """1: the use case says what the service is for."""
    return knobs.data_said if service == DATA else (knobs.sms_said if service == SMS else knobs.voice_said)


@njit
def still_odd(told, service, knobs):  # type: ignore[no-untyped-def]
    """Would the use case as it is now have what was told told again?"""
    if told == CLASS_PREMIUM:
        return knobs.premium == 0
    if told == CLASS_FIRST_USE:
        return said(service, knobs) == 0
    return banned(service, knobs) == 1
