"""The watch follows call detail records beside the gate's journal: each is folded once, wherever it is started again,
and folding again gives the same bytes."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from journalled import MEMBERS, JournalledFleet, recorded
from story import IMSI

from inputs.test_record_import import CSV, HEADER
from simward.engine import call_records as c
from simward.engine import journal_files
from simward.engine import outputs as o
from simward.engine.both_journals import findings_folder
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import snapshots_folder
from simward.engine.watching import compose
from simward.engine.watching.service_use import of_subscription
from simward.errors import JournalError, NotDurableError
from simward.history.keeping import unlink_segment
from simward.inputs.record_import import RecordImport
from simward.watch.following import Follower
from simward.watch.record_following import NOTED


class Operator:
    """Gives records: every call is to a premium number, a minute long."""

    def __init__(self, data_dir: Path, segment_octets: int = 64 << 20) -> None:
        self.journal = SqliteJournal.open(c.records_folder(data_dir), segment_octets=segment_octets)
        self.journal.register_layout(c.LAYOUT)

    def gives(self, count: int, at: int, chosen: random.Random) -> None:
        """So many records, of members and of somebody else, up to two days late."""
        records = np.zeros(count, c.RECORD)
        records["record_id"] = self.journal.last + 1 + np.arange(count)
        records["imsi"] = IMSI + np.array([chosen.randrange(MEMBERS + 2) for _ in range(count)])
        records["kind"], records["destination"], records["duration_s"] = c.VOICE, c.PREMIUM, 60
        records["happened_at"] = at - np.array([chosen.randrange(172_800) for _ in range(count)]) * 1_000_000
        self.journal.append(c.records_row(self.journal.last + 1, at, records))


def places(data_dir: Path) -> list[dict[str, int]]:
    """What the watch's journal says of records."""
    with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as own:
        return [row.notes[NOTED] for row in own.rows() if NOTED in row.notes]


def check(data_dir: Path, follower: Follower, given: int) -> None:
    """All were folded, once and in order; no finding has another's id; a watch that begins anew comes to the same."""
    follower.catch_up()
    digest, tallies = follower.behind.watch.digest(), follower.behind.watch.state.tallies["times_month"].sum()
    unknown = follower.behind.watch.state.watch_meta["records_unknown"][0]
    follower.close()
    assert tallies + unknown <= given and tallies > 0
    told = places(data_dir)
    assert [one["from"] for one in told] == [1, *(one["to"] + 1 for one in told[:-1])] and told[-1]["to"] == given
    outputs = recorded(data_dir)
    began = outputs[outputs["kind"] == o.FINDING_BEGAN]
    names = list(zip(outputs["sequence"].tolist(), outputs["index"].tolist(), strict=True))
    assert len(began) > 5 and len(set(names)) == len(names)
    shutil.rmtree(snapshots_folder(data_dir), ignore_errors=True)
    again = Follower(data_dir)
    again.catch_up()
    assert again.behind.watch.digest() == digest
    again.close()
    assert recorded(data_dir).tobytes() == outputs.tobytes() and places(data_dir) == told


