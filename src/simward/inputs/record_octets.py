"""What an operator's file says, as UTF-8 in blocks: unpacked, from UTF-16 where it begins so, with \\n after lines."""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path
from typing import BinaryIO

from simward.inputs.packed import Counted, unpacked

BLOCK_OCTETS = 4 << 20


class Hashed(Counted):
    """A file whose digest is that of what was read of it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.sha256 = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        """As of the file."""
        octets = super().read(count)
        self.sha256.update(octets)
        return octets


class Plain:
    """What a file says, block by block. `begins` is what it begins with, still to be read."""

    def __init__(self, file: Counted, path: Path) -> None:
        self._source = unpacked(file, path)
        first = self._source.read(BLOCK_OCTETS)
        recoded = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace") if recoded else None
        self.begins = self._decoded(first).removeprefix(codecs.BOM_UTF8)
        self._old = b"\r" in self.begins and b"\n" not in self.begins
        """Lines end as they did on the Macintosh."""
        self._told = False

    def read(self) -> bytes:
        """The next block; empty at the end."""
        octets, self._told = (b"", True) if self._told else (self.begins, True)
        while not octets:
            block = self._source.read(BLOCK_OCTETS)
            octets = self._decoded(block)
            if not block:
                break
        return octets.replace(b"\r", b"\n") if self._old else octets

    def _decoded(self, block: bytes) -> bytes:
        return block if self._decoder is None else self._decoder.decode(block, final=not block).encode()
