"""An answer leaves from the address that was asked, also where the socket has them all, and whoever sends it."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from simward.engine.outputs import RESULT
from simward.engine.texts import Texts
from simward.gate import radius, sockets
from simward.gate.destinations import Destinations, is_wildcard
from simward.gate.radius import RadiusPort
from simward.gate.sockets import open_udp
from simward.wire.radius.answer import Answerer
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Receiver
from wire.asking import SECRET, Gateway

WAYS = [("portable", sockets.PortableReceiver, sockets.PortableSender)]
if sockets.HAVE_MMSG:
    WAYS.append(("mmsg", sockets.MmsgReceiver, sockets.MmsgSender))
if sockets.have_segments():
    WAYS.append(("segments", sockets.MmsgReceiver, sockets.SegmentSender))
ROUNDS = 6
"""Requests to each address in a batch: more than eight answers in all, so that some travel as one message."""


class Gate:
    """A port that listens on one address for each of authentication and accounting, and a peer that asks."""

    def __init__(self, listens: str, accounting: str, asks_from: str) -> None:
        texts = Texts()
        clients = ClientTable([Gateway(network=ipaddress.ip_network(asks_from))], texts)
        self.auth, self.accounting = open_udp(listens, 0), open_udp(accounting, 0)
        self.port = RadiusPort(self.auth, self.accounting, Receiver(clients, texts), Answerer(clients, {}))
        family = socket.AF_INET6 if ":" in asks_from else socket.AF_INET
        self.peer = socket.socket(family, socket.SOCK_DGRAM)
        self.peer.bind((asks_from, 0))
        self.peer.settimeout(2)

    def ask(self, opened: socket.socket, host: str, identifier: int) -> None:
        request = Packet(Code.STATUS_SERVER, identifier, bytes(range(16))).sign_status_server(SECRET)
        self.peer.sendto(request, (host, opened.getsockname()[1]))

    def answer(self, count: int) -> None:
        until = time.monotonic() + 5
        while count > 0:
            assert time.monotonic() < until
            count -= self.port.receive()
            self.port.answer(self.port.decode(1), np.zeros(0, RESULT), 1)

    def heard(self) -> tuple[tuple[str, int], int]:
        octets, address = self.peer.recvfrom(4096)
        return address[:2], octets[1]

    def close(self) -> None:
        self.port.close()
        self.peer.close()


@pytest.fixture(params=WAYS, ids=lambda one: one[0])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name, receiver, sender = request.param
    monkeypatch.setattr(radius, "batch_receiver", receiver)
    monkeypatch.setattr(radius, "batch_sender", sender)
    yield name


@pytest.mark.parametrize(
    ("listens", "asks_from", "asked"),
    [
        ("0.0.0.0", "127.0.0.1", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
        ("::", "127.0.0.1", ["127.0.0.2", "127.0.0.3"]),
        ("::", "::1", ["::1"]),
    ],
)
def test_answers_leave_from_the_address_that_was_asked(
    way: str, listens: str, asks_from: str, asked: list[str]
) -> None:
    gate = Gate(listens, listens, asks_from)
    for opened in (gate.auth, gate.accounting):
        wanted = {}
        for number in range(ROUNDS * len(asked)):
            wanted[number] = asked[number % len(asked)]
            gate.ask(opened, wanted[number], number)
        gate.answer(len(wanted))
        heard = [gate.heard() for _ in wanted]
        assert {number: address[0] for address, number in heard} == wanted
        assert {address[1] for address, _ in heard} == {opened.getsockname()[1]}
        for host in asked:  # what leaves from one address leaves in order
            own = [number for address, number in heard if address[0] == host]
            assert own == sorted(own)
    gate.close()


def test_one_socket_may_have_an_address_of_its_own(way: str) -> None:
    gate = Gate("0.0.0.0", "127.0.0.2", "127.0.0.1")
    for number in range(0, 24, 2):
        gate.ask(gate.auth, "127.0.0.3", number)
        gate.ask(gate.accounting, "127.0.0.2", number + 1)
    gate.answer(24)
    heard = [gate.heard() for _ in range(24)]
    assert {number: address[0] for address, number in heard} == {
        number: "127.0.0.2" if number % 2 else "127.0.0.3" for number in range(24)
    }
    gate.close()


def test_a_socket_with_one_address_is_not_asked(way: str) -> None:
    gate = Gate("127.0.0.1", "127.0.0.1", "127.0.0.1")
    assert gate.port._came_to is None and gate.port._leaves_from is None
    gate.close()
    with open_udp("127.0.0.1", 0) as bound, open_udp("::", 0) as everywhere:
        watching = Destinations(1)
        watching.watch(bound)
        watching.watch(everywhere)
        assert not is_wildcard(bound) and watching.size(bound) == 0 and watching.size(everywhere) == 40
