"""What an event must say of a request, read a second time in plain Python from the RFCs' and 3GPP's words.

It shares nothing with the compiled path but the layout of EVENT, and walks the octets itself. `differences` is what
tests and fuzzing hold the two against each other with.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from simward.engine.events import (
    FLAG_IMEI_UNREADABLE,
    FLAG_LOCATION_UNREADABLE,
    FLAG_PREFIX_UNREADABLE,
    FLAG_SESSION_ID_CUT,
    FLAG_TIMESTAMP,
)
from simward.engine.texts import Texts

Fields = dict[str, Any]
SECOND_US = 1_000_000
CGI, SAI, RAI, ECGI, NCGI = 1, 2, 3, 4, 5
NEEDS = {
    0: 8, 1: 8, 2: 7, 128: 6, 129: 8, 130: 13, 131: 7, 132: 12, 133: 7, 134: 12, 135: 9, 136: 7, 137: 15, 138: 7,
    139: 13,
}
"""TS 29.061 16.4.7.2, 22: octets of each location type, the type included."""


class Found:
    """The first value that is not empty, by attribute number: of RFC attributes, and of 3GPP's inside attribute 26."""

    def __init__(self, octets: bytes) -> None:
        self.standard: dict[int, bytes] = {}
        self.vendor: dict[int, bytes] = {}
        for number, value in walked(octets[20 : int.from_bytes(octets[2:4], "big")]):
            if number != 26:
                if value:
                    self.standard.setdefault(number, value)
            elif value[:4] == (10_415).to_bytes(4, "big"):
                for inside, one in walked(value[4:]):
                    if one:
                        self.vendor.setdefault(inside, one)

    def number(self, attribute: int) -> int | None:
        """A four-octet attribute; None where it is missing or of another size."""
        return four_octets(self.standard.get(attribute))


def walked(octets: bytes) -> list[tuple[int, bytes]]:
    """(number, value) as far as attributes can be followed."""
    found, at = [], 0
    while at + 2 <= len(octets) and octets[at + 1] >= 2 and at + octets[at + 1] <= len(octets):
        found.append((octets[at], octets[at + 2 : at + octets[at + 1]]))
        at += octets[at + 1]
    return found


def four_octets(value: bytes | None) -> int | None:
    return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None


def expected(octets: bytes, now: int, client: str = "pgw1") -> Fields:
    """Every field of the event that this authentic request is to become, names as text."""
    found, flags = Found(octets), 0
    fields: Fields = {
        "imsi": imsi(found.vendor.get(1, b"")), "user": user(found.standard.get(1, b"")),
        "msisdn": number(found.standard.get(31, b"")), "identifier": octets[1],
    }
    fields["imei"], fields["software"], unreadable = imei(found.vendor.get(20, b""))
    flags |= FLAG_IMEI_UNREADABLE * unreadable
    fields["plmn"], fields["area"], fields["cell"], unreadable = location(found.vendor.get(22, b""))
    flags |= FLAG_LOCATION_UNREADABLE * unreadable
    if not fields["plmn"] and 5 <= len(found.vendor.get(18, b"")) <= 6:
        fields["plmn"] = prefixed(found.vendor[18])
    fields["rat"] = rat(found.vendor.get(21, b""))
    kind = four_octets(found.vendor.get(3))
    fields["pdp_type"] = kind + 1 if kind is not None and kind < 7 else 0
    fields["apn"], fields["gateway"] = apn(found.standard.get(30, b"")), gateway(found, client)
    fields |= session(found)
    flags |= FLAG_SESSION_ID_CUT * (len(found.standard.get(44, b"")) > 48)
    more, unreadable = prefixes(found)
    fields |= more
    flags |= FLAG_PREFIX_UNREADABLE * unreadable
    stamp = found.number(55)
    fields["happened_at"] = (stamp or 0) * SECOND_US if stamp else now - (found.number(41) or 0) * SECOND_US
    fields["flags"] = flags | FLAG_TIMESTAMP * bool(stamp)
    return fields


def prefixed(digits: bytes) -> int:
    """Digits with a 1 in front; 0 where they are none, or more than 15."""
    return int(b"1" + digits) if re.fullmatch(rb"[0-9]{1,15}", digits) else 0


