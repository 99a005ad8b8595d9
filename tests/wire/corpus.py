"""Requests of every kind and of every malformation that the RFCs name, each with what is to become of it.

Made by this module from one seed, the same every time: `corpus()` in memory; as a program it writes them to a folder,
for whoever wants to feed them to something else (`python tests/wire/corpus.py FOLDER`).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simward.engine.events import (
    FLAG_IMEI_UNREADABLE,
    FLAG_LOCATION_UNREADABLE,
    FLAG_PREFIX_UNREADABLE,
    FLAG_SESSION_ID_CUT,
    FLAG_TIMESTAMP,
)
from simward.identity import CELL_SHIFT, CGI, ECGI, NCGI, RAI, SAI
from simward.wire.radius.batch import ACCOUNTING, AUTH
from simward.wire.radius.dictionary import Attribute, Code, Value, attributes
from simward.wire.radius.packet import Packet

SEED = 20_261_125
SECRET = b"testing123"
IMSI = "001010000000001"
BY_TYPE: dict[str, Value] = {
    "text": "x1", "octets": b"\1\2\3", "integer": 7, "time": 1_700_000_000, "byte": 1, "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7", "ipv6-prefix": "2001:db8:7::/64",
}


UNREAD: tuple[tuple[str, Value], ...] = (
    ("Service-Type", 2), ("NAS-Port-Type", 5), ("3GPP-NSAPI", "5"), ("State", b"s"),
)


@dataclass(frozen=True)
class Case:
    """One datagram, the socket that it comes to, what becomes of it, and what the event says where it becomes one."""

    name: str
    octets: bytes
    outcome: str = "accepted"
    fields: dict[str, Any] = field(default_factory=dict)
    kind: int = AUTH
    source: str = "127.0.0.1"
    client: str = "strict"
    """Which of the clients of the table: `strict`, or `lenient`, which need not send Message-Authenticator."""


class Maker:
    """Packets with identifiers and authenticators from one seed, and unread attributes around what matters."""

    def __init__(self, seed: int = SEED) -> None:
        self._dice = random.Random(seed)

    def access(self, *values: tuple[str, Value], code: int = Code.ACCESS_REQUEST) -> Packet:
        packet = Packet(code, self._dice.randrange(256), self._dice.randbytes(16))
        return packet.add_all(values)

    def accounting(self, *values: tuple[str, Value], status: Value = "Start") -> Packet:
        packet = Packet(Code.ACCOUNTING_REQUEST, self._dice.randrange(256)).add("Acct-Status-Type", status)
        return packet.add("Acct-Session-Id", self._dice.randbytes(8).hex()).add_all(values)

    def asks(self, name: str, *values: tuple[str, Value], **fields: Any) -> Case:
        """An Access-Request that is accepted; its attributes stand among others that nobody reads."""
        placed: list[tuple[str, Value]] = [one for one in UNREAD if self._dice.random() < 0.5]
        for one in values:
            placed.insert(self._dice.randrange(len(placed) + 1) if len(values) == 1 else len(placed), one)
        return Case(name, self.access(*placed).sign_access_request(SECRET), fields=fields)

    def reports(self, name: str, *values: tuple[str, Value], status: Value = "Start", **fields: Any) -> Case:
        """An Accounting-Request that is accepted."""
        octets = self.accounting(*values, status=status).sign_accounting_request(SECRET)
        return Case(name, octets, fields=fields, kind=ACCOUNTING)


def corpus(seed: int = SEED) -> list[Case]:
    """All of it; names are unique."""
    make = Maker(seed)
    return [
        *attribute_cases(make), *subscriber_cases(make), *device_cases(make), *location_cases(make), *place_cases(make),
        *session_cases(make), *prefix_cases(make), *oddity_cases(make), *answered_cases(make), *framing_cases(make),
        *attribute_malformations(make), *authenticator_cases(make), *accounting_malformations(make),
    ]


def sample(attribute: Attribute) -> Value:
    """A value as the type of an attribute says."""
    return min(attribute.values.values()) if attribute.values else BY_TYPE[attribute.type]


def attribute_cases(make: Maker) -> Iterator[Case]:
    """Each attribute of the dictionary alone, and all that fit one packet."""
    for one in attributes().values():
        if one.name not in ("Vendor-Specific", "Message-Authenticator", "Acct-Status-Type"):
            yield make.asks(f"attribute {one.name}", (one.name, sample(one)))
    for value in range(1, 10):
        yield make.asks(f"an integer in {value} octets", ("NAS-Port", bytes(value)))


def subscriber_cases(make: Maker) -> Iterator[Case]:
    """Who asks: 3GPP-IMSI, User-Name, Calling-Station-Id."""
    whole = int("1" + IMSI)
    yield make.asks("imsi of 15 digits", ("3GPP-IMSI", IMSI), imsi=whole)
    yield make.asks("imsi of 14 digits", ("3GPP-IMSI", IMSI[:14]), imsi=int("1" + IMSI[:14]))
    yield make.asks("imsi with a NUL", ("3GPP-IMSI", IMSI + "\0"), imsi=whole)
    yield make.asks("imsi in TBCD", ("3GPP-IMSI", tbcd(IMSI)), imsi=whole)
    yield make.asks("imsi of 13 digits", ("3GPP-IMSI", IMSI[:13]), imsi=0)
    yield make.asks("imsi of 16 digits", ("3GPP-IMSI", IMSI + "0"), imsi=0)
    yield make.asks("imsi that is none", ("3GPP-IMSI", "not a number!"), imsi=0)
    yield make.asks("two imsis, the first counts", ("3GPP-IMSI", IMSI), ("3GPP-IMSI", "001010000000002"), imsi=whole)
    yield make.asks("an empty imsi before it", ("3GPP-IMSI", b""), ("3GPP-IMSI", IMSI), imsi=whole)
    for name in (IMSI, f"{IMSI}@iot.example", f"0{IMSI}@nai.epc.mnc001.mcc001.3gppnetwork.org", f"1{IMSI}", f"6{IMSI}"):
        yield make.asks(f"user {name}", ("User-Name", name), user=whole, imsi=0)
    yield make.asks("user that is a name", ("User-Name", "meter"), user=0)
    for text in ("+88210000000001", "88210000000001"):
        yield make.asks(f"msisdn {text}", ("Calling-Station-Id", text), msisdn=188210000000001)


def device_cases(make: Maker) -> Iterator[Case]:
    """Every form of 3GPP-IMEISV that the field shows."""
    device = 35_209_900_176_148
    forms: list[tuple[Value, int]] = [
        ("35209900176148", -1), ("352099001761480", -1), ("352099001761481", -1), ("3520990017614823", 23),
        ("35-209900-176148-23", 23), ("35 209900 176148 1", -1), ("3520990017614823\0", 23),
        ("imeisv-3520990017614823", 23), ("imei-352099001761481", -1), (tbcd("3520990017614823"), 23),
        (tbcd("352099001761481"), -1), (tbcd("35209900176148"), -1),
    ]
    for value, software in forms:
        yield make.asks(f"device {value!r}", ("3GPP-IMEISV", value), imei=device, software=software, flags=0)
    for value in ("0000000000000000", bytes(8), b"\xff" * 8):
        yield make.asks(f"no device {value!r}", ("3GPP-IMEISV", value), imei=0, software=-1, flags=0)
    for value in ("1", "12345678", "unknown", "35209900176148231", tbcd("352099001761") + b"\xaa\xbb", b"imeisv"):
        yield make.asks(f"junk for a device {value!r}", ("3GPP-IMEISV", value), imei=0, flags=FLAG_IMEI_UNREADABLE)


PLMN = bytes.fromhex("00f110")
LOCATIONS: dict[int, tuple[bytes, int, int]] = {
    0: (bytes.fromhex("1234abcd"), 0x1234, CGI << CELL_SHIFT | 0x1234ABCD),
    1: (bytes.fromhex("1234abcd"), 0x1234, SAI << CELL_SHIFT | 0x1234ABCD),
    2: (bytes.fromhex("123456ff"), 0x1234, RAI << CELL_SHIFT | 0x12340056),
    128: (bytes.fromhex("0007"), 7, 0),
    129: (bytes.fromhex("01234567"), -1, ECGI << CELL_SHIFT | 0x1234567),
    130: (bytes.fromhex("000700f11001234567"), 7, ECGI << CELL_SHIFT | 0x1234567),
    131: (bytes.fromhex("012345"), -1, 0),
    132: (bytes.fromhex("000700f110012345"), 7, 0),
    133: (bytes.fromhex("012345"), -1, 0),
    134: (bytes.fromhex("000700f110012345"), 7, 0),
    135: (bytes.fromhex("1234567890"), -1, NCGI << CELL_SHIFT | 0x123456789),
    136: (bytes.fromhex("010003"), 0x010003, 0),
    137: (bytes.fromhex("01000300f1101234567890"), 0x010003, NCGI << CELL_SHIFT | 0x123456789),
    138: (bytes.fromhex("012345"), -1, 0),
    139: (bytes.fromhex("01000300f110012345"), 0x010003, 0),
}
"""3GPP-User-Location-Info by type: what follows the PLMN, the area and the cell."""


def location_cases(make: Maker) -> Iterator[Case]:
    """Every type of location, whole, with more behind it, and one octet short."""
    for kind, (rest, area, cell) in LOCATIONS.items():
        value = bytes([kind]) + PLMN + rest
        read = {"plmn": 100_101, "area": area, "cell": cell, "flags": 0}
        yield make.asks(f"location of type {kind}", ("3GPP-User-Location-Info", value), **read)
        yield make.asks(f"location of type {kind} and more", ("3GPP-User-Location-Info", value + b"\0"), **read)
        short = value[: -2 if kind == 2 else -1]  # a RAI may come without its padding
        yield make.asks(
            f"location of type {kind}, cut", ("3GPP-User-Location-Info", short),
            plmn=0, area=-1, cell=0, flags=FLAG_LOCATION_UNREADABLE,
        )
    for value in (b"\3" + PLMN + bytes(9), b"\x8c" + PLMN + bytes(9), b"\0\x0a\xf1\x10" + bytes(4)):
        yield make.asks(
            f"location that is none {value.hex()}", ("3GPP-User-Location-Info", value), flags=FLAG_LOCATION_UNREADABLE
        )


def place_cases(make: Maker) -> Iterator[Case]:
    """Network, radio, APN and gateway."""
    for text, plmn in (("00101", 100_101), ("001001", 1_001_001), ("0010", 0), ("0010011", 0), ("001x1", 0)):
        yield make.asks(f"network {text}", ("3GPP-SGSN-MCC-MNC", text), plmn=plmn)
    for rat in sorted({*attributes()["3GPP-RAT-Type"].values.values(), 0, 51, 52, 53, 200, 255}):
        number = 10 if rat in (51, 52) else rat  # TS 29.061 and TS 29.274 number NR differently
        yield make.asks(f"radio {rat}", ("3GPP-RAT-Type", bytes([rat])), rat=number)
        yield make.asks(f"radio {rat} in four octets", ("3GPP-RAT-Type", rat.to_bytes(4, "big")), rat=number)
    yield make.asks("radio in two octets", ("3GPP-RAT-Type", b"\0\6"), rat=0)
    for text, apn in (
        ("meters.iot", "meters.iot"), ("Meters.IoT", "meters.iot"), ("meters.iot.mnc001.mcc001.gprs", "meters.iot"),
        ("meters.iot.", "meters.iot"), ("00-10-A4-23-19-C0:AP1", "00-10-A4-23-19-C0:AP1"),
    ):
        yield make.asks(f"apn {text}", ("Called-Station-Id", text), apn=apn.encode())
    four, six = ("NAS-IP-Address", "192.0.2.7"), ("NAS-IPv6-Address", "2001:db8::7")
    yield make.asks("gateway by name", four, ("NAS-Identifier", "pgw-7"), six, gateway=b"pgw-7")
    yield make.asks("gateway by IPv4", six, four, gateway=b"192.0.2.7")
    yield make.asks("gateway by IPv6", six, gateway=b"2001:db8::7")
    yield make.asks("gateway by its client", gateway=b"strict")
    for kind in range(9):
        value = ("3GPP-PDP-Type", kind.to_bytes(4, "big"))
        yield make.asks(f"PDP type {kind}", value, pdp_type=kind + 1 if kind < 7 else 0)


def session_cases(make: Maker) -> Iterator[Case]:
    """Accounting: statuses, counters, times, sessions, causes."""
    for status, kind in ((1, 2), (2, 4), (3, 3), (7, 5), (8, 6)):
        yield make.reports(f"status {status}", status=status, kind=kind)
    both: list[tuple[str, Value]] = [("Acct-Input-Octets", 7), ("Acct-Output-Octets", 9)]
    yield make.reports("counters", *both, uplink_octets=7, downlink_octets=9)
    yield make.reports(
        "counters with gigawords", ("Acct-Input-Octets", 7), ("Acct-Input-Gigawords", 2), uplink_octets=2**33 + 7,
        downlink_octets=-1,
    )
    yield make.reports("gigawords alone", ("Acct-Output-Gigawords", 1), uplink_octets=-1, downlink_octets=2**32)
    yield make.reports("the longest session", ("Acct-Session-Time", 2**32 - 1), duration_s=2**31 - 1)
    yield make.reports(
        "event timestamp", ("Event-Timestamp", 1_700_000_000), ("Acct-Delay-Time", 5),
        happened_at=1_700_000_000_000_000, flags=FLAG_TIMESTAMP,
    )
    for cause in (*attributes()["Acct-Terminate-Cause"].values.values(), 300):
        yield make.reports(f"cause {cause}", ("Acct-Terminate-Cause", cause), status="Stop", cause=min(cause, 255))
    yield make.asks("no session id", session_id_octets=0)
    yield make.asks("session id of 48", ("Acct-Session-Id", "s" * 48), session_id_octets=48, flags=0)
    yield make.asks("session id of 49", ("Acct-Session-Id", "s" * 49), session_id_octets=48, flags=FLAG_SESSION_ID_CUT)
    yield make.asks("two sessions that belong together", ("Acct-Multi-Session-Id", "m"), multi_session=True)
    for address, read in (("10.64.0.1", 0x0A400001), ("255.255.255.254", 0), ("255.255.255.255", 0)):
        yield make.asks(f"address {address}", ("Framed-IP-Address", address), address=read)


def prefix_cases(make: Maker) -> Iterator[Case]:
    """RFC 3162, RFC 4818, RFC 6911."""
    whole = 0x20010DB8_00070000 << 64
    for octets in (8, 10, 16):
        value = b"\0\x40" + (whole.to_bytes(16, "big"))[:octets]
        yield make.asks(f"prefix in {octets} octets", ("Framed-IPv6-Prefix", value), prefix=whole, prefix_length=64)
    stray = b"\0\x40" + whole.to_bytes(16, "big")[:8] + b"\1"
    yield make.asks("prefix with bits behind it", ("Framed-IPv6-Prefix", stray), prefix=whole, prefix_length=64)
    yield make.asks("prefix of no length", ("Framed-IPv6-Prefix", b"\0\0"), prefix_length=0, flags=0)
    for value in (b"\0", b"\0\x81" + bytes(16), b"\0\x40" + bytes(7), b"\0\x40" + bytes(17)):
        yield make.asks(
            f"prefix that is none {value.hex()}", ("Framed-IPv6-Prefix", value), prefix_length=0,
            flags=FLAG_PREFIX_UNREADABLE,
        )
    address = ("Framed-IPv6-Address", "2001:db8:7::9")
    yield make.asks("IPv6 address", address, prefix=whole | 9, prefix_length=128, ipv6=whole | 9)
    framed = ("Framed-IPv6-Prefix", "2001:db8:7::/64")
    yield make.asks("IPv6 address beside a prefix", address, framed, prefix=whole, prefix_length=64, ipv6=whole | 9)
    elsewhere = ("Framed-IPv6-Address", "2001:db8:ffff::9")
    yield make.asks("IPv6 address outside the prefix", framed, elsewhere, ipv6=0x20010DB8FFFF << 80 | 9)
    yield make.asks("IPv6 address of 15 octets", ("Framed-IPv6-Address", bytes(15)), flags=FLAG_PREFIX_UNREADABLE)
    yield make.asks("delegated", ("Delegated-IPv6-Prefix", "2001:db8:7::/56"), delegated=whole, delegated_length=56)
    yield make.asks(
        "delegated beyond a subnet", ("Delegated-IPv6-Prefix", "2001:db8:7::/72"), delegated_length=0,
        flags=FLAG_PREFIX_UNREADABLE,
    )


def inside(vendor: int, body: bytes) -> bytes:
    """The value of a Vendor-Specific attribute."""
    return vendor.to_bytes(4, "big") + body


def oddity_cases(make: Maker) -> Iterator[Case]:
    """Strange, and still to be accepted: what is inside attribute 26 is the vendor's own business (RFC 2865 5.26)."""
    sub = bytes([1, 2 + len(IMSI)]) + IMSI.encode()
    whole = int("1" + IMSI)
    for name, value, imsi in (
        ("vendor attribute that ends early", inside(10_415, sub + b"\x14\x10ab"), whole),
        ("vendor attribute of length 0", inside(10_415, sub + b"\x14\0"), whole),
        ("vendor attribute of length 1 first", inside(10_415, b"\x14\1" + sub), 0),
        ("several vendor attributes in one", inside(10_415, b"\x15\3\6" + sub), whole),
        ("another vendor", inside(9, sub), 0),
        ("vendor with its reserved octet set", inside(10_415 | 1 << 24, sub), 0),
        ("vendor and nothing else", inside(10_415, b""), 0),
        ("vendor cut short", b"\0\0\x28", 0),
    ):
        yield make.asks(name, ("Vendor-Specific", value), imsi=imsi)
    packet = make.access(("3GPP-IMSI", IMSI))
    packet.attributes += [(number, b"unknown") for number in (17, 21, 54, 199, 240, 241, 255)]
    yield Case("attributes that no dictionary has", packet.sign_access_request(SECRET), fields={"imsi": whole})
    packet = make.access(("3GPP-IMSI", IMSI))
    packet.attributes += [(number, b"") for number in range(1, 80) if number != 26]
    yield Case("empty attributes", packet.sign_access_request(SECRET), fields={"imsi": whole})
    octets = make.access(("3GPP-IMSI", IMSI)).sign_access_request(SECRET)
    yield Case("padding behind the packet", octets + b"\xff" * 40, fields={"imsi": whole})
    for states in (1, 10):
        chain: list[tuple[str, Value]] = [("Proxy-State", bytes([one]) * 200) for one in range(states)]
        yield make.asks(f"{states} proxies", *chain)
    full: list[tuple[str, Value]] = [("Reply-Message", "x" * 253)] * 15
    yield Case("4096 octets", filled(make.access(*full)), fields={})
    record = make.accounting(("3GPP-IMSI", IMSI))
    signed = record.sign_accounting_request(SECRET, message_authenticator=True)
    yield Case("accounting with Message-Authenticator", signed, fields={"imsi": whole}, kind=ACCOUNTING)


