"""Files of call detail records: each record once, whatever comes late, twice or damaged, and durable when told so."""

from __future__ import annotations

import codecs
import gzip
import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from simward.cli import cli
from simward.engine.call_records import (
    DATA,
    INTERNATIONAL,
    NATIONAL,
    PREMIUM,
    SHORT_MESSAGE,
    VOICE,
    records_folder,
    row_records,
)
from simward.engine.journal_files import segments
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import JournalError, NotDurableError, UsageError
from simward.identity import Imsi, Msisdn, Plmn
from simward.inputs import record_files, record_import, record_octets
from simward.inputs.record_import import DAY_US, Outcome, RecordImport
from simward.wire.cdr.template import Template

AT = 1_790_000_000_000_000
"""2026-09-21T14:13:20Z, when files are imported."""
HEADER = (
    "CallReference;RecordType;StartTime;ServedIMSI;ServedMSISDN;VisitedPLMN;CalledNumber;Duration;VolumeUplink;"
    "VolumeDownlink"
)
CALL = "a1;MOC;2026-09-21 10:00:00;001010000000001;99950000001;00101;+999829001;65;;"
SMS = '{"id": "a1", "type": "sms", "started_at": "2026-09-21T10:00:00Z", "sim": {"imsi": "001010000000001"}}'
CSV = Template.named("operator-csv")
KEEP_S = 100 * 86_400


def importing(folder: Path, path: Path, template: Template = CSV, *, at: int = AT, keep_s: int = KEEP_S) -> Outcome:
    with closing(RecordImport(folder, keep_s)) as into:
        return into.run(path, template, at)


def written(tmp_path: Path, *lines: str, name: str = "hour.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def journalled(folder: Path) -> np.ndarray:
    with closing(SqliteJournal.open(records_folder(folder), writer=False)) as journal:
        return np.concatenate([row_records(row, journal.layouts) for row in journal.rows()])


def rejects(outcome: Outcome) -> list[tuple[int, str]]:
    said = [json.loads(line) for line in Path(outcome.rejects).read_text().splitlines()]
    return [(one["line"], one["reason"]) for one in said]


def test_a_record_says_who_called_what_and_where(tmp_path: Path) -> None:
    path = written(
        tmp_path, CALL, "a2;SMS-MO;2026-09-21 10:00:01;001010000000001;;00101;0099912345;;;",
        "a3;PDP;2026-09-21 10:00:02;001010000000002;;00102;meters.iot;3600;1000;2000",
        "a4;MTC;2026-09-21 10:00:03;001010000000001;;00101;999829001;65;;",
        "a5;MOC;2026-09-21 10:00:04;;99950000001;;4712345678;1;;",
    )  # fmt: skip
    outcome = importing(tmp_path, path)
    assert (outcome.records, outcome.ignored, outcome.rejected) == (4, 1, 0)
    call, message, data, abroad = journalled(tmp_path)
    assert call["imsi"] == Imsi.parse("001010000000001").number
    assert call["msisdn"] == Msisdn.parse("+99950000001").number
    assert call["plmn"] == Plmn.parse("00101").number
    assert (call["kind"], call["destination"], call["duration_s"], call["uplink_octets"]) == (VOICE, PREMIUM, 65, -1)
    assert call["happened_at"] == AT - (4 * 3600 + 13 * 60 + 20) * 1_000_000
    assert (message["kind"], message["destination"], message["duration_s"]) == (SHORT_MESSAGE, NATIONAL, -1)
    assert (data["kind"], data["destination"], data["uplink_octets"], data["downlink_octets"]) == (DATA, 0, 1000, 2000)
    assert (abroad["imsi"], abroad["destination"]) == (0, INTERNATIONAL)


def test_json_lines_with_keys_inside_keys(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    lines = [
        {"id": 7, "type": "call", "started_at": "2026-09-21T12:00:00+02:00", "sim": {"imsi": "001010000000001"},
         "seconds": 12.0, "to": "+99982911", "bytes": None},
        {"id": "8", "type": "data", "started_at": "2026-09-21T10:00:00.5Z", "sim": {"msisdn": "+99950000001"},
         "bytes": {"up": 5, "down": 6}},
    ]  # fmt: skip
    lone = '{"id": "\\ud800", "type": "sms", "started_at": "2026-09-21T10:00:00Z", "sim": 7}'
    path.write_text("\n".join([*map(json.dumps, lines), lone, "[1]", '{"id"', "[" * 100_000]))
    outcome = importing(tmp_path, path, Template.named("platform-json"))
    assert rejects(outcome) == [
        (3, "neither IMSI nor MSISDN can be read"), *((number, "no JSON object") for number in (4, 5, 6))
    ]  # fmt: skip
    call, data = journalled(tmp_path)
    assert (call["duration_s"], call["destination"], data["uplink_octets"]) == (12, PREMIUM, 5)
    assert data["happened_at"] - call["happened_at"] == 500_000


def test_a_file_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, CALL)
    assert importing(tmp_path, path).records == 1
    again = importing(tmp_path, path)
    assert again.known and not again.records
    assert len(journalled(tmp_path)) == 1


def test_under_a_corrected_template_the_same_file_gives_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, CALL, CALL.replace("a1;MOC", "a2;VOLTE"), CALL.replace("a1;MOC", "a3;MTC"))
    assert importing(tmp_path, path).rejected == 1
    again = importing(tmp_path, path)
    assert (again.known, again.duplicates, again.rejected) == (False, 1, 1), "what is wrong is told each time"
    corrected = Template(**{**CSV.__dict__, "kinds": {**CSV.kinds, "VOLTE": VOICE}})
    done = importing(tmp_path, path, corrected)
    assert (done.records, done.duplicates, done.ignored, done.rejected) == (1, 1, 1, 0)
    assert importing(tmp_path, path, corrected).known
    received = Template(**{**CSV.__dict__, "kinds": {**corrected.kinds, "MTC": VOICE}})
    assert importing(tmp_path, path, received).records == 1, "what was ignored may be wanted after all"


