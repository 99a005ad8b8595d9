"""A flood from unknown addresses stays outside while it lasts; whoever is known is heard, before, during and after."""

from __future__ import annotations

import ipaddress
import random
import socket
import struct
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.gate import source_filter
from simward.gate.radius import RadiusPort
from simward.gate.sockets import open_udp
from simward.gate.source_filter import (
    ALL,
    AND,
    FLOOD_PER_SECOND,
    IF_AT_LEAST,
    IF_EQUAL,
    IF_GREATER,
    INSTRUCTIONS_MAX,
    JUMP,
    LOAD_OCTET,
    LOAD_WORD,
    NETWORK_HEADER,
    QUIET_S,
    RETURN,
    Instruction,
    Network,
    SourceFilter,
    program,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="classic BPF on sockets is Linux")


def run(instructions: list[Instruction], header: bytes) -> int:
    """What the kernel's machine would return for an IP header."""
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        if code == RETURN:
            return value
        if code == JUMP:
            at += value
        elif code == LOAD_OCTET:
            accumulator = header[value - NETWORK_HEADER]
        elif code == LOAD_WORD:
            accumulator = struct.unpack_from("!I", header, value - NETWORK_HEADER)[0]
        elif code == AND:
            accumulator &= value
        else:
            met = {
                IF_EQUAL: accumulator == value, IF_GREATER: accumulator > value, IF_AT_LEAST: accumulator >= value,
            }[code]  # fmt: skip
            at += if_true if met else if_false


def header_from(source: Address) -> bytes:
    if isinstance(source, ipaddress.IPv4Address):
        return bytes([0x45]) + bytes(11) + source.packed + bytes(4)
    return bytes([0x60]) + bytes(7) + source.packed + bytes(16)


def networks_of(width: int) -> st.SearchStrategy[Network]:
    """Networks near each other, so that they touch, contain each other and share words."""
    near = st.integers(0, 2**40 - 1) if width == 128 else st.integers(0, 2**12 - 1)
    spread = st.sampled_from([0, 1 << (width - 3), 0x20010DB8 << 96 if width == 128 else 10 << 24])
    kind = ipaddress.IPv6Network if width == 128 else ipaddress.IPv4Network
    return st.builds(
        lambda low, high, prefix: kind(((low << (width - 64) if width == 128 else low) + high, prefix), strict=False),
        near, spread, st.integers(0, width),
    )  # fmt: skip


