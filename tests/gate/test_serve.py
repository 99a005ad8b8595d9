"""The gate as a process, asked by radclient, cut by signals, and heard by a gateway that the test plays."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

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
from simward.cli import cli
from simward.engine.events import ACCOUNTING_START, EFFECT_ACK
from simward.engine.journal import row_events, row_outputs
from simward.engine.outputs import DISCONNECT, EFFECT_PROOF
from simward.engine.sqlite_journal import SqliteJournal
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

pytestmark = needs_radclient


class Gateway:
    """Where Disconnect-Requests go: a socket of the test's."""

    def __init__(self) -> None:
        self.socket = udp()
        self.address = "{}:{}".format(*self.socket.getsockname())

    def hears(self) -> tuple[Packet, tuple[str, int]]:
        """The next Disconnect-Request, verified."""
        octets, sender = self.socket.recvfrom(4096)
        packet = Packet.decode(octets)
        assert packet.code == Code.DISCONNECT_REQUEST
        assert packet.verify_request(SECRET.encode(), require_message_authenticator=True)
        return packet, sender

    def says(self, code: Code, to: tuple[Packet, tuple[str, int]], error_cause: int = 0, secret: str = SECRET) -> None:
        """Answer it."""
        answer = Packet(code, to[0].identifier)
        if error_cause:
            answer.add("Error-Cause", error_cause)
        self.socket.sendto(answer.sign_response(to[0].authenticator, secret.encode()), to[1])


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.socket.close()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, gateway: Gateway) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("serve") / "net", dynauth=gateway.address)
    made.start(SIMWARD_CHECK_TYPES="1")  # whatever these tests send must reach the compiled code in the same types
    yield made
    made.close()


def soon(what: str, check: object, seconds: float = 5.0) -> None:
    """Wait until `check()` holds."""
    until = time.monotonic() + seconds
    while not check():  # type: ignore[operator]
        assert time.monotonic() < until, what
        time.sleep(0.02)


def test_a_known_subscription_is_accepted_with_its_address(gate: RunningGate) -> None:
    said = radclient(gate.auth, "auth", access_request(1))
    assert "Received Access-Accept" in said
    assert re.search(r"Framed-IP-Address = 10\.64\.", said)
    assert "Acct-Interim-Interval = 900" in said and "Class = 0x" in said


def test_what_it_keeps_is_the_owners_alone(gate: RunningGate) -> None:
    data = gate.folder / "data"
    kept = [data, *data.rglob("*")]
    assert len(kept) > 3
    assert not [str(path) for path in kept if path.exists() and path.stat().st_mode & 0o077]


def test_neither_metrics_nor_status_nor_the_log_tell_a_secret(gate: RunningGate) -> None:
    told = gate.ask("metrics")["text"] + str(gate.ask("status")) + gate.errors()
    assert SECRET not in told and "00101" not in told


def test_a_datagram_that_is_too_long_is_no_packet(gate: RunningGate) -> None:
    """RFC 2865 3: at most 4096 octets. What was cut is not read, though its beginning is a signed request."""
    before = gate.metric("packets_total", "bad_length")
    octets = Packet(Code.STATUS_SERVER, 9, bytes(16)).sign_status_server(SECRET.encode())
    with udp() as asking:
        asking.sendto(octets + bytes(4096 - len(octets)), gate.auth)
        assert asking.recv(4096)[:2] == bytes([Code.ACCESS_ACCEPT, 9]), "padding is ignored"
        asking.sendto(octets + bytes(4097 - len(octets)), gate.auth)
        soon("it is counted", lambda: gate.metric("packets_total", "bad_length") == before + 1)
        asking.settimeout(0.2)
        with pytest.raises(TimeoutError):
            asking.recv(4096)


def test_a_stranger_is_rejected_in_words(gate: RunningGate) -> None:
    said = radclient(gate.auth, "auth", access_request(77777))
    assert "Received Access-Reject" in said and "not in the inventory" in said
    assert "77777" not in said.partition("Received")[2], "no personal data"


def test_accounting_is_acknowledged(gate: RunningGate) -> None:
    assert "Received Accounting-Response" in radclient(gate.accounting, "acct", accounting_request(2, "Start"))
    assert "Received Accounting-Response" in radclient(gate.accounting, "acct", accounting_request(2, "Stop"))


def test_it_tells_which_gateways_it_has_heard_of(gate: RunningGate) -> None:
    radclient(gate.accounting, "acct", accounting_request(2, "Start"))
    told = gate.ask("gateways")
    assert told["next"] is None and told["gateways"][0]["client"] and told["gateways"][0]["heard_at"] > 0
    assert gate.ask("gateways", after=len(told["gateways"]))["gateways"] == []


def test_status_server_on_both_ports(gate: RunningGate) -> None:
    assert "Received Access-Accept" in radclient(gate.auth, "status", "Message-Authenticator=0x00")
    assert "Received Accounting-Response" in radclient(gate.accounting, "status", "Message-Authenticator=0x00")