def test_a_line_of_the_future_is_taken_once_it_is_time(tmp_path: Path) -> None:
    path = written(tmp_path, CALL.replace("2026-09-21", "2026-09-24"))
    assert importing(tmp_path, path).rejected == 1
    assert importing(tmp_path, path, at=AT + 3 * DAY_US).records == 1


@pytest.mark.parametrize("replaced", [True, False])
def test_what_changes_while_it_is_read_is_not_said_to_be_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    path, other = written(tmp_path, CALL), written(tmp_path, CALL.replace("a1", "a2"), name="other")
    before, seen = path.read_bytes(), record_import._digest

    def changes(read: Path) -> str:
        digest = seen(read)
        if replaced:
            other.rename(path)
        else:
            path.write_bytes(before + CALL.replace("a1", "a2").encode())
        return digest

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(record_import, "_digest", changes)
        with pytest.raises(UsageError, match="changed while it was read"):
            importing(tmp_path, path)
    path.write_bytes(before)
    assert not importing(tmp_path, path).known
    assert len(journalled(tmp_path)) == 2


def test_a_record_that_comes_again_in_another_file_or_the_same_counts_once(tmp_path: Path) -> None:
    importing(tmp_path, written(tmp_path, CALL))
    later = CALL.replace("a1", "a2").replace("10:00:00", "09:00:00")  # late, and out of order
    outcome = importing(tmp_path, written(tmp_path, CALL, later, later, name="day.csv"))
    assert (outcome.records, outcome.duplicates, outcome.known) == (1, 2, False)
    assert len(journalled(tmp_path)) == 2


