"""Real sockets in front of the receiver: clients are known by their address, whatever form the socket shows it in."""

from __future__ import annotations

import ipaddress
import socket
import time

import numpy as np
import pytest

from simward.engine.outputs import RESULT
from simward.engine.texts import Texts
from simward.gate.radius import RadiusPort
from simward.gate.sockets import open_udp
from simward.wire.radius.answer import Answerer
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Receiver
from wire.asking import SECRET, Gateway


@pytest.mark.parametrize(
    ("listens", "asks_from", "client", "known"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1/32", True),
        ("::1", "::1", "::1/128", True),
        ("::", "127.0.0.1", "127.0.0.0/8", True),
        ("::", "127.0.0.1", "::/0", False),
        ("::1", "::1", "0.0.0.0/0", False),
    ],
)
def test_a_client_is_known_by_its_address(listens: str, asks_from: str, client: str, known: bool) -> None:
    texts = Texts()
    clients = ClientTable([Gateway(network=ipaddress.ip_network(client))], texts)
    auth, accounting = open_udp(listens, 0), open_udp(listens, 0)
    port = RadiusPort(auth, accounting, Receiver(clients, texts), Answerer(clients, {}))
    request = Packet(Code.STATUS_SERVER, 5, bytes(range(16)))
    with socket.socket(socket.AF_INET6 if ":" in asks_from else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((asks_from, 0))
        asking.settimeout(2)
        asking.sendto(request.sign_status_server(SECRET), (asks_from, auth.getsockname()[1]))
        until = time.monotonic() + 2
        while not port.receive():
            assert time.monotonic() < until
        decoded = port.decode(1)
        assert port.answer(decoded, np.zeros(0, RESULT), 1) == known
        assert port.counts()["status_server" if known else "unknown_client"] == 1
        if known:
            answer = Packet.decode(asking.recv(4096))
            assert answer.verify_response(request.authenticator, SECRET, require_message_authenticator=True)
    port.close()
