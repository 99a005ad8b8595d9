"""Behind a FreeRADIUS that passes everything on: who asks is known by 3GPP-IMSI, and what comes twice counts once."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gate.proxies import FREERADIUS, GATEWAY, GATEWAY_SECRET, FreeRadius, blocks, free_ports, replaced, soon
from gate.running import (
    SECRET,
    RunningGate,
    access_request,
    accounting_request,
    iccid,
    imeisv,
    imsi,
    needs_radclient,
    radclient,
    udp,
)
from simward.engine.events import ACCOUNTING_START
from simward.engine.journal import row_events
from simward.engine.sqlite_journal import SqliteJournal
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

pytestmark = [needs_radclient, pytest.mark.skipif(not FREERADIUS, reason="FreeRADIUS (freeradius) is not there")]


@dataclass
class Chain:
    """Gateway, FreeRADIUS, gate; and the gateway's port for Disconnect-Request."""

    gate: RunningGate
    proxy: FreeRadius
    gateway: socket.socket
    reported: list[int] = field(default_factory=list)
    """Whose sessions began."""

    def asks(self, words: str, *, tries: int = 1) -> str:
        return self._say(self.proxy.auth, "auth", words, tries)

    def reports(self, number: int, session: str, *, tries: int = 1, **more: str) -> str:
        self.reported.append(number)
        words = accounting_request(number, "Start", session, **more)
        return self._say(self.proxy.accounting, "acct", words, tries)

    def _say(self, to: tuple[str, int], kind: str, words: str, tries: int) -> str:
        words = f"Packet-Src-IP-Address={GATEWAY},{words}"
        return radclient(to, kind, words, secret=GATEWAY_SECRET, tries=tries)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("proxy")
    gateway, (coa,) = udp(), free_ports(1)
    gate = RunningGate(folder / "net")
    (client,) = blocks(FreeRadius.PAGE, "toml")
    (gate.folder / "freeradius.secret").write_text(SECRET)
    (gate.folder / "simward.toml").write_text(
        '[gate]\nauth = "127.0.0.1:0"\naccounting = "127.0.0.1:0"\n'
        + replaced(client, {"10.0.0.9:3799": f"127.0.0.1:{coa}", '"10.0.0.9"': '"127.0.0.1"'})
    )
    gate.start()
    try:
        proxy = FreeRadius(folder / "freeradius", gate, coa, gateway.getsockname()[1])
        yield Chain(gate, proxy, gateway)
        proxy.close()
    finally:
        gate.close()
        gateway.close()


def test_the_subscription_is_known_by_3gpp_imsi(chain: Chain) -> None:
    said = chain.asks(access_request(1, **{"User-Name": '"meter@iot.example"'}))
    assert "Received Access-Accept" in said and re.search(r"Framed-IP-Address = 10\.64\.", said)
    said = chain.asks(access_request(77_777))
    assert "Received Access-Reject" in said and "not in the inventory" in said


def test_a_sim_in_another_device_is_refused_through_the_proxy(chain: Chain) -> None:
    assert "Received Access-Accept" in chain.asks(access_request(2))
    stolen = access_request(2, **{"3GPP-IMEISV": f'"{imeisv(900, tac="35000009")}"'})
    assert "Received Access-Reject" in chain.asks(stolen)


def test_accounting_and_both_gateways_names_come_through(chain: Chain) -> None:
    for nas in ("pgw1", "pgw2"):
        said = chain.reports(3, f"S-{nas}", **{"NAS-Identifier": f'"{nas}"'})
        assert "Received Accounting-Response" in said


def test_proxy_state_comes_back_as_it_went(chain: Chain) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((GATEWAY, 0))
        asking.settimeout(5)
        request = Packet(Code.ACCESS_REQUEST, 9, bytes(range(16))).add_all([
            ("User-Name", imsi(4)), ("3GPP-IMSI", imsi(4)), ("3GPP-IMEISV", imeisv(4)),
            ("Called-Station-Id", "meters.iot"), ("3GPP-SGSN-MCC-MNC", "00101"),
            ("Proxy-State", b"hop-1"), ("Proxy-State", b"\x00\xff" * 60),
        ])
        octets = request.sign_access_request(GATEWAY_SECRET.encode())
        asking.sendto(octets, chain.proxy.auth)
        answer = Packet.decode(asking.recv(4096))
        assert answer.code == Code.ACCESS_ACCEPT
        assert answer.verify_response(request.authenticator, GATEWAY_SECRET.encode())
        assert answer.all("Proxy-State") == [b"hop-1", b"\x00\xff" * 60]
        before = chain.gate.ask("status")["packets"]
        asking.sendto(octets, chain.proxy.auth)
        again = Packet.decode(asking.recv(4096))
        assert again.get("Framed-IP-Address") == answer.get("Framed-IP-Address")
        assert chain.gate.ask("status")["packets"]["accepted"] == before["accepted"], "the proxy remembers"


