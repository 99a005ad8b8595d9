"""What a power cut leaves of a folder: replays the record that power.c makes, up to any moment."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
ACKNOWLEDGED = "acknowledged"
"""A file that is not part of what is tested: what is written there was promised at that moment."""

_HEAD = struct.Struct("<cQQQ")


@dataclass(frozen=True)
class Change:
    """One entry of the record."""

    kind: str
    inode: int
    offset: int
    octets: bytes


def read_record(path: Path) -> list[Change]:
    """Every change, in order; a last one that was cut off is left out."""
    whole, at, found = path.read_bytes(), 0, []
    while at + _HEAD.size <= len(whole):
        kind, inode, offset, length = _HEAD.unpack_from(whole, at)
        at += _HEAD.size
        if at + length > len(whole):
            break
        found.append(Change(kind.decode(), inode, offset, whole[at : at + length]))
        at += length
    return found


@dataclass
class File:
    """What is on the disk for certain, and what was asked for since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            put(self.durable, change, change.octets)
        self.pending.clear()


def put(content: bytearray, change: Change, octets: bytes, skip: int = 0) -> None:
    """Apply one write (or the part of it that begins `skip` octets in) or truncation."""
    start = change.offset + skip
    if change.kind == "T":
        del content[change.offset :]
    if len(content) < start:
        content.extend(bytes(start - len(content)))
    content[start : start + len(octets)] = octets


class Disk:
    """A folder under a disk that may lose, tear and reorder whatever was not synced, names included."""

    def __init__(self, folder: Path) -> None:
        """Begin with what is in `folder` now, as if all of it were synced."""
        self.files: dict[int, File] = {}
        self.names: dict[str, File] = {}
        self.renames: list[tuple[str, str, File]] = []  # (old name or "", new name or "", file), since the last sync
        self.folder_inode = folder.stat().st_ino
        self.acknowledged = 0
        self._promises = -1
        for path in folder.iterdir():
            found = File(bytearray(path.read_bytes()))
            self.files[path.stat().st_ino] = self.names[path.name] = found

    def apply(self, change: Change) -> None:
        """Let one change happen."""
        name = change.octets.decode(errors="replace") if change.kind in "CUR" else ""
        if change.kind == "C":
            if name == ACKNOWLEDGED:
                self._promises = change.inode
            self.files[change.inode] = File()
            self.renames.append(("", name, self.files[change.inode]))
        elif change.inode == self._promises:
            if change.kind == "W":
                self.acknowledged = int(change.octets)
        elif change.kind == "U":
            self.renames.append((name, "", self.files.get(change.inode, File())))
        elif change.kind == "R":
            old, new = name.rstrip("\0").split("\0")
            self.renames.append((old, new, self.files[change.inode]))
        elif change.inode == self.folder_inode:
            self._sync_names(len(self.renames), self.names)
            self.renames.clear()
        elif change.kind == "S":
            self.files[change.inode].sync()
        elif change.kind == "F":
            self.files[change.inode].pending.clear()
        else:
            self.files[change.inode].pending.append(change)

    def cut(self, into: Path, chance: random.Random, keep: float) -> None:
        """Write what the power cut left to the empty folder `into`: each unsynced sector survives with `keep`.

        Names appear in the order in which they were made (file systems journal them), up to a random one.
        """
        names = dict(self.names)
        self._sync_names(chance.randint(0, len(self.renames)) if keep else 0, names)
        for name, file in names.items():
            if name.endswith("-shm") or name == ACKNOWLEDGED:
                continue  # shared memory does not survive
            content = bytearray(file.durable)
            for change in file.pending:
                if change.kind == "T":
                    if chance.random() < keep:
                        put(content, change, b"")
                    continue
                for skip, sector in sectors(change):
                    if chance.random() < keep:
                        put(content, change, sector, skip)
            (into / name).write_bytes(content)

    def _sync_names(self, count: int, names: dict[str, File]) -> None:
        for old, new, file in self.renames[:count]:
            if old:
                names.pop(old, None)
            if new:
                names[new] = file


def sectors(change: Change) -> Iterator[tuple[int, bytes]]:
    """The parts of a write that a disk keeps or loses each by itself: (where in the write, octets)."""
    at = 0
    while at < len(change.octets):
        end = min(len(change.octets), at + SECTOR - (change.offset + at) % SECTOR)
        yield at, change.octets[at:end]
        at = end
