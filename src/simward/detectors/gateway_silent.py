"""A gateway that used to report has stopped, though it holds sessions that owe reports.

**What it sees.** How long a gateway has said nothing, against its own habit. Patient for sixty seconds, for twenty
times its usual gap, and for three times its longest gap in the last week or two, whichever is longest; so a gateway
whose sessions all report at the same moment each quarter of an hour is waited for, and so is one that is quiet each
night or weekend. On its first day also for a thirtieth of the time that it is known. It ends when the gateway is heard.

- `stopped`: nothing was heard for longer than that. `was` is when it was heard last, `expected` is by when it should
  have been heard again.

**Why it matters.** Nothing is known any more of what its devices do, and none of them can be cut. It is the gateway, or
the way to it; not the devices.

**What it misses.** A gateway known for less than half an hour, one none of whose sessions owes an interim, and one
that still answers for others while a part of it is down. Time in which the gate itself did not run counts for nothing.

**Likely false alarms.** The first long pause of a gateway whose sessions all report at once, or its first quiet night.
Where words come by chance, the next of n quiet gaps is longer than three times the longest of them once in n cubed / 6:
a gateway with sixteen an hour of the night, known for a week, is wrongly told once in some forty years.
A gateway whose traffic is taken to another one without its saying so (Accounting-Off), for as long as some of its
sessions are not heard of elsewhere.

**What to do.** Ask the operator, and look at the way between: `simward metrics` tells whether its packets are dropped.
"""

from numba import njit

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, Detector
from simward.detectors.facts import TICK

DETECTOR = Detector(id="gateway-silent", runs="watch", scope="gateway", severity=HIGH, evidence={"*": "time"})
CLASSES = ("stopped",)
CLASS_STOPPED = 1
MEMORY = [
    ("gap_us", "i8"), ("longest_us", "i8"), ("longest_before_us", "i8"), ("period_at", "i8"), ("since_at", "i8"),
    ("heard", "i4"), ("lasting", "i4"),
]  # fmt: skip
KNOBS: list[object] = []
HEARD_LEAST = 32
KNOWN_AFTER_US = 1_800_000_000
PATIENCE_LEAST_US = 60_000_000
USUAL_GAPS, LONGEST_GAPS = 20, 3
PERIOD_US = 7 * 86_400_000_000
YOUNG_US, YOUNG_SHARE = 86_400_000_000, 30
TOLD_MOST_US = 3_600_000_000
"""A silence that was told is waited for when it comes again, up to an hour: pauses may be this gateway's habit."""


def judge(memory, gateway, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Learn from each word of the gateway; at a tick, compare its silence with what is usual."""
    if event.kind != TICK:
        if gateway.last_at != 0:
            told = memory.lasting != 0
            learn(memory, min(gateway.unheard_us, TOLD_MOST_US) // 2 if told else gateway.unheard_us, event.received_at)
        memory.lasting = 0
        return QUIET
    if memory.lasting:
        return QUIET if gone(memory, gateway) else NO_OPINION
    known = memory.heard >= HEARD_LEAST and gateway.last_at - memory.since_at >= KNOWN_AFTER_US
    known_us = event.received_at - memory.since_at
    owing = gateway.live + gateway.fell_now + gateway.fell_before
    if gateway.off or owing == 0 or not known:
        return NO_OPINION
    patience = max(
        PATIENCE_LEAST_US, USUAL_GAPS * memory.gap_us, LONGEST_GAPS * max(memory.longest_us, memory.longest_before_us)
    )
    if known_us < YOUNG_US:  # it has not been through all hours of the day yet
        patience = max(patience, known_us // YOUNG_SHARE)
    if gateway.unheard_us <= patience:
        return NO_OPINION
    memory.lasting = 1
    evidence.was, evidence.expected = gateway.last_at, gateway.last_at + patience
    return CLASS_STOPPED


@njit
def learn(memory, gap_us, at):  # type: ignore[no-untyped-def]
    """Its usual gap (a moving mean that one long gap hardly moves), and its longest of this and the last period."""
    if memory.heard == 0:
        memory.since_at = at
    if memory.heard < HEARD_LEAST:
        memory.heard += 1
    usual = memory.gap_us
    limited = min(gap_us, 4 * usual + 1_000_000)
    memory.gap_us = usual + (limited - usual) // 32
    if at - memory.period_at > PERIOD_US:
        memory.longest_before_us = memory.longest_us if at - memory.period_at <= 2 * PERIOD_US else 0
        memory.longest_us = 0
        memory.period_at = at
    memory.longest_us = max(memory.longest_us, gap_us)


@njit
def gone(memory, gateway):  # type: ignore[no-untyped-def]
    """Have all its subscriptions been heard of elsewhere? Then nothing is missed any more."""
    if gateway.members > 0:
        return False
    memory.lasting = 0
    return True
