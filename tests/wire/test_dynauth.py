"""Disconnect-Requests in memory, on a manual clock: repeated as RFC 5080 says, matched, and given up on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from simward.wire.radius.dictionary import Code
from simward.wire.radius.dynauth import NEVER, OUTSTANDING_MAX, Answer, DynauthClient, Peer, Session
from simward.wire.radius.packet import Packet
from wire.asking import IMSI, SECRET

PEER = Peer(("127.0.0.1", 3799), SECRET)
SESSION = Session(b"00c0ffee00000001", IMSI, "10.64.0.1", b"pgw1")
AT = 1_800_000_000


def jitter(seed: int) -> Callable[[], float]:
    random = np.random.default_rng(seed)
    return lambda: float(random.uniform(-0.1, 0.1))


@pytest.fixture
def client() -> DynauthClient:
    return DynauthClient(jitter(7), first_identifier=250)


def answer(octets: bytes, code: int = Code.DISCONNECT_ACK, cause: str = "", secret: bytes = SECRET) -> bytes:
    request = Packet.decode(octets)
    packet = Packet(code, request.identifier)
    if cause:
        packet.add("Error-Cause", cause)
    return packet.sign_response(request.authenticator, secret)


def test_request_names_the_session(client: DynauthClient) -> None:
    packet = Packet.decode(client.disconnect(PEER, SESSION, AT, 0.0, "a"))
    assert packet.code == Code.DISCONNECT_REQUEST and packet.verify_request(SECRET, True)
    assert packet.items()[1:] == [
        ("NAS-Identifier", "pgw1"), ("Acct-Session-Id", "00c0ffee00000001"), ("Framed-IP-Address", "10.64.0.1"),
        ("3GPP-IMSI", IMSI), ("Event-Timestamp", AT),
    ]


def test_session_id_that_is_not_whole_is_not_sent(client: DynauthClient) -> None:
    session = Session(b"x" * 48, IMSI, cut=True, nas_address="10.0.0.1")
    packet = Packet.decode(client.disconnect(PEER, session, AT, 0.0, "a"))
    assert packet.get("Acct-Session-Id") is None and packet.get("NAS-IP-Address") == "10.0.0.1"


def test_ack_and_nak_with_its_cause(client: DynauthClient) -> None:
    first = client.disconnect(PEER, SESSION, AT, 0.0, "first")
    second = client.disconnect(PEER, SESSION, AT, 0.0, "second")
    nak = answer(second, Code.DISCONNECT_NAK, "Session-Context-Not-Found")
    assert client.receive(nak, PEER.address) == Answer("second", False, 503)
    assert client.receive(answer(first), PEER.address) == Answer("first", True, 0)
    assert client.pending == 0 and client.next_due == NEVER


@pytest.mark.parametrize("case", ["forged", "elsewhere", "twice", "code", "junk"])
def test_what_is_no_answer_is_counted(client: DynauthClient, case: str) -> None:
    octets = client.disconnect(PEER, SESSION, AT, 0.0, "a")
    datagram, address, reason = {
        "forged": (answer(octets, secret=b"wrong"), PEER.address, "bad_authenticator"),
        "elsewhere": (answer(octets), ("127.0.0.2", 3799), "no_request"),
        "twice": (answer(octets), PEER.address, "no_request"),
        "code": (answer(octets, Code.COA_ACK), PEER.address, "bad_code"),
        "junk": (b"\0" * 19, PEER.address, "too_short"),
    }[case]
    if case == "twice":
        client.receive(datagram, address)
    assert client.receive(datagram, address) is None
    assert client.dropped == {reason: 1} and client.pending == (case != "twice")


def test_repeated_with_the_same_octets_and_then_given_up(client: DynauthClient) -> None:
    octets = client.disconnect(PEER, SESSION, AT, 0.0, "a")
    times, now = [0.0], 0.0
    while client.pending:
        now = client.next_due
        if client.expired(now) == ["a"]:
            break
        assert client.due(now) == [(PEER.address, octets)]
        assert client.due(now) == []
        times.append(now)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert 1.8 <= waits[0] <= 2.2
    assert all(1.9 <= later / earlier <= 2.1 or 14.4 <= later <= 17.6 for earlier, later in pairwise(waits))
    assert len(times) <= 5 and now <= 30.0 and client.expired(now) == []


def test_jitter_is_what_is_passed_in() -> None:
    def waits(seed: int) -> float:
        client = DynauthClient(jitter(seed))
        client.disconnect(PEER, SESSION, AT, 0.0, "a")
        return client.next_due

    assert waits(1) == waits(1) != waits(2)


def test_no_identifier_is_used_twice_while_pending(client: DynauthClient) -> None:
    sent = [client.disconnect(PEER, SESSION, AT, 0.0, number) for number in range(OUTSTANDING_MAX)]
    assert len({octets[1] for octets in sent}) == OUTSTANDING_MAX and not client.has_room(PEER.address)
    with pytest.raises(LookupError):
        client.disconnect(PEER, SESSION, AT, 0.0, "one more")
    assert client.receive(answer(sent[17]), PEER.address) == Answer(17, True, 0)
    assert client.disconnect(PEER, SESSION, AT, 0.0, "now")[1] not in {octets[1] for octets in sent}
    assert client.has_room(("127.0.0.1", 3800))


def test_peers_do_not_print_secrets() -> None:
    assert "testing123" not in repr(PEER)