def test_another_operators_ids_are_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, CALL)
    importing(tmp_path, path)
    other = Template(**{**CSV.__dict__, "name": "other"})
    assert importing(tmp_path, path, other).records == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (CALL.replace("a1", " "), "no record id"),
        (CALL.replace("MOC", "XYZ"), "a kind that the template does not name"),
        (CALL.replace("10:00:00", "25:00:00"), "no time that can be read"),
        (CALL.replace("2026", "2025"), "older than records are kept for"),
        (CALL.replace("2026-09-21", "2026-09-23"), "in the future"),
        (CALL.replace("001010000000001", "x").replace("99950000001", ""), "neither IMSI nor MSISDN can be read"),
        (CALL.replace("00101;+", "1;+"), "a network that is no MCC and MNC"),
        (CALL.replace(";65;", ";-65;"), "a duration or number of octets that is none"),
        (CALL.replace(";65;", ";99999999999;"), "a duration or number of octets that is none"),
        (CALL.replace("+999829001", "anna"), "a called number that is none"),
        (CALL + ";", "11 values under 10 columns"),
        ('"' + CALL, "no CSV: a quotation mark is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_put_aside_with_the_reason(tmp_path: Path, wrong: str, reason: str) -> None:
    good = [CALL.replace("a1", f"b{number}") for number in range(3)]
    outcome = importing(tmp_path, written(tmp_path, good[0], "", wrong, *good[1:]))
    assert (outcome.records, outcome.rejected) == (3, 1)
    assert rejects(outcome) == [(4, reason)]
    assert json.loads(Path(outcome.rejects).read_text())["text"] == wrong
    assert os.stat(outcome.rejects).st_mode & 0o077 == 0


def test_two_open_quotation_marks_swallow_no_line_between_them(tmp_path: Path) -> None:
    lines = [f'"{CALL}', CALL, CALL.replace("a1", 'a2"')]
    outcome = importing(tmp_path, written(tmp_path, *lines))
    assert (outcome.records, outcome.rejected) == (2, 1)


def test_a_carriage_return_within_a_line_makes_up_for_no_line_that_was_swallowed(tmp_path: Path) -> None:
    first, second = CALL.replace("a1", "b1"), CALL.replace("a1", "b2")
    cut = second.rindex(";65")
    path = tmp_path / "hour.csv"
    path.write_bytes("\n".join(
        [HEADER, f"{first}\r{second}", 'c1;MOC;2026-09-21 10:00:00;001010000000001;;;"1', f'2"{second[cut:]}', CALL, ""]
    ).encode())  # fmt: skip
    outcome = importing(tmp_path, path)
    assert (outcome.records, outcome.rejected) == (2, 1)


def test_an_end_of_line_within_quotation_marks_is_no_end_of_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [CALL, '"b1\r\n\nwritten, ""by hand"""' + CALL[2:], CALL.replace("a1", "b2"), f'"b3{CALL[2:]}']
    path = written(tmp_path, *lines, CALL.replace("a1", "b4"))
    for rows in (65_536, *range(1, 8)):  # wherever a block ends
        monkeypatch.setattr(record_files, "BATCH_ROWS", rows)
        outcome = importing(tmp_path / str(rows), path)
        assert (outcome.records, rejects(outcome)) == (4, [(7, "no CSV: a quotation mark is missing")])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1", "mac"])
def test_encodings_and_ends_of_lines_of_other_systems(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "hour.csv"
    text = "\r\n".join([HEADER, CALL.replace("a1", "\u00e91"), CALL, ""])
    if encoding == "mac":
        text, encoding = text.replace("\n", ""), "utf-8"
    path.write_bytes((codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b"") + text.encode(encoding))
    outcome = importing(tmp_path, path)
    assert (outcome.records, outcome.rejected) == (2, 0)


def test_without_a_header_columns_have_numbers(tmp_path: Path) -> None:
    plain = {ours: (str(HEADER.split(";").index(theirs) + 1),) for ours, (theirs,) in CSV.columns.items()}
    template = Template(**{**CSV.__dict__, "header": False, "columns": plain})
    path = tmp_path / "hour.csv"
    path.write_text(f"\n{CALL}\n{CALL.replace('a1', 'a2')}\n{CALL};\n")
    outcome = importing(tmp_path, path, template)
    assert (outcome.records, rejects(outcome)) == (2, [(4, "11 values under 10 columns")])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_files_that_were_put_together(tmp_path: Path, suffix: str) -> None:
    """As `cat` does: more than one member (RFC 1952 2.2) or frame (RFC 8878 3), each with the header."""
    packed = gzip.compress if suffix == ".gz" else lambda text: pa.Codec("zstd").compress(text, asbytes=True)
    path = tmp_path / f"day.csv{suffix}"
    path.write_bytes(b"".join(
        packed("\n".join([HEADER, CALL.replace("a1", one), ""]).encode()) for one in ("a1", "a2", "a3")
    ))  # fmt: skip
    outcome = importing(tmp_path, path)
    assert (outcome.records, outcome.rejected) == (3, 0)


def test_a_line_that_is_far_too_long_costs_that_line(tmp_path: Path) -> None:
    for template, good, name in ((CSV, CALL, "x.csv"), (Template.named("platform-json"), SMS, "x.jsonl")):
        for size in (2 << 20, 9 << 20):
            path = tmp_path / str(size) / name
            path.parent.mkdir(exist_ok=True)
            header = [HEADER] if template is CSV else ["", ""]
            path.write_text("\n".join([*header, good, "x" * size, good.replace("a1", "a2")]))
            outcome = importing(path.parent / template.name, path, template)
            assert outcome.records == 2
            assert [reason for _, reason in rejects(outcome)] == ["a line of more than a megabyte"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("inside", ["", "data.records"])
def test_a_document_of_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None, inside: str
) -> None:
    many = [json.loads(SMS.replace("a1", f"r{number}")) for number in range(300)]
    document: object = [*many[:200], 7, *many[200:]]
    for key in reversed(inside.split(".") if inside else []):
        document = {"page": {"of": [1, 2.5]}, "total": 12345, key: document, "next": None, "more": 1}
    template = Template(**{**Template.named("platform-json").__dict__, "inside": inside})
    path = tmp_path / "export.json"
    text = json.dumps(document, indent=indent)
    path.write_text("\ufeff" + text + "\n")
    for octets in (1 << 22, 997):  # wherever a block ends
        monkeypatch.setattr(record_octets, "BLOCK_OCTETS", octets)
        outcome = importing(tmp_path / str(octets), path, template)
        line = text[: text.index("7,", text.index("r199"))].count("\n") + 1
        assert (outcome.records, rejects(outcome)) == (300, [(line, "no JSON object")])
    path.write_text(text[: text.index("r250")])
    with pytest.raises(UsageError, match="no JSON at line"):
        importing(tmp_path / "cut", path, template)
    assert len(journalled(tmp_path / "cut")) == 250, "what it has"


@pytest.mark.parametrize("text", ['{"data": {"other": []}}', '{"data": [1]}', '{"data": {"records": {}}}', '{"data"'])
def test_a_document_without_such_an_array(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text)
    template = Template(**{**Template.named("platform-json").__dict__, "inside": "data.records"})
    with pytest.raises(UsageError, match=r"export\.json"):
        importing(tmp_path, path, template)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed(tmp_path: Path, suffix: str) -> None:
    octets = "\n".join([HEADER, CALL]).encode()  # without an end of line
    path = tmp_path / f"hour.csv{suffix}"
    made = gzip.compress(octets) if suffix == ".gz" else pa.Codec("zstd").compress(octets, asbytes=True)
    path.write_bytes(made)
    assert importing(tmp_path, path).records == 1


def test_a_file_that_is_cut_off_gives_what_it_has_and_may_come_again_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_octets, "BLOCK_OCTETS", 1 << 12)
    lines = [CALL.replace("a1", os.urandom(12).hex()) for _ in range(2_000)]
    octets = gzip.compress("\n".join([HEADER, *lines, ""]).encode())
    path = tmp_path / "hour.csv.gz"
    path.write_bytes(octets[: len(octets) // 2])
    with pytest.raises(UsageError, match="cannot be read to its end"):
        importing(tmp_path, path)
    had = len(journalled(tmp_path))
    assert 0 < had < 2_000
    path.write_bytes(octets)
    outcome = importing(tmp_path, path)
    assert (outcome.records, outcome.duplicates) == (2_000 - had, had)


def test_killed_half_way_the_same_import_finishes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_files, "BATCH_ROWS", 100)
    path = written(tmp_path, *(CALL.replace("a1", f"r{number}") for number in range(1_000)))

    class Killed(BaseException):
        pass

    def dies(file: record_files.RecordFile) -> None:
        if file.lines > 450:
            raise Killed

    into = RecordImport(tmp_path, KEEP_S)
    with pytest.raises(Killed):
        into.run(path, CSV, AT, dies)
    into.close()
    had = len(journalled(tmp_path))
    assert 0 < had < 1_000
    assert importing(tmp_path, path).duplicates == had
    found = journalled(tmp_path)
    assert len(found) == len(np.unique(found["record_id"])) == 1_000


def test_where_the_journal_cannot_be_written_nothing_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, CALL)
    with closing(RecordImport(tmp_path, KEEP_S)) as into:
        with monkeypatch.context() as full:

            def refuse(row: object) -> None:
                raise NotDurableError("the disk is full")

            full.setattr(into.journal, "append", refuse)
            with pytest.raises(NotDurableError):
                into.run(path, CSV, AT)
        assert into.run(path, CSV, AT).records == 1, "also by the same importer"


def test_one_writer(tmp_path: Path) -> None:
    with closing(RecordImport(tmp_path, KEEP_S)), pytest.raises(JournalError, match="being written by process"):
        RecordImport(tmp_path, KEEP_S)


def test_what_is_too_old_goes_and_can_not_come_again(tmp_path: Path) -> None:
    path = written(tmp_path, CALL, "rubbish")
    rubbish = importing(tmp_path, path).rejects
    os.utime(rubbish, (AT // 1_000_000, AT // 1_000_000))
    later = AT + KEEP_S * 1_000_000 + 3 * DAY_US
    new = CALL.replace("a1", "c1").replace("2026-09-21", "2027-01-01")
    importing(tmp_path, written(tmp_path, new, name="new.csv"), at=later)
    assert len(segments(records_folder(tmp_path))) == 2
    with closing(RecordImport(tmp_path, KEEP_S)) as into:
        assert into.expire(AT + KEEP_S * 1_000_000) == 0
        assert into.expire(later) == 1
        assert into.run(path, CSV, later).rejected == 2, "too old by now"
    assert len(journalled(tmp_path)) == 1
    assert not Path(rubbish).exists() or "older" in Path(rubbish).read_text()
    with closing(SqliteJournal.open(records_folder(tmp_path), writer=False)) as journal:
        assert not journal.verify().wrong


@pytest.mark.parametrize("name", ["v" * 251 + ".csv", "ø" * 120 + ".csv", "a day.csv", os.fsdecode(b"\xff.csv")])
def test_rejected_lines_of_a_file_of_any_name_are_kept(tmp_path: Path, name: str) -> None:
    outcome = importing(tmp_path, written(tmp_path, CALL, "rubbish", name=name))
    assert rejects(outcome) == [(3, "1 values under 10 columns")]
    assert len(journalled(tmp_path)) == 1


def test_a_template_of_another_operator_imports_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hour.csv"
    path.write_text("id,when\n1,2\n")
    with pytest.raises(UsageError, match="has no column"):
        importing(tmp_path, path)


def test_the_command(tmp_path: Path) -> None:
    def simward(*words: str):
        return CliRunner().invoke(cli, ["--dir", str(tmp_path / "work"), *words])

    assert simward("init").exit_code == 0
    path = tmp_path / "day.jsonl"
    path.write_text(
        '{"id": "1", "type": "sms", "started_at": "2099-01-01T00:00:00Z", "sim": {"imsi": "001010000000001"}}\n'
    )
    done = simward("cdr", "import", str(path), "--template", "platform-json")
    assert done.exit_code == 1 and "0 records; 1 rejected" in done.output
    assert simward("cdr", "import", str(path), "--template", "platform-jsn").exit_code == 2
    good = tmp_path / "good.jsonl"
    good.write_text(path.read_text().replace("2099-01-01T00:00:00Z", str(datetime.now(UTC))))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}")[:9])
    done = simward("cdr", "import", str(tmp_path / "cut.jsonl.gz"), str(good), "--template", "platform-json")
    assert done.exit_code == 2 and "cut.jsonl.gz cannot be read to its end" in done.stderr
    assert "good.jsonl: 1 records" in done.stdout, "one file holds up no other"
    assert simward("cdr", "list", "001010000000001").exit_code == 0
    assert simward("verify").exit_code == 0


def test_check_looks_at_folders_and_their_templates(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["--dir", str(tmp_path), "init"]).exit_code == 0
    with (tmp_path / "simward.toml").open("a") as file:
        file.write('\n[cdr]\nfolders = {"incoming" = "mine.yaml"}\n')
    (tmp_path / "mine.yaml").write_text("cdr: mine\n")
    checked = CliRunner().invoke(cli, ["--dir", str(tmp_path), "check"])
    assert checked.exit_code == 1
    assert "columns: is missing" in checked.output and "there is no folder" in checked.output
