"""Erasing: the numbers of one subscription are nowhere afterwards, and every chain of digests verifies again."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from history.recorded import MEMBERS, archive_all, member, record
from simward.cli import cli
from simward.control.alone import alone
from simward.control.following import Following
from simward.control.heads import Heads, Signer
from simward.engine import events as ev
from simward.engine.both_journals import findings_folder
from simward.engine.call_records import records_folder, row_records
from simward.engine.journal import EVENTS, TODAY, Row, events_row, row_events, row_outputs
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import ERASING_NAME, erased_up_to, restore
from simward.engine.whole_ids import notes_of_pairs, pairs_noted
from simward.erasure import run
from simward.erasure.identifiers import EVIDENCE, Eraser, Identifiers
from simward.errors import JournalError, RegistryError
from simward.history.whole import WholeJournal
from simward.identity import Iccid, Imsi, Msisdn
from simward.inputs.record_import import RecordImport
from simward.registry import audit
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.settings import Endpoint
from simward.watch.following import Follower
from simward.wire.cdr.template import Template

GONE = MEMBERS - 1
"""The one whose SIM was seen in a phone: it has findings, and evidence."""

RECORDS_NUMBER = "+99950001234"
"""Its telephone number according to call detail records, and to nothing else."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Days of a fleet, in history and journal, followed and audited; and one line out of the inventory."""
    folder = tmp_path_factory.mktemp("recorded")
    record(folder)
    lines = ["iccid,imsi,use_case,msisdn"]
    for number in range(MEMBERS):
        if number != GONE:
            who = member(number)
            lines.append(f"{who['iccid']},{who['imsi']},water-meter,{who['msisdn']}")
    (folder / "inventory.csv").write_text("\n".join(lines) + "\n")
    assert archive_all(folder) > 2
    assert simward(folder, "apply", "--yes", "--because", f"{member(GONE)['imsi']} is sold").exit_code == 0
    prove_disconnects(folder)
    import_records(folder)
    with closing(Follower(folder / "data")) as follower, pytest.MonkeyPatch.context() as patched:
        patched.setattr("simward.watch.following.STEP_EVENTS", 1)  # so that records find a place among the rows
        follower.catch_up()
    registry = Registry.open(sqlite_url(folder / "data"))
    registry.migrate()
    announcing = Announcing([Endpoint("all", "webhook")], lambda: 1)
    with closing(Following(folder / "data", registry, [announcing], [Auditing()])) as following:
        while following.step():
            pass
    registry.close()
    return folder


def import_records(folder: Path) -> None:
    """Its calls and another's, a line that could not be read, and a number that its records alone know."""
    mine, other = member(GONE), member(2)
    lines = [
        ("1", mine["imsi"], mine["msisdn"]), ("2", "", mine["msisdn"]), ("3", mine["imsi"], RECORDS_NUMBER),
        ("4", "", RECORDS_NUMBER), ("5", other["imsi"], other["msisdn"]), ("wrong", mine["imsi"], mine["msisdn"]),
    ]  # fmt: skip
    path = folder / f"of-{mine['imsi']}.jsonl"
    path.write_text("".join(
        json.dumps({"id": name, "type": "sms", "started_at": "x" if name == "wrong" else "2026-09-21T10:00:00Z",
                    "sim": {"imsi": imsi, "msisdn": number}}) + "\n" for name, imsi, number in lines
    ))  # fmt: skip
    with closing(RecordImport(folder / "data", 0)) as into:
        outcome = into.run(path, Template.named("platform-json"), 1_790_000_000_000_000)
    assert (outcome.records, outcome.rejected) == (5, 1)
    path.unlink()


