"""A subscription connects far more often than it should, hour after hour.

**What it sees.** The sessions that it begins in a UTC day, and in how many hours of it. Told where those are six
hours or more. `now` is how many sessions it was so far, `expected` the most that would have been plausible, `was` the
most in a day before. It ends a day after that held last.

- `cadence`: more than six times as many as `cadence.every` makes in a day, and a dozen besides; or twice the most that
  it had in a day so far, where that is more than a dozen. How often it must be heard at least is what an owner says; on
  a good Saturday a payment terminal is heard four times as often as usual, and nothing is wrong with it. Once told, it
  is over when the declared figure is kept.
- `habit`: nothing is declared; more than six times the most that it had in a day so far, and two dozen besides. Known
  from the 28th day on; that most is forgotten slowly.

**Why it matters.** A battery that was to last for ten years is empty in one; a firmware in a loop costs the network
more than it costs the owner, until the operator bars it. A SIM in somebody's router connects as people come and go.

**What it misses.** Requests that are refused or come to nothing: those are storms, and told as such. What happens
within a few hours: a bad reception, or a morning's work on the device. What an always-on device sends within one
session: that is use, not contact.

**Likely false alarms.** A device at the edge of its cell, whose sessions break all day: it needs an antenna. A
gateway that restarts a dozen times in a day without saying so.

**What to do.** Look at how its sessions end (`simward explain`), and whether others of its model and software do the
same: then it is the firmware. Else look at the reception, and at the device.
"""

from simward.detectors.detector import LOW, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="too-chatty",
    runs="watch",
    scope="subscription",
    severity=LOW,
    evidence={"*": "count"},
    given="cadence",
    mild_classes=("habit",),
)
CLASSES = ("cadence", "habit")
CLASS_CADENCE, CLASS_HABIT = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [Knob("every_s", "i4", path="cadence.every", kind="duration", doc="How often it is heard of.")]
DAY_S = 86_400
TIMES, DECLARED_MORE, HABIT_MORE = 6, 12, 24
BUSIEST = 2
HOURS_LEAST = 6
KNOWN_DAYS = 28
LASTS_S = DAY_S


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at each contact; at ticks, whether it is over."""
    if event.kind == TICK:
        return QUIET if memory.at_s - subscription.seen_s >= LASTS_S else NO_OPINION
    if memory.contact == 0 or memory.hours_today < HOURS_LEAST:
        return NO_OPINION
    if knobs.every_s > 0:
        usual = BUSIEST * memory.most_sessions if subscription.open_class == 0 else 0
        most, found = TIMES * DAY_S // knobs.every_s + max(DECLARED_MORE, usual), CLASS_CADENCE
    elif memory.known_days >= KNOWN_DAYS:
        most, found = TIMES * memory.most_sessions + HABIT_MORE, CLASS_HABIT
    else:
        return NO_OPINION
    if memory.sessions <= most:
        return NO_OPINION
    told = subscription.told
    evidence.was, evidence.expected = memory.most_sessions, most
    evidence.now = told if told > 0 and memory.sessions < 2 * told else memory.sessions
    return found
