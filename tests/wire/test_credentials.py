"""PAP and CHAP: right, wrong and missing, at every length, and never to be seen."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from simward.engine.events import (
    CREDENTIALS_MISSING,
    CREDENTIALS_NOT_ASKED,
    CREDENTIALS_RIGHT,
    CREDENTIALS_WRONG,
)
from simward.engine.tables import ASKED_CHAP, ASKED_PAP
from simward.wire.radius.credentials import credentials_of
from simward.wire.radius.packet import Packet
from wire.asking import IMSI, SECRET, Reading, access, signed

PASSWORD = b"meters and more"


class Asking(Reading):
    """A receiver that asks two APNs for credentials, and a third one for none."""

    def __init__(self, password: bytes = PASSWORD) -> None:
        super().__init__()
        pap, chap = (self.texts.intern(name, reserved=True) for name in (b"pap.iot", b"chap.iot"))
        self.receiver.ask_for(credentials_of([(pap, ASKED_PAP, password), (chap, ASKED_CHAP, password)]))

    def judged(self, packet: Packet) -> int:
        return int(self.read(signed(packet)).events["credentials"][0])


def request(apn: str, seed: int = 1) -> Packet:
    return access([("3GPP-IMSI", IMSI), ("Called-Station-Id", apn)], seed=seed)


def chap(packet: Packet, password: bytes, challenge: bytes = b"", ident: int = 7) -> Packet:
    digest = hashlib.md5(bytes([ident]) + password + (challenge or packet.authenticator)).digest()
    packet.add("CHAP-Password", bytes([ident]) + digest)
    return packet.add("CHAP-Challenge", challenge) if challenge else packet


@pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 127, 128])
def test_a_password_of_any_length_is_told_from_others(length: int) -> None:
    password = bytes(np.random.default_rng(length).integers(1, 256, length, np.uint8))
    asking = Asking(password)
    assert asking.judged(request("pap.iot").add_user_password(password, SECRET)) == CREDENTIALS_RIGHT
    others = (password[:-1] + b"\0", password[:-1], password + b"x", b"\1" + password[1:] + b"y")
    for seed, wrong in enumerate(others, 2):
        if wrong != password and len(wrong) <= 128:
            assert asking.judged(request("pap.iot", seed).add_user_password(wrong, SECRET)) == CREDENTIALS_WRONG
    assert asking.judged(request("pap.iot", 9).add_user_password(password, b"another")) == CREDENTIALS_WRONG


def test_padding_with_more_blocks_than_needed_is_no_other_password() -> None:
    padded = PASSWORD.ljust(48, b"\0")
    assert Asking().judged(request("pap.iot").add_user_password(padded, SECRET)) == CREDENTIALS_RIGHT


@pytest.mark.parametrize("octets", [b"x" * 15, b"x" * 17, b"x" * 144])
def test_a_field_that_is_no_hidden_password_is_wrong(octets: bytes) -> None:
    assert Asking().judged(request("pap.iot").add("User-Password", octets)) == CREDENTIALS_WRONG


@pytest.mark.parametrize("challenge", [b"", b"c", b"challenge of this one" * 12])
def test_chap_with_a_challenge_and_with_the_authenticator(challenge: bytes) -> None:
    asking = Asking()
    assert asking.judged(chap(request("chap.iot"), PASSWORD, challenge)) == CREDENTIALS_RIGHT
    assert asking.judged(chap(request("chap.iot", 2), PASSWORD + b"!", challenge)) == CREDENTIALS_WRONG
    assert asking.judged(request("chap.iot", 3).add("CHAP-Password", b"\7" * 16)) == CREDENTIALS_WRONG


def test_what_is_shown_must_be_what_is_asked_for() -> None:
    asking = Asking()
    assert asking.judged(request("pap.iot")) == CREDENTIALS_MISSING
    assert asking.judged(chap(request("pap.iot", 2), PASSWORD)) == CREDENTIALS_MISSING
    assert asking.judged(request("chap.iot", 3).add_user_password(PASSWORD, SECRET)) == CREDENTIALS_MISSING
    assert asking.judged(request("open.iot", 4).add_user_password(b"gprs", SECRET)) == CREDENTIALS_NOT_ASKED
    assert asking.judged(access(seed=5)) == CREDENTIALS_NOT_ASKED


def test_a_secret_that_is_not_known_makes_nothing_right() -> None:
    asking = Asking(b"")
    assert asking.judged(request("pap.iot").add_user_password(b"", SECRET)) == CREDENTIALS_WRONG
    assert asking.judged(chap(request("chap.iot", 2), b"")) == CREDENTIALS_WRONG


def test_nothing_prints_a_password() -> None:
    asking = Asking()
    table = asking.receiver._work.credentials
    assert repr(table) == "Credentials(2 APNs)"
    assert str(table.passwords.tolist()[1][0]) not in repr(asking.receiver)
    with pytest.raises(ValueError, match="at most 128"):
        credentials_of([(1, ASKED_PAP, b"x" * 129)])