@pytest.mark.parametrize(
    ("port", "kind", "words", "secret", "reason"),
    [
        ("auth", "auth", access_request(1), "not the secret", "bad_message_authenticator"),
        ("accounting", "acct", accounting_request(1, "Start"), "not the secret", "bad_authenticator"),
        ("auth", "auth", access_request(1, signed=False), SECRET, "missing_message_authenticator"),
    ],
)
def test_forgeries_get_no_answer_and_are_counted(
    gate: RunningGate, port: str, kind: str, words: str, secret: str, reason: str
) -> None:
    before = gate.metric("packets_total", reason)
    assert "No reply" in radclient(getattr(gate, port), kind, words, secret=secret, wait_s=1)
    assert gate.metric("packets_total", reason) == before + 1


def test_an_unknown_client_gets_no_answer(gate: RunningGate) -> None:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.2", 0))
    stranger.sendto(Packet(Code.STATUS_SERVER).sign_status_server(SECRET.encode()), gate.auth)
    soon("it is counted", lambda: gate.metric("packets_total", "unknown_client") == 1)
    stranger.close()


def test_the_sim_in_another_device_is_locked_and_its_session_cut(gate: RunningGate, gateway: Gateway) -> None:
    assert "Access-Accept" in radclient(gate.auth, "auth", access_request(3))
    assert "Accounting-Response" in radclient(gate.accounting, "acct", accounting_request(3, "Start", session="SIM3"))
    moved = {"3GPP-IMEISV": f'"{imeisv(3, tac="35999999")}"'}
    said = radclient(gate.auth, "auth", access_request(3, **moved))
    assert "Access-Reject" in said and "another device" in said
    radclient(gate.accounting, "acct", accounting_request(3, "Interim-Update", session="SIM3", **moved))
    asked = gateway.hears()
    assert asked[0].get("Acct-Session-Id") == "SIM3"
    gateway.says(Code.DISCONNECT_ACK, asked, secret="a forger's")
    gateway.says(Code.DISCONNECT_ACK, asked)
    soon("the ACK is counted", lambda: gate.metric("effects_total", "ack") == 1)
    assert gate.metric("effect_answers_dropped_total", "bad_authenticator") == 1
    answer = gate.ask("release", iccid=iccid(3), because="the repair was announced", actor="alice", id="w-1")
    assert (answer["ok"], answer["result"]) == (True, "applied")
    assert gate.ask("release", iccid=iccid(3), because="again", id="w-1")["result"] == "duplicate"
    assert "Access-Accept" in radclient(gate.auth, "auth", access_request(3))


def test_a_nak_is_kept_with_its_cause(gate: RunningGate, gateway: Gateway) -> None:
    radclient(gate.accounting, "acct", accounting_request(4, "Start", session="SIM4"))
    assert gate.ask("disconnect", iccid=iccid(4), because="a test")["ok"]
    gateway.says(Code.DISCONNECT_NAK, gateway.hears(), error_cause=503)
    soon("the NAK is counted", lambda: gate.metric("effects_total", "nak") == 1)
    soon("nothing is pending", lambda: gate.ask("status")["effects_pending"] == 0)
    with_proof = [row for row in outputs(gate) if row["kind"] == EFFECT_PROOF]
    assert with_proof[-1]["error_cause"] == 503


def test_an_unanswered_disconnect_is_repeated_and_sent_again_after_a_restart(
    gate: RunningGate, gateway: Gateway
) -> None:
    radclient(gate.accounting, "acct", accounting_request(5, "Start", session="SIM5"))
    gate.ask("disconnect", iccid=iccid(5), because="a test")
    first, _ = gateway.hears()
    again, _ = gateway.hears()
    assert again.octets == first.octets, "RFC 5080 2.2.2: a retransmission is the same packet"
    assert gate.stop() == 0
    gate.start()
    after = gateway.hears()
    assert after[0].get("Acct-Session-Id") == "SIM5"
    gateway.says(Code.DISCONNECT_ACK, after)
    soon("its proof is kept", lambda: gate.ask("status")["effects_pending"] == 0)
    effects = [row for row in outputs(gate) if row["kind"] == DISCONNECT]
    proof = [row for row in outputs(gate) if row["kind"] == EFFECT_PROOF][-1]
    assert proof["opened_sequence"] == effects[-1]["sequence"], "one effect, one proof"


