"""One packet in Python: what it reads and refuses, and signatures by RFC's own examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.wire.radius.dictionary import Code, attributes, by_key, name_of, named
from simward.wire.radius.packet import Packet, PacketError
from wire.asking import SECRET, access, accounting, signed

plain = st.integers(1, 255).filter(lambda number: number != 26)
keys = plain | st.tuples(st.integers(1, 2**24 - 1), st.integers(0, 255))
values = st.binary(max_size=247)
packets = st.builds(
    Packet, st.integers(0, 255), st.integers(0, 255), st.binary(min_size=16, max_size=16),
    st.lists(st.tuples(keys, values), max_size=12),
)

# RFC 2865 7.1: the secret is "xyzzy5461", the user nemo, the password arctangent.
RFC_SECRET = b"xyzzy5461"
RFC_REQUEST = bytes.fromhex(
    "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee"
    "0406c0a80110 050600000003"
)
RFC_ACCEPT = bytes.fromhex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")


@given(packets)
def test_what_is_encoded_decodes_to_itself(packet: Packet) -> None:
    assert Packet.decode(packet.encode() + b"padding") == packet


def test_example_of_rfc_2865() -> None:
    request, answer = Packet.decode(RFC_REQUEST), Packet.decode(RFC_ACCEPT)
    assert request.get("User-Name") == "nemo" and request.user_password(RFC_SECRET) == b"arctangent"
    assert request.get("NAS-IP-Address") == "192.168.1.16" and request.get("NAS-Port") == 3
    assert answer.verify_response(request.authenticator, RFC_SECRET)
    assert not answer.verify_response(request.authenticator, b"xyzzy5462")
    assert not answer.verify_response(request.authenticator, RFC_SECRET, require_message_authenticator=True)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "too_short"),
        (bytes(19), "too_short"),
        (b"\x01\x00\x00\x13" + bytes(16), "bad_length"),
        (b"\x01\x00\x00\x15" + bytes(16), "bad_length"),
        (b"\x01\x00\x10\x01" + bytes(4093), "bad_length"),
        (b"\x01\x00\x00\x15" + bytes(16) + b"\x01", "malformed_attribute"),
        (b"\x01\x00\x00\x16" + bytes(16) + b"\x01\x01", "malformed_attribute"),
        (b"\x01\x00\x00\x16" + bytes(16) + b"\x01\x03", "malformed_attribute"),
    ],
)
def test_refuses_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(PacketError) as error:
        Packet.decode(octets)
    assert error.value.reason == reason


@given(st.binary(max_size=200))
def test_any_octets_are_a_packet_or_a_packet_error(octets: bytes) -> None:
    try:
        Packet.decode(octets)
    except PacketError as error:
        assert error.reason


def test_vendor_attribute_that_cannot_be_read_is_kept_whole() -> None:
    whole = bytes.fromhex("000028af01ff30")
    packet = Packet(1, attributes=[(26, whole)])
    assert Packet.decode(packet.encode()).attributes == [(26, whole)]


def test_several_attributes_in_one_vendor_specific() -> None:
    inside = b"\x01\x05abc" + b"\x15\x03\x06"
    packet = Packet.decode(Packet(1, attributes=[(26, (10415).to_bytes(4, "big") + inside)]).encode())
    assert packet.items() == [("3GPP-IMSI", "abc"), ("3GPP-RAT-Type", 6)]


@pytest.mark.parametrize("packet", [access(), accounting(), Packet(Code.STATUS_SERVER, 3, bytes(range(16)))])
def test_signed_requests_verify_and_altered_ones_do_not(packet: Packet) -> None:
    octets = signed(packet)
    assert Packet.decode(octets).verify_request(SECRET)
    assert not Packet.decode(octets).verify_request(b"other")
    altered = octets[:-1] + bytes([octets[-1] ^ 1])
    assert not Packet.decode(altered).verify_request(SECRET)


def test_message_authenticator_stands_first() -> None:
    assert next(iter(Packet.decode(signed(access())).attributes))[0] == 80


def test_dynauth_request_and_answer() -> None:
    request = Packet(Code.DISCONNECT_REQUEST, 9).add("Acct-Session-Id", "a")
    octets = request.sign_dynauth_request(SECRET)
    assert Packet.decode(octets).verify_request(SECRET, require_message_authenticator=True)
    answer = Packet(Code.DISCONNECT_NAK, 9).add("Error-Cause", "Session-Context-Not-Found")
    got = Packet.decode(answer.sign_response(request.authenticator, SECRET))
    assert got.verify_response(request.authenticator, SECRET, True) and got.get("Error-Cause") == 503


@given(st.binary(max_size=128).filter(lambda text: not text.endswith(b"\0")), st.binary(min_size=16, max_size=16))
def test_user_password_comes_back(password: bytes, authenticator: bytes) -> None:
    packet = Packet(1, 0, authenticator).add_user_password(password, SECRET)
    assert Packet.decode(packet.encode()).user_password(SECRET) == password


def test_dictionary_has_one_attribute_a_number() -> None:
    assert len(by_key()) == len(attributes())
    numbers = {key[1] for key in by_key() if isinstance(key, tuple) and key[0] == 10415}
    assert set(range(1, 34)) <= numbers and {110, 115, 125, 128} <= numbers  # TS 29.061 16.4.7, TS 29.561 11.3
    assert name_of(255) == "Attr-255" and name_of((1, 2)) == "Attr-26.1.2"


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(KeyError, match="3GPP-IMSI"):
        named("3GPP-IMSl")


@pytest.mark.parametrize(
    ("name", "value", "octets"),
    [
        ("Framed-IP-Address", "10.0.0.1", b"\x0a\0\0\1"),
        ("NAS-IPv6-Address", "2001:db8::1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\1"),
        ("3GPP-RAT-Type", "NB-IoT", b"\x08"),
        ("Acct-Status-Type", "Stop", b"\0\0\0\2"),
        ("Event-Timestamp", 1_800_000_000, b"\x6b\x49\xd2\x00"),
        ("Framed-IPv6-Prefix", "2001:db8::/64", b"\0\x40\x20\x01\x0d\xb8" + bytes(12)),
    ],
)
def test_typed_values(name: str, value: str | int, octets: bytes) -> None:
    packet = Packet(1).add(name, value)
    assert packet.attributes[0][1] == octets
    assert packet.get(name) == named(name).values.get(str(value), value)


def test_values_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="no value"):
        Packet(1).add("Acct-Status-Type", "Begin")
    with pytest.raises(ValueError, match="fit"):
        Packet(1).add("User-Name", "x" * 254)
    with pytest.raises(PacketError):
        Packet(1, attributes=[(1, bytes(250))] * 17).encode()
