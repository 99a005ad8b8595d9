"""Snapshots: the state of a fold after one sequence, in one file that is either whole or not there.

A file is a header (JSON: sequence, kernel, notes, and for each array its name, dtype by field names, shape and place;
with its SHA-256), the arrays as they are in memory, each at a multiple of 4096, and the SHA-256 of each array.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from simward.errors import JournalError

MAGIC = b"SIMWSNP1"
KEPT = 2
LEFT_BEHIND_S = 3600
_PAGE = 4096
_CHUNK = 1 << 20
"""What is hashed right after it was read should still be in the core's cache."""
_READERS = 4
_DIGEST_OCTETS = 32
_NAME = re.compile(r"(\d{20})\.snapshot")


class SnapshotDamagedError(JournalError):
    """A snapshot file that is not what was written. The one before it, or the journal alone, still serves."""


@dataclass(frozen=True)
class Snapshot:
    """What `write_snapshot` was given. `skipped` says which newer files could not be used, and why."""

    sequence: int
    kernel: str
    arrays: dict[str, np.ndarray]
    notes: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


def dtype_description(dtype: np.dtype) -> Any:
    """A dtype as JSON can hold it: field names, types, shapes and padding."""
    return np.lib.format.dtype_to_descr(dtype)


def dtype_described(described: Any) -> np.dtype:
    """The reverse of `dtype_description`, also after a way through JSON."""
    return np.dtype(np.lib.format.descr_to_dtype(_tuples(described)))


def _tuples(described: Any) -> Any:
    """JSON made lists of the tuples that a description needs: a field is (name, type) or (name, type, shape)."""
    if isinstance(described, str):
        return described
    return [(name, _tuples(kind), *(tuple(one) for one in shape)) for name, kind, *shape in described]


def write_snapshot(
    folder: Path, sequence: int, kernel: str, arrays: dict[str, np.ndarray], notes: dict[str, Any] | None = None
) -> Path:
    """Write a snapshot so that it appears whole or not at all, and remove all but the newest two.

    The arrays are written from where they are: nothing is copied unless an array is not contiguous.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{sequence:020d}.snapshot"
    # A name of its own: the gate's snapshot and one that a person asked for may be written at the same time.
    handle, name = tempfile.mkstemp(prefix=f"{sequence:020d}.", suffix=".tmp", dir=folder)
    try:
        with open(handle, "wb", buffering=0) as file:
            _write(file, sequence, kernel, arrays, notes or {})
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    for old in snapshot_paths(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    for left in folder.glob("*.tmp"):
        if left.stat().st_mtime < path.stat().st_mtime - LEFT_BEHIND_S:
            left.unlink(missing_ok=True)  # its writer was killed
    return path


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots in a folder, newest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def newest_snapshot(
    folder: Path,
    skipped: list[str] | None = None,
    room: Callable[[str, int], int] | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> Snapshot | None:
    """The newest snapshot that is undamaged; None where there is none. `room` and `wanted` are as in `read_snapshot`.

    Damaged ones are named in `Snapshot.skipped`, and in the list `skipped`, which also serves where None is returned.
    """
    damaged = skipped if skipped is not None else []
    for path in snapshot_paths(folder):
        try:
            found = read_snapshot(path, room, wanted)
        except (SnapshotDamagedError, OSError) as error:
            damaged.append(str(error))
        else:
            return Snapshot(found.sequence, found.kernel, found.arrays, found.notes, tuple(damaged))
    return None


def read_snapshot(
    path: Path, room: Callable[[str, int], int] | None = None, wanted: Callable[[str], bool] | None = None
) -> Snapshot:
    """Read a snapshot and check every octet of it; SnapshotDamagedError where it is not as it was written.

    Arrays whose name is not `wanted` are neither read nor checked.

    `room(name, rows)` may ask for an array that is to grow: it is then a view of the first rows of a zeroed one of
    that many (its `base`), so that a table of a million rows need not be copied to get room for one more.
    """
    with open(path, "rb", buffering=0) as file, ThreadPoolExecutor(_READERS) as readers:
        head, start = _read_head(file, path)
        entries = {
            number: entry
            for number, entry in enumerate(head["arrays"])
            if wanted is None or wanted(entry["name"])
        }
        arrays = {entry["name"]: _room_for(entry, room) for entry in entries.values()}
        # Reading and hashing let go of the GIL: each array is read and hashed beside the others.
        places = [start + entry["at"] for entry in entries.values()]
        digests = readers.map(lambda array, at: _read_array(file, path, array, at), arrays.values(), places)
        read = dict(zip(entries, digests, strict=True))
        file.seek(_trailer_at(start, head))
        written = [file.read(_DIGEST_OCTETS) for _ in head["arrays"]]
        if any(written[number] != own for number, own in read.items()):
            raise SnapshotDamagedError(f"{path} is damaged: the digest of an array is wrong")
    return Snapshot(head["sequence"], head["kernel"], arrays, head["notes"])


def _room_for(entry: dict[str, Any], room: Callable[[str, int], int] | None) -> np.ndarray:
    """The array that an entry of the header will be read into."""
    shape, dtype = tuple(entry["shape"]), dtype_described(entry["dtype"])
    rows = max(room(entry["name"], shape[0]), shape[0]) if room and len(shape) == 1 else 0
    return np.zeros(rows, dtype)[: shape[0]] if rows else np.empty(shape, dtype)


def _read_array(file: BinaryIO, path: Path, array: np.ndarray, at: int) -> bytes:
    """Fill an array from its place in the file; the digest of what was read."""
    digest = hashlib.sha256()
    for chunk in _chunks(array):
        if _fill(file, chunk, at) != len(chunk):
            raise SnapshotDamagedError(f"{path} is cut short")
        digest.update(chunk)
        at += len(chunk)
    return digest.digest()


def _write(
    file: BinaryIO, sequence: int, kernel: str, arrays: dict[str, np.ndarray], notes: dict[str, Any]
) -> None:
    entries, at = [], 0
    for name, array in arrays.items():
        described = dtype_description(array.dtype)
        entries.append({"name": name, "dtype": described, "shape": list(array.shape), "at": at, "octets": array.nbytes})
        at = _up(at + array.nbytes)
    head = {"sequence": sequence, "kernel": kernel, "notes": notes, "arrays": entries}
    text = json.dumps(head, separators=(",", ":")).encode()
    front = MAGIC + len(text).to_bytes(8, "little") + hashlib.sha256(text).digest() + text
    _put(file, memoryview(front + bytes(_up(len(front)) - len(front))))
    digests = []
    for array in arrays.values():
        digest = hashlib.sha256()
        for chunk in _chunks(np.ascontiguousarray(array)):
            digest.update(chunk)
            _put(file, chunk)
        _put(file, memoryview(bytes(_up(array.nbytes) - array.nbytes)))
        digests.append(digest.digest())
    _put(file, memoryview(b"".join(digests)))


def _read_head(file: BinaryIO, path: Path) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin."""
    fixed = len(MAGIC) + 8 + _DIGEST_OCTETS
    front = file.read(fixed)
    if len(front) < fixed or not front.startswith(MAGIC):
        raise SnapshotDamagedError(f"{path} is not a snapshot")
    length = int.from_bytes(front[8:16], "little")
    text = file.read(length) if length <= os.fstat(file.fileno()).st_size else b""
    if hashlib.sha256(text).digest() != front[16:]:
        raise SnapshotDamagedError(f"{path} is damaged: the digest of its header is wrong")
    head: dict[str, Any] = json.loads(text)
    start = _up(fixed + length)
    if os.fstat(file.fileno()).st_size != _trailer_at(start, head) + _DIGEST_OCTETS * len(head["arrays"]):
        raise SnapshotDamagedError(f"{path} is cut short")
    return head, start


