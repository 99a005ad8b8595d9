"""A device that is declared to stay where it is has moved.

**What it sees.** For use cases with `mobility: fixed`. The areas (TAC or LAC, TS 23.003; the cell where no area is
reported) in which a device is heard during the learning period (`mobility: {mode: fixed, learn: 14d}`, from its first
report on) are its homes, up to four. Cells within them do not matter. Later, a neighbouring area from which it came
home three times is learnt as well.

- `moved`: it has been heard outside its homes for longer than `mobility.confirm` (6 hours unless said), on at least
  four occasions an hour or more apart (two where they lie a week apart), and not at home in between. Of a meter that
  reports once a day it is so said after three days.
- `far`: `cells.csv` says that it is 30 km or more from where it was at home: no neighbouring cell is so far away.

**Why it matters.** A meter, a camera or a lift that moves was stolen, or installed where nobody knows of it.

**What it misses.** A move within the same tracking area (in a city some hundred metres, in the country some ten
kilometres); a move during the learning period; a device that reports no location. Fewer occasions than that prove
nothing: which neighbouring cell a device hears best changes with the weather, for some reports in a row.

**Likely false alarms.** A network that renumbers its tracking areas moves everybody at once. A device that was moved
and is meant to be there: `simward release --rebind` begins to learn anew; where `simward work plan --place` announced
it, there is no finding.

**What to do.** Ask whoever is responsible for the site. Where it is now stands in the finding.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import FIXED, MOBILITIES, area_number

DETECTOR = Detector(
    id="location-change", runs="gate", scope="subscription", severity=MEDIUM, evidence={"*": "area"}, sticky=True
)
CLASSES = ("moved", "far")
CLASS_MOVED, CLASS_FAR = 1, 2
FAR_M = 30_000
OCCASIONS, OCCASIONS_IN_A_WEEK = 4, 2
APART_S, WEEK_S, HOURS_MOST = 3600, 604_800, 255
MEMORY = [("counted_h", "u1"), ("occasions", "u1"), ("said", "u1")]
KNOBS = [
    Knob("mode", "u1", path="mobility.mode", kind="choice", values=MOBILITIES, doc="Whether it moves."),
    Knob("confirm_s", "i4", default=21_600, path="mobility.confirm", kind="duration", doc="How long away is moved."),
    Knob("learn_s", "i4", default=1_209_600, path="mobility.learn", kind="duration", doc="How long homes are learnt."),
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """One that is away goes on being so until it is heard at home."""
    if knobs.mode != FIXED or around.at_home < 0:
        return NO_OPINION
    if around.at_home == 1:
        memory.said, memory.occasions = QUIET, 0
        return QUIET
    count(memory, subscription, around)
    evidence.was = area_number(subscription.plmn, subscription.area)
    evidence.now = area_number(event.plmn, event.area)
    if memory.said == QUIET:
        if subscription.away_s == 0 and around.travelled_m >= FAR_M:
            memory.said = CLASS_FAR
        elif around.away_s >= knobs.confirm_s and heard_enough(memory, around):
            memory.said = CLASS_MOVED
        else:
            return NO_OPINION
    return memory.said


@njit
def count(memory, subscription, around):  # type: ignore[no-untyped-def]
    """Reports within an hour of its being away, as those of one session, are one occasion."""
    if subscription.away_s == 0:
        memory.occasions, memory.counted_h = 1, 0
        return
    hours = min(around.away_s // np.int64(APART_S), np.int64(HOURS_MOST))
    if hours > memory.counted_h:
        memory.occasions = min(np.int64(memory.occasions) + np.int64(1), np.int64(255))
        memory.counted_h = hours


@njit
def heard_enough(memory, around):  # type: ignore[no-untyped-def]
    """Four occasions, or two where the device reports so rarely that a week lies between them."""
    return memory.occasions >= OCCASIONS or (around.away_s >= WEEK_S and memory.occasions >= OCCASIONS_IN_A_WEEK)
