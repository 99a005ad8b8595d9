"""From attributes to an event: every field of EVENT that a RADIUS request can say, compiled.

`standard[n]` and `vendor[n]` hold where the value of attribute n (of 3GPP attribute n) begins, 0 = not there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simward.engine.events import (
    FLAG_APN_UNKNOWN_TEXT,
    FLAG_IMEI_UNREADABLE,
    FLAG_LOCATION_UNREADABLE,
    FLAG_PREFIX_UNREADABLE,
    FLAG_SESSION_ID_CUT,
    FLAG_TIMESTAMP,
    SESSION_ID_OCTETS,
)
from simward.engine.texts import OVERFLOW_TEXT, TEXT_OCTETS_MAX, find_text
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.location import read_location, read_network
from simward.wire.radius.naming import canonical_apn, ipv4_text, ipv6_text
from simward.wire.radius.octets import hash63, i64, u32
from simward.wire.radius.subscriber import IMEI_UNREADABLE, read_imei, read_imsi, read_msisdn, read_user

# Attribute numbers; int64 scalars, since numba would compile each callee anew for every literal that it is given.
USER_NAME, NAS_IP_ADDRESS, FRAMED_IP_ADDRESS = np.array([1, 4, 8])
CALLED_STATION_ID, CALLING_STATION_ID, NAS_IDENTIFIER, PROXY_STATE = np.array([30, 31, 32, 33])
ACCT_STATUS_TYPE, ACCT_DELAY_TIME, ACCT_INPUT_OCTETS, ACCT_OUTPUT_OCTETS = np.array([40, 41, 42, 43])
ACCT_SESSION_ID, ACCT_SESSION_TIME, ACCT_TERMINATE_CAUSE, ACCT_MULTI_SESSION_ID = np.array([44, 46, 49, 50])
ACCT_INPUT_GIGAWORDS, ACCT_OUTPUT_GIGAWORDS, EVENT_TIMESTAMP = np.array([52, 53, 55])
EAP_MESSAGE, MESSAGE_AUTHENTICATOR, NAS_IPV6_ADDRESS = np.array([79, 80, 95])
CLASS, FRAMED_IPV6_PREFIX, DELEGATED_IPV6_PREFIX, FRAMED_IPV6_ADDRESS = np.array([25, 97, 123, 168])
TGPP_PDP_TYPE = np.int64(3)
TGPP_IMSI, TGPP_SGSN_MCC_MNC, TGPP_IMEISV, TGPP_RAT_TYPE, TGPP_LOCATION = np.array([1, 18, 20, 21, 22])
NONE, MISSING = np.array([0, -1])

SECOND_US = 1_000_000
PDP_TYPES = 7
"""TS 29.061 16.4.7.2, 3: IPv4, PPP, IPv6, IPv4v6, Non-IP, Unstructured, Ethernet."""
UNASSIGNED_FROM = 0xFFFFFFFE
"""RFC 2865 5.8: 255.255.255.255 and .254 ask for an address; they are none."""
NR, TGPP_NR_FROM, TGPP_NR_TO = 10, 51, 52
"""TS 29.061 16.4.7.2, 21: NR is 51 and NR in unlicensed bands 52 there, 10 in TS 29.274; inside it is 10."""

WANTED_APN, WANTED_GATEWAY = np.array([0, 1])
WANTED = np.dtype([("row", "i4"), ("field", "i4"), ("octets", "i4"), ("text", "u1", (TEXT_OCTETS_MAX,))], align=True)
"""A text that is not in the table yet: Python interns it and puts its number into field WANTED_* of event `row`."""


class TextArrays(NamedTuple):
    """The table of texts, and where texts that it lacks are noted."""

    slots: np.ndarray
    entries: np.ndarray
    blob: np.ndarray
    full: np.ndarray  # one flag: the table takes no more
    wanted: np.ndarray  # WANTED
    wanted_count: np.ndarray  # one number
    room: np.ndarray  # where a text is put together


class Found(NamedTuple):
    """Where the attributes of the packet at hand are, and small results of reading them."""

    standard: np.ndarray  # i4[256]
    vendor: np.ndarray  # i4[256]
    device: np.ndarray  # i8[2]: IMEI, software version


@uncounted
def size_at(octets, at):  # type: ignore[no-untyped-def]
    """How many octets the value that begins at `at` has: its length field stands just before."""
    return np.int64(octets[at - 1]) - np.int64(2)


@uncounted
def integer(octets, places, number, missing):  # type: ignore[no-untyped-def]
    """A four-octet attribute, `missing` where it is not there or has another size."""
    at = places[number]
    if at == 0 or size_at(octets, at) != 4:
        return np.int64(missing)
    return u32(octets, at)


@uncounted
def text_number(octets, start, count, texts, row, field):  # type: ignore[no-untyped-def]
    """The number of a text; where it has none yet it is noted as wanted, and 0 stands until Python has given one."""
    found = find_text(texts.slots, texts.entries, texts.blob, octets, start, count)
    if found >= 0:
        return found
    if texts.full[0] or texts.wanted_count[0] >= len(texts.wanted):
        return np.int64(OVERFLOW_TEXT)
    wanted = texts.wanted[texts.wanted_count[0]]
    wanted.row, wanted.field, wanted.octets = row, field, count
    for index in range(count):
        wanted.text[index] = octets[start + index]
    texts.wanted_count[0] += 1
    return np.int64(0)


@uncounted
def blank(event):  # type: ignore[no-untyped-def]
    """An event that reports nothing (engine/events.py: reset)."""
    event.imsi, event.user, event.msisdn, event.imei, event.cell = 0, 0, 0, 0, 0
    event.subject, event.plmn, event.address, event.apn, event.gateway = 0, 0, 0, 0, 0
    event.uplink_octets, event.downlink_octets, event.area, event.duration_s = -1, -1, -1, -1
    event.argument, event.software, event["flags"], event.rat, event.cause = -1, -1, 0, 0, 0
    event.session_id_octets = 0
    event.prefix_high, event.prefix_low, event.delegated_high, event.multi_session = 0, 0, 0, 0
    event.prefix_length, event.delegated_length, event.pdp_type, event.credentials = 0, 0, 0, 0
    event.class_token, event.class_row, event.class_check = 0, 0, 0
    event.ipv6_high, event.ipv6_low = 0, 0
    for index in range(SESSION_ID_OCTETS):
        event.session_id[index] = 0


@uncounted
def fill_event(event, row, octets, found, texts, client_name):  # type: ignore[no-untyped-def]
    """Every field that attributes tell; received_at, request, client, kind and identifier are the caller's."""
    blank(event)
    _fill_subscriber(event, octets, found)
    _fill_place(event, octets, found)
    _fill_names(event, row, octets, found.standard, texts, client_name)
    _fill_session(event, octets, found.standard)
    _fill_prefixes(event, octets, found)
    _fill_times(event, octets, found.standard)


