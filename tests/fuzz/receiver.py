"""What a signed request says, by the compiled receiver and by plain Python; and that an unsigned one says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from simward.wire.radius.batch import ACCOUNTING, AUTH
from simward.wire.radius.outcomes import FIRST_DROPPED, OUTCOMES
from wire.asking import SECRET, Reading
from wire.corpus import corpus
from wire.mutating import is_genuine, resigned
from wire.oracle import differences

OCTETS_MAX = 4_096
READING = Reading()
TEXTS_AT_MOST = 8_000
"""Then a fresh table: one that is full gives every further APN the same number."""


def seeds() -> Iterator[bytes]:
    """The corpus."""
    return (case.octets for case in corpus() if case.octets)


def check(octets: bytes) -> None:
    """As it came, and signed by somebody who knows the secret."""
    global READING
    if READING.texts.count > TEXTS_AT_MOST:
        READING = Reading()
    READING.now += 60_000_000
    READING.texts.take_new()
    judge(octets)
    if len(octets) >= 20:
        changed = bytearray(octets)
        changed[2:4] = len(changed).to_bytes(2, "big")
        if changed[0] != 4:
            changed[0] = 1
            changed = bytearray(with_signature(bytes(changed)))
        judge(resigned(changed, SECRET))


def with_signature(octets: bytes) -> bytes:
    """With a Message-Authenticator in front of the attributes, where there is room for one."""
    body = bytes([80, 18]) + bytes(16) + octets[20:]
    return octets[:2] + (20 + len(body)).to_bytes(2, "big") + octets[4:20] + body if len(body) <= 4_076 else octets


def judge(octets: bytes) -> None:
    """One datagram at one time."""
    kind = ACCOUNTING if octets[:1] == b"\4" else AUTH
    decoded = READING.read(octets, kind=kind)
    status = int(decoded.status[0])
    genuine = is_genuine(octets, kind, SECRET)
    assert genuine or status >= FIRST_DROPPED, (OUTCOMES[status], octets.hex())
    assert decoded.count == (status == 0)
    if decoded.count:
        wrong = differences(decoded.events[0], octets, READING.texts)
        assert not wrong, (wrong, octets.hex())

