"""A subscription is heard in two places between which nothing travels so fast.

**What it sees.** The distance between the cells of two reports (`cells.csv`), or, where a cell is not listed, the
least distance between two countries (by mobile country code; neighbours have none), against the time between the
reports. What is believable depends on the fleet: 150 km/h for `mobility: fixed`, 300 for an area, 1000 for `free`.
Distances below 50 km are never judged, nor a report that is older than one already heard.

- `too-fast`: farther than anything of that kind can have come; `now` is the distance, `expected` the most that is
  believable.

**Why it matters.** One subscription in two places means that it was copied, or that somebody lies about where it is.

**What it misses.** Copies within 50 km, or heard long after each other.

**Likely false alarms.** Wrong coordinates in `cells.csv`; a gateway whose clock is wrong by hours; a network that
reports the cell of its core instead of the device's.

**What to do.** See `cloned-subscription` and `simward explain`. Refuse or lock only where the cells are known well.
"""

import numpy as np

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import MOBILITIES, farthest_m

DETECTOR = Detector(
    id="impossible-travel", runs="gate", scope="subscription", severity=HIGH, evidence={"*": "distance"}, sticky=True
)
CLASSES = ("too-fast",)
CLASS_TOO_FAST = 1
LASTS_S = 3600
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("mode", "u1", path="mobility.mode", kind="choice", values=MOBILITIES, doc="How fast its kind travels."),
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """A jump lasts an hour, so that one who jumps to and fro is one finding."""
    if around.jumped:
        evidence.now, evidence.expected = around.travelled_m, farthest_m(around, knobs.mode)
        return CLASS_TOO_FAST
    return NO_OPINION if around.event_s - np.int64(subscription.jumped_s) < LASTS_S else QUIET