@uncounted
def _fill_subscriber(event, octets, found):  # type: ignore[no-untyped-def]
    at = found.vendor[TGPP_IMSI]
    if at:
        event.imsi = read_imsi(octets, at, size_at(octets, at))
    at = found.standard[USER_NAME]
    if at:
        event.user = read_user(octets, at, size_at(octets, at))
    at = found.standard[CALLING_STATION_ID]
    if at:
        event.msisdn = read_msisdn(octets, at, size_at(octets, at))
    at = found.vendor[TGPP_IMEISV]
    if at:
        if read_imei(octets, at, size_at(octets, at), found.device) == IMEI_UNREADABLE:
            event["flags"] |= FLAG_IMEI_UNREADABLE
        event.imei, event.software = found.device[0], found.device[1]


@uncounted
def _fill_place(event, octets, found):  # type: ignore[no-untyped-def]
    at = found.vendor[TGPP_LOCATION]
    if at and not read_location(octets, at, size_at(octets, at), event):
        event["flags"] |= FLAG_LOCATION_UNREADABLE
    at = found.vendor[TGPP_SGSN_MCC_MNC]
    if at and event.plmn == 0:
        event.plmn = read_network(octets, at, size_at(octets, at))
    at = found.vendor[TGPP_RAT_TYPE]
    if at:
        rat = np.int64(0)
        if size_at(octets, at) == 1:
            rat = np.int64(octets[at])
        elif size_at(octets, at) == 4:  # some gateways send an integer where TS 29.061 has one octet
            rat = u32(octets, at)
        if TGPP_NR_FROM <= rat <= TGPP_NR_TO:
            rat = np.int64(NR)
        event.rat = rat if rat <= 255 else 0


@uncounted
def _fill_names(event, row, octets, standard, texts, client_name):  # type: ignore[no-untyped-def]
    at = standard[CALLED_STATION_ID]
    if at:
        count = canonical_apn(octets, at, size_at(octets, at), texts.room)
        event.apn = text_number(texts.room, NONE, count, texts, row, WANTED_APN)
        if event.apn == OVERFLOW_TEXT:
            event["flags"] |= FLAG_APN_UNKNOWN_TEXT
    if standard[NAS_IDENTIFIER]:
        at = standard[NAS_IDENTIFIER]
        event.gateway = text_number(octets, np.int64(at), size_at(octets, at), texts, row, WANTED_GATEWAY)
    elif standard[NAS_IP_ADDRESS] and size_at(octets, standard[NAS_IP_ADDRESS]) == 4:
        count = ipv4_text(octets, standard[NAS_IP_ADDRESS], texts.room)
        event.gateway = text_number(texts.room, NONE, count, texts, row, WANTED_GATEWAY)
    elif standard[NAS_IPV6_ADDRESS] and size_at(octets, standard[NAS_IPV6_ADDRESS]) == 16:
        count = ipv6_text(octets, standard[NAS_IPV6_ADDRESS], texts.room)
        event.gateway = text_number(texts.room, NONE, count, texts, row, WANTED_GATEWAY)
    else:
        event.gateway = client_name


