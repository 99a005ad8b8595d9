"""Files that may be packed (gzip, zstd, by the end of a name): how they are unpacked, and how far they were read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""By the end of a file's name."""


class Counted:
    """A file that says how far it was read; Arrow reads it ahead."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.octets_read = file, 0

    def read(self, count: int = -1) -> bytes:
        """As of the file."""
        octets = self._file.read(count)
        self.octets_read += len(octets)
        return octets

    def readline(self, most: int = -1) -> bytes:
        """Likewise."""
        octets = self._file.readline(most)
        self.octets_read += len(octets)
        return octets

    def readable(self) -> bool:
        """As Arrow asks."""
        return True

    def close(self) -> None:
        """The file is closed by who opened it."""
        self.closed = True


def unpacked(file: Counted, path: Path) -> Any:
    """What is to be read of a file of this name: itself, or what is packed in it."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression) if compression else file
