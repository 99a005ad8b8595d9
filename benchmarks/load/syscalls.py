"""recvmmsg, sendmmsg, clock and nap as compiled code calls them: by name, so that the machine code can be cached."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

_I32: Any = types.int32
_I64, _U32 = types.int64, types.uint32
RECVMMSG: Any = types.ExternalFunction("recvmmsg", _I32(_I32, _I64, _U32, _I32, _I64))
SENDMMSG: Any = types.ExternalFunction("sendmmsg", _I32(_I32, _I64, _U32, _I32))
USLEEP: Any = types.ExternalFunction("usleep", _I32(_U32))
CLOCK_GETTIME: Any = types.ExternalFunction("clock_gettime", _I32(_I32, _I64))

DONTWAIT = 0x40
MONOTONIC = 1

MMSGHDR = np.dtype(
    [
        ("name", "i8"), ("name_octets", "i8"), ("vector", "i8"), ("vectors", "i8"), ("control", "i8"),
        ("control_octets", "i8"), ("message_flags", "i8"), ("octets", "i8"),
    ]
)  # fmt: skip
"""struct mmsghdr on 64-bit little-endian Linux, padding included."""
IOVEC = np.dtype([("base", "i8"), ("octets", "i8")])


@njit(cache=True, nogil=True)
def nanoseconds(moment):  # type: ignore[no-untyped-def]
    """CLOCK_MONOTONIC; `moment` is an int64[2] to work in."""
    CLOCK_GETTIME(np.int32(MONOTONIC), moment.ctypes.data)
    return moment[0] * 1_000_000_000 + moment[1]


def messages(count: int, room: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Headers, vectors and buffers (uint8[count, room]) for a batch; each header points to its vector and buffer."""
    headers, vectors, buffers = np.zeros(count, MMSGHDR), np.zeros(count, IOVEC), np.zeros((count, room), np.uint8)
    vectors["base"] = buffers.ctypes.data + np.arange(count) * room
    vectors["octets"] = room
    headers["vector"] = vectors.ctypes.data + np.arange(count) * IOVEC.itemsize
    headers["vectors"] = 1
    return headers.view(np.recarray), vectors.view(np.recarray), buffers