def test_a_session_is_named_whole_however_long_its_id_is_and_after_a_restart_too(
    gate: RunningGate, gateway: Gateway
) -> None:
    """RFC 2866 5.5 with RFC 2865 5: an Acct-Session-Id has up to 253 octets."""
    sessions = {number: f"SIM{number}-".ljust(octets, "x") for number, octets in ((7, 36), (8, 48), (9, 253))}
    for number, session in sessions.items():
        radclient(gate.accounting, "acct", accounting_request(number, "Start", session=session))
    assert gate.stop(signal.SIGKILL) == -signal.SIGKILL
    gate.start()
    for number in sessions:
        assert gate.ask("disconnect", iccid=iccid(number), because="a test")["ok"]
    named = {gateway.hears()[0].get("Acct-Session-Id") for _ in sessions}
    assert named == set(sessions.values())
    assert gate.stop() == 0
    gate.start()
    while sessions:
        asked = gateway.hears()
        sessions = {key: one for key, one in sessions.items() if one != asked[0].get("Acct-Session-Id")}
        gateway.says(Code.DISCONNECT_ACK, asked)
    soon("their proofs are kept", lambda: gate.ask("status")["effects_pending"] == 0)
    assert gate.metric("session_ids_not_kept_total") == 0


def test_what_was_acknowledged_before_a_restart_is_not_journalled_twice(gate: RunningGate) -> None:
    words = Packet(Code.ACCOUNTING_REQUEST, 7).add_all(
        [("3GPP-IMSI", "001010000000006"), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", "SIM6")]
    )
    octets = words.sign_accounting_request(SECRET.encode())
    with udp() as asking:
        asking.sendto(octets, gate.accounting)
        answer = asking.recv(4096)
        assert gate.stop() == 0
        gate.start()
        asking.sendto(octets, gate.accounting)
        assert asking.recv(4096) == answer
    starts = [one for row in rows(gate) for one in row_events(row) if one["kind"] == ACCOUNTING_START]
    assert sum(one["session_id"].tobytes().startswith(b"SIM6") for one in starts) == 1


def test_sigterm_answers_what_had_come(gate: RunningGate) -> None:
    """The gate is stopped (SIGSTOP) while requests arrive, told to end, and continued: it answers, then ends."""
    assert gate.process is not None
    with udp() as asking:
        gate.process.send_signal(signal.SIGSTOP)
        for number in range(100):
            packet = Packet(Code.ACCOUNTING_REQUEST, number).add_all(
                [("3GPP-IMSI", "001010000000007"), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", f"T{number}")]
            )
            asking.sendto(packet.sign_accounting_request(SECRET.encode()), gate.accounting)
        gate.process.send_signal(signal.SIGTERM)
        gate.process.send_signal(signal.SIGCONT)
        assert sorted(asking.recv(4096)[1] for _ in range(100)) == list(range(100))
    assert gate.process.wait(20) == 0
    starts = [one for row in rows(gate) for one in row_events(row) if one["session_id"].tobytes().startswith(b"T")]
    assert len(starts) == 100
    assert not (gate.folder / "data" / "gate.sock").exists()
    gate.process = None
    gate.said = ""
    gate.start()


def test_sessions_of_what_was_removed_while_no_gate_ran_are_cut_when_it_starts(
    gate: RunningGate, gateway: Gateway
) -> None:
    radclient(gate.accounting, "acct", accounting_request(8, "Start", session="5170A8"))
    assert gate.stop() == 0
    inventory = gate.folder / "inventory.csv"
    inventory.write_text("".join(line for line in inventory.open() if imsi(8) not in line))
    said = CliRunner().invoke(cli, ["--dir", str(gate.folder), "apply"])
    assert said.exit_code == 0, said.output
    assert "1 live session of removed subscriptions will be cut when the gate starts" in said.stdout
    gate.start()
    asked = gateway.hears()
    assert asked[0].get("Acct-Session-Id") == "5170A8"
    gateway.says(Code.DISCONNECT_ACK, asked)
    soon("its proof is kept", lambda: gate.ask("status")["effects_pending"] == 0)
    assert [row for row in outputs(gate) if row["kind"] == EFFECT_PROOF][-1]["result"] == EFFECT_ACK
    assert gate.stop() == 0
    gate.start()
    assert gate.ask("status")["effects_pending"] == 0, "it has its proof: it is not sent again"


def test_a_second_gate_in_the_same_folder_is_refused(gate: RunningGate) -> None:
    second = subprocess.run(gate.command(), capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 3 and "Traceback" not in second.stderr
    assert gate.ask("status")["ok"]


def test_ticks_without_traffic(gate: RunningGate) -> None:
    before = gate.ask("status")["journalled"]
    time.sleep(1.2)
    assert gate.ask("status")["journalled"] > before


def rows(gate: RunningGate) -> list:  # type: ignore[type-arg]
    """The journal, read beside the gate."""
    journal = SqliteJournal.open(gate.folder / "data" / "journal", writer=False)
    try:
        return [row for row in journal.rows() if row.kind == "events"]
    finally:
        journal.close()


def outputs(gate: RunningGate) -> list:  # type: ignore[type-arg]
    """Every recorded output."""
    return [one for row in rows(gate) for one in row_outputs(row)]
