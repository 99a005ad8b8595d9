"""Requests as a gateway would send them, and a receiver that reads them one batch at a time."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import numpy as np

from simward.engine.texts import Texts
from simward.wire.radius.batch import ACCOUNTING, AUTH, PacketBatch
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.dictionary import Code, Value
from simward.wire.radius.outcomes import OUTCOMES
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Decoded, Receiver

SECRET = b"testing123"
NOW = 1_800_000_000_000_000
IMSI = "001010000000001"


@dataclass(frozen=True)
class Gateway:
    """What a client table needs to know of a gateway."""

    name: str = "pgw1"
    network: IPv4Network | IPv6Network = ipaddress.ip_network("127.0.0.1/32")
    secret: bytes = field(default=SECRET, repr=False)
    require_message_authenticator: bool = True
    limit_proxy_state: bool = True


def sockaddr(host: str = "127.0.0.1", port: int = 40_000) -> bytes:
    """A source address as the kernel writes it."""
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host)
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, packed, 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


def access(values: list[tuple[str, Value]] | None = None, *, identifier: int = 1, seed: int = 1) -> Packet:
    """An unsigned Access-Request; the Request Authenticator depends on `seed`."""
    packet = Packet(Code.ACCESS_REQUEST, identifier, np.random.default_rng(seed).bytes(16))
    return packet.add_all([("User-Name", IMSI), ("3GPP-IMSI", IMSI)] if values is None else values)


def accounting(
    status: Value = "Start", values: list[tuple[str, Value]] | None = None, *, identifier: int = 1
) -> Packet:
    """An unsigned Accounting-Request."""
    packet = Packet(Code.ACCOUNTING_REQUEST, identifier).add("Acct-Status-Type", status)
    chosen: list[tuple[str, Value]] = [("3GPP-IMSI", IMSI), ("Acct-Session-Id", "00c0ffee00000001")]
    return packet.add_all(chosen if values is None else values)


def signed(packet: Packet, secret: bytes = SECRET) -> bytes:
    """The packet with the authenticators that its code asks for."""
    if packet.code == Code.ACCOUNTING_REQUEST:
        return packet.sign_accounting_request(secret)
    return packet.sign_access_request(secret)


class Reading:
    """A receiver with its batch: octets in, outcomes and events out."""

    def __init__(self, *gateways: Gateway, capacity: int = 64) -> None:
        self.texts = Texts()
        self.clients = ClientTable(gateways or (Gateway(),), self.texts)
        self.receiver = Receiver(self.clients, self.texts)
        self.batch = PacketBatch(capacity)
        self.now = NOW

    def read(self, *datagrams: bytes, host: str = "127.0.0.1", port: int = 40_000, kind: int | None = None) -> Decoded:
        """Decode datagrams from one source; the socket follows from the code unless said."""
        self.batch.clear()
        for datagram in datagrams:
            guessed = ACCOUNTING if datagram[:1] == bytes([Code.ACCOUNTING_REQUEST]) else AUTH
            self.batch.add(datagram, sockaddr(host, port), guessed if kind is None else kind)
        return self.receiver.decode(self.batch, self.now)

    def outcome(self, datagram: bytes, **source: Any) -> str:
        """What became of one datagram."""
        return OUTCOMES[int(self.read(datagram, **source).status[0])]

    def event(self, packet: Packet, **source: Any) -> Any:
        """The one event that a packet becomes, signed and sent."""
        decoded = self.read(signed(packet), **source)
        assert decoded.count == 1, [OUTCOMES[status] for status in decoded.status]
        return decoded.events.view(np.recarray)[0]
