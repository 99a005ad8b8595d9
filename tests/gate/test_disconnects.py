"""Disconnect-Requests on a manual clock: repeated as RFC 5080 says, given up, queued, and never believed unsigned."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from gate.running import udp
from simward.engine.events import EFFECT_ACK, EFFECT_NAK, EFFECT_SILENCE
from simward.engine.fold import Fold
from simward.engine.outputs import DISCONNECT, OUTPUT
from simward.gate.disconnects import Disconnects, source_of
from simward.gate.metrics import Metrics
from simward.wire.radius.dictionary import Code
from simward.wire.radius.dynauth import OUTSTANDING_MAX, Peer
from simward.wire.radius.packet import Packet

SECRET = b"a-secret-of-the-tests"
NAS_IP_ADDRESS, NAS_IDENTIFIER = 4, 32


class Scene:
    """The gate's side, with a gateway that the test plays."""

    def __init__(self) -> None:
        self.now = 100.0
        self.gateway, self.own = udp(), udp()
        self.gateway.settimeout(2)
        self.own.setblocking(False)
        self.fold = Fold.new()
        self.metrics = Metrics()
        peers = {"pgw1": Peer(self.gateway.getsockname(), SECRET)}
        self.disconnects = Disconnects(
            {socket.AF_INET: self.own}, peers, self.fold, self.metrics, monotonic=lambda: self.now
        )

    def effects(self, count: int = 1, client: bytes = b"pgw1", gateway: bytes = b"nas-7", held: int = 0) -> np.ndarray:
        made = np.zeros(count, OUTPUT)
        made["kind"], made["held"], made["imsi"], made["subject"] = DISCONNECT, held, 1001010000000001, 1
        made["client"], made["gateway"] = (self.fold.state.texts.intern(name) for name in (client, gateway))
        made["sequence"], made["index"] = 40 + np.arange(count), 2
        for number in range(count):
            name = b"S%07d" % number
            made["session_id"][number, : len(name)] = np.frombuffer(name, np.uint8)
        made["session_id_octets"] = 8
        return made

    def heard(self) -> tuple[Packet, bytes]:
        octets = self.gateway.recv(4096)
        return Packet.decode(octets), octets

    def nothing_heard(self) -> bool:
        self.gateway.settimeout(0.05)
        try:
            self.gateway.recv(4096)
        except TimeoutError:
            return True
        finally:
            self.gateway.settimeout(2)
        return False

    def say(self, code: Code, asked: Packet, error_cause: int = 0, secret: bytes = SECRET) -> None:
        answer = Packet(code, asked.identifier)
        if error_cause:
            answer.add("Error-Cause", error_cause)
        self.gateway.sendto(answer.sign_response(asked.authenticator, secret), self.own.getsockname())
        self.disconnects.receive(self.now)

    def after(self, seconds: float) -> Scene:
        self.now += seconds
        self.disconnects.expire(self.now)
        return self


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.gateway.close()
    made.own.close()


def causes(scene: Scene) -> list[tuple[int, int]]:
    return [(int(one["cause"]), int(one["argument"])) for one in scene.disconnects.take(1000)]


def test_an_ack_is_the_proof_of_its_effect(scene: Scene) -> None:
    scene.disconnects.on_durable(scene.effects())
    asked, _ = scene.heard()
    assert asked.verify_request(SECRET, require_message_authenticator=True)
    assert (asked.get("Acct-Session-Id"), asked.get("NAS-Identifier"), asked.get("3GPP-IMSI")) == (
        "S0000000", "nas-7", "001010000000001",
    )
    assert asked.get("Event-Timestamp") is not None
    scene.say(Code.DISCONNECT_ACK, asked)
    (event,) = scene.disconnects.take(10)
    assert (event["cause"], event["subject"], event["request"]) == (EFFECT_ACK, 40, 2)
    assert scene.disconnects.pending == 0 and scene.disconnects.due_at == float("inf")


def test_a_nak_has_its_cause(scene: Scene) -> None:
    scene.disconnects.on_durable(scene.effects())
    scene.say(Code.DISCONNECT_NAK, scene.heard()[0], error_cause=503)
    assert causes(scene) == [(EFFECT_NAK, 503)]


def test_silence_is_repeated_five_times_in_all_and_then_said(scene: Scene) -> None:
    scene.disconnects.on_durable(scene.effects())
    _, first = scene.heard()
    assert scene.after(1.9).nothing_heard()
    for wait in (0.2, 4.0, 8.0):
        assert scene.after(wait).heard()[1] == first
        assert causes(scene) == []
    scene.after(17)
    assert causes(scene) == [(EFFECT_SILENCE, 0)], "30 s after the first"
    scene.say(Code.DISCONNECT_ACK, Packet.decode(first))
    assert causes(scene) == [], "too late"