def tbcd(octets: bytes) -> str | None:
    """The digits of a TBCD string before its filler; None where anything else is in it."""
    halves = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets).rstrip("f")
    return halves if halves.isdecimal() or not halves else None


def imsi(value: bytes) -> int:
    if len(value) == 8 and not re.fullmatch(rb"[0-9]{8}", value):
        digits = tbcd(value)
        return int("1" + digits) if digits is not None and 14 <= len(digits) <= 15 else 0
    text = value.rstrip(b"\0")
    return prefixed(text) if len(text) >= 14 else 0


def user(value: bytes) -> int:
    name = value.partition(b"@")[0].rstrip(b"\0")
    if len(name) == 16 and name[:1] in (b"0", b"1", b"6"):  # TS 23.003 19.3.2
        return prefixed(name[1:])
    return number(name)


def number(value: bytes) -> int:
    return prefixed(value.rstrip(b"\0").removeprefix(b"+"))


def imei(value: bytes) -> tuple[int, int, bool]:
    """IMEI, software version, and whether there was something that is neither."""
    text = value.rstrip(b"\0")
    if not text:
        return 0, -1, False
    written = re.fullmatch(rb"(?:i(?:[a-z]{3}|[a-z]{5})(?![a-z]))?([0-9 ./:_-]*)", text, re.IGNORECASE)
    digits: str | None = re.sub(rb"[^0-9]", b"", written[1]).decode() if written else None
    if digits is None and len(value) in (7, 8):
        digits = tbcd(value)
        if digits == "":
            return 0, -1, False
    if digits is None or not 14 <= len(digits) <= 16:
        return 0, -1, True
    device = int(digits[:14])
    return device, int(digits[14:]) if device and len(digits) == 16 else -1, False


def plmn(octets: bytes) -> int:
    """TS 24.008 10.5.1.3."""
    a, b, c = octets
    digits = [a & 15, a >> 4, b & 15, c & 15, c >> 4] + ([b >> 4] if b >> 4 != 15 else [])
    return int("1" + "".join(map(str, digits))) if max(digits) <= 9 else 0


def location(value: bytes) -> tuple[int, int, int, bool]:
    """PLMN, area, cell, and whether there was something that cannot be read."""
    if not value:
        return 0, -1, 0, False
    kind, rest = value[0], value[1:]
    if kind not in NEEDS or len(value) < NEEDS[kind] or not plmn(rest[:3]):
        return 0, -1, 0, True
    area, cell = -1, 0
    if kind in (136, 137, 139):
        area = int.from_bytes(rest[3:6], "big")
    elif kind in (0, 1, 2, 128, 130, 132, 134):
        area = int.from_bytes(rest[3:5], "big")
    if kind in (0, 1):
        cell = (CGI, SAI)[kind] << 56 | int.from_bytes(rest[3:7], "big")
    elif kind == 2:
        cell = RAI << 56 | int.from_bytes(rest[3:5], "big") << 16 | rest[5]
    elif kind in (129, 130):
        at = 3 if kind == 129 else 8
        cell = ECGI << 56 | int.from_bytes(rest[at : at + 4], "big") & 0x0FFFFFFF
    elif kind in (135, 137):
        at = 3 if kind == 135 else 9
        cell = NCGI << 56 | int.from_bytes(rest[at : at + 5], "big") >> 4
    return plmn(rest[:3]), area, cell, False


def rat(value: bytes) -> int:
    if len(value) not in (1, 4):
        return 0
    one = int.from_bytes(value, "big")
    return 10 if one in (51, 52) else one if one <= 255 else 0


def apn(value: bytes) -> bytes:
    if re.match(rb"(?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}", value):  # RFC 3580 3.20
        return value
    text = value[:1].lower() + value[1:].lower().rstrip(b".\0")
    return re.sub(rb"(?s)(?<=.)\.mnc[0-9]{3}\.mcc[0-9]{3}\.gprs\Z", b"", text)