def prove_disconnects(folder: Path) -> None:
    """The gateway answers what is pending."""
    with closing(SqliteJournal.open(folder / "data" / "journal")) as journal:
        fold = restore(folder / "data", WholeJournal(folder / "data", journal))
        journal.register_kernel(fold.kernel, fold.manifest())
        for effect in fold.pending_effects():
            first = fold.sequence + 1
            event = fold.effect_result(effect, ev.EFFECT_ACK, 0, fold.now)
            folded = fold.events(event)
            journal.append(events_row(first, fold.now, fold.kernel, event, folded.outputs.copy()))


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "work"))


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def numbers() -> Identifiers:
    who = member(GONE)
    return Identifiers(
        frozenset({Imsi.parse(who["imsi"]).number}), Iccid.parse(who["iccid"]).number,
        frozenset({Msisdn.parse(who["msisdn"]).number, Msisdn.parse(RECORDS_NUMBER).number}),
    )  # fmt: skip


def mentions(folder: Path) -> list[str]:
    """Files under data/ that hold one of its numbers, as digits or as the engine keeps them."""
    who = numbers()
    patterns = [text.encode() for text in who.texts] + [np.int64(one).tobytes() for one in who.imsis]
    return [
        str(path.relative_to(folder)) for path in sorted((folder / "data").rglob("*"))
        if path.is_file() and any(one in path.read_bytes() for one in patterns)
    ]  # fmt: skip


def test_before_it_is_everywhere(folder: Path) -> None:
    found = mentions(folder)
    assert {one.split("/")[1] for one in found} >= {"cdr", "journal", "registry.sqlite"}
    with closing(WholeJournal.open(folder / "data")) as whole:
        imsi = next(iter(numbers().imsis))
        assert any((row_outputs(row, whole.layouts)["imsi"] == imsi).any() for row in whole.rows())


def test_afterwards_it_is_nowhere_and_everything_verifies(folder: Path) -> None:
    before = simward(folder, "audit", "verify", "--json")
    erased = simward(folder, "erase", member(GONE)["iccid"], "--because", "asked by the person", "--yes")
    assert erased.exit_code == 0, erased.output
    assert mentions(folder) == []
    assert simward(folder, "verify").exit_code == 0
    assert simward(folder, "audit", "verify").exit_code == 0
    assert before.exit_code == 0
    who = numbers()
    with closing(WholeJournal.open(folder / "data")) as whole:
        for row in whole.rows():
            for rows in (row_outputs(row, whole.layouts), *([row_events(row)] if row.kind == EVENTS else [])):
                for name in {"imsi", "user", "msisdn", "subject", "iccid", *EVIDENCE} & set(rows.dtype.names):
                    assert not np.isin(rows[name], list(who.numbers)).any(), (row.first, name)


def test_calls_stay_as_calls_of_nobody(folder: Path) -> None:
    other = simward(folder, "cdr", "list", member(2)["imsi"], "--json").stdout
    assert simward(folder, "erase", RECORDS_NUMBER, "--because", "asked", "--yes").exit_code == 0
    assert mentions(folder) == []
    with closing(SqliteJournal.open(records_folder(folder / "data"), writer=False)) as journal:
        records = np.concatenate([row_records(row, journal.layouts) for row in journal.rows()])
    assert records["imsi"].astype(bool).tolist() == [False] * 4 + [True]
    assert not records["msisdn"][:4].any() and records["record_id"].all()
    assert simward(folder, "cdr", "list", member(2)["imsi"], "--json").stdout == other != ""
    assert any((folder / "data" / "cdr" / "rejects").iterdir())


def test_the_others_are_as_they_were(folder: Path) -> None:
    other = member(2)
    before = simward(folder, "explain", other["imsi"], "--json").stdout
    findings = simward(folder, "findings", "--json", "--imsi", other["imsi"]).stdout
    counted = simward(folder, "events", "--count").stdout
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    assert simward(folder, "explain", other["imsi"], "--json").stdout == before
    assert simward(folder, "findings", "--json", "--imsi", other["imsi"]).stdout == findings
    assert simward(folder, "events", "--count").stdout == counted, "that something happened stays"
    assert simward(folder, "explain", member(GONE)["imsi"]).exit_code == 1


