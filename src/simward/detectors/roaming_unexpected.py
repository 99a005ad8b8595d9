"""A subscription is in a country, or a network, in which it never was before, and hardly any of its like.

**What it sees.** The visited network of each word against all in which the subscription has ever been. Networks of
its first week are its own. Judged only where it is rare among its peers, the devices of its model: at most five of
them ever were there, or one in a hundred. Each network and country is new once: a device between two cells of two
countries is told once at most. `was` is the network before, `now` the new one.

- `country`: another country than ever (mobile country code), at once.
- `network`: another network of a country that it knows, where it still is on the next day. The day is for the
  operator: where that steers the fleet to another network, all of the model are there by then, and nothing is told.

It lasts while it is there, and ends a day after it was heard there last.

**Why it matters.** What was carried over a border was stolen, sold or lost; and each megabyte there is charged
dearly.

**What it misses.** Networks that `networks.plmn` lists: they are expected, and others are told at once by
`network-not-permitted`. Use cases with `mobility: free`. A place where its peers already are. One in some hundred new
networks is taken for one that is known, as two bits stand for each.

**Likely false alarms.** The first device of a model that camps on a network across the border. SIMs that were kept
for more than a week in the country of their maker.

**What to do.** Look where it is (`simward explain`). Permit the network if the site is real; else treat it as stolen.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import LOW, MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import TICK, country_of

DETECTOR = Detector(
    id="roaming-unexpected",
    runs="watch",
    scope="subscription",
    severity={"country": MEDIUM, "network": LOW},
    evidence={"*": "plmn"},
    given="cadence",
    mild_classes=("network",),
)
CLASSES = ("country", "network")
CLASS_COUNTRY, CLASS_NETWORK = 1, 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("plmn", "i4", path="networks.plmn", kind="plmn-list", shape=256, doc="Networks that are expected."),
    Knob("is_free", "u1", path="mobility.mode", kind="choice", values={"free": 1, "fixed": 0, "area": 0},
         doc="1: it is said to go anywhere."),
]  # fmt: skip
LASTS_S = 86_400
PEERS_EACH, VISITORS_LEAST = 100, 5


def judge(memory, subscription, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged at each word from a new place, and while it lasts."""
    if subscription.open_class != 0 and not (memory.new_country != 0 and subscription.open_class == CLASS_NETWORK):
        return still_there(memory, subscription, event, evidence)
    if knobs.is_free != 0 or (memory.new_country == 0 and memory.new_network == 0) or is_listed(knobs, memory.plmn):
        return NO_OPINION
    evidence.was, evidence.now = memory.before, memory.plmn
    if memory.new_country != 0 and is_rare(memory.country_visitors, memory.peers):
        return CLASS_COUNTRY
    if memory.new_network != 0 and is_rare(memory.visitors, memory.peers):
        evidence.was = 0
        return CLASS_NETWORK
    return NO_OPINION


@njit
def still_there(memory, subscription, event, evidence):  # type: ignore[no-untyped-def]
    """Is it where it was found to be?"""
    told = subscription.told
    there = memory.plmn == told
    if subscription.open_class == CLASS_COUNTRY:
        there = country_of(memory.plmn) == country_of(told)
    if there:
        if event.kind == TICK:
            return NO_OPINION
        evidence.now = told
        return subscription.open_class
    if memory.plmn == 0 or memory.at_s - subscription.seen_s < LASTS_S:
        return NO_OPINION
    return QUIET


@njit
def is_rare(visitors, peers):  # type: ignore[no-untyped-def]
    """Have so few of its peers ever been there?"""
    return visitors <= VISITORS_LEAST or visitors * PEERS_EACH <= peers


@njit
def is_listed(knobs, plmn):  # type: ignore[no-untyped-def]
    """Is the network one that the use case lists? They are sorted."""
    low, high = np.int64(0), np.int64(knobs.plmn_count)
    while low < high:
        middle = (low + high) // 2
        if knobs.plmn[middle] < plmn:
            low = middle + 1
        else:
            high = middle
    return low < knobs.plmn_count and knobs.plmn[low] == plmn