@pytest.mark.parametrize("seed", range(3))
def test_each_is_folded_once_wherever_the_watch_is_started_again(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simward.watch.following.STEP_EVENTS", 30)
    monkeypatch.setattr("simward.watch.record_following.STEP_RECORDS", 7)
    chosen, data_dir, given = random.Random(seed), tmp_path / "data", 0
    fleet = JournalledFleet(data_dir)
    operator, follower = Operator(data_dir), Follower(data_dir)
    for _ in range(25):
        if chosen.random() < 0.6:
            operator.gives(count := chosen.randrange(1, 20), fleet.now, chosen)
            given += count
        fleet.lasts(5)
        for _ in range(chosen.randrange(4)):
            follower.step()
        if chosen.random() < 0.2:
            follower.behind.save(data_dir)
        if chosen.random() < 0.3:  # folded, and gone before it was recorded
            if (rows := list(follower._rows())):
                follower.records.fold(rows[0])
            follower.close()
            follower = Follower(data_dir)
    operator.journal.close()
    follower.catch_up()
    while follower.records.followed < given:
        fleet.lasts(1)
        follower.catch_up()
    check(data_dir, follower, given)
    fleet.close()


def test_what_cannot_be_written_waits_and_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(9)
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    operator.gives(60, fleet.now, chosen)
    follower = Follower(data_dir)
    follower.step()  # revisions alone
    fleet.lasts(2)

    def full(row: object) -> None:
        raise NotDurableError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(follower.own, "append", full)
        for _ in range(3):
            fleet.lasts(1)
            follower.step()
        assert not follower.durable and follower.records.followed == 60
    operator.journal.close()
    fleet.lasts(2)
    follower.catch_up()
    assert len(places(data_dir)) == 1
    check(data_dir, follower, 60)
    fleet.close()


def test_records_wait_for_the_gate_and_need_none_of_it_to_be_told(tmp_path: Path) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(1)
    fleet = JournalledFleet(data_dir)
    fleet.lasts(2)
    follower = Follower(data_dir)
    follower.catch_up()
    operator = Operator(data_dir)
    operator.gives(40, fleet.now, chosen)
    assert follower.step() == 0 and follower.records.followed == 0, "they have no place yet"
    fleet.lasts(1)
    follower.step()
    assert follower.records.followed == 40 and len(recorded(data_dir)) > 10
    (place,) = places(data_dir)
    assert (place["from"], place["to"]) == (1, 40)
    operator.journal.close()
    follower.close()
    fleet.close()


def test_records_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(2)
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    operator.gives(10, fleet.now, chosen)
    follower = Follower(data_dir)
    follower.step()
    fleet.lasts(2)
    follower.catch_up()
    follower.close()
    operator.journal.close()
    shutil.rmtree(c.records_folder(data_dir))
    again = Follower(data_dir)
    with pytest.raises(JournalError, match="call detail records 1 to 10 were folded before sequence 3, and are gone"):
        again.catch_up()
    again.close()
    fleet.close()


def test_a_journal_of_records_that_is_shorter_than_was_followed_is_another_one(tmp_path: Path) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(3)
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    operator.gives(10, fleet.now, chosen)
    follower = Follower(data_dir)
    follower.step()
    fleet.lasts(2)
    follower.catch_up()
    follower.behind.save(data_dir)
    follower.close()
    operator.journal.close()
    shutil.rmtree(c.records_folder(data_dir))
    with pytest.raises(JournalError, match="followed call detail records to 10"):
        Follower(data_dir)
    fleet.close()


def test_records_that_went_before_they_were_followed_are_left_out_and_counted(tmp_path: Path) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(4)
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    operator.gives(10, fleet.now, chosen)
    follower = Follower(data_dir)
    follower.step()
    fleet.lasts(2)
    follower.catch_up()
    for _ in range(2):
        operator.journal.seal()
        operator.gives(10, fleet.now, chosen)
    for first in journal_files.segments(c.records_folder(data_dir))[:2]:
        unlink_segment(c.records_folder(data_dir), first)
    fleet.lasts(2)
    follower.catch_up()
    assert (follower.records.followed, follower.records.missed) == (30, 10)
    assert [(one["from"], one["to"]) for one in places(data_dir)] == [(1, 10), (21, 30)]
    operator.journal.close()
    follower.close()
    fleet.close()


def test_another_kernel_folds_them_where_they_were_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir, chosen = tmp_path / "data", random.Random(5)
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    with monkeypatch.context() as patched:
        patched.setattr(compose, "kernel_hash", lambda: "0" * 32)
        follower = Follower(data_dir)
        follower.step()
        for _ in range(3):
            operator.gives(20, fleet.now, chosen)
            fleet.lasts(2)
            follower.catch_up()
        follower.close()
    before = recorded(data_dir)
    follower = Follower(data_dir)
    operator.gives(20, fleet.now, chosen)
    operator.journal.close()
    fleet.lasts(2)
    check(data_dir, follower, 80)
    assert recorded(data_dir)[: len(before)].tobytes() == before.tobytes()
    fleet.close()


LINES = [
    "1;MOC;2026-09-21 10:00:00;001010000000001;;00101;+4712345678;65;;",
    "2;MOC;2026-09-21 11:00:00;001010000000001;;00101;+4712345678;30;;",
    "3;SMS-MO;2026-09-21 12:00:00;001010000000001;;00101;+4712345678;;;",
]


def test_what_comes_twice_late_or_grown_is_counted_once(tmp_path: Path) -> None:
    """The same lines, in another order and in other files, and again after the watch was started again."""
    data_dir, files = tmp_path / "data", [[0], [1, 0], [2, 1, 0], [0, 1, 2]]
    fleet = JournalledFleet(data_dir)
    fleet.now = int(datetime(2026, 9, 21, 15, tzinfo=UTC).timestamp()) * 1_000_000
    for number, chosen in enumerate(files):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join([HEADER, *(LINES[one] for one in chosen)]) + "\n")
        with closing(RecordImport(data_dir, 0)) as into:
            into.run(path, CSV, fleet.now)
        fleet.lasts(1)
        with closing(Follower(data_dir)) as follower:
            follower.catch_up()
            fleet.lasts(1)
            follower.catch_up()
            used = of_subscription(follower.behind.watch.state, 0)
            follower.behind.save(data_dir)
    assert used["day"]["messages"] == used["month"]["messages"] == 1
    assert used["day"]["voice_s"]["international"] == 95
    fleet.close()
