"""A subscription has said nothing for longer than it should, and it alone.

**What it sees.** How long nothing was heard of it - no request, no accounting record - against
`cadence.silent_after`, else two and a half times `cadence.every` (of a day and more: twice, and an hour). One that
owes interims is waited for until two of them and a half were due, since one may be lost. Judged from the third day on
which it was heard: a SIM that was tested and put on a shelf owes nothing yet. `was` is when it was heard last,
`expected` by when it should have been heard again; `last_word` says what the last word was, why its session ended,
and what was otherwise on that day. It ends when it is heard.

- `cadence`: longer than its use case declares.
- `habit`: nothing is declared; longer than six times its longest silence so far, and than a week. That longest
  is forgotten slowly (half of it in six weeks), and known from the 28th day on which it was heard.

**Why it alone.** Where a cell, a gateway, a network, a model or one software of it fell silent, that is one finding
(`cell-silent`, `gateway-silent`), and `simward explain` names it for each member; none of them is told here. The
members that miss one word are counted, so the cause is known before the first of them has missed enough: at least
five are late, and at least half of those whose cadence is known, or nothing at all is heard of the group. Afterwards
each has its whole time to be heard again. Those that stay away are then told: look at them first.

**Why it matters.** A device that was stolen, jammed, broken or flooded says nothing, and nobody misses it until the
bill or the audit. What it did last tells which: a session that ended by "lost carrier" in a place where it never was
is another matter than one that ended in good order before a battery was empty.

**What it misses.** What was never heard, and what is `inventory`, `suspended` or `retired`. What a work order has:
from when it is known until the day it ends, at most 127 days. A device that is still heard though its sensor is dead.
Where `silent_after` leaves no room for one lost word (`{every: 72h, silent_after: 73h}`), the first few members of a
cell that dies are told one by one, before it can be known that it is the cell. Time in which the gate did not run
counts for nothing, and gives each the time for one word more.

**Likely false alarms.** A device that is switched off on purpose, without a work order: a shop on holiday, a car in
winter. Devices that share no group with at least four others which fell silent for the same reason.

**What to do.** `simward explain`: how did its last session end, and was anything otherwise before? Ask the owner
whether it was switched off; else send somebody, or lock the SIM until it is found. A rule can do that: `on:
silent/cadence`.
"""

from simward.detectors.detector import LOW, MEDIUM, NO_OPINION, QUIET, Detector, Knob

DETECTOR = Detector(
    id="silent",
    runs="watch",
    scope="subscription",
    severity={"cadence": MEDIUM, "habit": LOW},
    evidence={"*": "time"},
    given="cadence",
    tells_last_word=True,
    mild_classes=("habit",),
)
CLASSES = ("cadence", "habit")
CLASS_CADENCE, CLASS_HABIT = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("every_s", "i4", path="cadence.every", kind="duration", doc="How often it is heard of."),
    Knob("silent_after_s", "i4", path="cadence.silent_after", kind="duration", doc="After how long it is silent."),
]
SECOND_US = 1_000_000


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """A word ends it; at ticks, the sweep says who is overdue (engine/watching/silences.py)."""
    if memory.heard_again != 0 or memory.is_excused != 0:
        return QUIET
    if memory.is_overdue == 0:
        return NO_OPINION
    evidence.was = memory.heard_at
    evidence.expected = memory.heard_at + memory.limit_s * SECOND_US
    evidence.before[0] = memory.last_word
    return CLASS_HABIT if memory.by_habit != 0 else CLASS_CADENCE