@uncounted
def _fill_session(event, octets, standard):  # type: ignore[no-untyped-def]
    address = integer(octets, standard, FRAMED_IP_ADDRESS, NONE)
    event.address = address if address < UNASSIGNED_FROM else 0
    event.duration_s = min(integer(octets, standard, ACCT_SESSION_TIME, MISSING), np.int64(0x7FFFFFFF))
    event.cause = min(integer(octets, standard, ACCT_TERMINATE_CAUSE, NONE), np.int64(255))
    event.uplink_octets = _counted(octets, standard, ACCT_INPUT_OCTETS, ACCT_INPUT_GIGAWORDS)
    event.downlink_octets = _counted(octets, standard, ACCT_OUTPUT_OCTETS, ACCT_OUTPUT_GIGAWORDS)
    at = standard[ACCT_MULTI_SESSION_ID]
    if at:
        event.multi_session = hash63(octets, np.int64(at), size_at(octets, at))
    at = standard[ACCT_SESSION_ID]
    if at == 0:
        return
    size = size_at(octets, at)
    kept = size
    if size > SESSION_ID_OCTETS:
        kept = np.int64(SESSION_ID_OCTETS - 8)
        event["flags"] |= FLAG_SESSION_ID_CUT
        name = hash63(octets, at, size)
        for index in range(8):
            event.session_id[SESSION_ID_OCTETS - 1 - index] = (name >> np.int64(8 * index)) & np.int64(255)
    for index in range(kept):
        event.session_id[index] = octets[at + index]
    event.session_id_octets = min(size, np.int64(SESSION_ID_OCTETS))


@uncounted
def read_prefix(octets, at):  # type: ignore[no-untyped-def]
    """RFC 3162 2.3, RFC 4818 3: a reserved octet, the length in bits, and as many octets as that needs.

    Returns upper and lower 64 bits, without what stands behind the length (it MUST be zero), and the length; -1 where
    it is no prefix.
    """
    size = size_at(octets, at)
    length = np.int64(octets[at + 1]) if size >= 2 else np.int64(255)
    if length > 128 or size < 2 + ((length + 7) >> 3) or size > 18:
        return np.int64(0), np.int64(0), np.int64(-1)
    high, low = np.int64(0), np.int64(0)
    for index in range(min(size - 2, np.int64(8))):
        high |= np.int64(octets[at + 2 + index]) << np.int64(56 - 8 * index)
    for index in range(8, size - 2):
        low |= np.int64(octets[at + 2 + index]) << np.int64(120 - 8 * index)
    return high & ones(length), low & ones(length - 64), length


@uncounted
def ones(count):  # type: ignore[no-untyped-def]
    """The uppermost `count` bits of 64."""
    if count <= 0:
        return np.int64(0)
    return np.int64(-1) if count >= 64 else ~((np.int64(1) << (np.int64(64) - count)) - np.int64(1))


@uncounted
def _fill_prefixes(event, octets, found):  # type: ignore[no-untyped-def]
    """IPv6 addresses, and the type that says which families are asked for."""
    at = found.standard[FRAMED_IPV6_PREFIX]
    if at:
        high, low, length = read_prefix(octets, at)
        if length > 0:
            event.prefix_high, event.prefix_low, event.prefix_length = high, low, length
        elif length < 0:
            event["flags"] |= FLAG_PREFIX_UNREADABLE
    at = found.standard[FRAMED_IPV6_ADDRESS]
    if at and size_at(octets, at) == 16:
        event.ipv6_high, event.ipv6_low = i64(octets, at), i64(octets, at + 8)
        if event.prefix_length == 0:
            event.prefix_high, event.prefix_low, event.prefix_length = event.ipv6_high, event.ipv6_low, 128
    elif at:
        event["flags"] |= FLAG_PREFIX_UNREADABLE
    at = found.standard[DELEGATED_IPV6_PREFIX]
    if at:
        high, low, length = read_prefix(octets, at)
        if 0 < length <= 64:
            event.delegated_high, event.delegated_length = high, length
        elif length != 0:
            event["flags"] |= FLAG_PREFIX_UNREADABLE  # also a delegated prefix longer than a subnet's
    kind = integer(octets, found.vendor, TGPP_PDP_TYPE, MISSING)
    event.pdp_type = kind + 1 if 0 <= kind < PDP_TYPES else 0


@uncounted
def _counted(octets, standard, low, high):  # type: ignore[no-untyped-def]
    """Octets with their Gigawords (RFC 2869 5.1, 5.2: how often the low part has wrapped around); -1 = not reported."""
    if standard[low] == 0 and standard[high] == 0:
        return np.int64(-1)
    wraps = integer(octets, standard, high, NONE) & np.int64(0x3FFFFFFF)
    return wraps << np.int64(32) | integer(octets, standard, low, NONE)


@uncounted
def _fill_times(event, octets, standard):  # type: ignore[no-untyped-def]
    stamp = integer(octets, standard, EVENT_TIMESTAMP, NONE)
    if stamp:
        event.happened_at = stamp * np.int64(SECOND_US)
        event["flags"] |= FLAG_TIMESTAMP
    else:
        event.happened_at = event.received_at - integer(octets, standard, ACCT_DELAY_TIME, NONE) * np.int64(SECOND_US)