def filled(packet: Packet) -> bytes:
    """Signed, and as long as a packet may be."""
    room = 4096 - len(packet.encode()) - 18
    while room:
        take = room if room <= 255 else min(255, room - 2)
        packet.attributes.append((18, b"y" * (take - 2)))
        room -= take
    return packet.sign_access_request(SECRET)


def answered_cases(make: Maker) -> Iterator[Case]:
    """Answered and no event."""
    for kind in (AUTH, ACCOUNTING):
        status = make.access(code=Code.STATUS_SERVER).sign_status_server(SECRET)
        yield Case(f"Status-Server to socket {kind}", status, "status_server", kind=kind)
    for status in (0, 4, 5, 6, *range(9, 16), 200, 2**32 - 1):
        octets = make.accounting(status=status).sign_accounting_request(SECRET)
        yield Case(f"accounting of status {status}", octets, "acknowledge_only", kind=ACCOUNTING)


def framing_cases(make: Maker) -> Iterator[Case]:
    """RFC 2865 3."""
    octets = make.access(("3GPP-IMSI", IMSI)).sign_access_request(SECRET)
    for size in (0, 1, 3, 4, 19):
        yield Case(f"{size} octets", octets[:size], "too_short")
    for length in (0, 1, 19, len(octets) + 1, 4097, 65_535):
        yield Case(f"Length says {length}", octets[:2] + length.to_bytes(2, "big") + octets[4:], "bad_length")
    yield Case("cut on the way", octets[:-1], "bad_length")
    yield Case("4097 octets came", octets + bytes(4097 - len(octets)), "bad_length")
    yield Case("an unknown source", octets, "unknown_client", source="198.51.100.7")
    yield Case("an unknown source without any sense", b"\0", "unknown_client", source="198.51.100.7")
    for code in (0, 2, 3, 4, 5, 11, 13, 40, 43, 255):
        packet = make.access(("3GPP-IMSI", IMSI), code=code)
        yield Case(f"code {code} to authentication", packet.sign_access_request(SECRET), "bad_code")
    for code in (1, 2, 5, 40, 43):
        packet = make.access(("3GPP-IMSI", IMSI), code=code)
        yield Case(f"code {code} to accounting", packet.sign_access_request(SECRET), "bad_code", kind=ACCOUNTING)


