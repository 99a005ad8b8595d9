"""Eight messages at a time have the digests that hashlib says, whatever their lengths; compiled only."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from numba import njit

from simward.compiled import INTERPRETED
from simward.wire.radius.lanes import LANES, Lanes, add_octets, new_lanes, open_lane, run_lanes, turn_outward
from simward.wire.radius.md5 import INITIAL, hmac_key

pytestmark = pytest.mark.skipif(INTERPRETED, reason="there are no vectors in interpreted code")
LENGTHS = [0, 1, 55, 56, 63, 64, 119, 120, 247, 4096, 5120]


@njit
def hashed(lanes, octets, lengths, signed, inner, outer):  # type: ignore[no-untyped-def]
    """The first lengths[n] octets in lane n, under a key where signed[n] says so; -1 leaves the lane idle."""
    for lane in range(len(lengths)):
        if lengths[lane] >= 0:
            open_lane(lanes, lane, inner if signed[lane] else INITIAL, 64 if signed[lane] else 0)
            add_octets(lanes, lane, octets, 0, lengths[lane] // 2)
            add_octets(lanes, lane, octets, lengths[lane] // 2, lengths[lane] - lengths[lane] // 2)
    run_lanes(lanes)
    for lane in range(len(lengths)):
        if lengths[lane] >= 0 and signed[lane]:
            turn_outward(lanes, lane, outer, 64)
    run_lanes(lanes)


def digests(lanes: Lanes) -> list[bytes]:
    return [lanes.states[:, lane].tobytes() for lane in range(LANES)]


def test_as_hashlib_says() -> None:
    random, key = np.random.default_rng(1), hmac_key(b"secret")[0]
    lanes = new_lanes()
    for _ in range(200):
        lengths = random.choice([-1, *LENGTHS], random.integers(1, LANES + 1))
        signed = random.integers(0, 2, len(lengths)).astype(np.bool_)
        octets = random.integers(0, 256, 6000).astype(np.uint8)
        hashed(lanes, octets, lengths, signed, key["inner"], key["outer"])
        for length, is_signed, digest in zip(lengths, signed, digests(lanes), strict=False):
            message = octets[: max(length, 0)].tobytes()
            if length >= 0:
                assert digest == (
                    hmac.digest(b"secret", message, "md5") if is_signed else hashlib.md5(message).digest()
                )