def test_the_state_goes_on_from_the_snapshot(folder: Path) -> None:
    with closing(WholeJournal.open(folder / "data")) as whole:
        before, last = restore(folder / "data", whole).state.digest(), whole.last
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    with closing(WholeJournal.open(folder / "data")) as whole:
        assert whole.last == last
        assert restore(folder / "data", whole).state.digest() == before
    assert erased_up_to(folder / "data") == last
    with closing(SqliteJournal.open(folder / "data" / "journal")) as journal:
        assert journal.last == last


def test_the_watch_goes_on_from_it_with_the_records_that_it_had_followed(folder: Path) -> None:
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    with closing(Follower(folder / "data")) as follower:
        follower.catch_up()
        assert follower.records.followed == follower.records.journal.last > 0
        assert np.count_nonzero(follower.behind.watch.state.called["head"]) == 1, "the other's"


def test_without_that_snapshot_nothing_starts(folder: Path) -> None:
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    shutil.rmtree(folder / "data" / "snapshots")
    with closing(WholeJournal.open(folder / "data")) as whole, pytest.raises(JournalError, match="erasure"):
        restore(folder / "data", whole)


def test_the_audit_says_that_it_was_erased_and_not_whom(folder: Path) -> None:
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    registry = Registry.open(sqlite_url(folder / "data"))
    with registry.reading() as connection:
        entries = list(audit.entries(connection))
        assert connection.execute(sa.select(t.subscription.c.imsi)).scalars().all().count(member(GONE)["imsi"]) == 0
    registry.close()
    assert entries[-1].what == "erase"
    assert entries[-1].content is not None and entries[-1].content["why"] == "asked"
    assert any(one.content is None for one in entries)


def test_one_that_is_declared_is_not_erased(folder: Path) -> None:
    refused = simward(folder, "erase", member(0)["imsi"], "--because", "asked", "--yes")
    assert refused.exit_code == 1
    assert "inventory.csv" in refused.output


@pytest.mark.parametrize("stage", range(8))
def test_killed_anywhere_it_is_either_not_done_or_finished_by_the_same_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stage: int
) -> None:
    class Killed(BaseException):
        pass

    count = iter(range(100))

    def counting(*arguments: object) -> None:
        if next(count) == stage:
            raise Killed
        renames(*arguments)

    renames = os.replace
    monkeypatch.setattr(os, "replace", counting)
    with pytest.raises(Killed):
        CliRunner().invoke(
            cli, ["--dir", str(folder), "erase", member(GONE)["imsi"], "--because", "asked", "--yes"],
            catch_exceptions=False,
        )  # fmt: skip
    monkeypatch.undo()
    again = simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes")
    assert again.exit_code in (0, 1), again.output
    assert mentions(folder) == []
    assert simward(folder, "verify").exit_code == 0
    assert not findings_folder(folder / "data").with_name("journal.erasing").exists()


def test_a_long_session_id_goes_with_the_event_that_has_a_part_of_it() -> None:
    """What is too long for an event stands in the notes of its row, whole."""
    who = numbers()
    names = [(b"h" * 7 + bytes([place]), b"%d" % place * 60) for place in range(2)]
    events = ev.empty(2)
    for event, (named, whole), imsi in zip(events, names, (next(iter(who.imsis)), 5)):
        event["kind"], event["imsi"] = ev.ACCOUNTING_START, imsi
        event["session_id"][:] = np.frombuffer(whole[:40] + named, np.uint8)
    row = Row(7, 2, EVENTS, 1, "k", events.tobytes(), b"", {"session_ids": notes_of_pairs(names)})
    erased = Eraser(who).row(row, TODAY)
    assert row_events(erased)["session_id_octets"].tolist() == [0, 0]
    assert pairs_noted(erased.notes["session_ids"]) == [names[1]]
    assert row_events(erased)["imsi"].tolist() == [0, 5]


