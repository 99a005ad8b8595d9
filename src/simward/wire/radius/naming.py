"""Texts as events refer to them: the canonical APN, and addresses in writing, put together in compiled code."""

from __future__ import annotations

import numpy as np

from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import u16

OPERATOR_IDENTIFIER_OCTETS = 19
"""TS 23.003 9.1.2: `.mncNNN.mccNNN.gprs`."""
MAC_OCTETS = 17
MNC, MCC, GPRS = np.frombuffer(b".mnc", np.uint8), np.frombuffer(b".mcc", np.uint8), np.frombuffer(b".gprs", np.uint8)


@uncounted
def canonical_apn(octets, start, count, room):  # type: ignore[no-untyped-def]
    """Put a Called-Station-Id into `room` as policies spell APNs, and return how long it is.

    Lower case (TS 23.003 9.1: labels are compared as DNS does) and without the operator identifier. The MAC:SSID form
    of RFC 3580 3.20 is no APN and is left as it is.
    """
    if _is_mac(octets, start, count):
        for index in range(count):
            room[index] = octets[start + index]
        return count
    for index in range(count):
        octet = octets[start + index]
        room[index] = octet + 32 if 65 <= octet <= 90 else octet
    while count > 1 and (room[count - 1] == 46 or room[count - 1] == 0):  # a root dot, a C string's end
        count -= 1
    if count > OPERATOR_IDENTIFIER_OCTETS and _is_operator_identifier(room, count - OPERATOR_IDENTIFIER_OCTETS):
        count -= OPERATOR_IDENTIFIER_OCTETS
    return count


@uncounted
def _is_mac(octets, start, count):  # type: ignore[no-untyped-def]
    if count < MAC_OCTETS:
        return False
    for index in range(MAC_OCTETS):
        octet = octets[start + index]
        if index % 3 == 2:
            if octet != 45 and octet != 58:  # '-' or ':'
                return False
        elif not (48 <= octet <= 57 or 65 <= octet <= 70 or 97 <= octet <= 102):
            return False
    return True


@uncounted
def _has(room, at, text):  # type: ignore[no-untyped-def]
    for index in range(len(text)):
        if room[at + index] != text[index]:
            return False
    return True


@uncounted
def _is_operator_identifier(room, at):  # type: ignore[no-untyped-def]
    if not (_has(room, at, MNC) and _has(room, at + 7, MCC) and _has(room, at + 14, GPRS)):
        return False
    for index in (4, 5, 6, 11, 12, 13):
        if room[at + index] < 48 or room[at + index] > 57:
            return False
    return True


@uncounted
def _put_decimal(room, at, value):  # type: ignore[no-untyped-def]
    if value >= 100:
        room[at] = 48 + value // 100
        at += 1
    if value >= 10:
        room[at] = 48 + value // 10 % 10
        at += 1
    room[at] = 48 + value % 10
    return at + 1


@uncounted
def ipv4_text(octets, start, room):  # type: ignore[no-untyped-def]
    """Put an IPv4 address into `room` in dotted form; returns how long it is."""
    at = 0
    for index in range(4):
        if index:
            room[at] = 46
            at += 1
        at = _put_decimal(room, at, np.int64(octets[start + index]))
    return at


@uncounted
def _put_hex(room, at, value):  # type: ignore[no-untyped-def]
    started = False
    for shift in (12, 8, 4, 0):
        digit = (value >> shift) & 15
        if digit or started or shift == 0:
            started = True
            room[at] = 48 + digit if digit < 10 else 87 + digit
            at += 1
    return at


@uncounted
def ipv6_text(octets, start, room):  # type: ignore[no-untyped-def]
    """Put an IPv6 address into `room` as RFC 5952 4 writes it; returns how long it is."""
    longest, longest_from, run = 1, -1, 0
    for index in range(8):
        run = run + 1 if u16(octets, start + 2 * index) == 0 else 0
        if run > longest:
            longest, longest_from = run, index - run + 1
    at, index = 0, 0
    while index < 8:
        if index == longest_from:
            room[at] = 58
            room[at + 1] = 58
            at += 2
            index += longest
            continue
        if at and index != longest_from + longest:
            room[at] = 58
            at += 1
        at = _put_hex(room, at, u16(octets, start + 2 * index))
        index += 1
    return at
