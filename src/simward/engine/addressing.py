"""Which addresses a subscription has in which of its segments, inside compiled code.

What is kept is one number a subscription and segment. It serves every family: the IPv4 address is the number itself
(or there is none, where the segment's numbers are bare), and the IPv6 prefixes and the IPv6 address lie as far from the
first ones of their pools as the number lies from the pool's first. So a subscription keeps all of its addresses while
it keeps one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.hashing import mix
from simward.engine.rows import segment_at, subscription_at, use_case_at
from simward.engine.tables import OTHER_SEGMENTS

PDP_IPV4, PDP_PPP, PDP_IPV6, PDP_IPV4V6 = 1, 2, 3, 4
WHOLE = 128
FILTER_QUARANTINE = 2


@njit
def place_of(t, use_case, apn):  # type: ignore[no-untyped-def]
    """Which of its use case's segments an APN is: 0 for the first (and for an APN of none), 1 and up for the others."""
    if apn == 0:
        return np.int64(0)
    policy = use_case_at(t, use_case)
    for step in range(OTHER_SEGMENTS):
        segment = np.int64(policy.other_segments[step])
        if segment != 0 and np.int64(segment_at(t, segment).apn) == np.int64(apn):
            return np.int64(step) + np.int64(1)
    return np.int64(0)


@njit
def segment_of(t, use_case, place):  # type: ignore[no-untyped-def]
    """The segment in that place of a use case, 0 = none."""
    if place == 0:
        return np.int64(use_case_at(t, use_case).segment)
    return np.int64(use_case_at(t, use_case).other_segments[place - 1])


@njit
def number_held(subscription, place, quarantine):  # type: ignore[no-untyped-def]
    """The number that a subscription holds in a place, 0 = none."""
    if place == 0:
        return np.int64(subscription.quarantine_address) if quarantine else np.int64(subscription.address)
    if quarantine:
        return np.int64(subscription.other_quarantine[place - 1])
    return np.int64(subscription.other_addresses[place - 1])


@njit
def hold_number(subscription, place, quarantine, number):  # type: ignore[no-untyped-def]
    """Give a subscription its number in a place."""
    if place == 0 and quarantine:
        subscription.quarantine_address = number
    elif place == 0:
        subscription.address = number
    elif quarantine:
        subscription.other_quarantine[place - 1] = number
    else:
        subscription.other_addresses[place - 1] = number


@njit
def asks_ipv4(event):  # type: ignore[no-untyped-def]
    """May the answer carry an IPv4 address? (TS 29.061 16.4.7.2, 3; who reports no type asks for whatever there is.)"""
    kind = np.int64(event.pdp_type)
    return kind == 0 or kind == PDP_IPV4 or kind == PDP_PPP or kind == PDP_IPV4V6


@njit
def asks_ipv6(event):  # type: ignore[no-untyped-def]
    """May it carry IPv6 prefixes and an IPv6 address?"""
    return event.pdp_type == 0 or event.pdp_type == PDP_IPV6 or event.pdp_type == PDP_IPV4V6


@njit
def gives_ipv6(pool, quarantine):  # type: ignore[no-untyped-def]
    """Has the segment a pool of single IPv6 addresses? (Never the unspecified one, RFC 4291 2.5.2.)"""
    if quarantine:
        return pool.quarantine_ipv6_high != 0 or pool.quarantine_ipv6_low != 0
    return pool.ipv6_high != 0 or pool.ipv6_low != 0


@njit
def serves(t, segment, quarantine, event):  # type: ignore[no-untyped-def]
    """Has the segment a pool of a family that the request asks for?"""
    pool = segment_at(t, segment)
    if quarantine:
        first, bare, ipv6 = pool.quarantine_first, pool.quarantine_bare, pool.quarantine_prefix_length != 0
        ipv6 = ipv6 or gives_ipv6(pool, True)
        return first != 0 and ((not bare and asks_ipv4(event)) or (ipv6 and asks_ipv6(event)))
    if pool.pool_first == 0:
        return False
    ipv6 = pool.prefix_length != 0 or pool.delegated_length != 0 or gives_ipv6(pool, False)
    return (not pool.bare and asks_ipv4(event)) or (ipv6 and asks_ipv6(event))


