"""What a process gives back of its resident memory, once it has started and before it goes on for long.

Everything here is for Linux and the GNU C library; elsewhere it does nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

M_MMAP_THRESHOLD, LARGE_BLOCK_OCTETS = -3, 1 << 20  # mallopt(3)
MADV_DONTNEED = 4  # madvise(2)
COMPILER = "libllvmlite"
"""The compiler's library: starting loads machine code through it, and after that hardly a page of it is run again."""
_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)$")


def return_freed_memory() -> None:
    """Have the C library give large blocks back to the system once they are freed.

    Left alone it raises its threshold to 32 MB after the first such block, and tables that grew stay behind as holes.
    """
    set_option = _of_c_library("mallopt")
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK_OCTETS)


def give_back() -> None:
    """Give back what starting has needed: what was freed in small blocks, and the pages of the compiler."""
    trim = _of_c_library("malloc_trim")
    if trim is not None:
        trim(0)
    _give_back_pages(COMPILER)


def _give_back_pages(library: str) -> None:
    """Unmap the pages of a library that are as they stand in its file: one that is needed again is read from there."""
    advise = _of_c_library("madvise")
    if advise is None:
        return
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with contextlib.suppress(OSError):
        for first, end in untouched_mappings(library, Path("/proc/self/smaps").read_text().splitlines()):
            advise(first, end - first, MADV_DONTNEED)


def untouched_mappings(library: str, smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """First address and end of each mapping of a library that may be read or run alone, and has no page of its own.

    What was written to (by the linker, say) exists nowhere but in memory, which smaps calls anonymous (proc(5)): giving
    that back would lose it.
    """
    found: tuple[int, int] | None = None
    for line in smaps:
        header = _MAPPING.match(line)
        if header:
            first, end, permissions, path = header.groups()
            may_change = "w" in permissions or not path.rpartition("/")[2].startswith(library)
            found = None if may_change else (int(first, 16), int(end, 16))
        elif found and line.startswith("Anonymous:") and line.split()[1] == "0":
            yield found


def _of_c_library(name: str):  # type: ignore[no-untyped-def]
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
