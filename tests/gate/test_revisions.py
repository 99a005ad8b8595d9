"""Revisions reach the gate in pieces between batches; settings that it decides by, at its start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gate.running import RunningGate
from gate.test_loop import Caller
from simward.engine import events
from simward.engine.fold import Fold
from simward.engine.journal import MemoryJournal, events_row
from simward.engine.replay import fold_row
from simward.engine.revision_files import CONTENTS, write_revision
from simward.engine.tables import DECLARED, InventoryDelta
from simward.errors import ConfigurationError, UsageError
from simward.gate.first_start import first_revisions, revision_of_settings
from simward.gate.recorder import RETRY_S, Recorder
from simward.gate.revisions import Applying
from simward.gate.serve import start_fold
from simward.settings import GateSettings, Settings


class Bench:
    """A fold, a journal and a revision on its way."""

    def __init__(self, tmp_path: Path) -> None:
        self.now = 50.0
        self.settings = Settings.load(RunningGate(tmp_path / "net").folder)
        self.fold, self.journal = Fold.new(), MemoryJournal()
        self.recorder = Recorder(self.journal, lambda outputs: None)
        self.applying = Applying(self.fold, self.recorder, lambda: 77, lambda: self.now)
        self.folder = tmp_path / "revision"

    def begin(self) -> Caller:
        caller = Caller(do="apply", revision=str(self.folder))
        self.applying.begin(caller)  # type: ignore[arg-type]
        return caller


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    pieces = list(first_revisions(made.settings, str))
    assert write_revision(made.folder, pieces, actor="alice", because="the delivery of May") == 2
    return made


def test_a_revision_is_applied_piece_by_piece(bench: Bench) -> None:
    caller = bench.begin()
    assert bench.applying.step() and not caller.said
    assert (bench.journal.last, bench.fold.state.policy.names["use_cases"]) == (1, ["", "water-meter"])
    assert bench.applying.step() and not bench.applying.step()
    assert caller.said == {"ok": True, "first": 1, "last": 2, "subscriptions": 20, "disconnects": 0}
    assert next(bench.journal.rows()).notes["commands"]["1"]["because"] == "the delivery of May"
    again = Fold.new()
    for row in bench.journal.rows():
        fold_row(again, row, bench.journal.layouts)
    assert again.state.digest() == bench.fold.state.digest()


def test_it_says_how_many_sessions_are_cut(bench: Bench) -> None:
    bench.begin()
    while bench.applying.step():
        pass
    numbers = np.asarray(bench.fold.state.subscriptions["imsi"][:3])
    begun = events.empty(3)
    begun["kind"], begun["imsi"], begun["received_at"] = events.ACCOUNTING_START, numbers, 78
    begun["session_id_octets"], begun["session_id"][:, 0] = 1, (1, 2, 3)
    bench.journal.append(events_row(3, 78, bench.fold.kernel, begun, bench.fold.events(begun).outputs, []))
    bench.folder = bench.folder.parent / "removal"
    write_revision(bench.folder, [InventoryDelta(np.zeros(0, DECLARED), numbers[:2], [])])
    caller = bench.begin()
    while bench.applying.step():
        pass
    assert (caller.said["subscriptions"], caller.said["disconnects"]) == (18, 2)


def test_one_at_a_time(bench: Bench) -> None:
    bench.begin()
    with pytest.raises(UsageError, match="another revision"):
        bench.begin()


def test_it_waits_while_the_journal_cannot_be_written(bench: Bench) -> None:
    caller = bench.begin()
    bench.journal.refusing = "full"
    bench.applying.step()
    assert not bench.applying.step() and not caller.said, "the piece that was folded waits; no other goes past it"
    bench.journal.refusing = ""
    bench.now += RETRY_S
    assert bench.recorder.retry(bench.now)
    while bench.applying.step():
        pass
    assert caller.said["ok"] and bench.journal.last == 2


@pytest.mark.parametrize("damage", ["nothing", "no list", "a piece is gone", "not a piece"])
def test_what_is_no_revision_is_refused_in_words(bench: Bench, damage: str) -> None:
    if damage == "nothing":
        bench.folder = bench.folder / "elsewhere"
    elif damage == "no list":
        (bench.folder / CONTENTS).write_text("[]")
    elif damage == "a piece is gone":
        (bench.folder / "000001-inventory.bin").unlink()
    else:
        (bench.folder / CONTENTS).write_text('{"pieces": ["../../etc/passwd"], "actor": "", "because": ""}')
    with pytest.raises(UsageError, match="revision"):
        bench.begin()


def test_a_damaged_piece_says_how_far_it_came(bench: Bench) -> None:
    (bench.folder / "000001-inventory.bin").write_bytes(b"\x04\0\0\0\0\0\0\0junk")
    caller = bench.begin()
    while bench.applying.step():
        pass
    assert not caller.said["ok"] and "what came before it is applied" in caller.said["error"]
    assert bench.begin(), "and the next may come"


def test_the_first_start_applies_the_files(bench: Bench) -> None:
    fold = start_fold(bench.settings, bench.journal, str)
    assert int(fold.state.meta["subscriptions_live"][0]) == 20
    assert bench.journal.last == 2 and bench.journal.manifest(fold.kernel)["detectors"]
    again = start_fold(bench.settings, bench.journal, str)
    assert (bench.journal.last, again.state.digest()) == (2, fold.state.digest()), "a second start applies nothing"


def test_a_first_start_with_wrong_files_says_all_that_is_wrong(bench: Bench) -> None:
    bench.settings.inventory_path.unlink()
    with pytest.raises(ConfigurationError, match="inventory"):
        start_fold(bench.settings, bench.journal, str)
    assert bench.journal.last == 0


def test_a_changed_setting_is_a_revision_and_changed_files_are_not(bench: Bench) -> None:
    fold = start_fold(bench.settings, bench.journal, str)
    (bench.settings.policies_dir / "meters.yaml").write_text("use_case: other\n")
    changed = replace(bench.settings, gate=GateSettings(unknown_subscription="allow"))
    (tables,) = revision_of_settings(changed, fold)
    assert tables.settings["unknown_response"][0] != fold.state.policy.settings["unknown_response"][0]
    assert tables.names["use_cases"] == ["", "water-meter"]
    assert not list(revision_of_settings(bench.settings, fold))


def test_without_policies_nobody_is_known(bench: Bench) -> None:
    for path in bench.settings.policies_dir.iterdir():
        path.unlink()
    bench.settings.policies_dir.rmdir()
    said: list[Any] = []
    fold = start_fold(bench.settings, bench.journal, said.append)
    assert int(fold.state.meta["subscriptions_live"][0]) == 0 and "every subscription is unknown" in "".join(said)
