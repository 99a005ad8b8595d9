"""Answers as the peer reads them: signed, addressed, Message-Authenticator first, Proxy-State as it came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.outputs import QUARANTINED, REJECT, RESULT
from simward.wire.radius.answer import DEFAULT_REPLY, Answerer
from simward.wire.radius.batch import ACCOUNTING, PacketBatch
from simward.wire.radius.class_token import class_key, put_class
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import NO_KEY
from wire.asking import SECRET, Reading, access, accounting, signed, sockaddr

REPLIES = {(0, 1): b"not in the inventory", (1, 2): b"another device", (1, 3): b""}


class Answering(Reading):
    """A receiver with its answerer: requests in, answers out."""

    def __init__(self) -> None:
        super().__init__()
        self.answerer = Answerer(self.clients, REPLIES)
        self.out = PacketBatch(64)

    def answer(self, *datagrams: bytes, results: np.ndarray | None = None, **source: object) -> list[Packet]:
        decoded = self.read(*datagrams, **source)  # type: ignore[arg-type]
        given = np.zeros(decoded.count, RESULT) if results is None else results
        self.answerer.answer(self.batch, decoded, given, self.out)
        self.receiver.remember(decoded, given)
        return [Packet.decode(octets) for octets in self.out.datagrams()]


@pytest.fixture
def answering() -> Answering:
    return Answering()


def result(**values: int) -> np.ndarray:
    row = np.zeros(1, RESULT)
    for name, value in values.items():
        row[name.removeprefix("the_")] = value
    return row


def class_of(token: int, row: int = 0, check: int = 0) -> bytes:
    """The Class that names a decision, under the key of a receiver that was given none."""
    room = np.zeros(64, np.uint8)
    end = put_class(room, 0, class_key(NO_KEY), token, row, check)
    return room[2:end].tobytes()


def test_accept_carries_what_was_decided(answering: Answering) -> None:
    request = access(identifier=77)
    token = 0x0102030405060708
    decided = result(address=0x0A400001, session_timeout_s=86_400, interim_interval_s=900, class_token=token)
    (answer,) = answering.answer(signed(request), results=decided)
    assert (answer.code, answer.identifier) == (Code.ACCESS_ACCEPT, 77)
    assert answer.verify_response(request.authenticator, SECRET, require_message_authenticator=True)
    assert answer.items()[1:] == [
        ("Framed-IP-Address", "10.64.0.1"), ("Session-Timeout", 86_400), ("Acct-Interim-Interval", 900),
        ("Class", class_of(token)),
    ]


@pytest.mark.parametrize("decided", [result(), result(verdict=QUARANTINED)])
def test_bare_accept(answering: Answering, decided: np.ndarray) -> None:
    (answer,) = answering.answer(signed(access()), results=decided)
    assert answer.code == Code.ACCESS_ACCEPT and [name for name, _ in answer.items()] == ["Message-Authenticator"]


@pytest.mark.parametrize(
    ("detector", "the_class", "text"),
    [(0, 1, b"not in the inventory"), (1, 2, b"another device"), (9, 9, DEFAULT_REPLY), (0, 0, DEFAULT_REPLY)],
)
def test_reject_says_why(answering: Answering, detector: int, the_class: int, text: bytes) -> None:
    decided = result(verdict=REJECT, detector=detector, the_class=the_class, address=1, class_token=5)
    request = access()
    (answer,) = answering.answer(signed(request), results=decided)
    assert answer.code == Code.ACCESS_REJECT
    assert answer.verify_response(request.authenticator, SECRET, require_message_authenticator=True)
    assert answer.attributes[0][0] == 80 and answer.items()[1:] == [("Reply-Message", text.decode())]


def test_reject_without_a_text_has_no_empty_attribute(answering: Answering) -> None:
    decided = result(verdict=REJECT, detector=1, the_class=3)
    (answer,) = answering.answer(signed(access()), results=decided)
    assert [name for name, _ in answer.items()] == ["Message-Authenticator"]


def test_accounting_is_acknowledged(answering: Answering) -> None:
    request = accounting()
    (answer,) = answering.answer(signed(request))
    assert answer.code == Code.ACCOUNTING_RESPONSE and not answer.attributes
    assert answer.verify_response(request.authenticator, SECRET)


@pytest.mark.parametrize(("kind", "code"), [(0, Code.ACCESS_ACCEPT), (ACCOUNTING, Code.ACCOUNTING_RESPONSE)])
def test_status_server_is_answered_on_both_sockets(answering: Answering, kind: int, code: int) -> None:
    request = Packet(Code.STATUS_SERVER, 5, bytes(range(16)))
    (answer,) = answering.answer(signed(request), kind=kind)
    assert answer.code == code and answer.verify_response(request.authenticator, SECRET, True)


def test_record_that_is_no_event_is_acknowledged(answering: Answering) -> None:
    (answer,) = answering.answer(signed(accounting("Tunnel-Start")))
    assert answer.code == Code.ACCOUNTING_RESPONSE


@pytest.mark.parametrize("request_", [access(), accounting(), Packet(Code.STATUS_SERVER, 5, bytes(range(16)))])
def test_proxy_states_go_back_in_order(answering: Answering, request_: Packet) -> None:
    states = [b"first", b"\x00\xff" * 100, b"", b"first"]
    request = Packet(request_.code, 1, request_.authenticator, list(request_.attributes))
    for state in states:
        request.attributes.append((33, state))
    (answer,) = answering.answer(signed(request))
    assert [value for key, value in answer.attributes if key == 33] == states
    assert answer.verify_response(request.authenticator, SECRET)


def test_answered_duplicate_gets_the_same_octets(answering: Answering) -> None:
    octets = signed(access())
    answering.answer(octets, results=result(address=0x0A400001, class_token=3))
    first = list(answering.out.datagrams())
    answering.answer(octets)
    assert list(answering.out.datagrams()) == first and answering.receiver.counters["duplicate_answered"] == 1


def test_answers_know_where_they_go(answering: Answering) -> None:
    batch = answering.batch
    batch.clear()
    batch.add(b"junk", sockaddr(port=1))
    batch.add(signed(access(seed=2)), sockaddr(port=2))
    batch.add(signed(accounting()), sockaddr(port=3), ACCOUNTING)
    decoded = answering.receiver.decode(batch, answering.now)
    assert answering.answerer.answer(batch, decoded, np.zeros(2, RESULT), answering.out) == 2
    out = answering.out
    assert out.sources[:2].tolist() == [1, 2] and out.port_kind[:2].tolist() == [0, 1]
    assert out.addresses[0, :16].tobytes() == sockaddr(port=2) and out.address_lengths[0] == 16


def test_events_left_out_get_no_answer(answering: Answering) -> None:
    requests = [signed(access(seed=1)), signed(access(seed=2)), signed(access(seed=3))]
    decoded = answering.read(*requests)
    without = np.array([False, True, False])
    assert answering.answerer.answer(answering.batch, decoded, np.zeros(3, RESULT), answering.out, without=without) == 2
    assert answering.answerer.answer(answering.batch, decoded, np.zeros(1, RESULT), answering.out) == 1


def test_refuse_rejects_requests_and_leaves_accounting(answering: Answering) -> None:
    batch = answering.batch
    batch.clear()
    batch.add(signed(access()), sockaddr())
    batch.add(signed(accounting()), sockaddr(), ACCOUNTING)
    decoded = answering.receiver.decode(batch, answering.now)
    assert answering.answerer.refuse(batch, decoded, "cannot record", answering.out) == 1
    (answer,) = [Packet.decode(octets) for octets in answering.out.datagrams()]
    assert answer.code == Code.ACCESS_REJECT and answer.get("Reply-Message") == "cannot record"


@given(
    st.binary(min_size=16, max_size=16), st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1), st.lists(st.binary(max_size=253), max_size=10),
)
def test_any_accept_is_what_the_python_packet_would_sign(
    authenticator: bytes, identifier: int, address: int, seconds: int, token: int, states: list[bytes]
) -> None:
    answering = ANSWERING
    request = access(identifier=identifier)
    request.authenticator = authenticator
    request.attributes += [(33, state) for state in states]
    decided = result(address=address, session_timeout_s=seconds, class_token=token)
    answering.now += 60_000_000
    (answer,) = answering.answer(signed(request), results=decided)
    expected = Packet(Code.ACCESS_ACCEPT, identifier)
    if address:
        expected.add("Framed-IP-Address", address.to_bytes(4, "big"))
    if seconds:
        expected.add("Session-Timeout", seconds)
    if token:
        expected.add("Class", class_of(token))
    expected.attributes += [(33, state) for state in states]
    assert answer.octets == expected.sign_response(authenticator, SECRET)


ANSWERING = Answering()
