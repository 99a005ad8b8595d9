"""Many of one kind changed what they do on the same day: one finding for all of them.

**What it sees.** What the members of a cohort (tenant, use case, model, radio access; at least 200 of them, else the
wider one) had in common on a day, in each of seven channels, against what they had in common before. It is taken out of
each member's day, so that a member is judged by what it does beyond it.

- `more`: the cohort as a whole did more of something than is usual for it.
- `less`: it did less.
- `many`: more subscriptions became unusual on one day than the alarm budget can have meant; the strongest are told one
  by one, and the others as this one.

`about` names the cohort, `now` how many members it has (or, of `many`, how many are told as one), and `channels` what
changed: the day's common amount against the usual one. It ends on the second day in turn that is like others, and is
what is usual once it has lasted for two weeks or more.

**Why it matters.** A firmware roll-out that doubles what devices send, an outage of their server that has all of them
try again, a heat wave, or a fleet that was taken over as a whole: one cause, and one message instead of ten thousand.

**What it misses.** Cohorts too small to tell: their members are compared with the wider cohort. A change that comes so
slowly that each day looks like the one before.

**Likely false alarms.** Holidays, planned roll-outs, the end of a campaign: right to tell, and no reason to worry.

**What to do.** Ask whether it was planned. If so, resolve it as `benign`: the cohort is allowed more until the verdict
expires. If not, look at one member (`simward explain`) and at what all of them talk to.
"""

from simward.detectors.detector import MEDIUM, QUIET, Detector

DETECTOR = Detector(
    id="cohort-shift",
    runs="watch",
    scope="cohort",
    given="behaviour",
    severity={"*": MEDIUM},
    evidence={"*": "count"},
    about={"*": "cohort"},
    weighs=True,
)
CLASSES = ("more", "less", "many")
CLASS_MORE, CLASS_LESS, CLASS_MANY = 1, 2, 3
MEMORY: list[tuple[str, str]] = []
KNOBS = []  # type: ignore[var-annotated]


def judge(memory, cohort, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge what a day's fit says of one cohort; what began as more is the same thing on a day that has less."""
    if cohort.members == 0:
        return QUIET
    evidence.now = cohort.members
    if cohort.rolled_up != 0:
        return CLASS_MANY
    if cohort.open_class == CLASS_MORE or cohort.open_class == CLASS_LESS:
        return cohort.open_class
    return CLASS_LESS if cohort.lower != 0 else CLASS_MORE
