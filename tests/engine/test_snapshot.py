"""Snapshots come back as they were, damaged ones are passed over, and other layouts are read by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.snapshot import (
    SnapshotDamagedError,
    convert,
    dtype_described,
    dtype_description,
    newest_snapshot,
    read_snapshot,
    snapshot_paths,
    write_snapshot,
)

NESTED = np.dtype(
    [("imsi", "i8"), ("rat", "u1"), ("memory", np.dtype([("earlier", "i8"), ("list", "i4", (3,))], align=True), (2,))],
    align=True,
)


def some(count: int = 5) -> dict[str, np.ndarray]:
    rows = np.zeros(count, NESTED)
    rows["imsi"] = np.arange(count)
    rows["memory"]["list"][:] = [1, 2, 3]
    return {"subscriptions": rows, "none": np.zeros(0, NESTED), "table": np.arange(6, dtype=np.uint8).reshape(2, 3)}


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return list(found) == list(expected) and all(
        found[name].dtype == array.dtype and found[name].shape == array.shape and np.array_equal(found[name], array)
        for name, array in expected.items()
    )


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path, 17, "k" * 64, some(), {"texts": ["iot"]})
    found = read_snapshot(path)
    assert (found.sequence, found.kernel, found.notes) == (17, "k" * 64, {"texts": ["iot"]})
    assert same(found.arrays, some())
    found.arrays["subscriptions"]["imsi"] = 3  # writable


def test_views_and_recarrays_are_written_as_what_they_show(tmp_path: Path) -> None:
    rows = some(10)["subscriptions"]
    arrays = {"half": rows[::2], "record": rows.view(np.recarray), "few": rows[:3]}
    found = read_snapshot(write_snapshot(tmp_path, 1, "k", arrays)).arrays
    assert np.array_equal(found["half"], rows[::2])
    assert np.array_equal(found["record"], rows)
    assert np.array_equal(found["few"], rows[:3])


def test_no_folder_and_an_empty_folder_have_none(tmp_path: Path) -> None:
    assert newest_snapshot(tmp_path / "absent") is None
    assert newest_snapshot(tmp_path) is None


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for sequence in (9, 10, 100, 99):
        write_snapshot(tmp_path, sequence, "k", some())
    assert [int(path.stem) for path in snapshot_paths(tmp_path)] == [100, 99]
    newest = newest_snapshot(tmp_path)
    assert newest is not None and (newest.sequence, newest.skipped) == (100, ())
    assert {path.suffix for path in tmp_path.iterdir()} == {".snapshot"}


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    write_snapshot(tmp_path, 1, "k", some())
    with pytest.raises(TypeError):
        write_snapshot(tmp_path, 2, "k", some(), {"not": object()})
    newest = newest_snapshot(tmp_path)
    assert newest is not None and newest.sequence == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_snapshot_is_passed_over_and_named(tmp_path: Path) -> None:
    write_snapshot(tmp_path, 1, "k", some())
    path = write_snapshot(tmp_path, 2, "k", some(1000))
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)
    newest = newest_snapshot(tmp_path)
    assert newest is not None and newest.sequence == 1
    assert len(newest.skipped) == 1 and path.name in newest.skipped[0]


def test_where_all_are_damaged_the_caller_learns_it(tmp_path: Path) -> None:
    write_snapshot(tmp_path, 1, "k", some()).write_bytes(b"")
    skipped: list[str] = []
    assert newest_snapshot(tmp_path, skipped) is None
    assert len(skipped) == 1


@given(st.data())
def test_no_single_change_of_a_file_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    path = write_snapshot(tmp_path, 1, "k", some())
    whole = path.read_bytes()
    if data.draw(st.booleans(), label="cut short"):
        changed = whole[: data.draw(st.integers(0, len(whole) - 1), label="length")]
    else:
        place = data.draw(st.integers(0, len(whole) - 1), label="place")
        changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    path.write_bytes(changed)
    try:
        assert same(read_snapshot(path).arrays, some()), "only the padding may have changed"
    except SnapshotDamagedError:
        pass


def test_a_dtype_survives_its_description() -> None:
    for dtype in (NESTED, np.dtype("i8"), np.dtype([("a", "u1"), ("b", "S5"), ("c", "<f8", (2, 2))], align=True)):
        assert dtype_described(json.loads(json.dumps(dtype_description(dtype)))) == dtype


def test_convert_copies_by_name_through_nested_records() -> None:
    then = np.zeros(3, NESTED)
    then["imsi"], then["rat"] = [7, 8, 9], 6
    then["memory"]["earlier"] = [[1, 2], [3, 4], [5, 6]]
    then["memory"]["list"] = [1, 2, 3]
    today = np.dtype(
        [
            ("new", "i4"),
            ("memory", np.dtype([("list", "i8", (2,)), ("count", "i4"), ("earlier", "i8")]), (2,)),
            ("imsi", "i8"),
        ]
    )
    now = convert(then, today)
    assert now.dtype == today
    assert now["imsi"].tolist() == [7, 8, 9]
    assert now["memory"]["earlier"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert now["memory"]["list"].tolist() == [[[1, 2]] * 2] * 3
    assert not now["new"].any() and not now["memory"]["count"].any()
    back = convert(now, NESTED)
    assert back["memory"]["list"].tolist() == [[[1, 2, 0]] * 2] * 3
    assert not back["rat"].any()


def test_convert_keeps_defaults_where_nothing_was() -> None:
    then = np.array([(5, 3)], [("imsi", "i8"), ("changed", "i4")])
    into = np.array([(0, -1, [9, 9])], [("imsi", "i8"), ("area", "i4"), ("changed", "i4", (2,))])
    assert convert(then, into.dtype, into=into).tolist()[0][:2] == (5, -1)
    assert into["changed"].tolist() == [[9, 9]], "a scalar cannot become a list"


def test_convert_to_the_same_layout_is_a_copy() -> None:
    rows = some()["subscriptions"]
    copy = convert(rows, NESTED)
    copy["imsi"] = -1
    assert rows["imsi"].tolist() == [0, 1, 2, 3, 4]
