"""address-pool-exhausted: no address left for a subscription that has none yet."""

from __future__ import annotations

import numpy as np
from story import IMSI, POLICY, Story

from simward.engine.tables import DECLARED, InventoryDelta

SMALL = POLICY.replace("10.64.0.0/24", "10.64.0.0/30")


def small() -> Story:
    """A pool of two addresses for four subscriptions."""
    return Story(SMALL)


def test_fires_for_the_first_that_gets_none() -> None:
    story = small()
    assert story.attaches(member=0).attaches(member=1).allowed
    assert story.attaches(member=2).refused
    assert story.findings == ["address-pool-exhausted/exhausted"]


def test_stays_quiet_for_those_that_have_one() -> None:
    story = small()
    first = int(story.attaches(member=0).last["address"])
    story.attaches(member=1).attaches(member=0)
    assert int(story.last["address"]) == first
    assert story.findings == []


def test_boundary_addresses_never_clash() -> None:
    story = Story(members=200)
    given = [int(story.attaches(member=member).last["address"]) for member in range(200)]
    assert len(set(given)) == 200 and 0 not in given


def test_boundary_a_removed_subscriptions_address_is_given_again() -> None:
    story = small()
    story.attaches(member=0).attaches(member=1).attaches(member=2)
    story.fold.inventory(InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI]), []), story.now)
    assert story.attaches(member=2).allowed
    assert story.open == []
