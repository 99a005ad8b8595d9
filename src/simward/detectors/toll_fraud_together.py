"""Many subscriptions of one model or use case call premium numbers at once.

**What it sees.** How many subscriptions that have a model or a use case in common called or wrote to a premium number
within two hours (of the clock, by UTC, by when the calls began), as call detail records tell: five are many. Of records
that come at once, as those of a day do, the worst two hours count. Not those whose use case says `premium: unlimited`.
One finding for the cause: the model, where it holds four fifths of those of the use case, else the use case. `was` is
how many of it have been heard of in the gate, `now` how many called, `expected` how many would be tolerated. It is told
again each time that the number has doubled, and ends a day after the last was told.

- `model`: those of one model.
- `use-case`: those of one use case.

**Why it matters.** One SIM that calls premium numbers was stolen; fifty were hacked, all by the same hole, and the
others are next. In a published case 59 modules of one owner made 17,000 premium calls in a few days: each of them
called every quarter of an hour, all together every few seconds.

**What it misses.** Fewer than five. Those spread over many models and use cases. Operators whose records are not
imported; how soon it is told depends on how soon they come.

**Likely false alarms.** A list of beginnings (`destinations` of the template) that calls premium what is not.

**What to do.** Have premium numbers barred by the operator for all of them, today. Then close the hole: what do the
ones that call have in common that the others have not (software version, open ports, a password)?
"""

from simward.detectors.detector import CRITICAL, NO_OPINION, QUIET, Detector
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="toll-fraud-together",
    runs="watch",
    scope="group",
    given="call",
    severity=CRITICAL,
    evidence={"*": "count"},
    about={"model": "model", "use-case": "use-case"},
    timeless=True,
)
CLASSES = ("model", "use-case")
CLASS_MODEL, CLASS_USE_CASE = 1, 2
MEMORY = [("told", "i4"), ("spare", "i4")]
KNOBS: list[object] = []
MODEL, USE_CASE = 4, 6
LEAST = 5
LASTS_US = 86_400_000_000
OWN = 0


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks, of models and use cases alone."""
    if event.kind != TICK or (group.kind != MODEL and group.kind != USE_CASE):
        return NO_OPINION
    count = group.callers_most
    evidence.was, evidence.expected = group.members, LEAST - 1
    over = event.received_at - group.callers_at >= LASTS_US
    if memory.told == 0 and (count < LEAST or over or group.callers_cause != OWN):
        return NO_OPINION
    if over or group.callers_cause != OWN:
        evidence.now = memory.told
        memory.told = 0
        return QUIET
    if count >= 2 * memory.told:
        memory.told = count
    evidence.now = memory.told
    return CLASS_MODEL if group.kind == MODEL else CLASS_USE_CASE
