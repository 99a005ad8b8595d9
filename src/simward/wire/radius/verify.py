"""Framing and authenticators of one request in a batch, compiled: nothing gets past that its client did not sign."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simward.wire.radius.compiling import uncounted
from simward.wire.radius.credentials import Credentials
from simward.wire.radius.fields import (
    ACCT_DELAY_TIME,
    ACCT_INPUT_GIGAWORDS,
    ACCT_INPUT_OCTETS,
    ACCT_OUTPUT_GIGAWORDS,
    ACCT_OUTPUT_OCTETS,
    ACCT_SESSION_TIME,
    ACCT_STATUS_TYPE,
    ACCT_TERMINATE_CAUSE,
    EAP_MESSAGE,
    EVENT_TIMESTAMP,
    FRAMED_IP_ADDRESS,
    MESSAGE_AUTHENTICATOR,
    NAS_IP_ADDRESS,
    PROXY_STATE,
    Found,
    size_at,
)
from simward.wire.radius.lanes import Lanes, add_octets, blank_digest, open_lane, run_lanes, take_digest, turn_outward
from simward.wire.radius.md5 import AFTER_KEY, FRESH, INITIAL, hmac_md5, md5
from simward.wire.radius.octets import copy, u16, u32
from simward.wire.radius.outcomes import (
    ACCEPTED,
    BAD_AUTHENTICATOR,
    BAD_LENGTH,
    BAD_MESSAGE_AUTHENTICATOR,
    INVALID_ATTRIBUTE,
    MALFORMED_ATTRIBUTE,
    MISSING_MESSAGE_AUTHENTICATOR,
    MISSING_STATUS_TYPE,
    PROXY_LOOP,
    TOO_SHORT,
    UNSIGNED_PROXY_STATE,
)

HEADER = 20
ROOM = 4096
VENDOR_SPECIFIC, VENDOR_3GPP = 26, 10415
PROXY_STATES_MAX = 10
"""Each proxy adds one (RFC 2865 5.33); a packet that goes round in a loop gathers them without end."""
ACCESS_REQUEST, ACCOUNTING_REQUEST, STATUS_SERVER_REQUEST = 1, 4, 12


class Work(NamedTuple):
    """Buffers that every packet uses in turn."""

    found: Found
    scratch: np.ndarray  # md5.new_scratch()
    state: np.ndarray  # u4[4]: a digest
    asked: np.ndarray  # duplicates.REQUEST, one row
    lanes: Lanes
    class_key: np.ndarray  # class_token.class_key()
    credentials: Credentials
    ahead: np.ndarray  # i8[LANES]: the digest in that lane belongs where so many octets stand before, 0 = nowhere


@uncounted
def check_frame(octets, base, datagram):  # type: ignore[no-untyped-def]
    """RFC 2865 3: ACCEPTED where Length fits what came, else why not. Octets past Length are padding."""
    if datagram < HEADER:
        return TOO_SHORT
    if datagram > ROOM:  # longer than any packet, and cut: what is there is not what was sent
        return BAD_LENGTH
    length = u16(octets, base + 2)
    if length < HEADER or length > ROOM or length > datagram:
        return BAD_LENGTH
    return ACCEPTED


@uncounted
def find_attributes(octets, base, length, found):  # type: ignore[no-untyped-def]
    """Note where the first of each attribute's values begins. Returns 256 * Proxy-States + Message-Authenticators,
    -1 where attributes do not fill the packet exactly. Empty attributes count as absent (RFC 2865 5)."""
    standard, vendor = found.standard, found.vendor
    for entry in range(256):
        standard[entry] = 0
        vendor[entry] = 0
    counted = np.int64(0)
    at, end = np.int64(base + HEADER), np.int64(base + length)
    while at < end:
        if at + 2 > end:
            return np.int64(-1)
        number, size = np.int64(octets[at]), np.int64(octets[at + 1])
        if size < 2 or at + size > end:
            return np.int64(-1)
        if number == PROXY_STATE:
            counted += 256
        elif number == MESSAGE_AUTHENTICATOR:
            counted += 1
            standard[number] = at + 2
        elif number == VENDOR_SPECIFIC:
            if size > 8 and u32(octets, at + 2) == VENDOR_3GPP:
                _find_inside(octets, at + 6, at + size, vendor)
        elif size > 2 and standard[number] == 0:
            standard[number] = at + 2
        at += size
    return counted


@uncounted
def _find_inside(octets, at, end, vendor):  # type: ignore[no-untyped-def]
    """The 3GPP attributes inside one Vendor-Specific; what cannot be read is ignored from there on (RFC 2865 5.26)."""
    while at + 2 <= end:
        size = np.int64(octets[at + 1])
        if size < 2 or at + size > end:
            return
        if size > 2 and vendor[octets[at]] == 0:
            vendor[octets[at]] = at + 2
        at += size


@uncounted
def _find_signature(octets, base, length):  # type: ignore[no-untyped-def]
    """How many octets stand before the value of the first Message-Authenticator, 0 = there is none to be found."""
    at, end = base + HEADER, base + length
    while at + 2 <= end:
        size = np.int64(octets[at + 1])
        if octets[at] == MESSAGE_AUTHENTICATOR:
            return at + 2 - base if size == 18 and at + size <= end else np.int64(0)
        if size < 2:
            break
        at += size
    return np.int64(0)


@uncounted
def hash_ahead(packets, first, count, clients, client_of, work):  # type: ignore[no-untyped-def]
    """Hash what `count` packets from row `first` on are to be checked by, all at once; judges nothing."""
    octets, lanes, signed = packets.octets, work.lanes, False
    for lane in range(count):
        row, client = first + lane, client_of[first + lane]
        base = np.int64(row) * ROOM
        work.ahead[lane] = 0
        if client < 0 or check_frame(octets, base, np.int64(packets.lengths[row])) != ACCEPTED:
            continue
        length = u16(octets, base + 2)
        if octets[base] == ACCOUNTING_REQUEST:
            open_lane(lanes, lane, INITIAL, FRESH)
            add_octets(lanes, lane, octets, base, length)
            blank_digest(lanes, lane, 4)
            own = clients.rows[client]
            add_octets(lanes, lane, clients.secrets, own.secret_start, own.secret_octets)
            work.ahead[lane] = 4
        else:
            at = _find_signature(octets, base, length)
            if at > 0:
                open_lane(lanes, lane, clients.keys[client].inner, AFTER_KEY)
                add_octets(lanes, lane, octets, base, length)
                blank_digest(lanes, lane, at)
                work.ahead[lane], signed = at, True
    run_lanes(lanes)
    if signed:
        for lane in range(count):
            if work.ahead[lane] > 4:
                turn_outward(lanes, lane, clients.keys[client_of[first + lane]].outer, AFTER_KEY)
        run_lanes(lanes)


@uncounted
def check_authentic(octets, base, length, counted, clients, client, work, lane):  # type: ignore[no-untyped-def]
    """ACCEPTED where the packet is from somebody who knows the client's secret, else why not."""
    if counted < 0:
        return MALFORMED_ATTRIBUTE
    if (counted >> np.int64(8)) > PROXY_STATES_MAX:
        return PROXY_LOOP
    code = octets[base]
    standard = work.found.standard
    signatures = counted & np.int64(255)
    if signatures == 0:
        required = code == STATUS_SERVER_REQUEST or standard[EAP_MESSAGE] > 0
        if code == ACCESS_REQUEST and clients.rows[client].require_message_authenticator:
            required = True
        if required:
            return MISSING_MESSAGE_AUTHENTICATOR
        # CVE-2024-3596: what makes two digests collide is smuggled in as Proxy-State, which an answer repeats.
        if code == ACCESS_REQUEST and counted > 0 and clients.rows[client].limit_proxy_state:
            return UNSIGNED_PROXY_STATE
    else:
        at = standard[MESSAGE_AUTHENTICATOR]
        if signatures > 1 or size_at(octets, at) != 16:
            return BAD_MESSAGE_AUTHENTICATOR
        blank = code == ACCOUNTING_REQUEST
        if not _message_authenticator_ok(octets, base, length, at, blank, clients.keys[client], work, lane):
            return BAD_MESSAGE_AUTHENTICATOR
    if code == ACCOUNTING_REQUEST and not _authenticator_ok(octets, base, length, clients, client, work, lane):
        return BAD_AUTHENTICATOR
    return ACCEPTED


