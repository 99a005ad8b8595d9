"""Acct-Session-Ids of more than 48 octets, whole, beside the events that have a part of them.

An event has room for 48 octets: of a longer id the first 40 and a hash of all. The rest comes beside the events: from
the packets where they are decoded, from the notes of a row where the journal is read. What a session needs of it the
fold keeps (long_ids.py); here it stays until the next batch or row.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from simward.engine.events import FLAG_SESSION_ID_CUT, SESSION_ID_OCTETS
from simward.engine.layouts import WHOLE_ID

HASH_OCTETS = 8
Pair = tuple[bytes, bytes]
"""The hash that the events have in place of the rest, and the whole id."""


class WholeIds:
    """Those of the batch at hand, sorted by hash for compiled look-ups."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}  # by the part that events have
        self.rows = np.zeros(1, WHOLE_ID)
        self.count = 0

    def load(self, pairs: Iterable[Pair]) -> None:
        """Put these in the place of those before."""
        kept = SESSION_ID_OCTETS - HASH_OCTETS
        known = {whole[:kept] + named: whole for named, whole in pairs if len(whole) > SESSION_ID_OCTETS}
        if not known and not self._known:
            return
        self._known, self.count = known, len(known)
        if self.count > len(self.rows):
            self.rows = np.zeros(2 * self.count, WHOLE_ID)
        for row, (part, whole) in zip(self.rows, sorted(known.items(), key=_by_hash), strict=False):
            row["hash"] = int.from_bytes(part[kept:], "big", signed=True)
            row["octets"] = len(whole)
            row["text"][: len(whole)] = np.frombuffer(whole, np.uint8)

    def of(self, part: bytes) -> bytes:
        """The whole of the id that an event has a part of; empty where it is not known."""
        return self._known.get(part, b"")

    def among(self, events: np.ndarray) -> list[Pair]:
        """Those of these EVENT rows, each once: to be journalled with them."""
        if not self._known:
            return []
        parts = dict.fromkeys(one.tobytes() for one in events["session_id"][events["flags"] & FLAG_SESSION_ID_CUT != 0])
        return [(part[-HASH_OCTETS:], self._known[part]) for part in parts if part in self._known]


def pairs_noted(noted: Iterable[Any]) -> list[Pair]:
    """From the notes of a row, as `notes_of_pairs` writes them."""
    return [(base64.b64decode(named), base64.b64decode(whole)) for named, whole in noted]


def notes_of_pairs(pairs: Iterable[Pair]) -> list[list[str]]:
    """As JSON can hold them."""
    return [[base64.b64encode(one).decode() for one in pair] for pair in pairs]


def _by_hash(known: tuple[bytes, bytes]) -> tuple[int, bytes]:
    part, _ = known
    return int.from_bytes(part[-HASH_OCTETS:], "big", signed=True), part
