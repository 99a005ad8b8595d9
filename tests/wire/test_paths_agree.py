"""The compiled path and the Python packet agree on every packet, and no mutation gets an event past the secret."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.outputs import RESULT
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import ACCOUNTING, AUTH, PacketBatch
from simward.wire.radius.dictionary import Code
from simward.wire.radius.outcomes import FIRST_DROPPED, OUTCOMES
from simward.wire.radius.packet import Packet, PacketError
from wire.asking import NOW, SECRET, Reading, accounting, sockaddr
from wire.mutating import Mutations

MUTATIONS = 40_000
BATCH = 1_000

digits = st.text("0123456789", min_size=14, max_size=16)
READING = Reading()


@given(
    st.text("0123456789", min_size=14, max_size=15), digits, st.integers(0, 2**32 - 1), st.integers(0, 2**20),
    st.integers(0, 2**32 - 1), st.text("abcdefgh.-", max_size=40), st.binary(min_size=1, max_size=60),
)
def test_fields_say_what_the_packet_says(
    imsi: str, imeisv: str, octets: int, wraps: int, address: int, apn: str, session: bytes
) -> None:
    packet = accounting("Interim-Update", [
        ("3GPP-IMSI", imsi), ("3GPP-IMEISV", imeisv), ("Acct-Input-Octets", octets), ("Acct-Input-Gigawords", wraps),
        ("Framed-IP-Address", address.to_bytes(4, "big")), ("Called-Station-Id", apn), ("Acct-Session-Id", session),
    ])
    READING.now += 60_000_000
    event = READING.event(packet)
    assert event.imsi == int("1" + imsi) and event.imei == int(imeisv[:14])
    assert event.uplink_octets == wraps % 2**30 * 2**32 + octets
    assert event.address == (address if address < 2**32 - 2 else 0)
    assert READING.texts.name(event.apn) == (apn.rstrip(".") or apn[:1])
    assert event.session_id_octets == min(len(session), 48)
    if len(session) <= 48:
        assert event.session_id.tobytes() == session.ljust(48, b"\0")


def reason(octets: bytes, kind: int) -> str:
    """What the Python packet has to say about a request, in the names of outcomes."""
    try:
        packet = Packet.decode(octets)
    except PacketError as error:
        if error.reason == "malformed_attribute" and octets[0] not in allowed(kind):
            return "bad_code"
        return error.reason
    if packet.code not in allowed(kind):
        return "bad_code"
    if sum(key == 33 for key, _ in packet.attributes) > 10:
        return "proxy_loop"
    # RFC 3579 3.2: EAP-Message never comes without Message-Authenticator.
    required = packet.code != Code.ACCOUNTING_REQUEST or any(key == 79 and value for key, value in packet.attributes)
    return "genuine" if packet.verify_request(SECRET, required) else "forged"


def allowed(kind: int) -> tuple[int, int]:
    return (Code.ACCOUNTING_REQUEST if kind == ACCOUNTING else Code.ACCESS_REQUEST), Code.STATUS_SERVER


def test_mutations_are_judged_alike_and_none_makes_an_event_unsigned() -> None:
    random, mutations = np.random.default_rng(5), Mutations(5, SECRET)
    reading = Reading(capacity=BATCH)
    answerer, out = Answerer(reading.clients, {}), PacketBatch(BATCH)
    seen = set()
    for round_number in range(MUTATIONS // BATCH):
        reading.batch.clear()
        packets = []
        for number in range(BATCH):
            kind = int(random.choice([AUTH, ACCOUNTING]))
            octets = mutations.next()
            packets.append((octets, kind))
            reading.batch.add(octets, sockaddr(port=1_024 + number), kind)
        decoded = reading.receiver.decode(reading.batch, NOW + round_number * 60_000_000)
        for (octets, kind), status in zip(packets, decoded.status.tolist(), strict=True):
            check(octets, kind, OUTCOMES[status], status < FIRST_DROPPED)
            seen.add(OUTCOMES[status])
        answers = answerer.answer(reading.batch, decoded, np.zeros(decoded.count, RESULT), out)
        assert answers == int((decoded.status < FIRST_DROPPED).sum())
    assert {"accepted", "status_server", "malformed_attribute", "bad_length", "bad_authenticator"} <= seen


def check(octets: bytes, kind: int, outcome: str, answered: bool) -> None:
    said = reason(octets, kind)
    if answered:
        assert said == "genuine", (outcome, said, octets.hex())
    elif said == "genuine":
        assert outcome in ("invalid_attribute", "missing_status_type"), (outcome, octets.hex())
    elif said == "forged":
        assert outcome.endswith("authenticator"), (outcome, octets.hex())
    else:
        assert outcome == said, (outcome, said, octets.hex())
