"""Filter-Id (RFC 2865 5.11) and NAS-Filter-Rule (RFC 4849) as attributes, and the table that answers copy them from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import copy
from simward.wire.radius.packet import HEADER_OCTETS, Packet

VALUE_OCTETS_MAX = 253
FILTER_OCTETS_MAX = 1200
"""Of the attributes of one filter: with all else, and ten Proxy-States, an Access-Accept stays below 4096."""


class Filters(NamedTuple):
    """What an Access-Accept carries: for segment s and verdict v (0 allow, 1 quarantine), counts[s, v] octets of
    attributes from begins[s, v] on.
    """

    octets: np.ndarray  # u1
    begins: np.ndarray  # i4[segment, 2]
    counts: np.ndarray  # i4[segment, 2]


def filter_values(name: str, rules: Sequence[str]) -> list[tuple[str, bytes]]:
    """The attributes of a filter by name and value: one Filter-Id, or rules with a NUL between them, cut where an
    attribute is full (RFC 4849 2).
    """
    if name:
        return [("Filter-Id", name.encode())]
    joined = "\0".join(rules).encode()
    return [
        ("NAS-Filter-Rule", joined[at : at + VALUE_OCTETS_MAX]) for at in range(0, len(joined), VALUE_OCTETS_MAX)
    ]


def filters_of(segments: Iterable[tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]]) -> Filters:
    """The table of (filter, quarantine filter) of every segment in their order, each as `filter_values` gives it.

    ValueError where one is too long for an answer.
    """
    octets, begins, counts = bytearray(), [], []
    for pair in segments:
        encoded = [Packet(0, 0).add_all(one).encode()[HEADER_OCTETS :] for one in pair]
        if max(len(one) for one in encoded) > FILTER_OCTETS_MAX:
            raise ValueError(f"a filter of {max(len(one) for one in encoded)} octets: at most {FILTER_OCTETS_MAX}")
        begins.append([len(octets), len(octets) + len(encoded[0])])
        counts.append([len(one) for one in encoded])
        octets += b"".join(encoded)
    return Filters(
        np.frombuffer(bytes(octets) or b"\0", np.uint8).copy(), np.array(begins or [[0, 0]], np.int32),
        np.array(counts or [[0, 0]], np.int32),
    )


@uncounted
def put_filter(octets, at, segment, verdict, filters):  # type: ignore[no-untyped-def]
    """Write the filter of a segment; returns where the next attribute goes."""
    if segment >= len(filters.counts):
        return at
    count = np.int64(filters.counts[segment, verdict])
    copy(octets, at, filters.octets, np.int64(filters.begins[segment, verdict]), count)
    return at + count
