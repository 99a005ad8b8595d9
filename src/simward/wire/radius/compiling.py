"""The decorator of compiled functions on the packet path: no reference counts, since they make and keep no arrays."""

from __future__ import annotations

from typing import Any

from numba import njit

uncounted: Any = njit(_nrt=False)
"""`njit` without numba's run-time memory management.

Each array in a tuple of arrays would be counted up and down, atomically, at every call: a third of the time of decoding
a packet. Only for functions that allocate nothing; one that tries does not compile.
"""
