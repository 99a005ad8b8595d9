"""The key of Class is made once, whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simward.errors import ConfigurationError
from simward.gate.class_key import FILE_NAME, class_key_of
from simward.wire.radius.class_token import KEY_OCTETS

TESTS = Path(__file__).parents[1]
KILLED = """
import sys
from pathlib import Path
from killing import at_each_change
from simward.gate.class_key import class_key_of

def prepare(number):
    folder = Path(sys.argv[1]) / f"{number:02d}"
    folder.mkdir()
    return folder

at_each_change(prepare, class_key_of, ("open", "fdopen", "fsync", "replace"))
"""


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = class_key_of(tmp_path)
    assert len(key) == KEY_OCTETS and class_key_of(tmp_path) == key
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [FILE_NAME]


def test_killed_at_any_change_of_the_disk_the_next_start_has_a_key(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True, cwd=TESTS)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) > 4
    for folder in folders:
        was = (folder / FILE_NAME).read_bytes() if (folder / FILE_NAME).exists() else b""
        assert len(was) in (0, KEY_OCTETS)
        assert class_key_of(folder) == (was or class_key_of(folder))
        assert os.listdir(folder) == [FILE_NAME]


def test_an_empty_file_is_made_anew_since_it_held_no_key(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    key = class_key_of(tmp_path)
    assert len(key) == KEY_OCTETS and (tmp_path / FILE_NAME).read_bytes() == key


@pytest.mark.parametrize("octets", [b"half", b"eight octets and more"])
def test_a_file_of_another_size_is_refused_and_stays(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(octets)
    with pytest.raises(ConfigurationError, match=f"should hold 8 octets, and holds {len(octets)}.*remove it"):
        class_key_of(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == octets
