"""MD5 and HMAC-MD5 as compiled here are those of hashlib and hmac."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simward import compiled
from simward.wire.radius import md5

hash_once = compiled.entry(md5.md5, depends=[md5])
sign_once = compiled.entry(md5.hmac_md5, depends=[md5])
SCRATCH, STATE = md5.new_scratch(), np.zeros(4, np.uint32)
messages = st.binary(max_size=300) | st.integers(0, 4096 + 1024).map(lambda size: bytes(size))


def put(message: bytes) -> int:
    SCRATCH[:] = 0xA5  # what an earlier packet left behind
    SCRATCH[: len(message)] = np.frombuffer(message, np.uint8)
    return len(message)


@given(messages)
def test_md5_is_hashlibs(message: bytes) -> None:
    hash_once(SCRATCH, put(message), STATE)
    assert STATE.tobytes() == hashlib.md5(message).digest()


@given(messages, st.binary(min_size=1, max_size=130))
def test_hmac_is_hmacs(message: bytes, secret: bytes) -> None:
    key = md5.hmac_key(secret).view(np.recarray)
    sign_once(SCRATCH, put(message), key[0], STATE)
    assert STATE.tobytes() == hmac.digest(secret, message, "md5")


def test_every_length_around_two_block_edges() -> None:
    for size in range(140):
        message = bytes(range(size))
        hash_once(SCRATCH, put(message), STATE)
        assert STATE.tobytes() == hashlib.md5(message).digest(), size
