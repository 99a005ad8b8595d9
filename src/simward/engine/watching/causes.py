"""Which of its groups explains a silence best, inside compiled code: one finding for the cause, not one for each sign.

Where a gateway dies, its cells, its network and its models fall silent too. The narrowest group that explains most of
those silent is the cause: a wider one counts only where clearly more fell silent than in the narrower one. Where the
witnesses of a wide one (witnesses.py) are of several that fell silent far more densely, those are causes of their own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.watching.groups import WINDOW_LEAST_US, fell, pointer, roll, well
from simward.engine.watching.layouts import CELL, GATEWAY, KINDS_END, NETWORK, SILENT
from simward.engine.watching.rows import group_at, watch_meta_of, watched_at
from simward.engine.watching.signal_layouts import APART_SILENT, WITNESSES
from simward.engine.watching.witnesses import are_several, is_apart, is_denser, is_most, set_apart

THIS, PERHAPS, OTHER = 0, 1, 2
"""What `cause` says: nothing explains it better; something wider may be falling as well; another group does."""
LEAST = 5
"""Fewer that fall silent together may be chance."""
HOLD_US = 60_000_000


@njit
def is_silent(group):  # type: ignore[no-untyped-def]
    """Enough members, and at least half of those that were live, fell silent together."""
    count = fell(group)
    return count >= LEAST and 2 * count >= np.int64(group.were)


@njit
def size_of(group):  # type: ignore[no-untyped-def]
    """How many could have fallen silent."""
    return max(np.int64(group.were), fell(group) + well(group))


@njit
def is_narrower(group, other):  # type: ignore[no-untyped-def]
    """Has the group fewer members that were live? Of two that are equal, the kind decides."""
    size, other_size = size_of(group), size_of(other)
    return size < other_size or (size == other_size and np.int64(group.kind) < np.int64(other.kind))


@njit
def compare(group, other, now):  # type: ignore[no-untyped-def]
    """What `other`, a group of one of the silent, means for the silence of `group`: THIS, PERHAPS or OTHER."""
    mine, its = fell(group), fell(other)
    if other.lasting and group.lasting:
        # Both were told, the narrower one first: the wider is the cause if it grew well beyond it.
        return np.int64(THIS if is_most(mine, its) else OTHER)
    if other.lasting and is_most(its, mine):
        return np.int64(OTHER)
    if now < other.quiet_until and not is_narrower(other, group):
        return np.int64(OTHER)
    if is_silent(other):
        if not is_most(mine, its):
            # A bystander explains nothing; what made it silent is asked itself, where the witness is of that.
            return np.int64(PERHAPS if other.cause == OTHER and not other.lasting else OTHER)
        if is_most(its, mine) and is_narrower(other, group):
            return np.int64(OTHER)
        return np.int64(THIS)
    beyond = its - mine
    others_live = well(other) - well(group)
    if beyond >= 3 and beyond * 20 >= beyond + others_live:
        return np.int64(PERHAPS)
    return np.int64(THIS)


@njit
def is_gateways(w, group, gateway, witness, now):  # type: ignore[no-untyped-def]
    """Is the silence of a group that of the gateway which spoke for its silent ones, and now says nothing at all?"""
    if gateway.stopped and is_most(fell(gateway), fell(group)):
        return True
    if is_most(fell(group), size_of(group)):
        return False
    # The others of the group were well: through other gateways, or since this one is back.
    if group.kind >= NETWORK and witness.heard_at < gateway.resumed_at:
        return True
    unheard_us = now - max(np.int64(gateway.last_at), np.int64(watch_meta_of(w).listening_since))
    return unheard_us > max(np.int64(group.window_us), np.int64(WINDOW_LEAST_US))


@njit
def ask(w, row, witness, now):  # type: ignore[no-untyped-def]
    """What a witness says of the silence of a group; and whether a narrower one, silent far more densely, is at least
    its own cause.
    """
    group, strongest, has_own = group_at(w, row), np.int64(THIS), False
    for kind in range(CELL, KINDS_END):
        number = pointer(witness, kind)
        if number == 0 or kind == np.int64(group.kind):
            continue
        other = group_at(w, number - np.int64(1))
        roll(other, now)
        strongest = max(strongest, compare(group, other, now))
        if kind == GATEWAY and is_gateways(w, group, other, witness, now):
            strongest = np.int64(OTHER)
        if is_silent(other) and is_narrower(other, group):
            has_own = has_own or is_denser(fell(other), size_of(other), fell(group), size_of(group))
    return strongest, has_own


@njit
def is_networks(w, group, witness):  # type: ignore[no-untyped-def]
    """Of a gateway that says nothing at all nothing narrower is the cause. Are others of its network silent as well,
    and that network for no other reason?
    """
    if witness.network == 0:
        return False
    network = group_at(w, np.int64(witness.network) - np.int64(1))
    return is_silent(network) and network.cause == THIS and not is_most(fell(group), fell(network))


@njit
def find_cause(w, row, now):  # type: ignore[no-untyped-def]
    """Write into the group's `cause` whether another group of those that fell silent explains it better."""
    group = group_at(w, row)
    group.cause = THIS
    if fell(group) == 0:
        set_apart(group, np.int64(APART_SILENT), False)
        return
    seen, own, others, unsure = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for place in range(WITNESSES):
        number = np.int64(group.witnesses[place])
        if number == 0:
            continue
        witness = watched_at(w, number - np.int64(1))
        if witness.standing != SILENT or pointer(witness, np.int64(group.kind)) != np.int64(row) + np.int64(1):
            continue  # it is back, and says nothing of those who are not
        seen += np.int64(1)
        if group.stopped:
            others += np.int64(1 if is_networks(w, group, witness) else 0)
            continue
        said, has_own = ask(w, row, witness, now)
        own += np.int64(1 if has_own else 0)
        others += np.int64(1 if said == OTHER else 0)
        unsure += np.int64(1 if said == PERHAPS else 0)
    if seen == 0:
        # Whoever is still silent will say more. What is wide is not told without one that has a gateway.
        group.cause = OTHER if group.kind >= NETWORK and not group.lasting and not group.stopped else THIS
        return
    # Several that come back one after the other explain it to the end, where nobody else falls silent meanwhile.
    fades = is_apart(group, np.int64(APART_SILENT)) and now - group.last_fell_at > WINDOW_LEAST_US
    set_apart(group, np.int64(APART_SILENT), (are_several(own, seen) or fades) and not group.lasting)
    # Without those that a narrower one explains there may be no more than chance leaves silent.
    left = fell(group) * (seen - own) // seen
    of_chance = own > 0 and left < LEAST and not group.lasting
    if 2 * others > seen or of_chance or is_apart(group, np.int64(APART_SILENT)):
        group.cause = OTHER
    elif 2 * (others + unsure) > seen:
        group.cause = PERHAPS
    if group.cause != THIS:
        group.held_until = now + np.int64(HOLD_US)
