"""Class: what we wrote is known again, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.outputs import RESULT
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import PacketBatch
from simward.wire.radius.class_token import OCTETS, class_key, halfsiphash
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Receiver
from wire.asking import Gateway, Reading, access, accounting, signed

KEY, OTHER_KEY = bytes(range(8)), bytes(range(1, 9))
CLASS = 25


def reading(key: bytes) -> Reading:
    made = Reading()
    made.receiver = Receiver(made.clients, made.texts, key=key)
    return made


READING, STRANGER = reading(KEY), reading(OTHER_KEY)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [(0, "218d1f59b9b83cc8"), (4, "d5e78a175be52ea1"), (8, "edfee820bce4858c"), (12, "7bc71f9faef5c799")],
)
def test_halfsiphash_is_that_of_its_authors(octets: int, expected: str) -> None:
    """vectors_hsip64 of their reference code: key and message are 0, 1, 2, ..."""
    words = np.frombuffer(bytes(range(16)), "<u4").astype(np.int64)
    result = halfsiphash(class_key(KEY), words, octets // 4, octets)
    assert b"".join(int(one).to_bytes(4, "little") for one in result).hex() == expected


def written(token: int, row: int, check: int) -> bytes:
    """The Class of an Accept."""
    READING.now += 60_000_000
    decoded = READING.read(signed(access()))
    result = np.zeros(1, RESULT)
    result["class_token"], result["row"], result["class_check"] = token, row, check
    out = PacketBatch(64)
    Answerer(READING.clients, {}, key=KEY).answer(READING.batch, decoded, result, out)
    return next(value for key, value in Packet.decode(next(iter(out.datagrams()))).attributes if key == CLASS)


def read_back(*values: bytes, by: Reading = READING) -> tuple[int, int, int]:
    packet = accounting("Interim-Update")
    packet.attributes += [(CLASS, value) for value in values]
    by.now += 60_000_000
    event = by.event(packet)
    return int(event.class_token), int(event.class_row), int(event.class_check)


@given(st.integers(1, 2**62), st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1))
def test_what_was_written_comes_back(token: int, row: int, check: int) -> None:
    value = written(token, row, check)
    assert len(value) == OCTETS
    assert read_back(value) == (token, row, check)
    assert read_back(value, by=STRANGER) == (0, 0, 0), "another installation's"


def test_ours_is_found_among_others() -> None:
    value = written(7, 3, 5)
    assert read_back(b"isp", b"", value, b"x" * 24) == (7, 3, 5)
    assert read_back(b"isp", b"x" * 24, b"SWC1" + bytes(20)) == (0, 0, 0)


@given(st.integers(0, (OCTETS - 4) * 8 - 1))
def test_a_changed_bit_makes_it_nobodys_or_fails_the_check(bit: int) -> None:
    value = bytearray(written(7, 3, 5))
    value[bit // 8] ^= 1 << bit % 8
    assert read_back(bytes(value)) == (0, 0, 0)


def test_it_says_nothing_about_the_subscription() -> None:
    """The 32 bits that depend on the IMSI are masked: equal ones do not show."""
    assert written(7, 3, 5)[-4:] != written(8, 3, 5)[-4:]


def test_a_key_has_eight_octets() -> None:
    with pytest.raises(ValueError, match="8 octets"):
        Receiver(ClientTable((Gateway(),), READING.texts), READING.texts, key=b"short")
