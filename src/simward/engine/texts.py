"""Texts that events refer to by number: APNs, NAS-Identifiers, client names.

Exact (bytes are compared, not only hashes), bounded, found by compiled code without allocation. New texts are
journalled with the row that first uses them, so that numbers mean the same in every replay. Id 0 is "none", id 1
"(more than fit)".
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.compiled import entry, records
from simward.engine.whole_ids import WholeIds

TEXTS_MAX = 65_536
TEXTS_RESERVED = 8_192
TEXT_OCTETS_MAX = 253
NO_TEXT, OVERFLOW_TEXT = 0, 1

TEXT = np.dtype([("start", "i4"), ("octets", "i4")], align=True)


@njit
def text_hash(octets, start, count):  # type: ignore[no-untyped-def]
    """FNV-1a folded to 31 bits; explicit int64, so that compiled and interpreted agree."""
    value = np.int64(2166136261)
    for position in range(start, start + count):
        value = ((value ^ np.int64(octets[position])) * np.int64(16777619)) & np.int64(0xFFFFFFFF)
    return (value ^ (value >> np.int64(15))) & np.int64(0x7FFFFFFF)


@njit
def find_text(slots, entries, blob, octets, start, count):  # type: ignore[no-untyped-def]
    """The id of octets[start:start+count], or -1 where it is not in the table. An empty text is id 0."""
    if count == 0:
        return np.int64(0)
    mask = np.int64(len(slots) - 1)
    at = text_hash(octets, start, count) & mask
    while True:
        found = np.int64(slots[at])
        if found == 0:
            return np.int64(-1)
        if np.int64(entries[found].octets) == count:
            base = np.int64(entries[found].start)
            same = True
            for position in range(count):
                if blob[base + position] != octets[start + position]:
                    same = False
                    break
            if same:
                return found
        at = (at + np.int64(1)) & mask


# From Python only by these: called as they are, both would be compiled anew in every process, which takes 0.4 s.
_text_hash, _find_text = entry(text_hash, depends=[]), entry(find_text, depends=[])


class Texts:
    """The table. `slots`, `entries` and `blob` are what compiled look-ups take; they may be replaced by `intern`.

    `whole_ids` goes with it from where packets are decoded to where events are folded: what has no room in an event.
    """

    def __init__(self) -> None:
        self.slots = np.zeros(4 * 1024, np.int32)
        self.entries = records(np.zeros(1024, TEXT))
        self.blob = np.zeros(32 * 1024, np.uint8)
        self.whole_ids = WholeIds()
        self.count = 0
        self._used = 0
        self._new: list[tuple[int, bytes]] = []
        self._add(b"")
        self._add(b"(more than fit)")
        self._new.clear()

    def intern(self, text: bytes, *, reserved: bool = False) -> int:
        """The id of `text`, a new one where it is not known; OVERFLOW_TEXT where the table is full.

        What packets bring may not use the room that is `reserved` for policy and for configured names.
        """
        text = text[:TEXT_OCTETS_MAX]
        found = self.find(text)
        if found >= 0:
            return found
        if self.count >= TEXTS_MAX - (0 if reserved else TEXTS_RESERVED):
            return OVERFLOW_TEXT
        return self._add(text)

    def find(self, text: bytes) -> int:
        """The id of `text` or -1."""
        octets = np.frombuffer(text, np.uint8)
        return int(_find_text(self.slots, self.entries, self.blob, octets, 0, len(octets)))

    def text(self, number: int) -> bytes:
        """The text behind an id; empty where there is none."""
        if not 0 < number < self.count:
            return b""
        entry = self.entries[number]
        return self.blob[int(entry["start"]) : int(entry["start"]) + int(entry["octets"])].tobytes()

    def name(self, number: int) -> str:
        """The text behind an id, printable."""
        return self.text(number).decode("utf-8", "backslashreplace")

    def take_new(self) -> list[tuple[int, bytes]]:
        """What has been interned since the last call: to be journalled with the row that uses it."""
        new, self._new = self._new, []
        return new

    def load(self, texts: list[tuple[int, bytes]]) -> None:
        """Put journalled texts back under their numbers (they must follow on)."""
        for number, text in texts:
            if number < self.count:
                continue
            assert self._add(text) == number
        self._new.clear()

    def all(self) -> list[bytes]:
        """Every text in the order of ids, for a snapshot."""
        return [self.text(number) for number in range(self.count)]

    def _add(self, text: bytes) -> int:
        number = self.count
        if number >= len(self.entries):
            grown = records(np.zeros(2 * len(self.entries), TEXT))
            grown[:number] = self.entries
            self.entries = grown
        while self._used + len(text) > len(self.blob):
            self.blob = np.concatenate([self.blob, np.zeros_like(self.blob)])
        self.blob[self._used : self._used + len(text)] = np.frombuffer(text, np.uint8)
        self.entries[number] = (self._used, len(text))
        self._used += len(text)
        self.count += 1
        self._new.append((number, text))
        if text:
            if 2 * self.count > len(self.slots):
                self.slots = np.zeros(2 * len(self.slots), np.int32)
                for known in range(1, number):
                    self._place(known)
            self._place(number)
        return number

    def _place(self, number: int) -> None:
        mask = len(self.slots) - 1
        text = np.frombuffer(self.text(number), np.uint8)
        at = int(_text_hash(text, 0, len(text))) & mask
        while self.slots[at]:
            at = (at + 1) & mask
        self.slots[at] = number
