"""Many subscriptions that have something in common show wrong credentials, or one goes on showing them.

**What it sees.** Requests whose credentials the gate compared with the segment's, and found wrong or missing. Members
of a group that showed such within the last ten minutes, and none that were right since, are counted: where there are at
least ten of them, and more than three times the most that is usual of the group, that is one finding for the cause, the
narrowest group that holds four fifths of them. `was` is how many members the group has, `now` how many of them fail,
`expected` how many would be tolerated.

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
from simward.detectors.facts import TICK

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
)  # fmt: skip
CLASSES = ("cell", "gateway", "network", "model", "software", "use-case", "subscription")
CLASS_SUBSCRIPTION = 7
MEMORY = [("most", "i4"), ("told", "i4"), ("since_s", "u4"), ("spare", "i4")]
KNOBS: list[object] = []
TOLD = 4
PERHAPS, ANOTHER = 1, 2
WAIT_S, WAIT_LONG_S = 8, 20
GUESSES = 10


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks."""
    if event.kind != TICK:
        return NO_OPINION
    now_s, failing = event.received_at // 1_000_000, group.failing
    if memory.most == 0:
        if failing < group.failures_limit or group.failures_limit == 0 or group.failures_cause == ANOTHER:
            memory.since_s = 0
            return NO_OPINION
        if memory.since_s == 0:
            memory.since_s = now_s
        # What its first cell shows may be that of its model a moment later.
        if now_s - memory.since_s < (WAIT_LONG_S if group.failures_cause == PERHAPS else WAIT_S):
            return NO_OPINION
        memory.told = failing
    memory.most = max(memory.most, failing)
    if 2 * failing < memory.most or group.failures_cause == ANOTHER:
        evidence.was, evidence.now, evidence.expected = group.members, memory.most, group.failures_limit
        memory.most = memory.told = memory.since_s = 0
        group.told = group.told & ~TOLD
        return QUIET
    if 2 * memory.most >= 3 * memory.told:
        memory.told = memory.most
    group.told = group.told | TOLD
    evidence.was, evidence.now, evidence.expected = group.members, memory.told, group.failures_limit
    return group.kind


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
