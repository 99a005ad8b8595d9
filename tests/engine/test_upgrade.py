"""After an upgrade: old snapshots are read by field name, and what another kernel decided stays decided."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import METER, PHONE, POLICY, Story

from simward.engine import events as e
from simward.engine.journal import INVENTORY, MemoryJournal, Row, events_row
from simward.engine.journal import POLICY as POLICY_ROW
from simward.engine.snapshot import newest_snapshot, read_snapshot, write_snapshot
from simward.engine.start import from_snapshot, restore, save, snapshots_folder

LOCKING = POLICY.replace("binding:", "responses: {device-change: lock}\nbinding:")


def as_written_before(array: np.ndarray, gone: str, extra: str) -> np.ndarray:
    """The same rows in an older layout: without one of today's columns, with one that today has no use for, in
    another order.
    """
    names = [name for name in reversed(array.dtype.names or ()) if name != gone]
    fields: list[tuple[Any, ...]] = [(extra, "i8"), *((name, array.dtype[name]) for name in names)]
    older = np.zeros(len(array), np.dtype(fields))
    for name in names:
        older[name] = array[name]
    older[extra] = 7
    return older


def told() -> Story:
    """A subscription bound to a meter and locked since a phone used it; another with a session."""
    story = Story(LOCKING)
    return story.attaches(device=METER).attaches(device=PHONE).attaches(member=1).starts("s1", member=1)


def test_an_older_layout_is_read_by_field_name(tmp_path: Path) -> None:
    story = told()
    save(story.fold, tmp_path)
    snapshot = newest_snapshot(snapshots_folder(tmp_path))
    assert snapshot is not None
    arrays = dict(snapshot.arrays)
    arrays["subscriptions"] = as_written_before(arrays["subscriptions"], "quarantine_address", "colour")
    arrays["sessions"] = as_written_before(arrays["sessions"], "attempts", "shape")
    older = write_snapshot(tmp_path / "older", snapshot.sequence, "another kernel", arrays, snapshot.notes)
    fold = from_snapshot(read_snapshot(older))
    assert fold.state.digest() == story.fold.state.digest()
    story.fold = fold
    assert story.attaches(device=METER).refused, "the lock is still in force"
    assert story.reports("s1", member=1, duration_s=9).kept
    assert int(story.row(1).session_count) == 1


def test_detectors_that_come_and_go_keep_findings_and_locks_in_place(tmp_path: Path) -> None:
    story = told()
    story.attaches(device=METER)
    save(story.fold, tmp_path)
    snapshot = newest_snapshot(snapshots_folder(tmp_path))
    assert snapshot is not None
    # Written by a version with one more detector before the others, and without device-change under this name.
    names = ["device-change-of-old" if name == "device-change" else name for name in snapshot.notes["detectors"]]
    arrays = {name: array.copy() for name, array in snapshot.arrays.items()}
    arrays["findings"]["detector"] += 1
    arrays["subscriptions"]["lock_detector"] += 1
    older = write_snapshot(
        tmp_path / "older",
        snapshot.sequence,
        "another kernel",
        arrays,
        {**snapshot.notes, "detectors": ["aaa", *names]},
    )
    story.fold = from_snapshot(read_snapshot(older))
    state = story.fold.state
    used = state.findings[: int(state.meta["findings"][0])]
    number = [one["id"] for one in story.fold.manifest()["detectors"]].index("subscription-locked")
    assert used["detector"][used["opened_sequence"] != 0].tolist() == [number]
    assert int(state.meta["findings_live"][0]) == 1
    assert story.attaches(device=METER).refused


@pytest.mark.parametrize("foreign", [False, True])
def test_what_another_kernel_locked_and_bound_is_a_fact(tmp_path: Path, foreign: bool) -> None:
    """The tail says that the subscription was bound to the phone and never locked: a kernel that sees it otherwise
    obeys.
    """
    story = Story(LOCKING)
    state = story.fold.state
    journal = MemoryJournal()
    kernel = "0" * 32 if foreign else story.fold.kernel
    journal.register_kernel(kernel, story.fold.manifest())
    tables = state.policy.to_bytes()
    texts = [(number, text) for number, text in enumerate(state.texts.all()) if number > 1]
    from simward.engine.apply import declared
    from simward.engine.tables import InventoryDelta

    lines, names = declared(story.fold)
    delta = InventoryDelta(lines, np.zeros(0, np.int64), names)
    journal.append(Row(1, 1, POLICY_ROW, 1, kernel, tables, b"", {}))
    journal.append(Row(2, 1, INVENTORY, 2, kernel, delta.to_bytes(), b"", {}))
    before = len(story.outputs)
    events = []
    for device in (METER, PHONE):
        event = e.empty(1)
        event["kind"], event["imsi"], event["imei"] = e.ACCESS_REQUEST, 1_001010000000001, device
        event["received_at"] = event["happened_at"] = 10
        event["request"] = device
        events.append(event)
        story.fold_in(event)
    outputs = np.array(story.outputs[before:])
    recorded = outputs[np.isin(outputs["kind"], (7, 11))]  # it bound and gave an address, and locked nothing
    journal.append(events_row(3, 10, kernel, np.concatenate(events), recorded, texts))
    fold = restore(tmp_path, journal)
    assert bool(fold.state.subscriptions["locked"][0]) is not foreign
    assert int(fold.state.subscriptions["bound_imei"][0]) == METER