def attribute_malformations(make: Maker) -> Iterator[Case]:
    """RFC 2865 5: a Length of 0 or 1, or beyond the packet; and a chain of proxies without end."""
    for name, tail in (
        ("length 0", b"\x20\0abc"), ("length 1", b"\x20\1abc"), ("length beyond the packet", b"\x20\6abc"),
        ("one octet left", b"\x20"), ("length 255 and nothing", b"\x1a\xff"),
    ):
        whole = bytearray(make.access(("3GPP-IMSI", IMSI)).sign_access_request(SECRET) + tail)
        whole[2:4] = len(whole).to_bytes(2, "big")
        yield Case(f"attribute: {name}", bytes(whole), "malformed_attribute")
    eleven: list[tuple[str, Value]] = [("Proxy-State", b"p")] * 11
    yield Case("eleven proxies", make.access(*eleven).sign_access_request(SECRET), "proxy_loop")


def authenticator_cases(make: Maker) -> Iterator[Case]:
    """RFC 2866 3, RFC 3579 3.2, RFC 5997 3, CVE-2024-3596."""
    imsi = ("3GPP-IMSI", IMSI)
    yield Case("unsigned", make.access(imsi).encode(), "missing_message_authenticator")
    yield Case("Status-Server unsigned", make.access(code=12).encode(), "missing_message_authenticator")
    eap = make.access(imsi, ("EAP-Message", b"\2\0\0\5\1")).encode()
    yield Case("EAP unsigned", eap, "missing_message_authenticator", client="lenient")
    yield Case("unsigned where it may be", make.access(imsi).encode(), client="lenient")
    proxied = make.access(imsi, ("Proxy-State", b"p"))
    yield Case("unsigned with Proxy-State", proxied.encode(), "unsigned_proxy_state", client="lenient")
    yield Case("another secret", make.access(imsi).sign_access_request(b"guess"), "bad_message_authenticator")
    octets = make.access(imsi).sign_access_request(SECRET)
    for at in (1, 4, 19, 22, 37, len(octets) - 1):
        yield Case(f"a bit of octet {at} turned", flipped(octets, at), "bad_message_authenticator")
    for size in (0, 15, 17):
        packet = make.access(imsi)
        packet.attributes.append((80, bytes(size)))
        yield Case(f"Message-Authenticator of {size} octets", packet.encode(), "bad_message_authenticator")
    packet = make.access(imsi)
    packet.sign_access_request(SECRET)
    packet.attributes.append(packet.attributes[0])
    yield Case("two Message-Authenticators", packet.encode(), "bad_message_authenticator")
    record = make.accounting(imsi).sign_accounting_request(SECRET)
    for at in (1, 4, 19, len(record) - 1):
        yield Case(f"a bit of octet {at} turned, accounting", flipped(record, at), "bad_authenticator", kind=ACCOUNTING)
    wrong = make.accounting(imsi).sign_accounting_request(b"guess")
    yield Case("another secret, accounting", wrong, "bad_authenticator", kind=ACCOUNTING)