def gateway(found: Found, client: str) -> bytes:
    if 32 in found.standard:
        return found.standard[32]
    if len(found.standard.get(4, b"")) == 4:
        return str(ipaddress.IPv4Address(found.standard[4])).encode()
    if len(found.standard.get(95, b"")) == 16:
        words = ipaddress.IPv6Address(found.standard[95])
        return str(words).encode()
    return client.encode()


def session(found: Found) -> Fields:
    address, duration, name = found.number(8) or 0, found.number(46), found.standard.get(44, b"")
    fields: Fields = {
        "address": address if address < 0xFFFFFFFE else 0,  # RFC 2865 5.8
        "duration_s": -1 if duration is None else min(duration, 2**31 - 1),
        "cause": min(found.number(49) or 0, 255),
        "session_id_octets": min(len(name), 48),
        "session_id": name if len(name) <= 48 else name[:40],
        "multi_session": 50 in found.standard,
    }
    for field, low, high in (("uplink_octets", 42, 52), ("downlink_octets", 43, 53)):
        reported = low in found.standard or high in found.standard
        wraps = (found.number(high) or 0) % 2**30
        fields[field] = wraps * 2**32 + (found.number(low) or 0) if reported else -1
    return fields


def prefix(value: bytes) -> tuple[int, int] | None:
    """RFC 3162 2.3: (128 bits, length), None where it is no prefix."""
    if not 2 <= len(value) <= 18 or value[1] > 128 or len(value) - 2 < (value[1] + 7) // 8:
        return None
    length = value[1]
    whole = int.from_bytes(value[2:].ljust(16, b"\0"), "big")
    return whole >> (128 - length) << (128 - length), length


def prefixes(found: Found) -> tuple[Fields, bool]:
    fields: Fields = dict.fromkeys(("prefix", "prefix_length", "ipv6", "delegated", "delegated_length"), 0)
    unreadable = False
    if 97 in found.standard:
        one = prefix(found.standard[97])
        unreadable |= one is None
        if one and one[1]:
            fields["prefix"], fields["prefix_length"] = one
    if 168 in found.standard:
        whole = found.standard[168]
        unreadable |= len(whole) != 16
        if len(whole) == 16:
            fields["ipv6"] = int.from_bytes(whole, "big")
            if not fields["prefix_length"]:
                fields["prefix"], fields["prefix_length"] = fields["ipv6"], 128
    if 123 in found.standard:
        one = prefix(found.standard[123])
        unreadable |= one is None or one[1] > 64
        if one and 0 < one[1] <= 64:
            fields["delegated"], fields["delegated_length"] = one
    return fields, unreadable


def said(event: Any, texts: Texts) -> Fields:
    """The same fields of an event as the receiver made it."""
    mask = 2**64 - 1
    names = (
        "imsi", "user", "msisdn", "imei", "software", "plmn", "area", "cell", "rat", "pdp_type", "address",
        "duration_s", "cause", "session_id_octets", "uplink_octets", "downlink_octets", "prefix_length",
        "delegated_length", "happened_at", "flags", "identifier",
    )
    fields: Fields = {name: int(event[name]) for name in names}
    kept = 40 if fields["flags"] & FLAG_SESSION_ID_CUT else fields["session_id_octets"]
    fields["session_id"] = event["session_id"].tobytes()[:kept]
    fields["multi_session"] = bool(event["multi_session"])
    fields["apn"], fields["gateway"] = texts.text(int(event["apn"])), texts.text(int(event["gateway"]))
    fields["prefix"] = (int(event["prefix_high"]) & mask) << 64 | int(event["prefix_low"]) & mask
    fields["ipv6"] = (int(event["ipv6_high"]) & mask) << 64 | int(event["ipv6_low"]) & mask
    fields["delegated"] = (int(event["delegated_high"]) & mask) << 64
    return fields


def differences(event: Any, octets: bytes, texts: Texts, client: str = "pgw1") -> dict[str, tuple[Any, Any]]:
    """Field by field what the event says and what it should; empty where they agree."""
    wanted, got = expected(octets, int(event["received_at"]), client), said(event, texts)
    assert set(wanted) == set(got)
    return {name: (got[name], wanted[name]) for name in wanted if got[name] != wanted[name]}
