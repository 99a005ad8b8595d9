"""Files of call detail records that come to a folder: imported once they are whole, then put away."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from simward.engine.call_records import RECORD, records_folder
from simward.engine.sqlite_journal import SqliteJournal
from simward.inputs import record_files, record_import
from simward.settings import CdrSettings, Settings
from simward.watch import importing
from simward.watch.importing import SETTLED_S, Importing
from simward.wire.cdr.template import Template

AT_S = 1_790_000_000.0
LINE = '{"id": "%s", "type": "sms", "started_at": "2026-09-21T10:00:00Z", "sim": {"imsi": "001010000000001"}}\n'


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


@pytest.fixture
def at_rest(incoming: Path) -> Importing:
    """One whose thread has ended: the tests look themselves."""
    made = Importing(Settings(incoming.parent, cdr=CdrSettings(folders={"incoming": "platform-json"})))
    made.close()
    made._told.clear()
    return made


def put(path: Path, *ids: str, age_s: float = SETTLED_S) -> Path:
    path.write_text("".join(LINE % one for one in ids))
    os.utime(path, (AT_S - age_s, AT_S - age_s))
    return path


def records(incoming: Path) -> int:
    with closing(SqliteJournal.open(records_folder(incoming.parent / "data"), writer=False)) as journal:
        return journal.last


def test_what_has_come_is_imported_and_put_away(at_rest: Importing, incoming: Path) -> None:
    put(incoming / "1.jsonl", "a", "b")
    assert at_rest.look(AT_S) == ""
    assert at_rest.files == 1 and at_rest.counts["records"] == 2
    put(incoming / "1.jsonl", "b", "c")
    at_rest.look(AT_S)
    assert at_rest.counts == {"records": 3, "duplicates": 1, "ignored": 0, "rejected": 0}
    assert sorted(one.name for one in (incoming / "imported").iterdir()) == ["1-1.jsonl", "1.jsonl"]
    assert records(incoming) == 3


def test_what_is_not_whole_yet_waits(at_rest: Importing, incoming: Path) -> None:
    put(incoming / "young.jsonl", "a", age_s=SETTLED_S - 1)
    for name in (".hidden.jsonl", "x.jsonl.part", "x.tmp"):
        put(incoming / name, "a")
    at_rest.look(AT_S)
    assert not at_rest.files
    at_rest.look(AT_S + 1)
    assert at_rest.files == 1


def test_one_that_cannot_be_read_is_read_again_once_it_changes_and_holds_up_none(
    at_rest: Importing, incoming: Path
) -> None:
    broken = put(incoming / "1.jsonl.gz", "a")
    put(incoming / "2.jsonl", "b")
    for _ in range(2):
        assert "1 files cannot be read" in at_rest.look(AT_S)
    assert (at_rest.files, at_rest.failed) == (1, 1)
    broken.rename(incoming / "1.jsonl")
    assert at_rest.look(AT_S) == ""
    assert at_rest.files == 2


def test_a_link_to_nowhere_holds_up_none(at_rest: Importing, incoming: Path) -> None:
    (incoming / "0.jsonl").symlink_to(incoming / "nothing")
    put(incoming.parent / "elsewhere.jsonl", "b")
    put(incoming / "1.jsonl", "a")
    (incoming / "2.jsonl").symlink_to(incoming.parent / "elsewhere.jsonl")
    assert at_rest.look(AT_S) == ""
    assert at_rest.counts["records"] == 2
    assert (incoming / "imported" / "2.jsonl").is_symlink()


def test_one_that_cannot_be_put_away_holds_up_none(at_rest: Importing, incoming: Path) -> None:
    (incoming / "imported").write_text("")  # no folder, nor can it be made
    for number, name in enumerate(("1.jsonl", "2.jsonl")):
        put(incoming / name, str(number))
    for _ in range(2):
        assert "2 files cannot be read or put away" in at_rest.look(AT_S)
    assert (at_rest.counts["records"], at_rest.files) == (2, 2)
    (incoming / "imported").unlink()
    put(incoming / "1.jsonl", "0", "2", age_s=SETTLED_S + 1)
    assert "1 files cannot be read or put away" in at_rest.look(AT_S)
    assert at_rest.counts["records"] == 3


def test_one_that_is_replaced_while_it_is_read_is_not_put_away_unread(
    at_rest: Importing, incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(incoming / "1.jsonl", "a")
    run = record_import.RecordImport.run

    def replaced(self, path, *rest):
        outcome = run(self, path, *rest)
        put(incoming / "next", "b").rename(path)
        return outcome

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(record_import.RecordImport, "run", replaced)
        at_rest.look(AT_S)
    assert at_rest.look(AT_S) == ""
    assert at_rest.counts["records"] == 2 and not (incoming / "1.jsonl").exists()


def test_a_folder_or_template_that_is_not_there_holds_up_no_other(incoming: Path) -> None:
    folders = {"nowhere": "platform-json", "incoming": "platform-json", "incoming/imported": "mine.yaml"}
    made = Importing(Settings(incoming.parent, cdr=CdrSettings(folders=folders)))
    made.close()
    made._told.clear()
    put(incoming / "1.jsonl", "a")
    said = made.look(AT_S)
    assert "nowhere" in said and "there is no template mine.yaml" in said
    assert made.files == 1


def test_what_another_process_imports_meanwhile_is_known(at_rest: Importing, incoming: Path) -> None:
    put(incoming / "1.jsonl", "a")
    at_rest.look(AT_S)
    other = put(incoming.parent / "other.jsonl", "b")
    with closing(record_import.RecordImport(incoming.parent / "data", 0)) as into:
        assert into.run(other, Template.named("platform-json"), int(AT_S * 1e6)).records == 1
    put(incoming / "2.jsonl", "a", "b", "c")
    at_rest.look(AT_S)
    assert at_rest.counts["records"] == 2 and at_rest.counts["duplicates"] == 2


def test_the_thread_stops_within_a_file_and_the_next_goes_on(
    incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()

    def endless(file: record_files.RecordFile):
        while True:
            began.set()
            time.sleep(0.01)
            yield record_files.Batch(np.zeros(0, RECORD), 0, [])

    monkeypatch.setattr(record_files.RecordFile, "batches", endless)
    monkeypatch.setattr(importing, "SETTLED_S", 0.0)
    put(incoming / "1.jsonl", *map(str, range(10)))
    thread = Importing(Settings(incoming.parent, cdr=CdrSettings(folders={"incoming": "platform-json"})))
    assert began.wait(20)
    assert thread.reading is not None and thread.reading["file"] == "1.jsonl" and thread.reading["of"] > 0
    thread.close(20)
    assert thread.reading is None
    assert not thread._thread.is_alive()
    assert thread.trouble == "" and (incoming / "1.jsonl").exists()