@njit
def may_be_confined(t, row, event):  # type: ignore[no-untyped-def]
    """Is there anywhere to put it? An Accept with neither a quarantine address nor a filter would be no quarantine."""
    subscription = subscription_at(t, row)
    place = place_of(t, subscription.use_case, event.apn)
    segment = segment_of(t, subscription.use_case, place)
    if segment == 0:
        return False
    if np.int64(segment_at(t, segment).filters) & FILTER_QUARANTINE:
        return True
    return number_held(subscription, place, True) != 0 and serves(t, segment, True, event)


@njit
def prefix_at(t, segment, quarantine, number):  # type: ignore[no-untyped-def]
    """Upper 64 bits of the prefix that belongs to a number."""
    pool = segment_at(t, segment)
    if quarantine:
        return np.int64(pool.quarantine_prefix_base) + (np.int64(number) - np.int64(pool.quarantine_first))
    return np.int64(pool.prefix_base) + (np.int64(number) - np.int64(pool.pool_first))


@njit
def ipv6_low_at(t, segment, quarantine, number):  # type: ignore[no-untyped-def]
    """Lower 64 bits of the IPv6 address that belongs to a number; a pool lies within one /64."""
    pool = segment_at(t, segment)
    if quarantine:
        return np.int64(pool.quarantine_ipv6_low) + (np.int64(number) - np.int64(pool.quarantine_first))
    return np.int64(pool.ipv6_low) + (np.int64(number) - np.int64(pool.pool_first))


@njit
def delegated_at(t, segment, number):  # type: ignore[no-untyped-def]
    """Upper 64 bits of the delegated prefix that belongs to a number."""
    pool = segment_at(t, segment)
    steps = np.int64(number) - np.int64(pool.pool_first)
    return np.int64(pool.delegated_base) + (steps << (np.int64(64) - np.int64(pool.delegated_length)))


@njit
def write_addresses(t, segment, quarantine, number, event, result):  # type: ignore[no-untyped-def]
    """The addresses of a number into a RESULT: those of the families that the request asks for."""
    pool = segment_at(t, segment)
    bare = pool.quarantine_bare if quarantine else pool.bare
    length = np.int64(pool.quarantine_prefix_length) if quarantine else np.int64(pool.prefix_length)
    if not bare and asks_ipv4(event):
        result.address = number
    if length != 0 and asks_ipv6(event):
        result.prefix_length = length
        result.prefix_high = prefix_at(t, segment, quarantine, number)
    if gives_ipv6(pool, quarantine) and asks_ipv6(event):
        result.ipv6_high = pool.quarantine_ipv6_high if quarantine else pool.ipv6_high
        result.ipv6_low = ipv6_low_at(t, segment, quarantine, number)
    if not quarantine and pool.delegated_length != 0 and asks_ipv6(event):
        result.delegated_length = pool.delegated_length
        result.delegated_high = delegated_at(t, segment, number)


@njit
def is_confined(t, row, session):  # type: ignore[no-untyped-def]
    """Has this session the quarantine addresses of its subscription?"""
    subscription = subscription_at(t, row)
    place = place_of(t, subscription.use_case, session.apn)
    segment, number = segment_of(t, subscription.use_case, place), number_held(subscription, place, True)
    if segment == 0 or number == 0:
        return False
    pool = segment_at(t, segment)
    ipv4, ipv6 = session.address != 0, session.prefix_mark != 0
    if ipv4 and (pool.quarantine_bare or np.int64(session.address) != number):
        return False
    if ipv6 and not is_marked(t, segment, number, np.int64(session.prefix_mark)):
        return False
    return ipv4 or ipv6


