"""A subscription connects at hours, or on days, at which it does not.

**What it sees.** When it begins to be connected (a request, or a session that none preceded) of its own accord: not
after a restart of its gateway. Only where both clocks say so, the gateway's (when it happened) and the gate's (when
it was heard): one may be wrong, and records come late. An hour before and after each permitted hour counts as
permitted, since clocks drift and change twice a year. `now` is the hour and day of the first such contact, `expected`
when it should be. It ends a week after the last.

- `hours`: outside `cadence.hours` or `cadence.days`, each contact.
- `habit`: nothing is declared; outside all hours of its contacts in the four weeks before, where these show a habit:
  contacts on half of the days at least, in sixteen different hours at most. Told at the fourth different hour of this
  kind within about a week; a fortnight's repair visit is none. Days of the week are no habit: four weeks have too few
  of each to tell one from chance.

Where more than five at one gateway, and one in a hundred of its members, are told so within an hour, something befell
them together; of the others nothing is told then.

**Why it matters.** A meter that reports at four each morning has no business at midnight. Who uses somebody else's
SIM, or has taken a device over, does so when it suits him.

**What it misses.** Devices without regular hours, or that are always connected. The first four weeks of each. What
happens at the usual hours, on whatever day, where `cadence.days` does not say otherwise. A new habit is known as such
after four to eight weeks, and no longer odd.

**Likely false alarms.** Summer work hours of a shop, a firmware update that makes it report several times in one
night; of `hours`, a power cut after which it starts at once.

**What to do.** Look at what it did then (`simward explain`), and whether its like did the same: then it is an update.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import LOW, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="off-schedule",
    runs="watch",
    scope="subscription",
    severity=LOW,
    evidence={"*": "hours"},
    given="cadence",
    mild_classes=("habit",),
)
CLASSES = ("hours", "habit")
CLASS_HOURS, CLASS_HABIT = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("hours", "i4", path="cadence.hours", kind="hours", doc="At which hours it connects (UTC); a bit for each."),
    Knob("days", "i4", path="cadence.days", kind="weekdays", doc="On which days it connects; a bit for each."),
]
HOURS, WEEKDAYS, WEEKDAYS_SHIFT = (1 << 24) - 1, 127, 24
LASTS_S = 7 * 86_400
MARKS_LEAST, HABIT_HOURS_MOST = 4, 16
HOURS_A_DAY, DAYS_A_WEEK = 24, 7
CROWD_LEAST, CROWD_SHARE = 5, 100


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at each contact; at ticks, whether it is over."""
    if event.kind == TICK:
        return QUIET if memory.at_s - subscription.seen_s >= LASTS_S else NO_OPINION
    if memory.contact == 0:
        return NO_OPINION
    if subscription.open_class == 0 and memory.told_lately >= max(CROWD_LEAST, memory.members // CROWD_SHARE):
        return NO_OPINION
    now = (1 << memory.hour) | (1 << (WEEKDAYS_SHIFT + memory.weekday))
    evidence.now = subscription.told if subscription.told != 0 else now
    if knobs.hours != 0 or knobs.days != 0:
        permitted = is_permitted(knobs, memory.hour, memory.weekday)
        evidence.expected = knobs.hours | (np.int64(knobs.days) << WEEKDAYS_SHIFT)
        return NO_OPINION if permitted or is_permitted(knobs, memory.received_hour, memory.received_weekday) else 1
    evidence.expected = memory.known & HOURS
    if memory.is_marked == 0 or count_of(memory.known & HOURS) > HABIT_HOURS_MOST:
        return NO_OPINION
    return CLASS_HABIT if subscription.open_class != 0 or memory.marks >= MARKS_LEAST else NO_OPINION


@njit
def is_permitted(knobs, hour, weekday):  # type: ignore[no-untyped-def]
    """Is that hour of the week, or the one before it or after it, among those that are declared?"""
    hours = knobs.hours if knobs.hours != 0 else HOURS
    days = knobs.days if knobs.days != 0 else WEEKDAYS
    for beside in range(-1, 2):
        of_week = weekday * HOURS_A_DAY + hour + beside
        that_hour, that_day = of_week % HOURS_A_DAY, of_week // HOURS_A_DAY % DAYS_A_WEEK
        if (hours >> that_hour) & 1 and (days >> that_day) & 1:
            return True
    return False


@njit
def count_of(bits):  # type: ignore[no-untyped-def]
    """How many bits are set."""
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count