@uncounted
def _message_authenticator_ok(octets, base, length, at, blank, key, work, lane):  # type: ignore[no-untyped-def]
    """RFC 3579 3.2: HMAC-MD5 over the packet with zeros in its own place.

    In an Accounting-Request also with zeros for the Request Authenticator, which is made afterwards.
    """
    if lane >= 0 and work.ahead[lane] == at - base:
        take_digest(work.lanes, lane, work.state)
        return _equal(octets, at, work.state)
    scratch = work.scratch
    copy(scratch, 0, octets, base, length)
    for index in range(16):
        scratch[at - base + index] = 0
        if blank:
            scratch[4 + index] = 0
    hmac_md5(scratch, length, key, work.state)
    return _equal(octets, at, work.state)


@uncounted
def _authenticator_ok(octets, base, length, clients, client, work, lane):  # type: ignore[no-untyped-def]
    """RFC 2866 3: MD5 over the packet with sixteen zeros for the Request Authenticator, and the secret."""
    if lane >= 0 and work.ahead[lane] == 4:
        take_digest(work.lanes, lane, work.state)
        return _equal(octets, base + 4, work.state)
    scratch, row = work.scratch, clients.rows[client]
    copy(scratch, 0, octets, base, length)
    for index in range(16):
        scratch[4 + index] = 0
    copy(scratch, length, clients.secrets, row.secret_start, row.secret_octets)
    md5(scratch, length + row.secret_octets, work.state)
    return _equal(octets, base + 4, work.state)


@uncounted
def _equal(octets, at, state):  # type: ignore[no-untyped-def]
    """Compare a digest without telling by time how far it was right."""
    differ = np.int64(0)
    for word in range(4):
        digest = np.int64(state[word])
        for index in range(4):
            differ |= ((digest >> np.int64(8 * index)) & np.int64(255)) ^ np.int64(octets[at + 4 * word + index])
    return differ == 0


@uncounted
def check_accounting(octets, standard):  # type: ignore[no-untyped-def]
    """RFC 2866 5: an Accounting-Request with a field of wrong length MUST be silently discarded."""
    if standard[ACCT_STATUS_TYPE] == 0:
        return MISSING_STATUS_TYPE
    for number in (
        ACCT_STATUS_TYPE, ACCT_DELAY_TIME, ACCT_INPUT_OCTETS, ACCT_OUTPUT_OCTETS, ACCT_SESSION_TIME,
        ACCT_TERMINATE_CAUSE, ACCT_INPUT_GIGAWORDS, ACCT_OUTPUT_GIGAWORDS, EVENT_TIMESTAMP, FRAMED_IP_ADDRESS,
        NAS_IP_ADDRESS,
    ):
        if standard[number] and size_at(octets, standard[number]) != 4:
            return INVALID_ATTRIBUTE
    return ACCEPTED
