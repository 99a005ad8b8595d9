"""Lines of an inventory by the words in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simward.policy import inventory_search
from simward.policy.inventory_search import lines_with

HEAD = "iccid,imsi,use_case,label,eid\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.csv"
    lines = [
        f'89880000000000{number:05d},00101{number:010d},pump,"Well {number}, north",8904{number:028d}'
        for number in range(300)
    ]
    path.write_text(HEAD + "\n".join(lines))
    return path


@pytest.mark.parametrize("words", ["Well 17, north", "well 17,", "WELL 17, NORTH", f"8904{17:028d}"])
def test_finds_what_is_called_so_however_it_is_spelled(path: Path, words: str) -> None:
    assert [line["imsi"] for line in lines_with(path, words, ("label", "eid"), 5)] == [f"00101{17:010d}"]


def test_looks_only_where_it_is_asked_to(path: Path) -> None:
    assert lines_with(path, "pump", ("label", "eid"), 5) == []
    assert len(lines_with(path, "pump", ("use_case",), 5)) == 5
    assert lines_with(path, "elsewhere", ("label",), 5) == [] == lines_with(path / "none", "well", ("label",), 5)


def test_a_line_that_lies_across_what_is_read_at_once_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_search, "AT_ONCE_OCTETS", 100)
    for number in range(300):
        (line,) = lines_with(path, f"Well {number}, ", ("label",), 5)
        assert line["imsi"] == f"00101{number:010d}" and line["label"] == f"Well {number}, north"
