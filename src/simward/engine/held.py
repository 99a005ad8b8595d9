"""An address or prefix as somebody asks for it, and which events report it."""

from __future__ import annotations

import ipaddress

import numpy as np

BITS, HALF = 128, 64


class Held:
    """An IPv4 address, an IPv6 address or an IPv6 prefix. Prefixes match where one contains the other."""

    def __init__(self, ipv4: int = 0, ipv6: int = 0, length: int = 0) -> None:
        self._ipv4, self._length = ipv4, length
        self._high, self._low = np.uint64(ipv6 >> HALF), np.uint64(ipv6 & (1 << HALF) - 1)

    @staticmethod
    def parse(text: str) -> Held:
        """From what a person types; ValueError where it is none of the three."""
        if "/" in text:
            network = ipaddress.IPv6Network(text)
            return Held(0, int(network.network_address), network.prefixlen)
        address = ipaddress.ip_address(text)
        return Held(int(address)) if address.version == 4 else Held(0, int(address), BITS)

    def among(self, events: np.ndarray) -> np.ndarray:
        """Which events (EVENT) report it, as booleans."""
        if self._ipv4:
            reported: np.ndarray = events["address"] == self._ipv4
            return reported
        nothing = np.zeros(len(events), np.int64)
        prefix = self._overlaps(events["prefix_high"], events["prefix_low"], events["prefix_length"])
        delegated = self._overlaps(events["delegated_high"], nothing, events["delegated_length"])
        return prefix | delegated | self._overlaps(events["ipv6_high"], events["ipv6_low"], has_ipv6(events) * BITS)

    def _overlaps(self, high: np.ndarray, low: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Do the bits agree that both have?"""
        common = np.minimum(lengths.astype(np.int64), self._length)
        upper = (high.view(np.uint64) ^ self._high) & _ones(np.minimum(common, HALF))
        lower = (low.view(np.uint64) ^ self._low) & _ones(np.maximum(common - HALF, 0))
        agreed: np.ndarray = (lengths > 0) & (upper == 0) & (lower == 0)
        return agreed


def without_address(events: np.ndarray) -> np.ndarray:
    """Which events report no address of any family."""
    said = (events["address"] != 0) | (events["prefix_length"] != 0) | (events["delegated_length"] != 0)
    silent: np.ndarray = ~(said | has_ipv6(events))
    return silent


def has_ipv6(events: np.ndarray) -> np.ndarray:
    """Which events report a Framed-IPv6-Address, as booleans."""
    reported: np.ndarray = (events["ipv6_high"] != 0) | (events["ipv6_low"] != 0)
    return reported


def _ones(count: np.ndarray) -> np.ndarray:
    """The uppermost bits of 64, as many as `count` says."""
    all_ones = np.uint64((1 << HALF) - 1)
    # A shift by the whole width is undefined: 0 bits are told apart.
    shift = np.where(count == 0, 0, HALF - count).astype(np.uint64)
    return np.where(count == 0, np.uint64(0), all_ones << shift)