def test_what_is_not_signed_by_the_gateway_is_not_believed(scene: Scene) -> None:
    scene.disconnects.on_durable(scene.effects())
    asked, _ = scene.heard()
    scene.say(Code.DISCONNECT_ACK, asked, secret=b"a forger's")
    scene.gateway.sendto(b"junk", scene.own.getsockname())
    scene.say(Code.COA_ACK, asked)
    with udp() as elsewhere:
        answer = Packet(Code.DISCONNECT_ACK, asked.identifier).sign_response(asked.authenticator, SECRET)
        elsewhere.sendto(answer, scene.own.getsockname())
    scene.disconnects.receive(scene.now)
    assert causes(scene) == [] and scene.disconnects.pending == 1
    assert {
        reason: scene.metrics.get("effect_answers_dropped_total", reason)
        for reason in ("bad_authenticator", "too_short", "bad_code", "no_request")
    } == {"bad_authenticator": 1, "too_short": 1, "bad_code": 1, "no_request": 1}


def test_many_take_turns_with_the_identifiers(scene: Scene) -> None:
    count = OUTSTANDING_MAX + 10
    scene.disconnects.on_durable(scene.effects(count))
    asked = [scene.heard()[0] for _ in range(OUTSTANDING_MAX)]
    assert len({one.identifier for one in asked}) == OUTSTANDING_MAX and scene.nothing_heard()
    for one in asked:
        scene.say(Code.DISCONNECT_ACK, one)
    for _ in range(10):
        scene.say(Code.DISCONNECT_ACK, scene.heard()[0])
    assert len(causes(scene)) == count and scene.disconnects.pending == 0


def test_a_client_that_cannot_be_reached_is_silence_at_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.disconnects.on_durable(scene.effects(2, client=b"pgw2"))
    assert causes(scene) == [(EFFECT_SILENCE, 0)] * 2
    assert caplog.text.count("pgw2 has no dynauth address") == 1


def test_a_held_one_is_not_sent(scene: Scene) -> None:
    scene.disconnects.on_durable(scene.effects(held=1))
    assert scene.nothing_heard() and scene.disconnects.pending == 0


@pytest.mark.parametrize(
    ("gateway", "attribute", "value"),
    [
        (b"10.1.2.3", NAS_IP_ADDRESS, b"\x0a\x01\x02\x03"),
        (b"pgw1", NAS_IDENTIFIER, None),
        (b"\xff-7", NAS_IDENTIFIER, b"\xff-7"),
        (b"(more than fit)", NAS_IDENTIFIER, None),
    ],
)
def test_the_nas_is_named_as_it_named_itself(
    scene: Scene, gateway: bytes, attribute: int, value: bytes | None
) -> None:
    scene.disconnects.on_durable(scene.effects(gateway=gateway))
    assert dict(scene.heard()[0].attributes).get(attribute) == value


def test_an_id_that_may_be_cut_is_not_sent(scene: Scene) -> None:
    """The gateway would not know it, and its NAK would end a session that is alive."""
    effects = scene.effects()
    effects["session_id"], effects["session_id_octets"], effects["address"] = ord("x"), 48, 0x0A400001
    scene.disconnects.on_durable(effects)
    asked, _ = scene.heard()
    assert asked.get("Acct-Session-Id") is None
    assert (asked.get("3GPP-IMSI"), asked.get("Framed-IP-Address")) == ("001010000000001", "10.64.0.1")


@pytest.mark.parametrize(
    ("auth", "peers", "source"),
    [
        ("127.0.0.1", ["127.0.0.9"], "127.0.0.1"),
        ("127.0.0.1", ["127.0.0.9", "192.0.2.1"], "0.0.0.0"),
        ("192.0.2.7", ["192.0.2.1"], "192.0.2.7"),
        ("0.0.0.0", ["192.0.2.1"], "0.0.0.0"),
        ("2001:db8::7", ["127.0.0.9", "2001:db8::1"], "127.0.0.1"),
    ],
)
def test_the_source_is_the_address_that_gateways_know(auth: str, peers: list[str], source: str) -> None:
    known = [Peer((host, 3799), SECRET) for host in peers]
    assert source_of(socket.AF_INET, known, auth) == source
