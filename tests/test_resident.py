"""What a process gives back of its memory: only what can be read again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simward.resident import untouched_mappings

SMAPS = """\
7f0000000000-7f0000003000 r-xp 00001000 fe:00 77   /opt/lib/libllvmlite.so
Rss:                  12 kB
Anonymous:             0 kB
7f0000003000-7f0000004000 r--p 00004000 fe:00 77   /opt/lib/libllvmlite.so
Rss:                   4 kB
Anonymous:             4 kB
7f0000004000-7f0000005000 rw-p 00005000 fe:00 77   /opt/lib/libllvmlite.so
Rss:                   4 kB
Anonymous:             0 kB
7f0000005000-7f0000006000 r-xp 00000000 fe:00 78   /opt/lib/libc.so.6
Rss:                   4 kB
Anonymous:             0 kB
7f0000006000-7f0000007000 r--p 00000000 00:00 0
Anonymous:             0 kB
"""


def test_only_pages_that_stand_in_the_file_are_given_back() -> None:
    assert list(untouched_mappings("libllvmlite", SMAPS.splitlines())) == [(0x7F0000000000, 0x7F0000003000)]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux")
def test_a_process_compiles_and_runs_as_before_after_it_gave_its_compiler_back() -> None:
    said = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True, timeout=60).stdout
    before, after, first, second = map(int, said.split())
    assert after < before - 16 * 1024 * 1024
    assert (first, second) == (42, 84)


TWICE = """
import numba
from pathlib import Path
from simward.resident import give_back

def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

@numba.njit
def once(value): return value * 2

@numba.njit
def again(value): return value * 4

first = once(21)
before = resident()
give_back()
after = resident()
print(before, after, first, again(21))
"""
