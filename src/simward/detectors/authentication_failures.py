"""Many subscriptions that have something in common show wrong credentials, or one goes on showing them.

**What it sees.** Requests whose credentials the gate compared with the segment's, and found wrong or missing. Members
of a group that showed such within the last ten minutes, and none that were right since, are counted: where there are at
least ten of them, and more than three times the most that is usual of the group, that is one finding for the cause, the
narrowest group that holds four fifths of them, or each of several narrower ones that fail far more densely. `was` is
how many members the group has, `now` how many of them fail, `expected` how many would be tolerated.

- `cell`, `gateway`, `network`, `model`, `software`, `use-case`: those of one.
- `subscription`: one alone shows wrong ones more than ten times in a moving hour. That it shows them at all is told by
  `credentials-wrong`, in-line and with each request refused; this says that somebody goes on trying.

**Why it matters.** Many at once is no theft: a secret was changed on one side only, a gateway strips or replaces the
password, or somebody tries one password on a whole fleet. One that goes on is a configuration that never worked, or
somebody who guesses.

**What it misses.** Segments that ask for no credentials. Failures of the SIM's own authentication (AKA): the core
network tells nobody of them here. Requests refused for other reasons: the findings that refuse them say so, and
`retry-storm` where they go on. Fewer than ten at once are told one by one.

**Likely false alarms.** A secret that is being rolled out to the devices takes days, and until then the rest fails: one
finding, for as long as it takes.

**What to do.** Compare the segment's secret with what the devices and the gateway are configured with, and when either
was changed. Of a subscription alone, look whether its SIM is in its device.
"""

from simward.detectors.detector import HIGH, MEDIUM, NO_OPINION, QUIET, Detector
from simward.detectors.facts import TICK, judge_many

DETECTOR = Detector(
    id="authentication-failures",
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
KNOBS: list[object] = []
TOLD = 4
GUESSES = 10


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks."""
    if event.kind != TICK:
        return NO_OPINION
    return judge_many(
        memory, group, evidence, event.received_at // 1_000_000,
        group.failing, group.failures_limit, group.failures_cause, False, TOLD,
    )  # fmt: skip


def judge_alone(signalling, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Is somebody guessing?"""
    count = signalling.wrong_hour
    if use.open_class == 0:
        if count <= GUESSES or signalling.explained & TOLD:
            return QUIET
    elif 2 * count < GUESSES:
        return QUIET
    evidence.expected = GUESSES
    evidence.now = use.told if use.told > 0 and count < 2 * use.told else count
    return CLASS_SUBSCRIPTION
