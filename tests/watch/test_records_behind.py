"""`explain` has the call detail records behind what was found, and no others."""

from __future__ import annotations

import json
import random
from contextlib import closing
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from journalled import JournalledFleet
from story import IMSI
from test_record_following import Operator

from simward.cli import cli
from simward.engine import call_records as c
from simward.engine import journal_files
from simward.history.keeping import unlink_segment
from simward.watch.following import Follower


def test_records_behind_findings_are_told(tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert CliRunner().invoke(cli, ["--dir", str(work), "init"]).exit_code == 0
    data_dir = work / "data"
    fleet, operator = JournalledFleet(data_dir), Operator(data_dir)
    records = np.zeros(4, c.RECORD)
    records["imsi"], records["kind"] = IMSI, (c.VOICE, c.SHORT_MESSAGE, c.DATA, c.VOICE)
    records["destination"], records["duration_s"] = (c.PREMIUM, c.HOME, 0, c.PREMIUM), (65, -1, -1, 7)
    records["happened_at"], records["plmn"] = fleet.now - 3_600_000_000, 1_00101
    records["imsi"][3] = IMSI + 1
    with closing(Follower(data_dir)) as follower:
        follower.step()
        for part in (records[1:2], records):  # what came before, nothing was found in
            operator.journal.append(c.records_row(operator.journal.last + 1, fleet.now, part))
            fleet.lasts(2)
            follower.catch_up()
    fleet.close()

    def told(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--dir", str(work), "explain", "001010000000001", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    behind = json.loads(told("--json"))["records"]
    assert [(one["sequence"], one["kind"], one["destination"]) for one in behind] == [
        (2, "voice", "premium"), (3, "sms", "home"),
    ]  # fmt: skip
    assert all(3_600 <= one["late_s"] < 3_660 for one in behind)
    assert "premium call, 65 s, in network 00101; told 1 h" in told()
    operator.journal.seal()
    operator.gives(1, fleet.now, random.Random(1))
    operator.journal.close()
    unlink_segment(c.records_folder(data_dir), journal_files.segments(c.records_folder(data_dir))[0])
    assert json.loads(told("--json"))["records"] == [], "they were kept for long enough"
