"""A subscription calls costly numbers again and again.

**What it sees.** Calls and short messages to premium numbers, and calls to international ones, as call detail records
tell of them, by the owner's own list of beginnings (`destinations` of the template). Hours and days are of UTC, by when
the calls began. It ends a day after the last of them was told.

- `premium`: the second call or message to a premium number within a day, the third within a month, or ten minutes of
  such calls within an hour: machines do not misdial. Not where the use case says `premium: unlimited`. `now` is how
  many in that month.
- `international`: the tenth call to an international number within an hour, or the thirtieth within a day. `now` is how
  many on that day. Not where the use case gives a budget for calls: then that budget says what is too much.

**Why it matters.** Whoever has a SIM with calls, or a module that can be told to call, earns from each minute to
numbers of their own. In a published case 59 hacked modules made 17,000 premium calls in a few days; the owner saw them
on the bill.

**What it misses.** Operators whose records are not imported; numbers that the list does not have. What is called
rarely: `service-not-permitted/premium` tells of the first premium call. What records tell later than a week after. It
is told within seconds of the import, so how soon depends on how soon the operator gives its records: `simward explain`
has the calls behind a finding, each with when it began and how much later it was told.

**Likely false alarms.** A list of beginnings that calls premium what is not. An emergency telephone whose centre is
abroad, on a day on which somebody plays with it: give its use case a budget for calls.

**What to do.** Confine the subscription (a rule can: `on: toll-fraud/premium`), and have calls to such numbers barred
by the operator. Then look at the device: it was taken over, or somebody has its SIM. `simward cdr list` has its calls.
"""

from numba import njit

from simward.detectors.detector import CRITICAL, HIGH, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="toll-fraud",
    runs="watch",
    scope="subscription",
    given="call",
    severity={"premium": CRITICAL, "*": HIGH},
    evidence={"*": "count"},
)
CLASSES = ("premium", "international")
CLASS_PREMIUM, CLASS_INTERNATIONAL = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob(
        "premium", "u1", path="services.premium", kind="choice", values={"none": 0, "unlimited": 1},
        doc="1: it may call and write to premium numbers.",
    ),
    Knob("voice_budget", "i8", path="services.voice", kind="voice-budget", shape=4, doc="Seconds of calls."),
]  # fmt: skip
PREMIUM_DAY, PREMIUM_MONTH, PREMIUM_S_HOUR = 2, 3, 600
INTERNATIONAL_HOUR, INTERNATIONAL_DAY = 10, 30
INTERNATIONAL, PREMIUM = 3, 4
"""Classes of destination (engine/call_records.py)."""
LASTS_S = 86_400


def judge(call, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge what one record adds up to; at ticks, whether it was told lately."""
    if event.kind == TICK:
        return QUIET if use.at_s - use.seen_s >= LASTS_S else NO_OPINION
    premium = call.premium_day >= PREMIUM_DAY or call.premium_month >= PREMIUM_MONTH
    premium = premium or call.premium_s_hour >= PREMIUM_S_HOUR
    if knobs.premium == 0 and premium and call.destination == PREMIUM:
        evidence.now = told(use, CLASS_PREMIUM, call.premium_month)
        evidence.expected = 0
        return CLASS_PREMIUM
    many = call.international_hour >= INTERNATIONAL_HOUR or call.international_day >= INTERNATIONAL_DAY
    many = many and call.destination == INTERNATIONAL and knobs.voice_budget_count == 0
    if many and use.open_class != CLASS_PREMIUM:
        evidence.now = told(use, CLASS_INTERNATIONAL, call.international_day)
        evidence.expected = INTERNATIONAL_HOUR
        return CLASS_INTERNATIONAL
    return NO_OPINION


@njit
def told(use, cls, count):  # type: ignore[no-untyped-def]
    """What the finding says: it is told again each time that the number has doubled."""
    return use.told if use.open_class == cls and count < 2 * use.told else count