@njit
def is_marked(t, segment, number, mark):  # type: ignore[no-untyped-def]
    """Is this the mark of the quarantine prefix, or of the IPv6 address, that belongs to a number?"""
    pool = segment_at(t, segment)
    if pool.quarantine_prefix_length != 0 and mark == prefix_mark(prefix_at(t, segment, True, number)):
        return True
    low = ipv6_low_at(t, segment, True, number)
    return gives_ipv6(pool, True) and mark == address_mark(pool.quarantine_ipv6_high, low)


@njit
def prefix_mark(high):  # type: ignore[no-untyped-def]
    """31 bits, above 0, that tell one prefix from another by its upper 64 bits."""
    highest = (np.int64(high) >> np.int64(62)) & np.int64(3)  # which `mix` does not take
    mixed = mix((np.int64(high) & np.int64(0x3FFFFFFFFFFFFFFF)) ^ (highest * np.int64(89)))
    return max(mixed & np.int64(0x7FFFFFFF), np.int64(1))


@njit
def address_mark(high, low):  # type: ignore[no-untyped-def]
    """The same of a whole IPv6 address."""
    return prefix_mark(np.int64(prefix_mark(high)) ^ np.int64(low))


@njit
def ipv6_mark(t, row, apn, event):  # type: ignore[no-untyped-def]
    """What of IPv6 a record of a session reports, as SESSION keeps it; 0 = nothing.

    The whole address where the APN's segment has a pool of addresses in that /64, which would not tell one subscription
    from another. Else the prefix, or the /64 of an address that stands alone: the device formed it from its own.
    """
    high, low = np.int64(event.ipv6_high), np.int64(event.ipv6_low)
    if high == 0 and low == 0 and event.prefix_length == WHOLE:
        high, low = np.int64(event.prefix_high), np.int64(event.prefix_low)
    if high != 0 or low != 0:
        use_case = subscription_at(t, row).use_case
        pool = segment_at(t, segment_of(t, use_case, place_of(t, use_case, apn)))
        normal = gives_ipv6(pool, False) and np.int64(pool.ipv6_high) == high
        if normal or (gives_ipv6(pool, True) and np.int64(pool.quarantine_ipv6_high) == high):
            return address_mark(high, low)
    if event.prefix_length == 0:
        return np.int64(0)
    return prefix_mark(event.prefix_high)


@njit
def class_check(imsi, token):  # type: ignore[no-untyped-def]
    """32 bits that tell by a Class whether a row is still the subscription that was decided on.

    It leaves the gate masked by a key (wire/radius/class_token.py), so that it says nothing about the IMSI outside.
    """
    return mix(np.int64(imsi) ^ mix(np.int64(token))) & np.int64(0xFFFFFFFF)


@njit
def holds_numbers(subscription):  # type: ignore[no-untyped-def]
    """Does it hold a number of any pool?"""
    for place in range(OTHER_SEGMENTS + 1):
        if number_held(subscription, place, False) != 0 or number_held(subscription, place, True) != 0:
            return True
    return False


@njit
def carry_numbers(t, subscription, before, after):  # type: ignore[no-untyped-def]
    """From one use case into another: a number goes along where the segment does, and is given up elsewhere."""
    kept = (
        number_held(subscription, 0, False), number_held(subscription, 1, False), number_held(subscription, 2, False),
        number_held(subscription, 0, True), number_held(subscription, 1, True), number_held(subscription, 2, True),
    )
    for place in range(OTHER_SEGMENTS + 1):
        segment = segment_of(t, after, place)
        number, quarantine = np.int64(0), np.int64(0)
        for old in range(OTHER_SEGMENTS + 1):
            if segment != 0 and segment_of(t, before, old) == segment:
                number, quarantine = kept[old], kept[old + OTHER_SEGMENTS + 1]
        hold_number(subscription, place, False, number)
        hold_number(subscription, place, True, quarantine)
