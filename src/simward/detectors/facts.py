"""Constants and small pure functions that detectors share; compiled with them."""

from __future__ import annotations

from numba import njit

NONE = 0
NOT_REPORTED = 0
NO_SOFTWARE = -1

# Event kinds that detectors ask about (engine/events.py holds the list; a test keeps the two equal).
ACCESS_REQUEST = 1
ACCOUNTING_START = 2
ACCOUNTING_ON = 5
ACCOUNTING_OFF = 6


@njit
def tac(imei):  # type: ignore[no-untyped-def]
    """Type Allocation Code: the first 8 of the 14 digits (TS 23.003 6.2.1)."""
    return imei // 1_000_000


@njit
def imeisv(imei, software):  # type: ignore[no-untyped-def]
    """Device and software version as one number for evidence: IMEI * 1000 + software + 1 (0 = version not reported)."""
    return imei * 1000 + software + 1
