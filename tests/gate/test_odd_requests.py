"""A running gate under odd requests, of radclient's making and of the corpus: it lives, and counts each as what it is.

radclient 3.2 lets an attribute have any octets (`Attr-46 = 0x0102`, `Attr-26 = 0x...`), repeats what must not be
repeated, sends any code to any port; lengths it always puts right. The corpus has what it cannot send.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.running import SECRET, RunningGate, access_request, accounting_request, imsi, needs_radclient, udp
from wire import corpus
from wire.corpus import Case

SIGNED = "Message-Authenticator=0x00"
WHO = f'User-Name="{imsi(1)}"'
EMPTY_INSIDE = f"Attr-26=0x{10_415:08x}"
ASKED: list[tuple[str, str, str]] = [
    # Signed and odd: accepted, since what cannot be read is as good as absent (RFC 2865 5).
    ("auth", f"{SIGNED},{WHO},Attr-4=0x0102", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-8=0x01", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-26=0x00", "accepted"),
    ("auth", f"{SIGNED},{WHO},{EMPTY_INSIDE}", "accepted"),
    ("auth", f"{SIGNED},{WHO},{EMPTY_INSIDE}01", "accepted"),
    ("auth", f"{SIGNED},{WHO},{EMPTY_INSIDE}0100", "accepted"),
    ("auth", f"{SIGNED},{WHO},{EMPTY_INSIDE}14ff3132", "accepted"),
    ("auth", f"{SIGNED},{WHO},{EMPTY_INSIDE}1500150116", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-26=0xffffffff0104616263", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-97=0x0081ff,Attr-123=0x00,Attr-168=0x01", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-25=0x{'5357433100' * 6}", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-255=0x{'ff' * 253}", "accepted"),
    ("auth", f"{SIGNED},{WHO},3GPP-IMSI=\"not a number\",3GPP-IMEISV=\"\",3GPP-User-Location-Info=0xff", "accepted"),
    ("auth", f"{SIGNED},{WHO},Attr-40=0x01", "accepted"),
    ("auth", f"{SIGNED},EAP-Message=0x0200000501", "accepted"),
    ("auth", f"{SIGNED},{WHO}" + ",Proxy-State=0x01" * 10, "accepted"),
    ("auth", SIGNED, "accepted"),
    # Not signed as it must be.
    ("auth", WHO, "missing_message_authenticator"),
    ("auth", f"{WHO},Proxy-State=0x01", "missing_message_authenticator"),
    ("auth", f"{WHO},EAP-Message=0x0200000501", "missing_message_authenticator"),
    ("auth", f"{WHO},{SIGNED},{SIGNED}", "bad_message_authenticator"),
    ("status", WHO, "missing_message_authenticator"),
    ("auth", f"{SIGNED},{WHO}" + ",Proxy-State=0x01" * 11, "proxy_loop"),
    # To the wrong port, or no request at all.
    ("acct", accounting_request(1, "Start"), "bad_code"),
    ("disconnect", WHO, "bad_code"),
    ("coa", WHO, "bad_code"),
]
REPORTED: list[tuple[str, str, str]] = [
    ("acct", accounting_request(1, "Start"), "accepted"),
    ("acct", f"{accounting_request(1, 'Stop', 'S-2')},Attr-50=0x00,{EMPTY_INSIDE}14ff3132", "accepted"),
    ("acct", "Acct-Status-Type=Failed", "acknowledge_only"),
    ("acct", "Acct-Status-Type=Tunnel-Start", "acknowledge_only"),
    ("acct", "Acct-Status-Type=99", "acknowledge_only"),
    ("acct", WHO, "missing_status_type"),
    ("acct", "Attr-40=0x01", "invalid_attribute"),
    *(
        ("acct", f"Acct-Status-Type=Start,Attr-{number}=0x{'01' * size}", "invalid_attribute")
        for number in (4, 8, 41, 42, 43, 46, 49, 52, 53, 55)
        for size in (1, 5)
    ),
    ("auth", access_request(1), "bad_code"),
    ("status", SIGNED, "status_server"),
    ("status", WHO, "missing_message_authenticator"),
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("odd") / "net").start()
    yield made
    made.close()


def counted(gate: RunningGate) -> Counter[str]:
    return Counter(gate.ask("status")["packets"])


def judged(gate: RunningGate, before: Counter[str], count: int) -> Counter[str]:
    """What became of the next `count` packets."""
    until = time.monotonic() + 10
    while (now := counted(gate) - before).total() < count and time.monotonic() < until:
        time.sleep(0.02)
    return now


def send(gate: RunningGate, to: tuple[str, int], asked: list[tuple[str, str, str]], folder: Path, secret: str) -> None:
    """All of one kind in one run of radclient, side by side; nobody waits for an answer for long."""
    for kind in sorted({kind for kind, _, _ in asked}):
        words = [words for one, words, _ in asked if one == kind]
        path = folder / f"{kind}.txt"
        path.write_text("\n\n".join(words) + "\n")
        command = ["radclient", "-F", "-f", str(path), "-p", str(len(words)), "-r", "1", "-t", "0.2"]
        done = subprocess.run(
            [*command, f"{to[0]}:{to[1]}", kind, secret], capture_output=True, text=True, timeout=60, check=False
        )
        assert "Failed to send" not in done.stdout + done.stderr, done.stdout + done.stderr


@needs_radclient
def test_whatever_radclient_sends_is_counted_as_what_it_is(gate: RunningGate, tmp_path: Path) -> None:
    for to, asked in ((gate.auth, ASKED), (gate.accounting, REPORTED)):
        before = counted(gate)
        send(gate, to, asked, tmp_path, SECRET)
        assert judged(gate, before, len(asked)) == Counter(outcome for _, _, outcome in asked)


@needs_radclient
def test_with_another_secret_nothing_is_believed(gate: RunningGate, tmp_path: Path) -> None:
    signed = [one for one in ASKED if one[2] == "accepted"]
    before = counted(gate)
    send(gate, gate.auth, signed, tmp_path, "another secret")
    assert judged(gate, before, len(signed)) == Counter({"bad_message_authenticator": len(signed)})
    records = [one for one in REPORTED if one[0] == "acct"]
    before = counted(gate)
    send(gate, gate.accounting, records, tmp_path, "another secret")
    assert judged(gate, before, len(records)) == Counter({"bad_authenticator": len(records)})


def test_the_corpus_becomes_over_udp_what_it_becomes_in_memory(tmp_path: Path) -> None:
    gate = RunningGate(tmp_path / "net")
    text = (gate.folder / "simward.toml").read_text().replace(SECRET, corpus.SECRET.decode())
    lenient = 'name = "lenient"\naddress = "127.0.0.2"\nrequire_message_authenticator = false\n'
    (gate.folder / "simward.toml").write_text(f'{text}[[gateway]]\n{lenient}secret = "{corpus.SECRET.decode()}"\n')
    gate.start()
    try:
        cases = corpus.corpus()
        with udp() as strict, udp("127.0.0.2") as other, udp("127.0.0.7") as unknown:
            for case in cases:
                to = (gate.auth, gate.accounting)[case.kind]
                sender_of(case, strict, other, unknown).sendto(case.octets, to)
            assert judged(gate, Counter(), len(cases)) == Counter(case.outcome for case in cases)
        assert gate.stop() == 0
        assert "Traceback" not in gate.errors()
    finally:
        gate.close()


def sender_of(case: Case, strict, lenient, unknown):  # type: ignore[no-untyped-def]
    if case.outcome == "unknown_client":
        return unknown
    return lenient if case.client == "lenient" else strict


def test_it_lived_through_all_of_it(gate: RunningGate) -> None:
    """Last, since it stops the gate."""
    assert gate.stop() == 0, gate.errors()
    assert "Traceback" not in gate.errors()
