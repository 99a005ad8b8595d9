"""IPv6 attributes as RFC 3162, RFC 4818 and RFC 6911 write them: read into events, and written into answers."""

from __future__ import annotations

import ipaddress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine import events as ev
from simward.engine.outputs import RESULT
from simward.engine.phrases import ipv6_text, prefix_text
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import PacketBatch
from simward.wire.radius.packet import Packet
from wire.asking import Reading, access, accounting, signed

READING = Reading()
FRAMED, DELEGATED, ADDRESS, PDP_TYPE = 97, 123, 168, (10415, 3)


def event_of(*attributes: tuple[Any, bytes]) -> Any:
    packet = accounting("Interim-Update")
    packet.attributes += list(attributes)
    READING.now += 60_000_000
    return READING.event(packet).copy()


def prefix_of(event: Any) -> str:
    return prefix_text(event.prefix_high, event.prefix_low, int(event.prefix_length))


@given(st.integers(0, 2**128 - 1), st.integers(1, 128), st.integers(0, 16))
def test_a_prefix_is_what_the_octets_say(whole: int, length: int, more: int) -> None:
    network = ipaddress.IPv6Network((whole, length), strict=False)
    needed = (length + 7) // 8
    sent = whole.to_bytes(16, "big")[: max(needed, min(16, needed + more))]
    event = event_of((FRAMED, bytes([0, length]) + sent))
    assert prefix_of(event) == (str(network) if length < 128 else str(network.network_address))
    event = event_of((DELEGATED, bytes([0, length]) + sent))
    if length <= 64:
        assert prefix_text(event.delegated_high, 0, int(event.delegated_length)) == str(network)
    else:
        assert event.delegated_length == 0 and event["flags"] & ev.FLAG_PREFIX_UNREADABLE


@pytest.mark.parametrize(
    "value",
    [b"\x00", bytes([0, 129]) + bytes(16), bytes([0, 64]) + bytes(7), bytes([0, 128]) + bytes(17), bytes([0, 8])],
)
@pytest.mark.parametrize("number", [FRAMED, DELEGATED])
def test_what_is_no_prefix_is_said_and_the_rest_is_read(number: int, value: bytes) -> None:
    event = event_of((number, value))
    assert event.prefix_length == 0 and event.delegated_length == 0
    assert event["flags"] & ev.FLAG_PREFIX_UNREADABLE and event.imsi


def test_an_address_alone_is_a_prefix_of_all_its_bits_and_beside_a_prefix_it_is_kept_too() -> None:
    address = ipaddress.IPv6Address("2001:db8::7")
    alone = event_of((ADDRESS, address.packed))
    assert prefix_of(alone) == ipv6_text(alone.ipv6_high, alone.ipv6_low) == "2001:db8::7"
    framed = (FRAMED, bytes([0, 64]) + address.packed[:8])
    for others in ("2001:db8::7", "2001:db8:ffff::7"):
        both = event_of(framed, (ADDRESS, ipaddress.IPv6Address(others).packed))
        assert prefix_of(both) == "2001:db8::/64" and ipv6_text(both.ipv6_high, both.ipv6_low) == others
    assert ipv6_text(event_of(framed).ipv6_high, event_of(framed).ipv6_low) == ""
    assert event_of((ADDRESS, address.packed[:15]))["flags"] & ev.FLAG_PREFIX_UNREADABLE


@pytest.mark.parametrize(
    ("octets", "kind"),
    [(0, "ipv4"), (2, "ipv6"), (3, "ipv4v6"), (4, "non-ip"), (6, "ethernet"), (7, ""), (2**32 - 1, "")],
)
def test_the_pdp_type(octets: int, kind: str) -> None:
    assert ev.PDP_NAMES[event_of((PDP_TYPE, octets.to_bytes(4, "big"))).pdp_type] == kind
    assert event_of((PDP_TYPE, b"\x02")).pdp_type == 0


def test_several_bearers_of_one_connection_share_an_id() -> None:
    first, second = event_of((50, b"link-1")), event_of((50, b"link-2"))
    assert first.multi_session > 0 and first.multi_session != second.multi_session
    assert event_of((50, b"link-1")).multi_session == first.multi_session


def answers(**halves: int) -> list[Packet]:
    """What an Access-Accept is with these fields of RESULT."""
    READING.now += 60_000_000
    decoded, result = READING.read(signed(access())), np.zeros(1, RESULT)
    for name, half in halves.items():
        result[name] = half - (1 << 64) if half >> 63 else half
    out = PacketBatch(64)
    Answerer(READING.clients, {}).answer(READING.batch, decoded, result, out)
    return [Packet.decode(octets) for octets in out.datagrams()]


@given(st.integers(0, 2**64 - 1), st.integers(16, 64))
def test_answers_carry_prefixes_that_read_back(upper: int, length: int) -> None:
    READING.now += 60_000_000
    decoded = READING.read(signed(access()))
    result = np.zeros(1, RESULT)
    network = ipaddress.IPv6Network((upper << 64, length), strict=False)
    high = int(network.network_address) >> 64
    signed_high = high - (1 << 64) if high >> 63 else high
    for name in ("prefix", "delegated"):
        result[f"{name}_high"], result[f"{name}_length"] = signed_high, length
    out = PacketBatch(64)
    Answerer(READING.clients, {}).answer(READING.batch, decoded, result, out)
    answer = Packet.decode(next(iter(out.datagrams())))
    assert answer.get("Framed-IPv6-Prefix") == answer.get("Delegated-IPv6-Prefix") == str(network)


@given(st.integers(1, 2**128 - 1))
def test_an_answer_carries_an_address_that_reads_back(whole: int) -> None:
    (answer,) = answers(ipv6_high=whole >> 64, ipv6_low=whole & 2**64 - 1)
    octets = ipaddress.IPv6Address(whole).packed
    assert [value for number, value in answer.attributes if number == ADDRESS] == [octets], "RFC 6911 3.1: 16 octets"
    assert answer.get("Framed-IPv6-Address") == str(ipaddress.IPv6Address(whole))


def test_no_address_no_attribute() -> None:
    (answer,) = answers()
    assert answer.get("Framed-IPv6-Address") is None
