"""Who is cut, in the world as it was and in the world as it would be: one pass over events, inside compiled code.

A subscription is cut from when it is refused, disconnected, put into quarantine or locked until it is let in again: a
request that is allowed, a release, the end of the finding that cut it, the way out of quarantine. Only those that were
ever cut have a row here; a cut that is over, or that becomes a stronger one, leaves a deed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.compiled import entry
from simward.engine import events, outputs
from simward.engine.events import EVENT
from simward.engine.outputs import RESULT

WOULD, DID = 0, 1
"""The two worlds: under the proposed policies, and as recorded."""
SESSIONS_FOLLOWED = 2
"""Sessions of one subscription at once whose octets are followed after a cut."""

ACT = np.dtype(
    [
        ("position", "i4"),  # of the event among those folded together
        ("row", "i4"),  # of the subscription
        ("detector", "u1"),
        ("class", "u1"),
        ("what", "u1"),  # CUT, LET_IN, FINDING_OVER, FOUND or CHANGED
        ("level", "u1"),  # of a CUT: quarantine, refuse or lock (detectors.detector.QUARANTINE ...)
    ],
    align=True,
)
"""An output, as far as it cuts somebody or lets somebody in; in the order of events, those of one row together."""
CUT, LET_IN, FINDING_OVER, FOUND, CHANGED = 1, 2, 3, 4, 5

PERSON = np.dtype(
    [
        ("imsi", "i8"),
        ("iccid", "i8"),
        # The cut that lasts, in each world; at = 0: none.
        ("at", "i8", (2,)),
        ("level", "u1", (2,)),
        ("detector", "u1", (2,)),
        ("class", "u1", (2,)),
        ("both", "u1", (2,)),  # 1: cut in the other world as well at some time of it
        ("row", "i4"),
        ("cuts", "i4", (2,)),
        ("first_at", "i8"),  # the first cut that would have been
        ("first_sequence", "i8"),  # and the sequence of its event
        ("cut_us", "i8"),  # for how long it would have been cut, all in all
        ("first_detector", "u1"),
        ("first_class", "u1"),
        ("first_level", "u1"),
        ("strongest", "u1"),
        ("use_case", "u2"),
        ("alone", "i4", (2,)),  # cuts without any in the other world
        # Recorded traffic of times in which it would have been cut, and was not (the loop is open).
        ("requests", "i4"),
        ("sessions", "i4"),
        ("findings", "i4"),
        ("uplink_octets", "i8"),
        ("downlink_octets", "i8"),
        ("session", "i8", (SESSIONS_FOLLOWED,)),  # hashes of sessions, and their counters when last heard
        ("session_uplink", "i8", (SESSIONS_FOLLOWED,)),
        ("session_downlink", "i8", (SESSIONS_FOLLOWED,)),
        ("session_at", "i4"),
    ],
    align=True,
)
"""One subscription that was cut in either world."""

DEED = np.dtype(
    [
        ("at", "i8"),
        ("until", "i8"),
        ("person", "i4"),
        ("use_case", "u2"),
        ("world", "u1"),
        ("level", "u1"),
        ("detector", "u1"),
        ("class", "u1"),
        ("both", "u1"),
    ],
    align=True,
)
"""One cut that is over."""

ACCESS_REQUEST, START, INTERIM, STOP = 1, 2, 3, 4
LOCK = 5
NOBODY = -1


@njit
def begin(person, world, act, cls, at, sequence, use_case):  # type: ignore[no-untyped-def]
    """A cut begins."""
    person.at[world] = at
    person.level[world] = act.level
    person.detector[world] = act.detector
    person["class"][world] = cls
    person.cuts[world] += 1
    other = 1 - world
    person.both[world] = 0
    if person.at[other] != 0:
        person.both[world] = 1
        person.both[other] = 1
    person.use_case = use_case
    if world == WOULD:
        if person.first_at == 0:
            person.first_at = at
            person.first_sequence = sequence
            person.first_detector = act.detector
            person.first_class = cls
            person.first_level = act.level
        if act.level > person.strongest:
            person.strongest = act.level


@njit
def end(person, number, world, until, since, deed):  # type: ignore[no-untyped-def]
    """A cut ends, and leaves a deed; 1 where it began within the time that is asked about, else 0."""
    at = person.at[world]
    person.at[world] = 0
    if world == WOULD:
        person.cut_us += until - max(at, since)
        for slot in range(SESSIONS_FOLLOWED):
            person.session[slot] = 0
    if at < since:
        return 0
    deed.at = at
    deed.until = until
    deed.person = number
    deed.use_case = person.use_case
    deed.world = world
    deed.level = person.level[world]
    deed.detector = person.detector[world]
    deed["class"] = person["class"][world]
    deed.both = person.both[world]
    if person.both[world] == 0:
        person.alone[world] += 1
    return 1


@njit
def session_name(event):  # type: ignore[no-untyped-def]
    """A hash of Acct-Session-Id, never 0."""
    value = np.int64(2166136261)  # FNV-1a
    for position in range(event.session_id_octets):
        value = ((value ^ np.int64(event.session_id[position])) * np.int64(16777619)) & np.int64(0xFFFFFFFF)
    return value + np.int64(1)


@njit
def traffic(person, event, prevented):  # type: ignore[no-untyped-def]
    """Count what an event tells of traffic that got through and would have been `prevented`, its subscription being cut
    already; else only remember where the counters of its session stand.

    Octets are at least these: of a session that was up when the cut began, those up to its next record do not count.
    """
    if prevented and event.kind == ACCESS_REQUEST:
        person.requests += 1
    if prevented and event.kind == START:
        person.sessions += 1
    if event.kind != START and event.kind != INTERIM and event.kind != STOP:
        return
    name = session_name(event)
    uplink, downlink = max(np.int64(event.uplink_octets), 0), max(np.int64(event.downlink_octets), 0)
    slot = NOBODY
    for each in range(SESSIONS_FOLLOWED):
        if person.session[each] == name:
            slot = each
    began = np.int64(event.happened_at) - max(np.int64(event.duration_s), 0) * np.int64(1_000_000)
    if slot == NOBODY:
        slot = person.session_at
        person.session_at = (slot + 1) % SESSIONS_FOLLOWED
        person.session[slot] = name
        fresh = prevented and began >= person.at[WOULD]
        person.session_uplink[slot] = 0 if fresh else uplink
        person.session_downlink[slot] = 0 if fresh else downlink
    if prevented:
        person.uplink_octets += max(uplink - person.session_uplink[slot], 0)
        person.downlink_octets += max(downlink - person.session_downlink[slot], 0)
    person.session_uplink[slot] = uplink
    person.session_downlink[slot] = downlink


@njit
def class_of(acts, first, after, strongest):  # type: ignore[no-untyped-def]
    """The class of the finding that cut: a lock's own output names the detector alone, another act of the event both.
    """
    cls = acts[strongest]["class"]
    for at in range(first, after):
        if cls == 0 and acts[at].detector == acts[strongest].detector and acts[at].what != FINDING_OVER:
            cls = acts[at]["class"]
    return cls


@njit
def settle_row(  # type: ignore[no-untyped-def]
    person, number, world, acts, at, asked, prevented, event_at, sequence, use_case, since, deed
):
    """What the acts from `at` on, all of one event and row, mean for its cut; the acts read, and deeds left.

    `asked`: the event is this subscription's own request, so that no cut among the acts means that it was let in.
    `prevented`: the event would not have come, being about a subscription that is cut in this world alone.
    """
    first, strongest, let_in, over, found = at, at, False, False, 0
    level = 0
    while at < len(acts) and acts[at].position == acts[first].position and acts[at].row == acts[first].row:
        act = acts[at]
        if act.what == CUT and act.level > level:
            level = act.level
            strongest = at
        elif act.what == LET_IN:
            let_in = True
        elif act.what == FINDING_OVER and act.detector == person.detector[world]:
            over = True
        elif act.what == FOUND:
            found += 1
        at += 1
    left = 0
    if prevented:
        person.findings += found
    lasts = person.at[world] != 0
    if lasts and (
        level > person.level[world]
        or (level == 0 and (let_in or asked or (over and person.level[world] < LOCK)))
    ):
        left = end(person, number, world, event_at, since, deed)
        lasts = False
    if level > 0 and not lasts:
        cls = class_of(acts, first, at, strongest)
        begin(person, world, acts[strongest], cls, event_at, sequence, use_case)
    return at, left


@njit
def new_person(people, places, count, row, subscriptions):  # type: ignore[no-untyped-def]
    """The row of `people` for a subscription, made where it has none."""
    if places[row] == NOBODY:
        places[row] = count
        person = people[count]
        person.row = row
        person.imsi = subscriptions[row].imsi
        person.iccid = subscriptions[row].iccid
        return count + 1
    return count


def follow(rows, results, would, did, people, count, places, subscriptions, sequence, since, deeds):  # type: ignore[no-untyped-def]
    """Go through events that were just folded; returns how many people and deeds there are.

    `results` are the fold's; `would` and `did` are ACT rows of the two worlds; `sequence` is that of the first event.
    There is room in `people` for one more per act, and in `deeds` for two per event and one per act.
    """
    next_would, next_did, made = 0, 0, 0
    for position in range(len(rows)):
        event = rows[position]
        row = results[position].row if results[position].known else np.int32(NOBODY)
        asked = event.kind == ACCESS_REQUEST and results[position].duplicate == 0
        prevented = False
        if row >= 0 and places[row] != NOBODY:
            prevented = people[places[row]].at[WOULD] != 0 and people[places[row]].at[DID] == 0
        settled = False
        while next_did < len(did) and did[next_did].position == position:
            whose = did[next_did].row
            count = new_person(people, places, count, whose, subscriptions)
            number = places[whose]
            next_did, left = settle_row(
                people[number], number, DID, did, next_did, asked and whose == row, False, event.received_at,
                sequence + position, subscriptions[whose].use_case, since, deeds[made],
            )  # fmt: skip
            made += left
            settled = settled or whose == row
        if asked and not settled and row >= 0 and places[row] != NOBODY and people[places[row]].at[DID] != 0:
            made += end(people[places[row]], places[row], DID, event.received_at, since, deeds[made])
        settled = False
        while next_would < len(would) and would[next_would].position == position:
            whose = would[next_would].row
            count = new_person(people, places, count, whose, subscriptions)
            number = places[whose]
            next_would, left = settle_row(
                people[number], number, WOULD, would, next_would, asked and whose == row, prevented and whose == row,
                event.received_at, sequence + position, subscriptions[whose].use_case, since, deeds[made],
            )  # fmt: skip
            made += left
            settled = settled or whose == row
        if row < 0 or places[row] == NOBODY:
            continue
        person = people[places[row]]
        if asked and not settled and person.at[WOULD] != 0:
            made += end(person, places[row], WOULD, event.received_at, since, deeds[made])
        if person.at[WOULD] != 0:
            traffic(person, event, prevented)
    return count, made


LAYOUTS = repr([ACT, PERSON, DEED, EVENT, RESULT])
follow_events = entry(follow, depends=[events, outputs, LAYOUTS])
"""`follow`, compiled. Interpreted, it is to be given recarrays."""
