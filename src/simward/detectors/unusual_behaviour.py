"""A subscription no longer behaves as it used to, nor as its like do, and by more than chance explains.

**What it sees.** Each day (UTC) in seven channels: octets up, octets down, what share of them went up, sessions begun,
time in sessions, hours of the day with traffic, and requests that no session followed. Each is held against the
subscription's own past and against its cohort (tenant, use case, model, radio access); what the whole cohort did on
that day is taken out first. How improbable each channel was is added up over days and channels, with decay. A finding
begins where that evidence passes the threshold which keeps the fleet within its alarm budget (`[behaviour]
findings_a_day`).

- `sudden`: the evidence gathered within three days.
- `gradual`: it gathered over more of them: a slow leak.

`now` is the evidence in bits (each bit halves the odds of chance), `expected` the threshold. `channels` names the three
channels that weigh most, each with the day's amount, the device's usual range, that of its peers, and since when.
`new_hours` says in how many hours of the week it had traffic that day for the first time since it was first heard.

**Why it matters.** What no rule names: a device that was taken over and sends somebody's data out, one that joined an
attack, one that fails slowly, a SIM that does another's work.

**What it misses.** The first two days of a subscription. Changes within what its days vary by anyway. What lasts for a
part of an hour and moves no day. A change that the whole cohort makes: `cohort-shift` tells that.

**Likely false alarms.** Use that is new and right: a customer's new tariff, a test in a laboratory, a season. Budgeted:
over the fleet, so many a day as the owner said.

**What to do.** Look at the channels and since when (`simward explain`). Where it is right, resolve its incident as
`benign` (or `simward benign`): that device is then allowed more until the verdict expires, and it learns the new level.
"""

from simward.detectors.detector import MEDIUM, QUIET, Detector

DETECTOR = Detector(
    id="unusual-behaviour",
    runs="watch",
    scope="subscription",
    given="behaviour",
    severity={"*": MEDIUM},
    evidence={"*": "bits"},
    weighs=True,
)
CLASSES = ("sudden", "gradual")
CLASS_SUDDEN, CLASS_GRADUAL = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = []  # type: ignore[var-annotated]
SUDDEN_DAYS = 3
"""Evidence that is older than so many days gathered slowly."""


def judge(memory, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge what the settled day came to; how it began stays its class for as long as it lasts."""
    if memory.unusual == 0:
        return QUIET
    evidence.now = memory.total
    if use.open_class != 0:
        return use.open_class
    return CLASS_GRADUAL if memory.gathered_days > SUDDEN_DAYS else CLASS_SUDDEN
