"""Subscriptions that have something in common connect again and again at once, or one of them does so without end.

**What it sees.** A member storms when it connects for a third time at once (each within two minutes of the one before,
or within a thirty-second of its own usual time between two), or for a fifth time in a row, each within an eighth of
that; neither is ever more than a quarter of an hour. Where a fifth of a group's members storm at one time, at least
five, and more than twice the most that is usual of the group, that is one finding for the cause: the narrowest group
that holds four fifths of all that storm. Where they storm in several narrower groups at once, each far more densely
than the wide one (two models, eight cells), each of those is told; where most of the wide one storm, it is. Members are
counted, not events: one device that goes mad is no storm of its cell. `was` is how many members there are, `now` how
many storm, `expected` how many would be tolerated; it is told again when half as many more do, and ends when less than
half of them are left.

- `cell`, `gateway`, `network`, `model`, `software` (one version of a model's), `use-case`: those of one. Of two groups
  with as many members the model is named before the use case, and both before the place.
- `subscription`: one alone begins more than `signalling.sessions_per_hour` sessions in a moving hour (30 unless said),
  or half of that where it is eight times its own habit, or ten within two minutes.

What stands behind the figures: GSMA TS.34 allows F4 = 30 activations with deactivation an hour to one APN
(TS.34_8.2.3_REQ_008, defaults of TS.34_8.2.4_REQ_010), asks applications for as few connections as possible
(TS.34_4.0_REQ_002), and asks them not to reset the modem frequently (TS.34_4.0_REQ_019).

**Why it matters.** Connecting loads the core network more than the data does: a faulty roll-out, a botnet or a false
base station takes the service away from everybody, and the operator bars the fleet.

**What it misses.** Signalling that never reaches the gateway. A storm of fewer than a fifth of each group that it is in
is told of each of them. In the first two days of a group half of its members must storm: what a group does then is how
it is.

**Likely false alarms.** A gateway that fails again and again without saying so. A brown-out that switches all devices
of a cell on and off three times within minutes. One restart is none: once is not again and again, the first connection
after an outage of the gateway does not count, nor one with a new software version.

**What to do.** Ask what was rolled out to that model or use case; for a cell or gateway ask the operator. A rule can
confine the group's members: `on: signalling-storm/model`.
"""

from simward.detectors.detector import HIGH, MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK, judge_many

DETECTOR = Detector(
    id="signalling-storm",
    runs="watch",
    scope="group",
    severity={"subscription": MEDIUM, "*": HIGH},
    evidence={"*": "count"},
    about={
        "cell": "cell", "gateway": "gateway", "network": "plmn", "model": "model", "software": "software",
        "use-case": "use-case",
    },
    given="signalling",
    alone=True,
    timeless=True,
)  # fmt: skip
CLASSES = ("cell", "gateway", "network", "model", "software", "use-case", "subscription")
CLASS_SUBSCRIPTION = 7
MEMORY = [("most", "i4"), ("told", "i4"), ("since_s", "u4"), ("spare", "i4")]
KNOBS = [
    Knob(
        "sessions", "i4", default=30, path="signalling.sessions_per_hour",
        doc="Sessions an hour of one subscription that are tolerated.",
    ),
]  # fmt: skip
TOLD = 1
"""Its bit of what is told of a group."""
OTHERS_TOLD = 2 | 8
BURST, LEAST, BEYOND_HABIT = 10, 10, 8
HOUR_S = 3600


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks. What is told of devices that connect together explains that they do it again and again."""
    if event.kind != TICK:
        return NO_OPINION
    return judge_many(
        memory, group, evidence, event.received_at // 1_000_000,
        group.storming, group.storm_limit, group.storm_cause, (group.told & OTHERS_TOLD) != 0, TOLD,
    )  # fmt: skip


def judge_alone(signalling, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """One subscription's moving hour against what is tolerated, and against its own habit."""
    limit, count = max(knobs.sessions, LEAST), signalling.sessions_hour
    usual = HOUR_S // signalling.usual_s if signalling.usual_s > 0 else 0
    unusual = signalling.usual_s > 0 and 2 * count > limit and count * signalling.usual_s > BEYOND_HABIT * HOUR_S
    if use.open_class == 0:
        if signalling.explained or not (count > limit or unusual or signalling.sessions_minutes >= BURST):
            return QUIET
    elif 4 * count < limit and 2 * signalling.sessions_minutes < BURST:
        return QUIET
    evidence.was, evidence.expected = usual, limit
    evidence.now = use.told if use.told > 0 and count < 2 * use.told else count
    return CLASS_SUBSCRIPTION
