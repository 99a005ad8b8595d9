"""Many subscriptions that have a cell, a gateway, a network, a model or its software in common fell silent together.

**What it sees.** A subscription with a live session owes an interim each Acct-Interim-Interval: its use case's, or its
own habit where that is longer, from its second interim on (a gateway's own setting overrides what it is told, RFC 2869
5.16). Three intervals without a word are silence; a Stop, or a restart of the gateway, closes what it owes. Where at
least five of one group are silent, at least half of those that were live there or have ended their sessions in good
order since, and all were noticed within two windows (five minutes each, or one interval where that is longer), that is
one finding for the cause: the narrowest group that explains most of those silent. It is told a window after the first
fell silent, so about three intervals after what happened. `was` is how many were live, `now` how many fell silent; it
is told again when that has grown, and ends when most are back. Where several narrower groups fell silent at once, each
far more densely than the wide one that they are part of, each of them is told; where most of the wide one did, it is.

- `cell`: those of one cell. Its power, its backhaul, or interference there.
- `gateway`: those of one gateway, in many cells.
- `network`: those in one visited network, at several gateways: the network, or the roaming towards it.
- `model`: those of one model (TAC), wherever they are: a firmware update, or an attack on that model.
- `software`: those of one model with one software version, while others of the model are well.

Subscriptions that owe no interims are missed by their cadence (`silent` says how): the finding begins when the first of
them is overdue and at least five of the group have missed a word by then, who are at least half of those whose cadence
is known, or all of whom anything could be heard. `was` is then how many those are, `now` how many are late.

A gateway of which nothing at all is heard explains its members, whatever they have in common with others who are well.
Those that do not come back with it are told as a cell's, never as a network's or a model's: their sessions may be over.

**Why it matters.** A hundred meters that vanish in one minute are not a hundred thefts. This finding explains them all,
and `simward explain` names it for each of them.

**What it misses.** Groups with fewer than five live sessions. Subscriptions without a cadence, declared or learnt,
whose gateway sends no interims. What happened while the gate itself did not run. Silence that comes one by one
over hours. Beyond 1,024 open findings, and 262,144 groups, further ones are only counted (`simward metrics`).

**Likely false alarms.** A gateway that stops sending interims, by configuration, for sessions that go on. Five devices
that are switched off together every evening without ending their sessions.

**What to do.** Ask the operator about the cell, gateway or network; for a model, look at what was rolled out. Treat the
ones that stay away after the others are back as the suspicious ones.
"""

from simward.detectors.detector import HIGH, MEDIUM, NO_OPINION, QUIET, Detector
from simward.detectors.facts import TICK

DETECTOR = Detector(
    id="cell-silent",
    runs="watch",
    scope="group",
    severity={"cell": MEDIUM, "*": HIGH},
    evidence={"*": "count"},
    about={"cell": "cell", "gateway": "gateway", "network": "plmn", "model": "model", "software": "software"},
    timeless=True,
)
CLASSES = ("cell", "gateway", "network", "model", "software")
MEMORY = [("were", "i4"), ("most", "i4"), ("told", "i4"), ("spare", "i4")]
KNOBS: list[object] = []
LEAST = 5
PERHAPS, ANOTHER = 1, 2
LOOK_AGAIN_US, WINDOW_LEAST_US = 60_000_000, 300_000_000


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks. `cause` says whether another group explains the silence better, or perhaps will."""
    if event.kind != TICK or group.kind > len(CLASSES):
        return NO_OPINION
    late = group.late if group.overdue != 0 else 0
    silent = max(group.fell_now + group.fell_before, late)
    if memory.most == 0 and late > 0:
        memory.were, memory.told = group.due, late
    elif memory.most == 0:
        waited_us = event.received_at - group.first_fell_at
        if silent < LEAST or 2 * silent < group.were or group.cause == ANOTHER:
            return NO_OPINION
        # Told when each had its turn to fall silent: before that, a gateway's first cell looks like a dead cell.
        if waited_us < max(WINDOW_LEAST_US, group.window_us) * (2 if group.cause == PERHAPS else 1):
            return NO_OPINION
        memory.were, memory.told = group.were, silent
    memory.most = max(memory.most, silent)
    if 2 * silent < memory.most or (group.cause == ANOTHER and late == 0):
        evidence.was, evidence.now = memory.were, memory.most
        memory.were = memory.most = memory.told = 0
        return QUIET
    # Told again at once where it is half as much again, and with what is left to tell once the growing is over.
    over = event.received_at - group.last_fell_at > LOOK_AGAIN_US
    if 2 * memory.most >= 3 * memory.told or (over and memory.most > memory.told):
        memory.told = memory.most
    evidence.was, evidence.now = memory.were, memory.told
    return group.kind
