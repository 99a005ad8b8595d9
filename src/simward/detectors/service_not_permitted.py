"""A subscription uses a service that its use case does not have.

**What it sees.** Each session that accounting reports, against `services.data: none`: such a SIM is for messages or
calls alone. `now` is the APN. The finding ends a day after the service was used last.

- `data`: a data session, where the use case has none.

**Why it matters.** The network lets it, so nothing else will tell: services are often open on every SIM because one use
case needs them. An alarm button whose SIM begins a data session is no longer in the alarm button, or no longer alone.

**What it misses.** Requests that are refused: a use of the service is what accounting reports. Short messages and
calls, which RADIUS does not tell of.

**Likely false alarms.** A firmware that opens a data session after each restart, and sends nothing in it. A use case
that says `none` because nobody knew.

**What to do.** Have the service taken off the SIM by the operator: what is not open cannot be misused. Where the device
needs it, say so in the use case, with a budget.
"""

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="service-not-permitted",
    runs="watch",
    scope="subscription",
    severity=HIGH,
    evidence={"data": "apn"},
)
CLASSES = ("data",)
CLASS_DATA = 1
MEMORY: list[tuple[str, str]] = []
KNOBS = [Knob("no_data", "u1", path="services.data", kind="is-none", doc="1: it has no data service.")]
DATA = 0
LASTS_S = 86_400


def judge(memory, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge one use of a service; at ticks, whether it was used lately."""
    if use.service != DATA or knobs.no_data == 0:
        return QUIET
    if event.kind == TICK:
        return QUIET if use.at_s - use.seen_s >= LASTS_S else NO_OPINION
    evidence.now = use.told if use.told != 0 else use.apn
    return CLASS_DATA