def flipped(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 4]) + octets[at + 1 :]


def accounting_malformations(make: Maker) -> Iterator[Case]:
    """RFC 2866 5: a field of wrong length; 5.1: no Acct-Status-Type."""
    fields = (
        "Acct-Delay-Time", "Acct-Input-Octets", "Acct-Output-Octets", "Acct-Session-Time", "Acct-Terminate-Cause",
        "Acct-Input-Gigawords", "Acct-Output-Gigawords", "Event-Timestamp", "Framed-IP-Address", "NAS-IP-Address",
    )
    for name in fields:
        for size in (1, 3, 5, 8):
            octets = make.accounting((name, bytes(size))).sign_accounting_request(SECRET)
            yield Case(f"{name} of {size} octets", octets, "invalid_attribute", kind=ACCOUNTING)
    octets = make.accounting(status=b"\0\1").sign_accounting_request(SECRET)
    yield Case("Acct-Status-Type of 2 octets", octets, "invalid_attribute", kind=ACCOUNTING)
    for status in (None, b""):
        packet = make.accounting(status=status or b"")
        packet.attributes = [one for one in packet.attributes if status is not None or one[0] != 40]
        octets = packet.sign_accounting_request(SECRET)
        yield Case(f"Acct-Status-Type {status!r}", octets, "missing_status_type", kind=ACCOUNTING)


def tbcd(digits: str) -> bytes:
    """TS 29.002 17.7.8: two digits an octet, the low half first, F at the end."""
    digits += "F" * (len(digits) % 2)
    return bytes(int(digits[at + 1] + digits[at], 16) for at in range(0, len(digits), 2))


def main() -> None:
    """Write one file a case, and an index."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, case in enumerate(corpus()):
        (folder / f"{number:04d}.bin").write_bytes(case.octets)
        lines.append(f"{number:04d}\t{case.outcome}\t{('auth', 'accounting')[case.kind]}\t{case.name}\n")
    (folder / "index.tsv").write_text("".join(lines))
    print(f"{len(lines)} cases in {folder}")


if __name__ == "__main__":
    main()