def _trailer_at(start: int, head: dict[str, Any]) -> int:
    return start + max((_up(one["at"] + one["octets"]) for one in head["arrays"]), default=0)


def _up(octets: int) -> int:
    return -(-octets // _PAGE) * _PAGE


def _chunks(array: np.ndarray) -> Iterator[memoryview]:
    """The octets of a contiguous array, a few megabytes at a time, without a copy."""
    octets = array.reshape(-1).view(np.uint8).data if array.nbytes else memoryview(b"")
    for start in range(0, len(octets), _CHUNK):
        yield octets[start : start + _CHUNK]


def _fill(file: BinaryIO, chunk: memoryview, at: int) -> int:
    done = 0
    while done < len(chunk):
        count = os.preadv(file.fileno(), [chunk[done:]], at + done)
        if not count:
            break
        done += count
    return done


def _put(file: BinaryIO, octets: memoryview) -> None:
    """An unbuffered write may write less than it was given."""
    while octets:
        octets = octets[file.write(octets) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def convert(array: np.ndarray, dtype: np.dtype, into: np.ndarray | None = None) -> np.ndarray:
    """Copy a structured array into another dtype by field name, through nested records.

    Fields that `dtype` does not have are dropped; fields that `array` does not have keep what `into` holds (0 where no
    `into` is given), and so do fields that changed between a scalar and a list or record. A list that changed its
    length keeps what fits.
    """
    target = np.zeros(array.shape, dtype) if into is None else into
    if array.dtype == target.dtype:
        target[...] = array
    elif array.dtype.names is not None and target.dtype.names is not None:
        for name in target.dtype.names:
            if name in array.dtype.names:
                _convert_field(array[name], target[name])
    elif array.dtype.names is None and target.dtype.names is None:
        target[...] = array.astype(target.dtype)
    return target


def _convert_field(source: np.ndarray, target: np.ndarray) -> None:
    """Copy one column (a view) into another (a view)."""
    if source.ndim != target.ndim:
        return
    common = tuple(slice(0, min(pair)) for pair in zip(source.shape, target.shape, strict=True))
    convert(source[common], target.dtype, into=target[common])