@given(st.lists(networks_of(32) | networks_of(128), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_program_keeps_exactly_what_is_in_a_network(networks: list[Network], chance: random.Random) -> None:
    instructions = program(networks)
    probes: list[Address] = []
    for one in networks:
        first, last = int(one.network_address), int(one.broadcast_address)
        for number in (first - 1, first, chance.randint(first, last), last, last + 1):
            if 0 <= number < 1 << one.max_prefixlen:
                probes.append(type(one.network_address)(number))
    for probe in probes:
        known = any(probe in one for one in networks if one.version == probe.version)
        mapped = isinstance(probe, ipaddress.IPv6Address) and probe.ipv4_mapped is not None
        if not mapped:
            assert run(instructions, header_from(probe)) == (ALL if known else 0), (probe, networks)


def test_ipv4_as_an_ipv6_network_means_ipv4() -> None:
    instructions = program([ipaddress.ip_network("::ffff:10.0.0.0/104")])
    assert run(instructions, header_from(ipaddress.ip_address("10.1.2.3"))) == ALL
    assert run(instructions, header_from(ipaddress.ip_address("11.1.2.3"))) == 0


def test_hundreds_of_gateways_fit_and_thousands_go_without() -> None:
    def apart(count: int) -> list[Network]:
        return [ipaddress.ip_network((0x0A000000 + 3 * number, 32)) for number in range(count)]

    assert len(program(apart(800))) <= INSTRUCTIONS_MAX < len(program(apart(2_000)))
    with open_udp("127.0.0.1", 0) as opened:
        watching = SourceFilter([opened], apart(2_000))
        watching.heard(10 * FLOOD_PER_SECOND)
        assert not watching.on


class Ends:
    """A listening socket, and senders on addresses of loopback."""

    def __init__(self, host: str) -> None:
        self.opened = open_udp(host, 0)

    def says(self, source: str) -> None:
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sending:
            sending.bind((source, 0))
            to = source if ":" in source else "127.0.0.1"
            sending.sendto(source.encode(), (to, self.opened.getsockname()[1]))

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.opened.recv(64).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def ends() -> Iterator[list[Ends]]:
    made: list[Ends] = []
    yield made
    for one in made:
        one.opened.close()


@linux_only
@pytest.mark.parametrize(
    ("listens", "network", "sources", "kept"),
    [
        ("127.0.0.1", "127.0.0.1/32", ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"]),
        ("127.0.0.1", "127.0.1.0/24", ["127.0.0.255", "127.0.1.0", "127.0.1.255", "127.0.2.0"],
         ["127.0.1.0", "127.0.1.255"]),
        ("::1", "::1/128", ["::1"], ["::1"]),
        ("::1", "2001:db8::/32", ["::1"], []),
        ("::", "127.0.0.1/32", ["127.0.0.1", "127.0.0.2", "::1"], ["127.0.0.1"]),
        ("::", "::/0", ["127.0.0.1", "::1"], ["::1"]),
    ],
)  # fmt: skip
def test_the_kernel_keeps_what_the_program_says(
    ends: list[Ends], listens: str, network: str, sources: list[str], kept: list[str]
) -> None:
    ends.append(Ends(listens))
    watching = SourceFilter([ends[0].opened], [ipaddress.ip_network(network)])
    for source in sources:
        ends[0].says(source)
    assert ends[0].heard() == sources
    watching.heard(FLOOD_PER_SECOND + 1)
    assert watching.on
    for source in sources:
        ends[0].says(source)
    assert ends[0].heard() == kept
    watching.count_drops()
    assert watching.dropped == [len(sources) - len(kept)]


@linux_only
def test_the_kernel_agrees_on_random_networks(ends: list[Ends]) -> None:
    chance = random.Random(5)
    networks = [
        ipaddress.IPv4Network((0x7F000000 + chance.randrange(1 << 12), chance.choice([26, 30, 32])), strict=False)
        for _ in range(200)
    ]
    ends.append(Ends("127.0.0.1"))
    SourceFilter([ends[0].opened], networks).heard(FLOOD_PER_SECOND + 1)
    sources = [str(ipaddress.ip_address(0x7F000001 + chance.randrange(1 << 12))) for _ in range(200)]
    for source in sources:
        ends[0].says(source)
    known = [source for source in sources if any(ipaddress.ip_address(source) in one for one in networks)]
    assert 0 < len(known) < len(sources) and ends[0].heard() == known


@linux_only
def test_it_goes_on_with_a_flood_and_off_when_it_has_been_quiet(
    ends: list[Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends.append(Ends("127.0.0.1"))
    watching = SourceFilter([ends[0].opened], [ipaddress.ip_network("127.0.0.1")])
    watching.heard(FLOOD_PER_SECOND)
    assert not watching.on  # on the boundary
    watching.each_second()
    watching.heard(2 * FLOOD_PER_SECOND)
    assert not watching.on  # as many again, but within another second
    watching.heard(2 * FLOOD_PER_SECOND + 1)
    assert watching.on
    for _ in range(QUIET_S - 1):
        watching.each_second()
    monkeypatch.setattr(source_filter, "FLOOD_PER_SECOND", 2)
    for _ in range(3):
        ends[0].says("127.0.0.2")
    watching.each_second()  # the flood is still there: it is only not seen
    for _ in range(QUIET_S - 1):
        watching.each_second()
    assert watching.on
    watching.each_second()
    assert not watching.on and watching.dropped == [3]
    ends[0].says("127.0.0.2")
    assert ends[0].heard() == ["127.0.0.2"]


@linux_only
def test_a_program_that_one_socket_does_not_take_stays_on_none(ends: list[Ends]) -> None:
    ends.append(Ends("127.0.0.1"))
    closed = open_udp("127.0.0.1", 0)
    watching = SourceFilter([ends[0].opened, closed], [ipaddress.ip_network("127.0.0.1")])
    closed.close()
    watching.heard(FLOOD_PER_SECOND + 1)
    assert not watching.on
    ends[0].says("127.0.0.2")
    assert ends[0].heard() == ["127.0.0.2"]


@linux_only
def test_a_port_that_is_flooded_counts_first_and_then_lets_the_kernel_drop() -> None:
    from simward.engine.texts import Texts
    from simward.wire.radius.answer import Answerer
    from simward.wire.radius.clients import ClientTable
    from simward.wire.radius.receive import Receiver
    from wire.asking import Gateway

    texts, network = Texts(), ipaddress.ip_network("127.0.0.1")
    clients = ClientTable([Gateway(network=network)], texts)
    auth, accounting = (open_udp("127.0.0.1", 0) for _ in range(2))
    port = RadiusPort(auth, accounting, Receiver(clients, texts), Answerer(clients, {}), [network])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooding:
        flooding.bind(("127.0.0.2", 0))
        flooding.connect(auth.getsockname())
        for _ in range(12):
            for _ in range(100):
                flooding.send(bytes(20))
            port.receive()
            port.decode(1)
    port.source_filter.each_second()
    counted, dropped = port.counts()["unknown_client"], port.source_filter.dropped[0]
    assert port.source_filter.on and counted == FLOOD_PER_SECOND + 100 and counted + dropped == 1200
    port.close()
