"""Every attribute of the dictionary, in any order, repeated, joined and split: three readers agree."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simward.wire.radius.dictionary import VENDOR_3GPP, Attribute, Key, Value, attributes, named
from simward.wire.radius.packet import MESSAGE_AUTHENTICATOR, Packet
from wire.asking import SECRET, Reading
from wire.oracle import NEEDS, differences, walked

READING = Reading()
NOT_SENT = {"Message-Authenticator", "Vendor-Specific", "EAP-Message", "Proxy-State", "Acct-Status-Type"}
FOUR_OCTETS = {4, 8, 40, 41, 42, 43, 46, 49, 52, 53, 55}
"""RFC 2866 5: an Accounting-Request with one of these in another length is dropped, which is tested elsewhere."""

digits = st.text("0123456789", min_size=0, max_size=18)
plmns = st.sampled_from([bytes.fromhex("00f110"), bytes.fromhex("130014"), bytes.fromhex("00f11a"), b"\xff\xff\xff"])
locations = st.builds(
    lambda kind, plmn, rest: bytes([kind]) + plmn + rest,
    st.sampled_from([*NEEDS, 3, 127, 140, 255]), plmns, st.binary(max_size=14),
)
texts = st.one_of(
    digits.map(str.encode), st.text(max_size=60).map(str.encode), st.binary(max_size=60),
    digits.map(lambda one: one.encode() + b"@iot.example"),
)
devices = st.one_of(
    digits.map(str.encode), st.binary(min_size=7, max_size=8),
    st.text("0123456789-: _./iImMeEsSvV\0", max_size=26).map(str.encode),
    digits.map(lambda one: b"imeisv-" + one.encode()),
)
apns = st.one_of(
    texts, st.sampled_from(["meters.iot", "Meters.IoT.mnc001.mcc001.gprs", ".mnc001.mcc001.gprs", "..", "a.\0."]).map(
        str.encode
    ),
)
SPECIAL: dict[str, st.SearchStrategy[bytes]] = {
    "3GPP-User-Location-Info": locations, "3GPP-IMEISV": devices, "Called-Station-Id": apns,
    "3GPP-SGSN-MCC-MNC": st.text("0123456789", min_size=4, max_size=7).map(str.encode),
    "3GPP-IMSI": st.one_of(digits.map(str.encode), st.binary(min_size=8, max_size=8)),
    "3GPP-PDP-Type": st.integers(0, 8).map(lambda one: one.to_bytes(4, "big")),
    "User-Name": st.one_of(texts, digits.map(lambda one: ("0" + one + "\0").encode())),
    "Class": st.binary(max_size=40), "Acct-Session-Id": st.binary(max_size=80),
}


def values_of(attribute: Attribute) -> st.SearchStrategy[bytes]:
    """Wire forms of one attribute, mostly as its type says."""
    if attribute.name in SPECIAL:
        return SPECIAL[attribute.name]
    match attribute.type:
        case "integer" | "time":
            right: st.SearchStrategy[bytes] = st.integers(0, 2**32 - 1).map(lambda one: one.to_bytes(4, "big"))
        case "byte":
            four = st.integers(0, 300).map(lambda one: one.to_bytes(4, "big"))
            right = st.one_of(st.binary(min_size=1, max_size=1), four)
        case "ipv4":
            right = st.binary(min_size=4, max_size=4)
        case "ipv6":
            zeros = st.integers(0, 255).map(lambda one: bytes([one]) + bytes(15))
            right = st.one_of(st.binary(min_size=16, max_size=16), zeros)
        case "ipv6-prefix":
            right = st.builds(lambda bits, rest: bytes([0, bits]) + rest, st.integers(0, 140), st.binary(max_size=16))
        case "text":
            right = texts
        case _:
            right = st.binary(max_size=100)
    if attribute.key in FOUR_OCTETS:
        return right
    return st.one_of(right, right, st.binary(max_size=20))


KNOWN = sorted((one for one in attributes().values() if one.name not in NOT_SENT), key=lambda one: one.name)
one_attribute: st.SearchStrategy[tuple[Key, bytes]] = st.sampled_from(KNOWN).flatmap(
    lambda one: values_of(one).map(lambda value: (one.key, value[: 240 if isinstance(one.key, tuple) else 253]))
)
unknown: st.SearchStrategy[tuple[Key, bytes]] = st.tuples(
    st.one_of(st.integers(200, 255), st.tuples(st.sampled_from([9, 10_415, 25_053]), st.integers(130, 255))),
    st.binary(max_size=30),
)
bags = st.lists(st.one_of(one_attribute, one_attribute, one_attribute, unknown), max_size=30)


def encoded(bag: list[tuple[Key, bytes]], joined: random.Random) -> bytes:
    """Attributes as octets; neighbours of one vendor share an attribute 26 or have one each, as `joined` says."""
    out, group, vendor = b"", b"", 0

    def flush() -> None:
        nonlocal out, group
        if group:
            out += bytes([26, 6 + len(group)]) + vendor.to_bytes(4, "big") + group
        group = b""

    for key, value in bag:
        if not isinstance(key, tuple):
            flush()
            out += bytes([key, 2 + len(value)]) + value
            continue
        inside = bytes([key[1], 2 + len(value)]) + value
        if vendor != key[0] or len(group) + len(inside) > 249 or joined.random() < 0.5:
            flush()
        vendor = key[0]
        group += inside
    flush()
    return out


def request(code: int, body: bytes, identifier: int, authenticator: bytes) -> Packet:
    whole = bytes([code, identifier]) + (20 + len(body)).to_bytes(2, "big") + authenticator + body
    return Packet.decode(whole)


def judged(code: int, bag: list[tuple[Key, bytes]], dice: random.Random) -> tuple[Any, bytes, Packet]:
    """The event that these attributes become, signed; what was sent; and the same as a Packet."""
    body = encoded(bag, dice)[:3900]
    body = body[: sum(len(value) + 2 for _, value in walked(body))]
    if code == 4:
        body = bytes([40, 6, 0, 0, 0, dice.choice((1, 2, 3))]) + body
    whole = request(code, body, dice.randrange(256), dice.randbytes(16)).octets or b""
    whole = with_signature(whole, dice) if code == 1 else accounting_signature(whole)
    READING.now += 60_000_000
    decoded = READING.read(whole)
    assert decoded.status.tolist() == [0]
    return decoded.events[0].copy(), whole, Packet.decode(whole)


def with_signature(whole: bytes, dice: random.Random) -> bytes:
    """A Message-Authenticator at a place of its own among the attributes."""
    places, at = [20], 20
    while at < len(whole):
        at += whole[at + 1]
        places.append(at)
    where = dice.choice(places)
    blank = whole[:where] + bytes([MESSAGE_AUTHENTICATOR, 18]) + bytes(16) + whole[where:]
    blank = blank[:2] + len(blank).to_bytes(2, "big") + blank[4:]
    return blank[: where + 2] + hmac.digest(SECRET, blank, "md5") + blank[where + 18 :]


def accounting_signature(whole: bytes) -> bytes:
    return whole[:4] + hashlib.md5(whole[:4] + bytes(16) + whole[20:] + SECRET).digest() + whole[20:]


@settings(max_examples=400)
@given(st.sampled_from([1, 4]), bags, st.randoms(use_true_random=False))
def test_a_bag_of_attributes_is_read_alike(code: int, bag: list[tuple[Key, bytes]], dice: random.Random) -> None:
    event, octets, packet = judged(code, bag, dice)
    assert differences(event, octets, READING.texts) == {}
    assert packet.verify_request(SECRET, require_message_authenticator=code == 1)
    wanted = {
        "duration_s": min(number(packet, "Acct-Session-Time", -1), 2**31 - 1),
        "cause": min(number(packet, "Acct-Terminate-Cause", 0), 255),
        "pdp_type": kind + 1 if (kind := number(packet, "3GPP-PDP-Type", 9)) < 7 else 0,
    }
    address = first(packet, "Framed-IP-Address")
    if isinstance(address, str):
        wanted["address"] = whole if (whole := int(ipaddress.IPv4Address(address))) < 0xFFFFFFFE else 0
    session = first(packet, "Acct-Session-Id")
    wanted["session_id_octets"] = min(len(raw(packet, "Acct-Session-Id")), 48) if session else 0
    assert {name: int(event[name]) for name in wanted} == wanted


def raw(packet: Packet, name: str) -> bytes:
    """The first value of that name that is not empty, as Packet has it."""
    return next((value for key, value in packet.attributes if key == named(name).key and value), b"")


def first(packet: Packet, name: str) -> Value | None:
    value = raw(packet, name)
    return named(name).from_octets(value) if value else None


def number(packet: Packet, name: str, missing: int) -> int:
    value = first(packet, name)
    return value if isinstance(value, int) else missing


@settings(max_examples=200)
@given(one_attribute, st.randoms(use_true_random=False))
def test_the_first_of_two_counts(one: tuple[Key, bytes], dice: random.Random) -> None:
    """RFC 2865 5: of several attributes of one kind the order matters; an empty one counts as absent."""
    key, value = one
    other = bytes(len(value))
    event, _, _ = judged(1, [(key, b""), (key, value), (key, other)], dice)
    alone, _, _ = judged(1, [(key, value)], dice)
    for field in event.dtype.names:
        if field not in ("received_at", "happened_at", "request", "identifier") and value:
            assert event[field].tobytes() == alone[field].tobytes(), field


@given(bags, st.randoms(use_true_random=False))
def test_what_a_packet_decodes_it_encodes_to_the_same_attributes(
    bag: list[tuple[Key, bytes]], dice: random.Random
) -> None:
    body = encoded(bag, dice)
    if len(body) > 3_000:
        return
    packet = request(1, body, 1, bytes(16))
    again = Packet.decode(packet.encode())
    assert again.attributes == packet.attributes
    inside = [(key, value) for key, value in packet.attributes if not isinstance(key, tuple) or key[0] == VENDOR_3GPP]
    assert [one for one in inside if one in bag] == inside
