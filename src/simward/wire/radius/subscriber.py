"""Who and what asks: IMSI, User-Name, number and device as gateways write them, compiled."""

from __future__ import annotations

import numpy as np

from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import all_ascii_digits, decimal, nibble, tbcd_digits, trimmed

IMEI_ABSENT, IMEI_READ, IMEI_UNREADABLE = 0, 1, 2


@uncounted
def read_imsi(octets, start, count):  # type: ignore[no-untyped-def]
    """3GPP-IMSI (TS 29.061 16.4.7.2, 1): ASCII digits; also the 8 octets of TBCD that some gateways copy from GTP."""
    if count == 8 and not all_ascii_digits(octets, start, count):
        digits = tbcd_digits(octets, start, count)
        if digits < 14 or digits > 15:
            return np.int64(0)
        value = np.int64(1)
        for index in range(digits):
            value = value * np.int64(10) + nibble(octets, start, index)
        return value
    count = trimmed(octets, start, count)
    if count < 14:
        return np.int64(0)
    return decimal(octets, start, count)


@uncounted
def read_user(octets, start, count):  # type: ignore[no-untyped-def]
    """User-Name where it is a number, before any '@'.

    TS 23.003 19.3.2: a root NAI is 0 (EAP-AKA), 1 (EAP-SIM) or 6 (EAP-AKA') and then the IMSI; only where that makes 16
    digits is the first one taken off.
    """
    end = start
    while end < start + count and octets[end] != 64:  # '@'
        end += 1
    size = trimmed(octets, start, end - start)
    if size == 16 and (octets[start] == 48 or octets[start] == 49 or octets[start] == 54):
        return decimal(octets, start + 1, 15)
    return read_msisdn(octets, start, size)


@uncounted
def read_msisdn(octets, start, count):  # type: ignore[no-untyped-def]
    """Calling-Station-Id where it is a number, with or without '+' (TS 29.061 16.4: the MSISDN, international)."""
    count = trimmed(octets, start, count)
    if count > 0 and octets[start] == 43:  # '+'
        return decimal(octets, start + 1, count - 1)
    return decimal(octets, start, count)


@uncounted
def read_imei(octets, start, count, device):  # type: ignore[no-untyped-def]
    """3GPP-IMEISV (TS 29.061 16.4.7.2, 20) in every form in the field; device[0] = IMEI, device[1] = software or -1.

    ASCII of 14 (no check digit), 15 (the 15th is sent as 0, or is the check digit: ignored, TS 23.003 6.2.1) or 16
    digits (the last two are the software version, TS 23.003 6.2.2), with separators, or with the imei-/imeisv- of a PEI
    (TS 29.571 5.3.2); or 7 or 8 octets of TBCD. Zeros, or nothing but filler, mean that no device was reported. Eight
    ASCII digits are no TBCD, although they could be.
    """
    device[0], device[1] = 0, -1
    size = trimmed(octets, start, count)
    if size == 0:
        return IMEI_ABSENT
    digits = _ascii_imei(octets, start, size, device)
    if digits < 0 and (count == 7 or count == 8):
        digits = _tbcd_imei(octets, start, count, device)
        if digits == 0:
            return IMEI_ABSENT
    if digits < 14 or digits > 16:
        device[0], device[1] = 0, -1
        return IMEI_UNREADABLE
    if device[0] == 0:
        device[1] = -1
        return IMEI_ABSENT
    if digits < 16:
        device[1] = -1
    return IMEI_READ


@uncounted
def _push(device, digits, digit):  # type: ignore[no-untyped-def]
    if digits < 14:
        device[0] = device[0] * 10 + digit
    elif digits == 14:
        device[1] = digit
    elif digits == 15:
        device[1] = device[1] * 10 + digit


@uncounted
def _ascii_imei(octets, start, count, device):  # type: ignore[no-untyped-def]
    """How many digits were read; -1 where this is no text of digits and separators."""
    at, end, digits = start, start + count, np.int64(0)
    if octets[start] | 32 == 105:  # 'i': imei or imeisv in front
        while at < end and (octets[at] | 32) >= 97 and (octets[at] | 32) <= 122:
            at += 1
        if at - start != 4 and at - start != 6:
            return np.int64(-1)
    while at < end:
        octet = np.int64(octets[at])
        if 48 <= octet <= 57:
            _push(device, digits, octet - 48)
            digits += 1
        elif octet != 32 and octet != 45 and octet != 46 and octet != 47 and octet != 58 and octet != 95:  # ' -./:_'
            device[0], device[1] = 0, -1
            return np.int64(-1)
        at += 1
    return digits


@uncounted
def _tbcd_imei(octets, start, count, device):  # type: ignore[no-untyped-def]
    digits = tbcd_digits(octets, start, count)
    for index in range(digits):
        _push(device, index, nibble(octets, start, index))
    return digits
