"""Wireshark reads what a running gate sent, answers and Disconnect-Requests, and has nothing to complain about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.running import SECRET, RunningGate, iccid, imsi, udp
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from wire.wireshark import complaints, decoded, flat

GATEWAY_PORT, DYNAUTH_PORT = 40_000, 3799


class Conversation:
    """What a gateway and the gate said to each other, as datagrams on the usual ports."""

    def __init__(self, folder: Path) -> None:
        self._dynauth, self._asking = udp(), udp()
        self.gate = RunningGate(folder, dynauth="127.0.0.1:{}".format(*self._dynauth.getsockname()[1:])).start()
        self.said: list[tuple[int, int, bytes]] = []
        self._identifier = 0

    def asks(self, number: int) -> Packet:
        """An Access-Request of one subscription, and the answer."""
        self._identifier += 1
        packet = Packet(Code.ACCESS_REQUEST, self._identifier, bytes([self._identifier]) * 16).add_all([
            ("User-Name", imsi(number)), ("3GPP-IMSI", imsi(number)), ("3GPP-IMEISV", "3500000100000101"),
            ("Called-Station-Id", "meters.iot"), ("NAS-Identifier", "pgw1"), ("3GPP-SGSN-MCC-MNC", "00101"),
            ("Proxy-State", b"hop-1"), ("Proxy-State", b"hop-2"),
        ])
        return self._exchange(packet.sign_access_request(SECRET.encode()), 1812, self.gate.auth)

    def reports(self, number: int, status: str) -> Packet:
        """An Accounting-Request, and the answer."""
        self._identifier += 1
        packet = Packet(Code.ACCOUNTING_REQUEST, self._identifier).add_all([
            ("3GPP-IMSI", imsi(number)), ("Acct-Status-Type", status), ("Acct-Session-Id", f"SIM{number}"),
            ("Framed-IP-Address", f"10.64.0.{number}"), ("NAS-Identifier", "nas-7"), ("Proxy-State", b"hop-1"),
        ])
        return self._exchange(packet.sign_accounting_request(SECRET.encode()), 1813, self.gate.accounting)

    def asks_whether_it_lives(self) -> Packet:
        """A Status-Server, and the answer."""
        packet = Packet(Code.STATUS_SERVER, 200, bytes(range(16)))
        return self._exchange(packet.sign_status_server(SECRET.encode()), 1812, self.gate.auth)

    def is_told_to_disconnect(self, number: int) -> Packet:
        """A command for one card, and the Disconnect-Request that comes of it; it is acknowledged."""
        assert self.gate.ask("disconnect", iccid=iccid(number), because="a test")["ok"]
        octets, sender = self._dynauth.recvfrom(4096)
        request = Packet.decode(octets)
        ack = Packet(Code.DISCONNECT_ACK, request.identifier).sign_response(request.authenticator, SECRET.encode())
        self._dynauth.sendto(ack, sender)
        self.said += [(GATEWAY_PORT, DYNAUTH_PORT, octets), (DYNAUTH_PORT, GATEWAY_PORT, ack)]
        return request

    def _exchange(self, octets: bytes, port: int, where: tuple[str, int]) -> Packet:
        self._asking.sendto(octets, where)
        answer = self._asking.recv(4096)
        self.said += [(GATEWAY_PORT, port, octets), (port, GATEWAY_PORT, answer)]
        return Packet.decode(answer)

    def close(self) -> None:
        self.gate.close()
        self._dynauth.close()
        self._asking.close()


@pytest.fixture
def conversation(tshark: str, tmp_path: Path) -> Iterator[Conversation]:
    made = Conversation(tmp_path / "net")
    yield made
    made.close()


def test_everything_the_gate_sends_is_read_as_it_was_meant(
    conversation: Conversation, tshark: str, tmp_path: Path
) -> None:
    assert conversation.asks(1).code == Code.ACCESS_ACCEPT
    assert conversation.asks(77_777).code == Code.ACCESS_REJECT
    assert conversation.reports(1, "Start").code == Code.ACCOUNTING_RESPONSE
    assert conversation.asks_whether_it_lives().code == Code.ACCESS_ACCEPT
    conversation.is_told_to_disconnect(1)
    path = tmp_path / "gate.pcap"
    layers = [flat(one) for one in decoded(tshark, path, conversation.said, SECRET.encode())]
    assert complaints(tshark, path, SECRET.encode()) == ""
    assert [one["radius.code"] for one in layers] == ["1", "2", "1", "3", "4", "5", "12", "2", "40", "41"]
    for position in (1, 3, 5, 9):  # not the answer to Status-Server: tshark does not check that one
        assert layers[position]["radius.authenticator.valid"] == "1"
    accept, reject, disconnect = layers[1], layers[3], layers[8]
    assert accept["radius.Framed-IP-Address"].startswith("10.64.") and accept["radius.Acct_Interim_Interval"] == "900"
    assert "not in the inventory" in reject["radius.Reply_Message"]
    assert disconnect["radius.Acct_Session_Id"] == "SIM1" and disconnect["radius.NAS_Identifier"] == "nas-7"
    assert disconnect["radius.Framed-IP-Address"] == "10.64.0.1" and disconnect["e212.imsi"] == imsi(1)
