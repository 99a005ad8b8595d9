"""The lab's gateway on real sockets, against a small RADIUS server that does as each test says."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from simward.lab import packets
from simward.lab.bearers import Driver, Tally
from simward.lab.fleet import PASSWORDS, make_fleet
from simward.lab.gateway import Answer, Gateway, Network, free_port
from simward.lab.packets import Bearer, Nas, Usage
from simward.lab.timeline import ATTACH, GATEWAY_OFF, GATEWAY_ON, Step, Week, plan_week
from simward.lab.week import WeekPlayer
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

SECRET = b"a secret of the test"
Reply = Callable[[Packet], bytes | None]


def honest(request: Packet) -> bytes:
    """What a gate that allows everything answers."""
    if request.code == Code.ACCESS_REQUEST:
        answer = Packet(Code.ACCESS_ACCEPT, request.identifier).add("Class", b"token")
        imsi = str(request.get("3GPP-IMSI"))
        answer.add("Framed-IP-Address", f"10.{int(imsi[-6:]) >> 16}.{int(imsi[-6:]) >> 8 & 255}.{int(imsi[-6:]) & 255}")
    else:
        answer = Packet(Code.ACCOUNTING_RESPONSE, request.identifier)
    return answer.sign_response(request.authenticator, SECRET)


class FakeGate:
    """Two ports, a thread, every request kept."""

    def __init__(self) -> None:
        self.reply: Reply = honest
        self.requests: list[Packet] = []
        self.forged = 0
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in self._sockets:
            one.bind(("127.0.0.1", 0))
            one.settimeout(0.05)
        self.auth, self.accounting = (one.getsockname() for one in self._sockets)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._serve, args=(one,)) for one in self._sockets]
        for thread in self._threads:
            thread.start()

    def _serve(self, one: socket.socket) -> None:
        while not self._over.is_set():
            try:
                octets, peer = one.recvfrom(4096)
            except TimeoutError:
                continue
            request = Packet.decode(octets)
            if not request.verify_request(SECRET, require_message_authenticator=request.code == Code.ACCESS_REQUEST):
                self.forged += 1
                continue
            self.requests.append(request)
            answer = self.reply(request)
            if answer is not None:
                one.sendto(answer, peer)

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()


@pytest.fixture
def gate() -> Iterator[FakeGate]:
    one = FakeGate()
    yield one
    one.close()


@pytest.fixture
def network(gate: FakeGate) -> Iterator[Network]:
    gateways = {
        name: Gateway(name, address, SECRET, gate.auth, gate.accounting, free_port(address))
        for name, address in (("pgw1", "127.0.0.1"), ("pgw2", "127.0.0.2"))
    }
    one = Network(gateways)
    yield one
    one.close()


def bearer() -> Bearer:
    who = make_fleet(1, 40).subscriptions[0]
    return Bearer(who, "7F00000100000001", 1, who.device, who.home, who.rat, who.apn)


def ask(network: Network, kind: str = "auth", **how: object) -> Answer:
    """One request of pgw1, and what came of it."""
    gateway, told = network.gateways["pgw1"], []
    nas = gateway.nas

    def access(identifier: int, _: int) -> bytes:
        return packets.access_request(bearer(), nas, identifier)

    def stop(identifier: int, delay_s: int) -> bytes:
        return packets.accounting_request(bearer(), packets.STOP, Usage(5 << 32, 7, 60), nas, identifier, 1, delay_s)

    port = gateway.auth_port if kind == "auth" else gateway.accounting_port
    gateway.ask(port, access if kind == "auth" else stop, told.append, **how)  # type: ignore[arg-type]
    assert network.run(lambda: bool(told), 5)
    return told[0]


def test_an_answer_is_checked_and_timed(gate: FakeGate, network: Network) -> None:
    answer = ask(network)
    assert answer.code == Code.ACCESS_ACCEPT and answer.get("Class") == b"token"
    assert 0 < answer.milliseconds < 1000
    assert gate.requests[0].attributes[0][0] == 80, "Message-Authenticator stands first"
    assert gate.requests[0].user_password(SECRET) == PASSWORDS["meters.iot"].encode()


def test_a_repeated_access_request_is_the_same_packet(gate: FakeGate, network: Network) -> None:
    answer = ask(network, loses_answer=True)
    assert answer.attempts == 2
    first, second = gate.requests
    assert first.encode() == second.encode()


def test_a_repeated_accounting_request_is_a_new_packet_about_the_same(gate: FakeGate, network: Network) -> None:
    assert ask(network, "accounting", loses_answer=True).attempts == 2
    first, second = gate.requests
    assert first.identifier != second.identifier and first.authenticator != second.authenticator
    assert (first.get("Acct-Delay-Time"), second.get("Acct-Delay-Time")) == (0, 1)
    assert first.get("Acct-Session-Id") == second.get("Acct-Session-Id")
    assert (first.get("Acct-Input-Gigawords"), first.get("Acct-Input-Octets")) == (5, 0)


def test_a_doubled_datagram_arrives_twice_and_is_answered_once(gate: FakeGate, network: Network) -> None:
    ask(network, twice=True)
    network.run(lambda: network.gateways["pgw1"].counters.late > 0, 1)
    assert len(gate.requests) == 2
    assert network.gateways["pgw1"].counters.late == 1


def test_silence_is_said_after_the_last_attempt(gate: FakeGate, network: Network) -> None:
    gate.reply = lambda request: None
    answer = ask(network, attempts=2, patience=0.05)
    assert answer.code == 0 and len(gate.requests) == 2


@pytest.mark.parametrize("fault", ["wrong secret", "unsigned", "not in first place"])
def test_an_answer_that_is_not_authentic_is_no_answer(gate: FakeGate, network: Network, fault: str) -> None:
    def reply(request: Packet) -> bytes:
        answer = Packet(Code.ACCESS_ACCEPT, request.identifier).add("Class", b"x")
        if fault == "wrong secret":
            return answer.sign_response(request.authenticator, b"another")
        if fault == "unsigned":
            return answer.sign_response(request.authenticator, SECRET, message_authenticator=False)
        answer.sign_response(request.authenticator, SECRET)
        return _moved(answer, request)

    gate.reply = reply
    assert ask(network, attempts=1, patience=0.1).code == 0
    assert sum(network.gateways["pgw1"].counters.faults.values()) == 1


def _moved(answer: Packet, request: Packet) -> bytes:
    """The same answer, rightly signed, with Message-Authenticator at the end."""
    import hashlib
    import hmac

    answer.attributes = [*answer.attributes[1:], (80, bytes(16))]
    answer.authenticator = request.authenticator
    answer.attributes[-1] = (80, hmac.digest(SECRET, answer.encode(), "md5"))
    octets = answer.encode()
    answer.authenticator = hashlib.md5(octets + SECRET).digest()
    return answer.encode()


def test_more_requests_than_identifiers_wait_their_turn(gate: FakeGate, network: Network) -> None:
    gateway, told = network.gateways["pgw1"], []
    for _ in range(1100):
        gateway.ask(gateway.auth_port, lambda n, _: packets.access_request(bearer(), gateway.nas, n), told.append)
    assert gateway.outstanding == 1100
    assert network.run(lambda: len(told) == 1100, 10)
    assert {answer.code for answer in told} == {Code.ACCESS_ACCEPT}


def disconnect(network: Network, request: Packet, secret: bytes = SECRET) -> Packet | None:
    """Send a Disconnect-Request to pgw1 as a gate would."""
    target = network.gateways["pgw1"]._dynauth
    assert target is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        one.sendto(request.sign_dynauth_request(secret), target.getsockname())
        heard: list[bytes] = []

        def hear() -> bool:
            try:
                heard.append(one.recv(4096))
            except BlockingIOError:
                return False
            return True

        network.run(hear, 0.3)
    if not heard:
        return None
    answer = Packet.decode(heard[0])
    assert answer.verify_response(request.authenticator, SECRET)
    return answer


def test_a_known_session_is_disconnected(network: Network) -> None:
    network.gateways["pgw1"].sessions["7F00000100000001"] = 1
    answer = disconnect(network, Packet(Code.DISCONNECT_REQUEST, 7).add("Acct-Session-Id", "7F00000100000001"))
    assert answer is not None and answer.code == Code.DISCONNECT_ACK


def test_an_unknown_session_is_refused_with_503(network: Network) -> None:
    answer = disconnect(network, Packet(Code.DISCONNECT_REQUEST, 7).add("Acct-Session-Id", "nobody's"))
    assert answer is not None and answer.code == Code.DISCONNECT_NAK and answer.get("Error-Cause") == 503


def test_a_forged_disconnect_is_not_answered(network: Network) -> None:
    request = Packet(Code.DISCONNECT_REQUEST, 7).add("Acct-Session-Id", "7F00000100000001")
    assert disconnect(network, request, os.urandom(16)) is None
    assert not network.gateways["pgw1"].disconnects


def test_a_gateways_own_report_is_authentic() -> None:
    nas = Nas("pgw9", "127.0.0.9", SECRET)
    report = Packet.decode(packets.gateway_report(packets.ON, nas, 3, 1_700_000_000))
    assert report.verify_request(SECRET) and report.get("Acct-Status-Type") == 7


def test_a_week_is_played_to_its_end(gate: FakeGate, network: Network) -> None:
    fleet = make_fleet(4, 60)
    week, tally = plan_week(fleet, 4), Tally()
    player = WeekPlayer(network, fleet, week, Driver(tally))
    seen: list[tuple[float, int]] = []
    assert player.play(2.0, lambda at, steps: seen.append((at, steps)))
    assert gate.forged == 0
    assert tally.answers["accept"] == week.count("attach")
    assert tally.answers["acknowledged"] == sum(week.count(act) for act in ("attach", "interim", "stop")) + 2
    assert not tally.refused and not tally.unanswered and not tally.address_faults and not tally.clashes()
    assert seen[-1][1] == len(week.steps)


def test_a_gateway_ends_what_it_has_begun_before_it_goes_down(gate: FakeGate, network: Network) -> None:
    """A session that is on its way when the gateway's Accounting-Off is due: its Start comes first."""
    fleet = make_fleet(1, 60)
    device = fleet.subscriptions[0]
    steps = (
        Step(0.0, 0, ATTACH, "pgw2", software=1, place=device.home), Step(0.0, -1, GATEWAY_OFF, "pgw2"),
        Step(1.0, -1, GATEWAY_ON, "pgw2"),
    )  # fmt: skip

    def late(request: Packet) -> bytes:
        if request.code == Code.ACCESS_REQUEST:
            time.sleep(0.2)
        return honest(request)

    gate.reply = late
    week = Week(1, steps, frozenset())
    assert WeekPlayer(network, fleet, week, Driver(Tally())).play(0.1, lambda *_: None)
    told = [one.get("Acct-Status-Type") for one in gate.requests if one.code == Code.ACCOUNTING_REQUEST]
    assert told == [1, 8, 7], "Start, Accounting-Off, Accounting-On"


def test_a_refused_subscription_sends_no_accounting(gate: FakeGate, network: Network) -> None:
    fleet = make_fleet(4, 60)

    def reply(request: Packet) -> bytes:
        if request.code != Code.ACCESS_REQUEST:
            return honest(request)
        refusal = Packet(Code.ACCESS_REJECT, request.identifier).add("Reply-Message", "no")
        return refusal.sign_response(request.authenticator, SECRET)

    gate.reply = reply
    tally = Tally()
    assert WeekPlayer(network, fleet, plan_week(fleet, 4), Driver(tally)).play(0.5, lambda *_: None)
    assert "accept" not in tally.answers and tally.refused[0][1] == "no"
    assert {one.get("Acct-Status-Type") for one in gate.requests if one.code == Code.ACCOUNTING_REQUEST} == {7, 8}
