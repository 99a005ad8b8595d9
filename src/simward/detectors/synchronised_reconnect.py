"""Many subscriptions that have something in common connect within the same seconds, or come back after an outage.

**What it sees.** How many of a group's members connect within twenty seconds. A quarter of them, at least twenty, and
more than twice the most that is usual of the group, is a wave. One finding for the cause: the narrowest group that
holds four fifths of the wave, or each of several narrower ones that are in it far more densely. `was` is how many
members there are, `now` how many were in the largest wave, `expected` how many would be tolerated; it ends when no
further wave comes for an hour, or for twice as long as between two.

- `cell`, `gateway`, `network`, `model`, `software`, `use-case`: those of one, for a second time within two hours or a
  third time within 26 hours each. Of any of these but a cell, with at least fifty members of which half connect at
  once, the first wave is told: what has never done so does it for a reason.
- `after-outage`: at least twenty, and a quarter of a gateway's members, connected anew within five minutes after it
  had begun anew (Accounting-On), was heard again, or, through another one, while it was silent. It is the outage's
  doing and no finding about the devices; the gateway is named. These are in no other wave.

What stands behind it: GSMA TS.34 asks devices not to connect in step with others, but at times spread at random, and
tells of 375,000 devices that restarted each minute and took an operator's network down.

**Why it matters.** A network is built for devices that come by chance. All of them in one second overload gateways,
servers and the cell, and their retries do it again.

**What it misses.** Groups with fewer than twenty members. In its first three days a group shows what is usual of it:
meters that report together each midnight, or on the hour, do so by design. Waves that take minutes: their rate is what
`signalling-storm` looks at, where they repeat.

**Likely false alarms.** A reboot of all devices by a command of device management, which keeps their software; one with
another version counts as a roll-out and is no wave. A gateway that crashes and comes back within a minute without
saying so.

**What to do.** Find what sets the time: a firmware's timer, a command, a server that dropped all connections. Have
reconnections spread at random over minutes.
"""

from numba import njit

from simward.detectors.detector import INFO, MEDIUM, NO_OPINION, QUIET, Detector
from simward.detectors.facts import ANOTHER, TICK, without

DETECTOR = Detector(
    id="synchronised-reconnect",
    runs="watch",
    scope="group",
    severity={"after-outage": INFO, "*": MEDIUM},
    evidence={"*": "count"},
    about={
        "cell": "cell", "gateway": "gateway", "network": "plmn", "model": "model", "software": "software",
        "use-case": "use-case", "after-outage": "gateway",
    },
    given="signalling",
    timeless=True,
)  # fmt: skip
CLASSES = ("cell", "gateway", "network", "model", "software", "use-case", "after-outage")
CLASS_AFTER_OUTAGE = 7
MEMORY = [("most", "i4"), ("told", "i4"), ("lasting", "i4"), ("of", "i4")]
KNOBS: list[object] = []
TOLD, OUTAGE_TOLD = 2, 8
STORM_TOLD = 1
CELL, GATEWAY = 1, 2
SETTLED_S = 15
"""A wave is told once all groups that it is in were looked at."""
FRESH_S = 60
AGAIN_S, LASTS_S = 7_200, 3_600
AT_ONCE_LEAST = 50
BACK_LEAST, BACK_SHARE, BACK_WITHIN_S, BACK_OVER_S = 20, 4, 300, 60


def judge(memory, group, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at ticks: first whether the members come back from an outage, then whether they come in waves."""
    if event.kind != TICK:
        return NO_OPINION
    now_s = event.received_at // 1_000_000
    evidence.was = group.members
    if memory.lasting == CLASS_AFTER_OUTAGE:
        memory.most = max(memory.most, group.back)
        evidence.was, evidence.now = memory.of, memory.most
        if now_s - group.back_s > BACK_OVER_S:
            memory.most = memory.told = memory.lasting = group.back = 0
            group.told = without(group.told, OUTAGE_TOLD)
            return QUIET
        evidence.now = memory.told
        return CLASS_AFTER_OUTAGE
    if memory.lasting == 0 and has_come_back(group, now_s):
        memory.most, memory.told, memory.lasting = group.back, group.back, CLASS_AFTER_OUTAGE
        memory.of = max(group.members, group.back)
        group.told = group.told | OUTAGE_TOLD
        evidence.was, evidence.now = memory.of, group.back
        return CLASS_AFTER_OUTAGE
    if memory.lasting == 0:
        explained = group.wave_cause == ANOTHER or group.told & STORM_TOLD
        if group.waves == 0 or explained or not has_waves(group, now_s):
            return NO_OPINION
        memory.most = memory.told = group.wave
        memory.of = max(group.wave, group.members // 4)
    memory.lasting = group.kind
    is_over = now_s - group.wave_s > max(LASTS_S, 2 * group.wave_gap_s)
    memory.most = max(memory.most, group.wave)
    if is_over or group.wave_cause == ANOTHER:
        evidence.now = memory.most
        memory.most = memory.told = memory.lasting = 0
        group.told = without(group.told, TOLD)
        return QUIET
    if 2 * memory.most >= 3 * memory.told:
        memory.told = memory.most
    group.told = group.told | TOLD
    evidence.now = memory.told
    return group.kind


@njit
def has_waves(group, now_s):  # type: ignore[no-untyped-def]
    """Have they come often enough, the last of them a moment ago?"""
    if now_s - group.wave_began_s < SETTLED_S or now_s - group.wave_s > FRESH_S:
        return False
    if group.waves >= 3 or (group.waves == 2 and group.wave_gap_s <= AGAIN_S):
        return True
    return group.kind != CELL and group.members >= AT_ONCE_LEAST and 2 * group.wave >= group.members


@njit
def has_come_back(group, now_s):  # type: ignore[no-untyped-def]
    """Is a gateway's outage lately over, and do its members connect anew?"""
    return (
        group.kind == GATEWAY
        and group.back >= BACK_LEAST
        and BACK_SHARE * group.back >= group.members
        and now_s - group.back_began_s <= BACK_WITHIN_S
    )