@pytest.mark.parametrize("called", ["imsi", "iccid", "msisdn"])
def test_killed_before_the_registry_was_done_it_is_done_by_whatever_finishes_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    """The journal that says whose numbers belong together is gone by then: the plan has to know."""

    def fails(*arguments: object) -> None:
        raise RegistryError("the disk is full")

    again = ["erase", member(GONE)[called], "--because", "asked", "--yes"]
    with monkeypatch.context() as patched:
        patched.setattr(run, "_registry", fails)
        assert isinstance(CliRunner().invoke(cli, ["--dir", str(folder), *again]).exception, SystemExit | RegistryError)
    assert (folder / "data" / ERASING_NAME).stat().st_mode & 0o077 == 0
    done = simward(folder, *again)
    assert "cut short is finished" in done.output
    assert mentions(folder) == []
    assert simward(folder, "audit", "verify").exit_code == 0


def test_while_a_control_process_runs_nothing_is_touched(folder: Path) -> None:
    before = mentions(folder)
    with alone(folder / "data"):
        refused = simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes")
    assert refused.exit_code == 3 and "another control process" in refused.output
    assert set(before) <= set(mentions(folder))
    assert simward(folder, "verify").exit_code == 0


def test_what_is_a_part_of_other_numbers_stays_as_it_is() -> None:
    """+47400 is in many numbers, times and ids that are somebody else's."""
    who = Identifiers(frozenset({Imsi.parse("001010000000001").number}), 0, frozenset({Msisdn.parse("+47400").number}))
    others = {
        "id": "0/47400/1", "at": 1_747_400_000_000_000, "octets": 47400, "msisdn": "+4740012345",
        "digest": "ab47400cd", "said": "47400 devices", "imsi": "001010000000010", "long": "90010100000000012",
    }  # fmt: skip
    row = Row(7, 2, EVENTS, 1, "k", b"", b"", others)
    assert Eraser(who)._notes(row) is others
    mine = {"said": "+47400 (0047400) had 001010000000001, so 0001010000000001@nai", "at": 1010000000001}
    assert Eraser(who)._notes(replace(row, notes=mine)) == {
        "said": "(erased) ((erased)) had (erased), so (erased)@nai", "at": 1010000000001
    }  # fmt: skip


def test_a_key_that_went_without_an_erasure_fails_the_verification(folder: Path) -> None:
    assert simward(folder, "erase", member(GONE)["imsi"], "--because", "asked", "--yes").exit_code == 0
    assert simward(folder, "audit", "verify").exit_code == 0
    registry = Registry.open(sqlite_url(folder / "data"))
    with registry.writing() as connection:
        connection.execute(sa.delete(t.audit_key).where(t.audit_key.c.number == 1))
    registry.close()
    told = simward(folder, "audit", "verify")
    assert told.exit_code == 1 and "Entry 1 cannot be read" in told.output


def test_a_file_of_heads_that_was_emptied_agrees_with_nothing(folder: Path, tmp_path: Path) -> None:
    Signer.of(folder / "data")
    (tmp_path / "heads.jsonl").touch()
    told = simward(folder, "audit", "verify", "--heads", str(tmp_path / "heads.jsonl"))
    assert told.exit_code == 1 and "holds no head" in told.output


def test_a_journal_whose_newest_rows_are_gone_contradicts_a_head(folder: Path, tmp_path: Path) -> None:
    with closing(WholeJournal.open(folder / "data")) as whole:
        last = whole.last
    registry = Registry.open(sqlite_url(folder / "data"))
    heads = Heads(tmp_path / "heads.jsonl", Signer.of(folder / "data"), registry)
    heads.write(1, (last, bytes(32)))
    assert simward(folder, "audit", "verify", "--heads", str(heads.path)).exit_code == 0
    heads.write(2, (last + 1, bytes(32)))
    registry.close()
    told = simward(folder, "audit", "verify", "--heads", str(heads.path))
    assert told.exit_code == 1 and f"ends with {last} now" in told.output