def test_what_the_proxy_repeats_counts_once(chain: Chain) -> None:
    """A gate that is slow to answer: the gateway asks again, the proxy asks again, and it is still one request."""
    process = chain.gate.process
    assert process is not None
    before = chain.gate.ask("status")["packets"]
    chain.reported.append(5)
    process.send_signal(signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((GATEWAY, 0))
        asking.settimeout(10)
        record = Packet(Code.ACCOUNTING_REQUEST, 77).add_all([
            ("User-Name", imsi(5)), ("3GPP-IMSI", imsi(5)), ("Acct-Status-Type", "Start"),
            ("Called-Station-Id", "meters.iot"), ("Acct-Session-Id", "S-slow"), ("NAS-Identifier", "pgw1"),
        ])
        octets = record.sign_accounting_request(GATEWAY_SECRET.encode())
        asking.sendto(octets, chain.proxy.accounting)
        time.sleep(1.2)  # FreeRADIUS suppresses what is repeated within a second
        asking.sendto(octets, chain.proxy.accounting)
        time.sleep(0.2)
        process.send_signal(signal.SIGCONT)
        assert asking.recv(4096)[0] == Code.ACCOUNTING_RESPONSE

    def copies() -> int:
        counted = chain.gate.ask("status")["packets"]
        names = ("duplicate_answered", "duplicate_in_flight")
        return int(sum(counted.get(name, 0) - before.get(name, 0) for name in names))

    soon("the copy is judged", lambda: copies() == 1)
    after = chain.gate.ask("status")["packets"]
    assert after["accepted"] == before["accepted"] + 1


def test_disconnect_goes_through_to_the_gateway_that_is_named(chain: Chain) -> None:
    assert "Received Accounting-Response" in chain.reports(6, "S-six", **{"Framed-IP-Address": "10.64.0.99"})
    assert chain.gate.ask("disconnect", iccid=iccid(6), because="a test")["ok"]
    octets, sender = chain.gateway.recvfrom(4096)
    asked = Packet.decode(octets)
    assert asked.code == Code.DISCONNECT_REQUEST and asked.get("Acct-Session-Id") == "S-six"
    assert asked.verify_request(GATEWAY_SECRET.encode()) and asked.get("NAS-Identifier") == "pgw1"
    answer = Packet(Code.DISCONNECT_ACK, asked.identifier)
    answer.attributes = [one for one in asked.attributes if one[0] == 33]
    chain.gateway.sendto(answer.sign_response(asked.authenticator, GATEWAY_SECRET.encode()), sender)
    soon("the gate has its proof", lambda: chain.gate.metric("effects_total", '"ack"') == 1)


def test_disconnect_for_a_gateway_that_the_proxy_does_not_know_is_not_acknowledged(chain: Chain) -> None:
    assert "Received Accounting-Response" in chain.reports(7, "S-seven", **{"NAS-Identifier": '"pgw9"'})
    assert chain.gate.ask("disconnect", iccid=iccid(7), because="a test")["ok"]
    soon("the proxy says no", lambda: chain.gate.metric("effects_total", '"nak"') == 1)


def test_unsigned_requests_are_the_proxys_to_refuse_and_the_gates(chain: Chain) -> None:
    before = chain.gate.ask("status")["packets"]
    assert "Received" not in chain.asks(access_request(8, signed=False))
    after = chain.gate.ask("status")["packets"]
    assert after["accepted"] == before["accepted"]


def test_the_journal_has_each_event_once_with_its_gateway(chain: Chain) -> None:
    """Last, since it stops the gate."""
    assert chain.gate.stop() == 0, chain.gate.errors()
    journal = SqliteJournal.open(chain.gate.folder / "data" / "journal", writer=False)
    rows = list(journal.rows())
    events = [event for row in rows if row.kind == "events" for event in row_events(row, journal.layouts)]
    journal.close()
    starts = [event for event in events if event["kind"] == ACCOUNTING_START]
    assert [int(event["imsi"]) % 1000 for event in starts] == chain.reported, "each record once"
    gateways = {int(event["gateway"]) for event in starts if int(event["imsi"]) % 1000 == 3}
    assert len(gateways) == 2 * (3 in chain.reported), "NAS-Identifier tells gateways apart"
    assert len({int(event["client"]) for event in events if event["client"]}) <= 1
