"""RadSec through radsecproxy, as docs/how-to/radsec.md says: UDP to a first one, TLS to a second, UDP to the gate."""

from __future__ import annotations

import re
import signal
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gate.proxies import OPENSSL, RADSECPROXY, RadsecProxy, blocks, free_ports, make_certificates, replaced, soon
from gate.running import (
    RunningGate,
    access_request,
    accounting_request,
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

pytestmark = [
    needs_radclient,
    pytest.mark.skipif(not RADSECPROXY, reason="radsecproxy is not there"),
    pytest.mark.skipif(not OPENSSL, reason="openssl is not there"),
]
PAGE = "radsec.md"
INSIDE, OUTSIDE = "a-long-secret-of-your-own", "another-secret-of-your-own"
RADSEC, GATEWAY = "127.0.0.2", "127.0.0.3"
"""In place of 192.0.2.10, the end that serves RadSec, and 192.0.2.20, a gateway."""


@dataclass
class Chain:
    """A gate, the radsecproxy beside it, and the one beside the gateway."""

    gate: RunningGate
    folder: Path
    tls_port: int
    auth: tuple[str, int]
    accounting: tuple[str, int]
    reported: list[int] = field(default_factory=list)
    """Whose sessions began."""

    def asks(self, words: str) -> str:
        return radclient(self.auth, "auth", words, secret=OUTSIDE)

    def reports(self, number: int, **more: str) -> str:
        self.reported.append(number)
        words = accounting_request(number, "Start", **more)
        return radclient(self.accounting, "acct", words, secret=OUTSIDE)

    def packets(self) -> dict[str, int]:
        found: dict[str, int] = self.gate.ask("status")["packets"]
        return found


def start_proxies(folder: Path, gate: RunningGate) -> tuple[Chain, list[RadsecProxy]]:
    """Both radsecproxies, with what the page has, on ports of loopback."""
    beside_gate, beside_gateway = blocks(PAGE, "text")
    (tls_port,), (auth, accounting) = free_ports(1, socket.SOCK_STREAM), free_ports(2)
    addresses = {"192.0.2.10": RADSEC, "192.0.2.20": GATEWAY, "/etc/radsecproxy": str(folder)}
    server = RadsecProxy(
        folder / "server",
        replaced(
            beside_gate,
            {
                "192.0.2.10:2083": f"192.0.2.10:{tls_port}", **addresses, "Port 1812": f"Port {gate.auth[1]}",
                "Port 1813": f"Port {gate.accounting[1]}",
            },
        ),
        "listening for tls",
    )
    try:
        client = RadsecProxy(
            folder / "client",
            replaced(
                beside_gateway,
                {
                    **addresses, "Port 2083": f"Port {tls_port}", "127.0.0.1:1812": f"127.0.0.1:{auth}",
                    "127.0.0.1:1813": f"127.0.0.1:{accounting}",
                },
            ),
            "TLS connection",
        )
    except BaseException:
        server.close()
        raise
    return Chain(gate, folder, tls_port, ("127.0.0.1", auth), ("127.0.0.1", accounting)), [server, client]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("radsec")
    make_certificates(folder, {"192.0.2.10": RADSEC, "192.0.2.20": GATEWAY})
    gate = RunningGate(folder / "net")
    (client,) = blocks(PAGE, "toml")
    (gate.folder / "simward.toml").write_text(
        f'[gate]\nauth = "127.0.0.1:0"\naccounting = "127.0.0.1:0"\n{client}'
    )
    gate.start()
    started: list[RadsecProxy] = []
    try:
        made, started = start_proxies(folder, gate)
        yield made
    finally:
        for one in started:
            one.close()
        gate.close()


def test_the_subscription_is_known_by_3gpp_imsi(chain: Chain) -> None:
    said = chain.asks(access_request(1, **{"User-Name": '"meter@iot.example"'}))
    assert "Received Access-Accept" in said and re.search(r"Framed-IP-Address = 10\.64\.", said)
    assert "Message-Authenticator = 0x" in said.partition("Received")[2]
    said = chain.asks(access_request(77_777))
    assert "Received Access-Reject" in said and "not in the inventory" in said


def test_a_sim_in_another_device_is_refused(chain: Chain) -> None:
    assert "Received Access-Accept" in chain.asks(access_request(2))
    assert "Received Access-Reject" in chain.asks(
        access_request(2, **{"3GPP-IMEISV": f'"{imeisv(900, tac="35000009")}"'})
    )


def test_accounting_comes_through(chain: Chain) -> None:
    assert "Received Accounting-Response" in chain.reports(3)
    # The gateway cannot call itself what it likes: the journal will have pgw1.
    assert "Received Accounting-Response" in chain.reports(4, **{"NAS-Identifier": '"pgw2"'})


def test_proxy_state_comes_back_and_a_repeated_request_is_answered_from_memory(chain: Chain) -> None:
    with udp() as asking:
        request = Packet(Code.ACCESS_REQUEST, 9, bytes(range(16))).add_all([
            ("User-Name", imsi(5)), ("3GPP-IMSI", imsi(5)), ("3GPP-IMEISV", imeisv(5)),
            ("Called-Station-Id", "meters.iot"), ("3GPP-SGSN-MCC-MNC", "00101"),
            ("Proxy-State", b"hop-1"), ("Proxy-State", b"\x00\xff" * 60),
        ])
        octets = request.sign_access_request(OUTSIDE.encode())
        asking.sendto(octets, chain.auth)
        heard = asking.recv(4096)
        answer = Packet.decode(heard)
        assert answer.code == Code.ACCESS_ACCEPT
        assert answer.verify_response(request.authenticator, OUTSIDE.encode(), require_message_authenticator=True)
        assert answer.all("Proxy-State") == [b"hop-1", b"\x00\xff" * 60]
        before = chain.packets()
        asking.sendto(octets, chain.auth)
        assert asking.recv(4096) == heard
        assert chain.packets()["accepted"] == before["accepted"]


def test_what_radsecproxy_repeats_counts_once(chain: Chain) -> None:
    """A gate that is slow to answer is asked again after RetryInterval; it is still one request."""
    process = chain.gate.process
    assert process is not None
    before = chain.packets()
    chain.reported.append(6)
    process.send_signal(signal.SIGSTOP)
    with udp() as asking:
        record = Packet(Code.ACCOUNTING_REQUEST, 77).add_all([
            ("User-Name", imsi(6)), ("3GPP-IMSI", imsi(6)), ("Acct-Status-Type", "Start"),
            ("Called-Station-Id", "meters.iot"), ("Acct-Session-Id", "S-slow"),
        ])
        asking.sendto(record.sign_accounting_request(OUTSIDE.encode()), chain.accounting)
        asking.settimeout(1.8)
        with pytest.raises(TimeoutError):
            asking.recv(4096)
        process.send_signal(signal.SIGCONT)
        asking.settimeout(10)
        assert asking.recv(4096)[0] == Code.ACCOUNTING_RESPONSE

    def copies() -> int:
        counted = chain.packets()
        return sum(counted.get(name, 0) - before.get(name, 0) for name in ("duplicate_answered", "duplicate_in_flight"))

    soon("the copy is judged", lambda: copies() >= 1)
    assert chain.packets()["accepted"] == before["accepted"] + 1


def test_an_unsigned_request_is_dropped_by_the_gate(chain: Chain) -> None:
    before = chain.packets()
    assert "Received" not in chain.asks(access_request(7, signed=False))
    after = chain.packets()
    assert after["missing_message_authenticator"] > before.get("missing_message_authenticator", 0)
    assert after["accepted"] == before["accepted"]


def test_a_certificate_of_another_ca_gets_nowhere(chain: Chain, tmp_path: Path) -> None:
    make_certificates(tmp_path, {"192.0.2.10": RADSEC, "192.0.2.20": GATEWAY})
    context = ssl.create_default_context(cafile=str(chain.folder / "ca.pem"))
    before = chain.packets()
    for folder, source, let_in in ((chain.folder, GATEWAY, True), (tmp_path, GATEWAY, False), (None, GATEWAY, False)):
        if folder is not None:
            context.load_cert_chain(folder / f"{GATEWAY}.pem", folder / f"{GATEWAY}.key")
        else:
            context = ssl.create_default_context(cafile=str(chain.folder / "ca.pem"))
        assert is_served(context, chain.tls_port, source) == let_in
    assert chain.packets().get("accepted") == before["accepted"]


def is_served(context: ssl.SSLContext, port: int, source: str) -> bool:
    """Is a Status-Server answered over TLS from this address with this certificate?"""
    with socket.create_connection((RADSEC, port), timeout=5, source_address=(source, 0)) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=RADSEC) as secured:
                secured.sendall(Packet(Code.STATUS_SERVER, 1, bytes(range(16))).sign_status_server(b"radsec"))
                return secured.recv(4096)[:1] == bytes([Code.ACCESS_ACCEPT])
        except OSError:
            return False


def test_the_journal_has_each_event_once_from_the_gateway_that_the_certificate_names(chain: Chain) -> None:
    """Last, since it stops the gate."""
    assert chain.gate.stop() == 0, chain.gate.errors()
    journal = SqliteJournal.open(chain.gate.folder / "data" / "journal", writer=False)
    rows = [row for row in journal.rows() if row.kind == "events"]
    events = [event for row in rows for event in row_events(row, journal.layouts)]
    journal.close()
    starts = [event for event in events if event["kind"] == ACCOUNTING_START]
    assert [int(event["imsi"]) % 1000 for event in starts] == chain.reported, "each record once"
    assert len({int(event["gateway"]) for event in starts}) <= 1, "also where it called itself pgw2"
